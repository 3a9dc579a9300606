"""Scans on engines that work in other processes, with DynamoDB Local: what docs/scaling.md says of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from multiprocessing import get_context
from pickle import PicklingError
from typing import Any

import boto3
import pytest

from examples.music.models import AlbumTrack, MusicDb
from logicaldb import BatchWriteSet, attr
from logicaldb.testing import DynamoDbLocal, LogicalDbFactory

distributed: Any = import_module("distributed")  # it has no types

TRACKS = {(f"ALBUM_{number % 7}", number) for number in range(300)}


@contextmanager
def dask() -> Generator[Executor]:
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


@contextmanager
def processes() -> Generator[Executor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def db(
    local_db: LogicalDbFactory, dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch
) -> Generator[MusicDb]:
    """A db whose client has the credentials of the environment, as those of an application have."""
    made = local_db(MusicDb)
    name = made.music.table_name
    items = (
        AlbumTrack(album_token=album, track_number=number, track_title="Title", run_length=timedelta(minutes=1))
        for album, number in TRACKS
    )
    made.batch_write(BatchWriteSet().clobber(*items))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("dynamodb", endpoint_url=dynamodb_local.endpoint_url)
    yield MusicDb(client, table_name_resolver=lambda *_: name)
    client.close()


@pytest.mark.parametrize("engine", [dask, processes])
def test_a_scan_runs_in_other_processes(db: MusicDb, engine: Any) -> None:
    with engine() as executor:
        assert executor.submit(os.getpid).result() != os.getpid()
        found = Counter(
            (track.album_token, track.track_number)
            for track in db.music.album_tracks.parallel_scan(5, executor=executor, page_size=20)
        )
        assert found == Counter(TRACKS)
        filtered = db.music.album_tracks.parallel_scan(
            3, executor=executor, filter_expression=attr(AlbumTrack.run_length) > timedelta(minutes=2)
        )
        assert list(filtered) == []


def test_secrets_stay_here(local_db: LogicalDbFactory) -> None:
    """The client of the tests has its credentials by hand."""
    db = local_db(MusicDb)
    with processes() as executor, pytest.raises(PicklingError) as refused:
        list(db.music.album_tracks.parallel_scan(2, executor=executor))
    assert "credentials that were given by hand" in str(refused.value)
