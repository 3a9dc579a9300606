"""What each way to write does to the version, the counts, the times and unknown attributes, on every engine (V4, C2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest

from logicaldb import (
    Attribute,
    ConditionFailed,
    Counter,
    CounterOutOfBounds,
    CreatedAt,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TimeToLive,
    UpdatedAt,
    Version,
    VersionConflict,
    attr,
)
from tests.modes import Mode


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Thing(Item):
    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="THING")] = ""
    text: str = "old"
    hits: Annotated[int, Counter()] = 0
    stock: Annotated[int, Counter(initial=5, minimum=0, maximum=10)] = 5
    version: Annotated[int, Version()] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Thing"]):
        name: str


class Album(Item):
    """Its keys are those of a playlist."""

    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="INFO")] = ""
    artist: str
    plays: Annotated[int, Counter()] = 0

    class Key(ItemKey["Album"]):
        token: str


class Playlist(Item):
    """It has nothing that every playlist has and no album, but an album has an artist."""

    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="INFO")] = ""
    title: str = ""
    plays: Annotated[int, Counter()] = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Playlist"]):
        token: str


class Table(LogicalTable[Row]):
    things: InlineView[Thing.Key, Thing]
    albums: InlineView[Album.Key, Album]
    playlists: InlineView[Playlist.Key, Playlist]


class Db(LogicalDb):
    table: Annotated[Table, TableName("things")]


KEY = Thing.Key("a")
START = datetime(2096, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)


@dataclass
class Clock:
    """It stands still until it is told otherwise."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    db: Db
    clock: Clock

    def later(self) -> datetime:
        self.clock.now += timedelta(hours=1)
        return self.clock.now

    def stored(self) -> Thing | None:
        return self.db.load(KEY, consistent_read=True)

    def found(self) -> Thing:
        stored = self.stored()
        assert stored is not None
        return stored

    def raw(self) -> dict[str, Any]:
        row = self.db.table.raw.load(Row(pk="a", sk="THING"), consistent_read=True)
        return {} if row is None else dict(row.model_extra or {})

    def put_raw(self, **attributes: Any) -> None:
        self.db.table.raw.put(Row.model_validate({"pk": "a", "sk": "THING", **attributes}))


def make_world(mode: Mode) -> World:
    clock = Clock()
    return World(mode.make(Db, clock=clock), clock)


@pytest.fixture
def world(mode: Mode) -> World:
    return make_world(mode)


@dataclass(frozen=True)
class Path:
    """A way to write.

    Attributes:
        write: writes what the caller holds, from the facade or from the view, with a token or without.
        checks: whether it is held to the version of what the caller holds.
        moves: whether it moves the version on.
        updates: whether it sets the time of the update.
        replaces: whether it replaces the whole row.
    """

    write: Callable[[Any, Thing, dict[str, Any]], Any]
    checks: bool = True
    moves: bool = True
    updates: bool = True
    replaces: bool = False


def held(item: Thing) -> Thing:
    return item.replace(text="new")


PATHS: dict[str, Path] = {
    "save": Path(lambda target, item, options: target.save(held(item), **options)),
    "put": Path(lambda target, item, options: target.put(held(item), **options), replaces=True),
    "update": Path(lambda target, _, options: target.update(KEY, attr(Thing.text).set("new"), **options), checks=False),
    "update-if-version": Path(
        lambda target, item, options: target.update(
            KEY, attr(Thing.text).set("new"), if_version=item.version, **options
        )
    ),
    "increment": Path(
        lambda target, _, options: target.increment(KEY, Thing.hits, **options),
        checks=False,
        moves=False,
        updates=False,
    ),
    "delete": Path(lambda target, item, options: target.delete(item, **options)),
    "delete-key": Path(lambda target, _, options: target.delete_key(KEY, **options), checks=False),
}
"""Every way to write an item that is there; ``create`` is the way to write one that is not."""

DELETES = {"delete", "delete-key"}
WRITES = [name for name in PATHS if name not in DELETES]

paths = pytest.mark.parametrize("path", PATHS)
writes = pytest.mark.parametrize("path", WRITES)
manners = pytest.mark.parametrize("manner", ["facade", "view-token"])


def options_of(manner: str) -> dict[str, Any]:
    return {"idempotency_token": uuid4().hex} if manner.endswith("token") else {}


def write(world: World, path: str, item: Thing, manner: str = "facade") -> Any:
    target: Any = world.db if manner == "facade" else world.db.table.things
    return PATHS[path].write(target, item, options_of(manner))


def create(world: World, item: Thing, manner: str = "facade") -> Thing:
    target: Any = world.db if manner == "facade" else world.db.table.things
    created: Thing = target.create(item, **options_of(manner))
    return created


