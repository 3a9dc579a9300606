"""What the strategies draw of declared types is taken by DynamoDB, and loaded as it was saved."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from examples.music.models import MusicTable, PlaylistInfo
from logicaldb import Item, LogicalDb, TableName
from logicaldb.items import primary_key_of
from logicaldb.testing import in_process_dynamodb
from logicaldb.testing.strategies import items
from tests.unit.operations import models


class Db(LogicalDb):
    music: Annotated[MusicTable, TableName("music")]
    shop: Annotated[models.ShopTable, TableName("shop")]
    numbers: Annotated[models.NumberTable, TableName("numbers")]
    binaries: Annotated[models.BinaryTable, TableName("binaries")]
    lone: Annotated[models.LoneTable, TableName("lone")]
    things: Annotated[models.ThingTable, TableName("things")]


TYPES: list[Any] = [
    schema.item_type
    for table, _ in Db.__logicaldb_tables__.values()
    for schema in table.__logicaldb_table__.schema.items
]
# An album and a playlist of one token would be one row.
FIELDS: dict[Any, Any] = {PlaylistInfo: {"playlist_token": "PLAYLIST"}}
ONE_OF_EACH = st.tuples(*(items(each, **FIELDS.get(each, {})) for each in TYPES))


def hold(db: Db, drawn: tuple[Item, ...]) -> None:
    """Save items and load them; those of earlier examples make room."""
    for item in drawn:
        db.delete_key(primary_key_of(item))
        saved = db.put(item)
        assert db.load(primary_key_of(saved), consistent_read=True) == saved
        fixed = set(type(item).model_fields) - {"version", "created", "updated", "playlist_version"}
        assert {name: getattr(saved, name) for name in fixed} == {name: getattr(item, name) for name in fixed}


@pytest.fixture(scope="module")
def moto_db() -> Generator[Db]:
    with in_process_dynamodb() as client:
        db = Db(client)
        db.create_tables()
        yield db


@given(ONE_OF_EACH)
@settings(max_examples=15, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
def test_in_process(moto_db: Db, drawn: tuple[Item, ...]) -> None:
    hold(moto_db, drawn)


def test_on_dynamodb_local(local_client: Any, new_name: Callable[[], str]) -> None:
    names = {name: new_name() for name in ("music", "shop", "numbers", "binaries", "lone", "things")}
    db = Db(local_client, table_name_resolver=lambda _, declared: names[declared])
    db.create_tables()

    @given(ONE_OF_EACH)
    @settings(max_examples=10, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
    def check(drawn: tuple[Item, ...]) -> None:
        hold(db, drawn)

    check()
