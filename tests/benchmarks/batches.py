"""How long batches take against a server that needs 5 ms for an answer, beside boto3's resource and PynamoDB.

    python -m tests.benchmarks.batches

The server stands on loopback in a process of its own. It waits 5 ms, however many requests are under way, and answers
without a database: it takes every write, and makes up an item for every key. The contenders take turns, and medians of
the wall time are compared, which is what a caller waits; the first round does not count. PynamoDB is installed into a
temporary folder; where that fails, its rows are left out.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from zlib import crc32

import boto3
import botocore
from botocore.config import Config

import logicaldb
from examples.music.models import AlbumTrack, MusicDb
from logicaldb import BatchWriteSet
from tests.benchmarks.core import Contender

COUNT: Final = 10_000
ROUNDS: Final = 5
SECONDS: Final = 0.005
TABLE: Final = "music_items"
PYNAMODB: Final = "pynamodb==6.1.0"
REST: Final = '"track_title":{"S":"A title of some length"},"run_length":{"N":"245"},"play_count":{"N":"17"}'
"""What an item has beside its key."""


class Server(asyncio.Protocol):
    """One connection of the server."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer when a request is complete; a connection has one at a time."""
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < int(length.partition(b":")[2]):
            return
        self._received = b""
        operation = head.partition(b"DynamoDB_20120810.")[2].partition(b"\r\n")[0].decode()
        answer = ANSWERS[operation](body)
        headers = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"x-amz-crc32: {crc32(answer)}\r\nContent-Length: {len(answer)}\r\n\r\n"
        )
        asyncio.get_running_loop().call_later(SECONDS, self._transport.write, headers.encode() + answer)


def _item(body: bytes) -> bytes:
    return f'{{"Item":{json.dumps(json.loads(body)["Key"])[:-1]},{REST}}}}}'.encode()


def _items(body: bytes) -> bytes:
    keys = json.loads(body)["RequestItems"][TABLE]["Keys"]
    items = ",".join(f"{json.dumps(key)[:-1]},{REST}}}" for key in keys)
    return f'{{"Responses":{{"{TABLE}":[{items}]}},"UnprocessedKeys":{{}}}}'.encode()


ANSWERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "BatchGetItem": _items,
    "BatchWriteItem": lambda _: b'{"UnprocessedItems":{}}',
    "GetItem": _item,
    "PutItem": lambda _: b"{}",
    "UpdateItem": lambda _: b"{}",
}


async def serve() -> None:
    """Serve until the process is ended; the first line says where."""
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@contextmanager
def running_server() -> Generator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.batches", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def settings(url: str, connections: int = 10) -> dict[str, Any]:
    """How a client reaches the server; 10 connections is what boto3 gives."""
    return {
        "endpoint_url": url,
        "region_name": "eu-central-1",
        "aws_access_key_id": "AKIDEXAMPLE",
        "aws_secret_access_key": "secret",
        "config": Config(max_pool_connections=connections),
    }


def track(number: int) -> AlbumTrack:
    """One of the items."""
    return AlbumTrack(
        album_token="ALBUM_1",
        track_number=number,
        track_title="A title of some length",
        run_length=timedelta(seconds=245),
        play_count=17,
    )


TRACKS: Final = [track(number) for number in range(COUNT)]


def ours(url: str, connections: int) -> tuple[Contender, Contender]:
    """Loads and writes with logicaldb."""
    db = MusicDb(boto3.client("dynamodb", **settings(url, connections)))

    def load() -> None:
        items = db.batch_load(AlbumTrack.Key("ALBUM_1", number) for number in range(COUNT))
        assert items.get_items(AlbumTrack) == TRACKS

    def write() -> None:
        assert len(db.batch_write(BatchWriteSet().clobber(*TRACKS)).clobbered) == COUNT

    return load, write


def with_boto3(url: str) -> tuple[Contender, Contender]:
    """Loads and writes of dicts, with the resource of boto3 as its documentation shows them."""
    resource = boto3.resource("dynamodb", **settings(url))
    keys = [{"partition_key": "ALBUM_1", "sort_key": f"TRACK_{number:016}"} for number in range(COUNT)]
    rows = [{**key, "track_title": "A title of some length", "run_length": 245, "play_count": 17} for key in keys]

    def load() -> None:
        found: list[Any] = []
        for first in range(0, COUNT, 100):
            asked: Any = {TABLE: {"Keys": keys[first : first + 100]}}
            while asked:
                answer = resource.batch_get_item(RequestItems=asked)
                found += answer["Responses"][TABLE]
                asked = answer["UnprocessedKeys"]
        assert found == rows

    def write() -> None:
        with resource.Table(TABLE).batch_writer() as batch:
            for row in rows:
                batch.put_item(Item=row)

    return load, write


def with_pynamodb(url: str, folder: str) -> tuple[Contender, Contender] | None:
    """Loads and writes of models with PynamoDB, if it can be had."""
    install = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", folder, PYNAMODB]
    if subprocess.run(install, check=False).returncode:
        return None
    sys.path.append(folder)
    attributes: Any = importlib.import_module("pynamodb.attributes")
    model: Any = importlib.import_module("pynamodb.models").Model
    reach = {name: value for name, value in settings(url).items() if name.startswith("aws_")}
    meta = type("Meta", (), {"table_name": TABLE, "host": url, "region": "eu-central-1", **reach})
    fields = {
        "partition_key": attributes.UnicodeAttribute(hash_key=True),
        "sort_key": attributes.UnicodeAttribute(range_key=True),
        "track_title": attributes.UnicodeAttribute(),
        "run_length": attributes.NumberAttribute(),
        "play_count": attributes.NumberAttribute(),
    }
    track_type: Any = type(model)("Track", (model,), {"__module__": __name__, "Meta": meta, **fields})
    keys = [("ALBUM_1", f"TRACK_{number:016}") for number in range(COUNT)]
    tracks = [track_type(*key, track_title="A title of some length", run_length=245, play_count=17) for key in keys]

    def load() -> None:
        assert len(list(track_type.batch_get(keys))) == COUNT

    def write() -> None:
        with track_type.batch_write() as batch:
            for one in tracks:
                batch.save(one)

    return load, write


def measure(contenders: dict[str, Contender]) -> dict[str, float]:
    """The median wall time of each contender, in seconds; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, call in contenders.items():
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def report(title: str, medians: dict[str, float]) -> None:
    """Print the medians, and how often logicaldb is done in the time."""
    base = next(iter(medians.values()))
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:<44}{median:>8.2f} s{median / base:>8.1f}")


def main() -> None:
    """Run everything."""
    print(
        f"Python {sys.version.split()[0]}, boto3 {boto3.__version__}, botocore {botocore.__version__}, "
        f"logicaldb {logicaldb.__version__}; {COUNT:,} items, {SECONDS * 1000:.0f} ms an answer, {ROUNDS} rounds, "
        "medians of wall time"
    )
    with running_server() as url, tempfile.TemporaryDirectory() as folder:
        pairs: dict[str, tuple[Contender, Contender] | None] = {
            "logicaldb": ours(url, 10),
            "logicaldb, one connection": ours(url, 1),
            "boto3 resource, dicts": with_boto3(url),
            PYNAMODB: with_pynamodb(url, folder),
        }
        for name, pair in pairs.items():
            if pair is None:
                print(f"{name} could not be installed, so its rows are left out")
        found = {name: pair for name, pair in pairs.items() if pair is not None}
        report(f"batch_load of {COUNT:,}", measure({name: load for name, (load, _) in found.items()}))
        report(f"batch_write of {COUNT:,}", measure({name: write for name, (_, write) in found.items()}))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