# The version


@manners
@paths
def test_the_version_is_checked(world: World, path: str, manner: str) -> None:
    stale = world.db.create(Thing(name="a"))
    present = world.db.save(stale.replace(text="of another"))
    if PATHS[path].checks:
        with pytest.raises(VersionConflict) as raised:
            write(world, path, stale, manner)
        assert (raised.value.expected, raised.value.item) == (1, present)
        assert world.stored() == present
    else:
        write(world, path, stale, manner)
        assert world.stored() != present


@manners
@paths
def test_what_was_deleted_is_not_brought_back(world: World, path: str, manner: str) -> None:
    stale = world.db.create(Thing(name="a"))
    world.db.delete_key(KEY)
    if path == "delete-key":
        assert write(world, path, stale, manner) is None
    else:
        expected = VersionConflict if path in {"save", "put", "delete"} else ItemNotFound
        with pytest.raises(ConditionFailed) as raised:
            write(world, path, stale, manner)
        assert type(raised.value) is expected
        assert raised.value.item is None
    assert world.stored() is None


@manners
@paths
def test_the_version_is_moved_on(world: World, path: str, manner: str) -> None:
    item = world.db.create(Thing(name="a"))
    for expected in (2, 3):
        written = write(world, path, item, manner)
        if path in DELETES:
            assert written == item
            assert world.stored() is None
            return
        if not PATHS[path].moves:
            assert world.found().version == 1
            return
        assert written.version == world.found().version == expected
        item = written


@manners
@writes
def test_a_row_that_has_no_version_yet_is_taken_over(world: World, path: str, manner: str) -> None:
    world.put_raw(text="old", hits=3, stock=5)
    item = world.found()
    assert item.version == 0
    write(world, path, item, manner)
    assert world.found().version == int(PATHS[path].moves)
    if PATHS[path].checks:
        with pytest.raises(VersionConflict) as raised:
            write(world, path, item, manner)
        assert (raised.value.expected, raised.value.item) == (0, world.stored())


@manners
def test_a_row_that_has_no_version_yet_is_deleted(world: World, manner: str) -> None:
    world.put_raw(text="old", hits=3, stock=5)
    item = world.found()
    assert write(world, "delete", item, manner) == item
    assert world.stored() is None


@manners
@pytest.mark.parametrize("path", ["save", "put", "delete", "update-if-version"])
def test_a_new_item_is_in_conflict_with_one_that_is_there(world: World, path: str, manner: str) -> None:
    present = world.db.create(Thing(name="a"))
    with pytest.raises(VersionConflict) as raised:
        write(world, path, Thing(name="a"), manner)
    assert (raised.value.expected, raised.value.item) == (0, present)
    assert world.stored() == present


@manners
@pytest.mark.parametrize("path", ["save", "put", "delete", "update-if-version"])
def test_a_condition_of_the_callers_does_not_weaken_the_version(world: World, path: str, manner: str) -> None:
    options = options_of(manner)
    stale = world.db.create(Thing(name="a"))
    present = world.db.save(stale.replace(text="of another"))
    holds = (attr(Thing.text) == "x") | attr(Thing.text).exists()
    with pytest.raises(VersionConflict) as conflict:
        PATHS[path].write(world.db, stale, {**options, "condition": holds})
    assert (conflict.value.expected, conflict.value.item) == (1, present)
    with pytest.raises(ConditionFailed) as raised:
        PATHS[path].write(world.db, present, {**options, "condition": attr(Thing.text) == "x"})
    assert type(raised.value) is ConditionFailed
    assert raised.value.item == world.stored() == present


@manners
def test_a_condition_of_the_callers_weakens_neither_the_bounds_nor_makes_a_row(world: World, manner: str) -> None:
    options = options_of(manner)
    holds = (attr(Thing.text) == "old") | attr(Thing.text).not_exists()
    with pytest.raises(ItemNotFound):
        world.db.update(KEY, attr(Thing.text).set("new"), condition=holds, **options)
    assert world.stored() is None
    item = world.db.create(Thing(name="a"))
    with pytest.raises(CounterOutOfBounds):
        world.db.update(KEY, attr(Thing.stock).add(6), condition=holds, **options)
    assert world.stored() == item


@manners
def test_create(world: World, manner: str) -> None:
    created = create(world, Thing(name="a", hits=3), manner)
    assert created == world.stored()
    assert created == Thing(name="a", hits=3, version=1, created=START, updated=START)
    world.later()
    with pytest.raises(ItemAlreadyExists) as raised:
        create(world, Thing(name="a", hits=4), manner)
    assert not isinstance(raised.value, VersionConflict)
    assert raised.value.item == world.stored() == created
    world.db.delete_key(KEY)
    assert create(world, Thing(name="a"), manner).version == 1


