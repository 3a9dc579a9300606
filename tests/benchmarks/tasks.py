"""How many loads and puts 64 tasks do in a second, on threads, on aiobotocore, and with peers.

    python -m tests.benchmarks.tasks

The server is that of ``tests.benchmarks.batches``: it needs 5 ms for an answer, however many requests are under way. The
contenders take turns, and medians are compared; the first round does not count. aiodynamo is installed into a temporary
folder; where that fails, its rows are left out.
"""

from __future__ import annotations

import asyncio
import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Final, TypeAlias

import boto3
import botocore
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

import logicaldb
from examples.music.models import AlbumTrack, AsyncMusicDb
from tests.benchmarks.batches import TABLE, running_server, settings, track

TASKS: Final = 64
CALLS: Final = 2_000
ROUNDS: Final = 5
AIODYNAMO: Final = "aiodynamo[aiohttp]"

aiobotocore: Any = importlib.import_module("aiobotocore")  # it has no types
aio_config: Any = importlib.import_module("aiobotocore.config")
aio_session: Any = importlib.import_module("aiobotocore.session")

Call: TypeAlias = Callable[[int], Awaitable[Any]]


def ours(client: Any) -> tuple[Call, Call]:
    """Loads and puts with logicaldb."""
    db = AsyncMusicDb(client)
    return lambda number: db.load(AlbumTrack.Key("ALBUM_1", number)), lambda number: db.put(track(number))


def with_aiobotocore(client: Any) -> tuple[Call, Call]:
    """Loads and puts of models by hand: boto3's own conversion of values, and pydantic."""
    serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize

    async def load(number: int) -> Any:
        key = {"partition_key": {"S": "ALBUM_1"}, "sort_key": {"S": f"TRACK_{number:016}"}}
        answer = await client.get_item(TableName=TABLE, Key=key)
        row = {name: deserialize(value) for name, value in answer["Item"].items()}
        return AlbumTrack.model_validate(
            {
                "album_token": row["partition_key"],
                "track_number": int(row["sort_key"].removeprefix("TRACK_")),
                "track_title": row["track_title"],
                "run_length": float(row["run_length"]),
                "play_count": row["play_count"],
            }
        )

    async def put(number: int) -> Any:
        one = track(number)
        row = {
            "partition_key": one.album_token,
            "sort_key": f"TRACK_{one.track_number:016}",
            "track_title": one.track_title,
            "run_length": int(one.run_length.total_seconds()),
            "play_count": one.play_count,
        }
        return await client.put_item(TableName=TABLE, Item={name: serialize(value) for name, value in row.items()})

    return load, put


def install_aiodynamo(folder: str) -> bool:
    """Install it into a folder, if it can be had."""
    sys.path.append(folder)
    install = [sys.executable, "-m", "pip", "install", "-qq", "--target", folder, AIODYNAMO]
    return subprocess.run(install, check=False).returncode == 0


async def with_aiodynamo(url: str, stack: AsyncExitStack) -> tuple[Call, Call]:
    """Loads and puts of dicts with aiodynamo."""
    aiohttp: Any = importlib.import_module("aiohttp")
    transport: Any = importlib.import_module("aiodynamo.http.aiohttp")
    credentials: Any = importlib.import_module("aiodynamo.credentials")
    yarl: Any = importlib.import_module("yarl")
    session = await stack.enter_async_context(aiohttp.ClientSession())
    client: Any = importlib.import_module("aiodynamo.client").Client(
        transport.AIOHTTP(session),
        credentials.StaticCredentials(credentials.Key("AKIDEXAMPLE", "secret")),
        "eu-central-1",
        yarl.URL(url),
    )
    table = client.table(TABLE)
    rest = {"track_title": "A title of some length", "run_length": 245, "play_count": 17}

    def key(number: int) -> dict[str, str]:
        return {"partition_key": "ALBUM_1", "sort_key": f"TRACK_{number:016}"}

    return lambda number: table.get_item(key(number)), lambda number: table.put_item({**key(number), **rest})


async def throughput(call: Call) -> float:
    """How many calls a second the tasks do together."""
    numbers = iter(range(CALLS))

    async def work() -> None:
        for number in numbers:
            await call(number)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(TASKS):
            tasks.create_task(work())
    return CALLS / (time.perf_counter() - begin)


async def measure(contenders: dict[str, Call]) -> dict[str, float]:
    """The median throughput of each contender; they take turns."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, call in contenders.items():
            found[name].append(await throughput(call))
    return {name: statistics.median(values[1:]) for name, values in found.items()}


def report(title: str, medians: dict[str, float]) -> None:
    """Print the medians, and their ratios to the slowest."""
    base = min(medians.values())
    print(f"\n{title}, calls a second")
    for name, median in medians.items():
        print(f"  {name:<44}{median:>8.0f}{median / base:>8.1f}")


async def main(*, aiodynamo: bool) -> None:
    """Run everything."""
    print(
        f"Python {sys.version.split()[0]}, botocore {botocore.__version__}, aiobotocore {aiobotocore.__version__}, "
        f"logicaldb {logicaldb.__version__}; {TASKS} tasks, {CALLS:,} calls a round, 5 ms an answer, {ROUNDS} rounds, medians"
    )
    async with AsyncExitStack() as stack:
        url = stack.enter_context(running_server())
        reach = settings(url) | {"config": aio_config.AioConfig(max_pool_connections=TASKS)}
        client = await stack.enter_async_context(aio_session.get_session().create_client("dynamodb", **reach))
        pairs = {
            "logicaldb, a boto3 client on threads": ours(boto3.client("dynamodb", **settings(url, TASKS))),
            "logicaldb, an aiobotocore client": ours(client),
            "aiobotocore, TypeDeserializer, pydantic": with_aiobotocore(client),
        }
        if aiodynamo:
            pairs["aiodynamo on aiohttp, dicts"] = await with_aiodynamo(url, stack)
        else:
            print(f"{AIODYNAMO} could not be installed, so its rows are left out")
        report("load", await measure({name: load for name, (load, _) in pairs.items()}))
        report("put", await measure({name: put for name, (_, put) in pairs.items()}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as peers:
        asyncio.run(main(aiodynamo=install_aiodynamo(peers)))
