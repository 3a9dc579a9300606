"""A scan by other processes: what goes to them can be pickled, and makes its own client there."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from typing import Annotated, Any

import boto3
import pytest
from botocore.config import Config

from examples.music.models import AlbumTrack, MusicTable
from logicaldb import Async, AsyncLogicalDb, DirectTransport, LogicalDb, TableName, attr
from logicaldb.testing import in_process_dynamodb
from logicaldb.transport.remaking import settings_of
from tests.engines import SharedLocal

REGION = "eu-central-1"


class Db(LogicalDb):
    music: Annotated[MusicTable, TableName("music")]


class AsyncDb(AsyncLogicalDb):
    music: Annotated[MusicTable[Async], TableName("music")]


def track(number: int) -> AlbumTrack:
    return AlbumTrack(
        album_token=f"ALBUM_{number}", track_number=number, track_title=f"{number}", run_length=timedelta(seconds=271)
    )


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as worker processes find them by themselves."""
    for name, value in {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "sesame", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)


def make_client(endpoint_url: str | None = None, **options: Any) -> Any:
    return boto3.client("dynamodb", region_name=REGION, endpoint_url=endpoint_url, **options)


class Maker:
    """Makes clients of an endpoint: a value that can be pickled, as a function of a module can."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    def __call__(self) -> Any:
        return make_client(self.endpoint_url, aws_access_key_id="local", aws_secret_access_key="local")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Maker) and other.endpoint_url == self.endpoint_url

    def __hash__(self) -> int:
        return hash(self.endpoint_url)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("given", ["a client", "a function"])
def test_a_scan_by_processes(dynamodb_local: SharedLocal, new_name: Callable[[], str], given: str) -> None:
    endpoint = dynamodb_local.endpoint_url
    client = make_client(endpoint) if given == "a client" else Maker(endpoint)
    name = new_name()
    db = Db(client, table_name_resolver=lambda _, __: name)
    db.create_tables()
    tracks = [track(number) for number in range(12)]
    db.batch_write_all(tracks)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        found = list(
            db.music.album_tracks.parallel_scan(
                2, executor=processes, page_size=4, filter_expression=attr(AlbumTrack.track_number) < 10
            )
        )
    assert sorted(found, key=lambda track: track.track_number) == tracks[:10]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("given", ["a client", "a function"])
def test_a_db_is_sent_whole(dynamodb_local: SharedLocal, new_name: Callable[[], str], given: str) -> None:
    endpoint = dynamodb_local.endpoint_url
    name = new_name()
    db = Db(make_client(endpoint) if given == "a client" else Maker(endpoint), table_name_resolver=lambda _, __: name)
    db.create_tables()
    db.save(track(1))
    again = pickle.loads(pickle.dumps(db))
    assert type(again) is Db
    assert again.music.table_name == name
    assert again.load(type(track(1)).Key.of(track(1))) == track(1)
    assert again.save(track(2)) == track(2)
    with db.track_capacity() as capacity:
        again.load(type(track(1)).Key.of(track(1)))
    assert capacity.requests == 0


@pytest.mark.usefixtures("credentials")
def test_an_awaited_db_stays() -> None:
    with pytest.raises(pickle.PicklingError) as error:
        pickle.dumps(AsyncDb(make_client(None)))
    assert str(error.value) == (
        "an AsyncLogicalDb cannot be sent to another process: its connections belong to an event loop of this one; "
        "make one there"
    )


@pytest.mark.usefixtures("credentials")
def test_a_client_is_made_again_as_it_was() -> None:
    config = Config(read_timeout=7, retries={"mode": "standard", "total_max_attempts": 2}, max_pool_connections=3)
    for endpoint in (None, "http://127.0.0.1:1"):
        client = make_client(endpoint, config=config)
        again = pickle.loads(pickle.dumps(settings_of(client)))()
        assert again.meta.endpoint_url == client.meta.endpoint_url
        assert again.meta.region_name == REGION
        assert again.meta.config.read_timeout == 7
        assert again.meta.config.retries["total_max_attempts"] == 2
        assert again.meta.config.max_pool_connections == 3


@pytest.mark.usefixtures("credentials")
def test_a_process_makes_one_client_for_all_pages() -> None:
    for given in (make_client(), Maker("http://127.0.0.1:1")):
        watched: Any = Db(given)._transport
        transport = watched.transport
        sent = pickle.dumps(transport)
        assert b"sesame" not in sent
        assert pickle.loads(sent) is pickle.loads(sent)


HOW = "; give the db a function that makes one, MusicDb(make_client), which is called there too"


def refusal(db: Db) -> str:
    with pytest.raises(pickle.PicklingError) as error:
        pickle.dumps(db._transport)
    return str(error.value).removesuffix(HOW)


@pytest.mark.usefixtures("credentials")
def test_what_cannot_be_sent() -> None:
    by_hand = make_client(aws_access_key_id="local", aws_secret_access_key="local")
    assert refusal(Db(by_hand)) == (
        "the client cannot be sent to another process: it has credentials that were given by hand, and secrets are not pickled"
    )
    proxied = make_client(config=Config(proxies={"https": "http://user:secret@127.0.0.1:1"}))
    assert refusal(Db(proxied)) == (
        "the client cannot be sent to another process: it is set to proxies or to a client certificate, which may hold secrets"
    )
    assert refusal(Db(DirectTransport.from_client(make_client()))) == (
        "a DirectTransport cannot be sent to another process: its client and its connections belong to this one"
    )


def test_what_moto_answers_stays_with_it() -> None:
    with in_process_dynamodb() as client:
        assert refusal(Db(client)) == (
            "the client cannot be sent to another process: it is answered by moto, inside of this one alone"
        )


@pytest.mark.usefixtures("credentials")
def test_a_function_may_make_a_direct_transport() -> None:
    db = Db(lambda: DirectTransport.from_client(make_client()))
    assert db._at_once == 10