# The counts


@manners
@writes
def test_the_counts_are_kept(world: World, path: str, manner: str) -> None:
    """Only an increment changes the count, and a put, which replaces the whole row."""
    item = world.db.create(Thing(name="a", hits=3))
    world.db.increment(KEY, Thing.hits, 4)
    world.db.increment(KEY, Thing.stock, -5)
    written = write(world, path, item, manner)
    found = world.found()
    if PATHS[path].replaces:
        assert (found.hits, found.stock) == (3, 5)
    else:
        assert (found.hits, found.stock) == (8 if path == "increment" else 7, 0)
    assert written == (found.hits if path == "increment" else found)


@manners
@writes
def test_counts_that_a_row_does_not_have_yet(world: World, path: str, manner: str) -> None:
    """They begin with the initial value, or with that of the item that is saved."""
    world.put_raw(text="old")
    item = world.found()
    assert (item.hits, item.stock) == (0, 5)
    write(world, path, item.replace(hits=2, stock=7), manner)
    raw = world.raw()
    if path in {"save", "put"}:
        assert (raw["hits"], raw["stock"]) == (2, 7)
    else:
        assert (raw.get("hits"), raw.get("stock")) == (1 if path == "increment" else None, None)
    assert world.db.increment(KEY, Thing.stock, -1) == world.found().stock == (6 if path in {"save", "put"} else 4)


# The times


@manners
@writes
def test_the_time_of_creation_is_kept(world: World, path: str, manner: str) -> None:
    item = world.db.create(Thing(name="a"))
    world.later()
    written = write(world, path, item, manner)
    assert world.found().created == START
    if path != "increment":
        assert written.created == START


@manners
@pytest.mark.parametrize("created", [None, START - timedelta(days=1)], ids=["none", "another"])
def test_a_save_never_changes_the_time_of_creation(world: World, created: datetime | None, manner: str) -> None:
    item = world.db.create(Thing(name="a"))
    world.later()
    saved = world.db.save(item.replace(created=created), **options_of(manner))
    assert saved.created == world.found().created == START


@manners
@writes
def test_the_time_of_the_update_is_set(world: World, path: str, manner: str) -> None:
    item = world.db.create(Thing(name="a"))
    later = world.later()
    written = write(world, path, item, manner)
    assert world.found().updated == (later if PATHS[path].updates else START)
    if path != "increment":
        assert written.updated == later


@manners
@writes
def test_a_row_that_has_no_times_yet(world: World, path: str, manner: str) -> None:
    """A save and a put set the time of creation, since they write the whole item; an update of a part does not."""
    world.put_raw(text="old")
    item = world.found()
    later = world.later()
    write(world, path, item, manner)
    found = world.found()
    assert found.created == (later if path in {"save", "put"} else None)
    assert found.updated == (later if PATHS[path].updates else None)


@manners
@pytest.mark.parametrize("path", ["create", "save", "put"])
def test_the_time_to_live_is_whole_seconds(world: World, path: str, manner: str) -> None:
    expires = START + timedelta(days=1)
    if path == "create":
        written = create(world, Thing(name="a", expires=expires), manner)
    else:
        written = write(world, path, world.db.create(Thing(name="a")).replace(expires=expires), manner)
    assert written.expires == world.found().expires == expires.replace(microsecond=0)
    assert world.raw()["expires"] == int(expires.timestamp())


@manners
def test_the_time_to_live_in_an_update_is_whole_seconds(world: World, manner: str) -> None:
    world.db.create(Thing(name="a"))
    expires = START + timedelta(days=1)
    written = world.db.update(KEY, attr(Thing.expires).set(expires), **options_of(manner))
    assert written.expires == world.found().expires == expires.replace(microsecond=0)
    assert world.raw()["expires"] == int(expires.timestamp())


@manners
@writes
def test_the_time_to_live_is_that_of_the_item_that_is_written_whole(world: World, path: str, manner: str) -> None:
    """A save and a put without one remove it; what changes a part leaves it alone."""
    expires = START + timedelta(days=1)
    item = world.db.create(Thing(name="a", expires=expires))
    write(world, path, item.replace(expires=None), manner)
    if path in {"save", "put"}:
        assert "expires" not in world.raw()
    else:
        assert world.raw()["expires"] == int(expires.timestamp())


# Rows that an update or an increment makes


@manners
def test_an_update_may_make_the_row(world: World, manner: str) -> None:
    def update() -> Thing:
        return world.db.update(
            KEY, attr(Thing.text).set("new"), attr(Thing.stock).add(2), upsert=True, **options_of(manner)
        )

    made = update()
    assert made == world.stored() == Thing(name="a", text="new", stock=7, version=1, created=START, updated=START)
    assert world.raw()["hits"] == 0
    later = world.later()
    assert update() == world.stored() == made.replace(stock=9, version=2, updated=later)


