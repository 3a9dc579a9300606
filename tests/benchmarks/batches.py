"""10,000 items against a server that needs 5 ms for an answer: batches beside boto3's resource, and a parallel scan.

    python -m tests.benchmarks.batches

The server stands on loopback in a process of its own. It waits 5 ms, however many requests are under way, and answers
without a database: it takes every write, and makes up an item for every key. The contenders take turns, and medians of
the wall time are compared, which is what a caller waits; the first round does not count.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final
from zlib import crc32

import boto3
import botocore
from botocore.config import Config

from examples.music.models import AlbumTrack, MusicDb
from logicaldb import BatchWriteSet

COUNT: Final = 10_000
ROUNDS: Final = 5
SECONDS: Final = 0.005
TABLE: Final = "music_items"
ROWS: Final = [
    {
        "partition_key": {"S": "ALBUM_1"},
        "sort_key": {"S": f"TRACK_{number:016}"},
        "track_title": {"S": "A title of some length"},
        "run_length": {"N": "245"},
        "play_count": {"N": "17"},
    }
    for number in range(COUNT)
]
TEXTS: Final = [json.dumps(row) for row in ROWS]
KEYS: Final = [{"partition_key": "ALBUM_1", "sort_key": f"TRACK_{number:016}"} for number in range(COUNT)]
PLAIN: Final = [{**key, "track_title": "A title of some length", "run_length": 245, "play_count": 17} for key in KEYS]
TRACKS: Final = [
    AlbumTrack(
        album_token="ALBUM_1",
        track_number=number,
        track_title="A title of some length",
        run_length=timedelta(seconds=245),
        play_count=17,
    )
    for number in range(COUNT)
]


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
        answer = ANSWERS[operation](json.loads(body)).encode()
        headers = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"x-amz-crc32: {crc32(answer)}\r\nContent-Length: {len(answer)}\r\n\r\n"
        )
        asyncio.get_running_loop().call_later(SECONDS, self._transport.write, headers.encode() + answer)


def _number(key: Any) -> int:
    return int(key["sort_key"]["S"].removeprefix("TRACK_"))


def _batch(asked: Any) -> str:
    items = ",".join(TEXTS[_number(key)] for key in asked["RequestItems"][TABLE]["Keys"])
    return f'{{"Responses":{{"{TABLE}":[{items}]}},"UnprocessedKeys":{{}}}}'


def _page(asked: Any) -> str:
    segments = asked.get("TotalSegments", 1)
    start = asked.get("ExclusiveStartKey")
    first = asked.get("Segment", 0) if start is None else _number(start) + segments
    numbers = range(first, COUNT, segments)
    page = numbers[: asked["Limit"]]
    last = {key: ROWS[page[-1]][key] for key in KEYS[0]} if len(page) < len(numbers) else None
    more = f',"LastEvaluatedKey":{json.dumps(last)}' if last else ""
    items = ",".join(TEXTS[number] for number in page)
    return f'{{"Items":[{items}],"Count":{len(page)},"ScannedCount":{len(page)}{more}}}'


ANSWERS: Final[dict[str, Callable[[Any], str]]] = {
    "BatchGetItem": _batch,
    "BatchWriteItem": lambda _: '{"UnprocessedItems":{}}',
    "Scan": _page,
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


def load(db: MusicDb) -> None:
    """Load all, with logicaldb."""
    items = db.batch_load(AlbumTrack.Key("ALBUM_1", number) for number in range(COUNT))
    assert items.get_items(AlbumTrack) == TRACKS


def write(db: MusicDb) -> None:
    """Write all, with logicaldb."""
    assert len(db.batch_write(BatchWriteSet().clobber(*TRACKS)).clobbered) == COUNT


def scan(db: MusicDb, segments: int) -> None:
    """Read all, in segments."""
    assert sum(1 for _ in db.music.album_tracks.parallel_scan(segments)) == COUNT


def load_dicts(resource: Any) -> None:
    """Load all as boto3's documentation shows it."""
    found: list[Any] = []
    for first in range(0, COUNT, 100):
        asked: Any = {TABLE: {"Keys": KEYS[first : first + 100]}}
        while asked:
            answer = resource.batch_get_item(RequestItems=asked)
            found += answer["Responses"][TABLE]
            asked = answer["UnprocessedKeys"]
    assert found == PLAIN


def write_dicts(resource: Any) -> None:
    """Write all as boto3's documentation shows it."""
    with resource.Table(TABLE).batch_writer() as batch:
        for row in PLAIN:
            batch.put_item(Item=row)


def measure(title: str, calls: Iterable[tuple[str, Callable[[], None]]]) -> None:
    """Print the median wall time of each call, its rows in a second, and its ratio to the first; they take turns."""
    contenders = dict(calls)
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, call in contenders.items():
            begin = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(found[1:]) for name, found in times.items()}
    base = next(iter(medians.values()))
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:<28}{median:>8.2f} s{COUNT / median:>10,.0f} rows/s{median / base:>8.2f}")


def main() -> None:
    """Run everything."""
    print(
        f"Python {sys.version.split()[0]}, boto3 {boto3.__version__}, botocore {botocore.__version__}; {COUNT:,} items, "
        f"{SECONDS * 1000:.0f} ms an answer, {ROUNDS} rounds, medians of wall time"
    )
    with running_server() as url:
        reach: dict[str, Any] = {
            "endpoint_url": url,
            "region_name": "eu-central-1",
            "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": "secret",
        }
        resource = boto3.resource("dynamodb", **reach)
        db = MusicDb(boto3.client("dynamodb", **reach))  # with 10 connections, as boto3 gives
        alone = MusicDb(boto3.client("dynamodb", **reach, config=Config(max_pool_connections=1)))
        measure(
            f"batch_load of {COUNT:,}",
            [
                ("boto3 resource, dicts", lambda: load_dicts(resource)),
                ("logicaldb, one connection", lambda: load(alone)),
                ("logicaldb", lambda: load(db)),
            ],
        )
        measure(
            f"batch_write of {COUNT:,}",
            [
                ("boto3 resource, dicts", lambda: write_dicts(resource)),
                ("logicaldb, one connection", lambda: write(alone)),
                ("logicaldb", lambda: write(db)),
            ],
        )
        measure(
            f"parallel_scan of {COUNT:,}, in pages of 100",
            [(f"{count} segment{'s' if count > 1 else ''}", partial(scan, db, count)) for count in (1, 2, 4, 8)],
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