@manners
def test_an_increment_may_make_the_row(world: World, manner: str) -> None:
    """With its times; under a token without, because they would differ each time that it is sent."""

    def increment() -> int:
        return world.db.increment(KEY, Thing.stock, 2, upsert=True, **options_of(manner))

    assert increment() == 7
    time = None if manner == "view-token" else START
    made = Thing(name="a", stock=7, created=time, updated=time)
    assert world.stored() == made
    assert (world.raw()["text"], world.raw()["hits"], "version" in world.raw()) == ("old", 0, False)
    world.later()
    assert increment() == 9
    assert world.stored() == made.replace(stock=9)


@manners
def test_an_increment_that_may_make_the_row_changes_nothing_else_of_one_that_is_there(
    world: World, manner: str
) -> None:
    item = world.db.create(Thing(name="a", text="text", hits=3))
    world.later()
    assert world.db.increment(KEY, Thing.hits, upsert=True, **options_of(manner)) == 4
    assert world.stored() == item.replace(hits=4)


def test_a_token_makes_the_row_once_however_late_it_is_sent_again(local_mode: Mode) -> None:
    """The clock goes on, and the service takes nothing else under the same token; moto looks at no token."""
    world, token = make_world(local_mode), uuid4().hex
    for _ in range(3):
        assert world.db.increment(KEY, Thing.hits, upsert=True, idempotency_token=token) == 1
        world.later()
    assert world.stored() == Thing(name="a", hits=1)


# Types that have the same keys


@manners
def test_an_update_does_not_write_into_the_row_of_another_type(world: World, manner: str) -> None:
    options = options_of(manner)
    db = world.db
    album = db.create(Album(token="album", artist="x", plays=3))
    playlist = db.create(Playlist(token="playlist", plays=3))
    # By its key alone, an album may be taken for a playlist, and a playlist for an album.
    writes: list[Callable[[], Any]] = [
        lambda: db.update(Album.Key("playlist"), attr(Album.artist).set("y"), **options),
        lambda: db.update(Album.Key("playlist"), attr(Album.plays).add(1), condition=attr(Album.plays) == 3, **options),
        lambda: db.increment(Album.Key("playlist"), Album.plays, **options),
        lambda: db.update(Playlist.Key("album"), attr(Playlist.title).set("y"), **options),
        lambda: db.update(Playlist.Key("album"), attr(Playlist.title).set("y"), if_version=1, **options),
        lambda: db.increment(Playlist.Key("album"), Playlist.plays, **options),
    ]
    for write_it in writes:
        with pytest.raises(ItemNotFound) as raised:
            write_it()
        assert str(raised.value) == f"{raised.value.operation}: there is no such item"
        assert raised.value.item is None
    assert db.load(Album.Key("album")) == album
    assert db.load(Playlist.Key("playlist")) == playlist


@manners
def test_it_does_write_into_the_row_of_its_own(world: World, manner: str) -> None:
    db = world.db
    album = db.create(Album(token="album", artist="x"))
    playlist = db.create(Playlist(token="playlist"))
    assert db.update(Album.Key("album"), attr(Album.artist).set("y"), **options_of(manner)) == album.replace(artist="y")
    assert db.increment(Album.Key("album"), Album.plays, **options_of(manner)) == 1
    assert db.increment(Playlist.Key("playlist"), Playlist.plays, **options_of(manner)) == 1
    updated = db.update(Playlist.Key("playlist"), attr(Playlist.title).set("y"), if_version=1, **options_of(manner))
    assert updated == playlist.replace(title="y", plays=1, version=2)


# What the model does not know


@manners
@writes
def test_unknown_attributes_are_kept(world: World, path: str, manner: str) -> None:
    world.put_raw(text="old", version=1, colour="red", shape={"a": [1]})
    write(world, path, world.found(), manner)
    raw = world.raw()
    unknown = {name: raw[name] for name in ("colour", "shape") if name in raw}
    assert unknown == ({} if PATHS[path].replaces else {"colour": "red", "shape": {"a": [1]}})


# What the caller holds (V3)


@manners
@paths
def test_what_the_caller_holds_is_never_changed(world: World, path: str, manner: str) -> None:
    item = world.db.create(Thing(name="a", expires=START))
    world.later()
    before = item.model_dump_json()
    fields_set = set(item.model_fields_set)
    write(world, path, item, manner)
    assert item.model_dump_json() == before
    assert item.model_fields_set == fields_set
