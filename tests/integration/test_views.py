"""Loading, saving and deleting one item."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest

from examples.music.models import AlbumInfo, AlbumTrack, MusicDb, MusicItem, PlaylistInfo
from logicaldb import (
    Attribute,
    ConditionFailed,
    DecodingError,
    EncodingError,
    Expression,
    IncompleteKey,
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
    VersionConflict,
    attr,
)
from tests.engines import MODES, modes
from tests.integration.music import album, make_db, track
from tests.modes import Mode


@pytest.fixture(params=[*MODES, "moto-threads"])
def mode(request: pytest.FixtureRequest) -> Generator[Mode]:
    """These tests are enough for moto on threads."""
    yield from modes(request)


@pytest.fixture
def db(mode: Mode) -> MusicDb:
    return make_db(mode)


def raw(**attributes: Any) -> MusicItem:
    """A raw row with attributes that are not declared."""
    return MusicItem.model_validate(attributes)


def raw_row(db: MusicDb, partition: str, sort: str) -> dict[str, Any]:
    row = db.music.raw.load(MusicItem(partition_key=partition, sort_key=sort), consistent_read=True)
    assert row is not None
    return {name: value for name, value in row.model_dump().items() if value is not None}


def test_what_is_saved_is_loaded(db: MusicDb) -> None:
    info = album()
    assert db.music.album_info.save(info) == info
    assert db.music.album_info.load(AlbumInfo.Key("ALBUM_1")) == info
    assert db.load(AlbumInfo.Key("ALBUM_1"), consistent_read=True) == info


def test_the_row_is_as_declared(db: MusicDb) -> None:
    db.save(track(1, "Speak to Me", seconds=65))
    assert raw_row(db, "ALBUM_1", "TRACK_0000000000000001") == {
        "partition_key": "ALBUM_1",
        "sort_key": "TRACK_0000000000000001",
        "track_title": "Speak to Me",
        "run_length": 65,
        "play_count": 0,
    }


def test_a_missing_item_is_none(db: MusicDb) -> None:
    assert db.music.album_tracks.load(AlbumTrack.Key("ALBUM_1", 1)) is None


def test_a_partial_key_is_refused(db: MusicDb) -> None:
    with pytest.raises(IncompleteKey) as error:
        db.music.album_tracks.load(AlbumTrack.Key("ALBUM_1"))
    assert str(error.value) == (
        "AlbumTrack.Key(album_token='ALBUM_1', track_number=None) lacks track_number; a whole key is needed here"
    )


def test_save_keeps_unknown_attributes_and_removes_none(db: MusicDb) -> None:
    db.save(album())
    row = db.music.raw.load(MusicItem(partition_key="ALBUM_1", sort_key="INFO_"))
    assert row is not None
    db.music.raw.put(raw(**{**row.model_dump(), "added_later": {"deep": [1, "x"]}}))
    db.save(album(label=None, title="Other"))
    stored = raw_row(db, "ALBUM_1", "INFO_")
    assert stored["added_later"] == {"deep": [1, "x"]}
    assert stored["album_title"] == "Other"
    assert "label_name" not in stored


def test_put_replaces_the_row(db: MusicDb) -> None:
    db.save(album())
    db.music.raw.put(raw(**raw_row(db, "ALBUM_1", "INFO_"), added_later=1))
    assert db.put(album(label=None)) == album(label=None)
    stored = raw_row(db, "ALBUM_1", "INFO_")
    assert "added_later" not in stored
    assert "label_name" not in stored


def test_save_under_a_condition(db: MusicDb) -> None:
    db.save(album(title="Stored"))
    db.save(album(title="Next"), attr(AlbumInfo.album_title) == "Stored")
    with pytest.raises(ConditionFailed) as error:
        db.save(album(title="Lost"), attr(AlbumInfo.album_title) == "Stored")
    assert str(error.value) == "save of AlbumInfo.Key(album_token='ALBUM_1'): the condition does not hold"
    assert type(error.value) is ConditionFailed
    assert error.value.item == album(title="Next")
    assert error.value.operation.item == album(title="Lost")
    assert db.load(AlbumInfo.Key("ALBUM_1")) == album(title="Next")


def test_a_condition_on_a_missing_item(db: MusicDb) -> None:
    with pytest.raises(ConditionFailed) as error:
        db.save(album(), attr(AlbumInfo.album_title).exists())
    assert error.value.item is None
    assert db.load(AlbumInfo.Key("ALBUM_1")) is None


def test_a_condition_in_dynamodbs_own_words(db: MusicDb) -> None:
    db.save(album(title="Stored"))
    db.put(
        album(title="Next"),
        Expression("#t = :t AND attribute_exists(sort_key)", {":t": "Stored"}, {"#t": "album_title"}),
    )
    with pytest.raises(ConditionFailed):
        db.put(album(title="Lost"), Expression("album_title = :t", values={":t": "Stored"}))


def test_an_or_of_the_caller_weakens_nothing(db: MusicDb) -> None:
    playlist = db.create(PlaylistInfo(playlist_token="P", playlist_name="One"))
    db.save(playlist.replace(playlist_name="Two"))
    anything = attr(PlaylistInfo.playlist_name).exists() | attr(PlaylistInfo.playlist_name).not_exists()
    with pytest.raises(VersionConflict) as error:
        db.save(playlist.replace(playlist_name="Stale"), anything)
    assert error.value.expected == 1
    with pytest.raises(ItemNotFound):
        db.update(
            AlbumTrack.Key("ALBUM_1", 1),
            attr(AlbumTrack.track_title).set("x"),
            condition=Expression("attribute_exists(a) OR attribute_not_exists(a)"),
        )


def test_create(db: MusicDb) -> None:
    assert db.create(track(1)) == track(1)
    with pytest.raises(ItemAlreadyExists) as error:
        db.create(track(1, "Other"))
    assert str(error.value) == (
        "create of AlbumTrack.Key(album_token='ALBUM_1', track_number=1): there is an item already"
    )
    assert error.value.item == track(1)


def test_update(db: MusicDb) -> None:
    db.save(track(1))
    updated = db.music.album_tracks.update(
        AlbumTrack.Key("ALBUM_1", 1),
        attr(AlbumTrack.track_title).set("New"),
        condition=attr(AlbumTrack.run_length) < timedelta(minutes=2),
    )
    assert updated == track(1, "New")
    assert db.load(AlbumTrack.Key("ALBUM_1", 1)) == updated


def test_update_of_a_missing_item(db: MusicDb) -> None:
    with pytest.raises(ItemNotFound) as error:
        db.update(AlbumTrack.Key("ALBUM_1", 1), attr(AlbumTrack.track_title).set("New"))
    assert str(error.value) == "update of AlbumTrack.Key(album_token='ALBUM_1', track_number=1): there is no such item"
    assert error.value.key == AlbumTrack.Key("ALBUM_1", 1)
    assert db.load(AlbumTrack.Key("ALBUM_1", 1)) is None


def test_update_that_may_make_the_item(db: MusicDb) -> None:
    key = AlbumTrack.Key("ALBUM_1", 1)
    with pytest.raises(EncodingError) as error:
        db.update(key, attr(AlbumTrack.track_title).set("New"), upsert=True)
    assert str(error.value) == (
        "update of AlbumTrack.Key(album_token='ALBUM_1', track_number=1): upsert=True may make the item, "
        "but run_length would be missing; set them too"
    )
    made = db.update(
        key,
        attr(AlbumTrack.track_title).set("New"),
        attr(AlbumTrack.run_length).set(timedelta(seconds=60)),
        upsert=True,
    )
    assert made == track(1, "New")


def test_an_updated_index_key_moves_the_item(db: MusicDb) -> None:
    db.save(album(label="Harvest"))
    db.update(AlbumInfo.Key("ALBUM_1"), attr(AlbumInfo.label_name).set("EMI"))
    assert raw_row(db, "ALBUM_1", "INFO_")["label_name"] == "L_EMI"
    db.update(AlbumInfo.Key("ALBUM_1"), attr(AlbumInfo.label_name).set(None))
    assert "label_name" not in raw_row(db, "ALBUM_1", "INFO_")


def test_lists(db: MusicDb) -> None:
    db.create(PlaylistInfo(playlist_token="P", playlist_name="One"))
    keys = [AlbumTrack.Key("ALBUM_1", number) for number in range(4)]
    db.update(PlaylistInfo.Key("P"), attr(PlaylistInfo.playlist_tracks).append(keys[2:]))
    after = db.update(PlaylistInfo.Key("P"), attr(PlaylistInfo.playlist_tracks).prepend(keys[:2]))
    assert after.playlist_tracks == keys
    assert after.playlist_version == 3


def test_delete(db: MusicDb) -> None:
    db.save(track(1))
    assert db.music.album_tracks.delete(track(1), attr(AlbumTrack.track_title) == "Track 1") == track(1)
    assert db.music.album_tracks.delete(track(1)) is None
    db.save(track(2))
    with pytest.raises(ConditionFailed) as error:
        db.delete_key(AlbumTrack.Key("ALBUM_1", 2), attr(AlbumTrack.track_title) == "Other")
    assert error.value.item == track(2)
    assert db.delete_key(AlbumTrack.Key("ALBUM_1", 2)) == track(2)
    assert db.delete_key(AlbumTrack.Key("ALBUM_1", 2)) is None


def test_each_write_takes_effect_once_under_a_token(db: MusicDb) -> None:
    token = uuid4().hex
    assert db.create(track(1), idempotency_token=token) == track(1)
    key = AlbumTrack.Key("ALBUM_1", 1)
    assert db.update(key, attr(AlbumTrack.track_title).set("x"), idempotency_token=uuid4().hex) == track(1, "x")
    assert db.save(track(1, "y"), idempotency_token=uuid4().hex) == track(1, "y")
    assert db.put(track(1, "z"), idempotency_token=uuid4().hex) == track(1, "z")
    with pytest.raises(ConditionFailed) as error:
        db.delete(track(1), attr(AlbumTrack.track_title) == "Other", idempotency_token=uuid4().hex)
    assert error.value.item == track(1, "z")
    with pytest.raises(ItemAlreadyExists) as exists:
        db.create(track(1), idempotency_token=uuid4().hex)
    assert exists.value.item == track(1, "z")
    assert db.delete(track(1), idempotency_token=uuid4().hex) == track(1, "z")
    assert db.load(key) is None


def test_a_token_counts_once(local_mode: Mode) -> None:
    db = make_db(local_mode)
    db.save(track(1))
    key, token = AlbumTrack.Key("ALBUM_1", 1), uuid4().hex
    counts = [db.increment(key, AlbumTrack.play_count, idempotency_token=token) for _ in range(3)]
    assert counts == [1, 1, 1]
    assert db.increment(key, AlbumTrack.play_count) == 2


def test_a_row_that_is_not_valid(db: MusicDb) -> None:
    db.music.raw.put(
        raw(partition_key="ALBUM_1", sort_key="TRACK_0000000000000001", track_title="x", run_length="soon")
    )
    key = AlbumTrack.Key("ALBUM_1", 1)
    with pytest.raises(DecodingError) as error:
        db.load(key)
    assert str(error.value) == (
        "the row partition_key='ALBUM_1', sort_key='TRACK_0000000000000001' is no valid AlbumTrack: "
        "run_length (time_delta_parsing)"
    )
    assert error.value.key == {"partition_key": "ALBUM_1", "sort_key": "TRACK_0000000000000001"}
    with pytest.raises(ItemAlreadyExists) as exists:
        db.create(track(1))
    assert exists.value.item is None
    assert isinstance(exists.value.undecodable, DecodingError)
    with pytest.raises(DecodingError) as written:
        db.update(key, attr(AlbumTrack.track_title).set("y"))
    assert str(written.value) == f"the write took effect, but {error.value}"


def test_the_raw_view(db: MusicDb) -> None:
    key = MusicItem(partition_key="X", sort_key="Y")
    assert db.music.raw.load(key) is None
    assert db.music.raw.delete(key) is None
    row = raw(partition_key="X", sort_key="Y", artist_name="A", anything={"tags": {"a", "b"}, "data": b"\xff", "n": 1})
    db.music.raw.put(row)
    assert db.music.raw.load(key) == row
    assert db.music.raw.scan().contents == [row]
    assert db.music.raw.delete(key) == row


def test_the_codec_and_the_decoder_of_any_row(db: MusicDb) -> None:
    for item in (album(), track(1), PlaylistInfo(playlist_token="P", playlist_name="x")):
        row = db.music.codec(type(item)).encode(item)
        assert db.music.codec(type(item)).decode(row) == item
        assert db.music.decode(row) == item
    with pytest.raises(DecodingError) as error:
        db.music.decode({"partition_key": {"S": "X"}, "sort_key": {"S": "OTHER_"}})
    assert str(error.value) == (
        "the row partition_key='X', sort_key='OTHER_' is none of the types of MusicTable: "
        "AlbumInfo, AlbumTrack, PlaylistInfo"
    )
    with pytest.raises(TypeError, match=r"^MusicTable has no view of Item$"):
        db.music.codec(Item)


class LinkItem(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Link(Item):
    user: Annotated[str, Attribute("pk")]
    friend: Annotated[str, Attribute("sk", prefix="LINK_")]

    class Key(ItemKey["Link"]):
        user: str
        friend: str | None = None


class Note(Item):
    user: Annotated[str, Attribute("pk")]
    kind: Annotated[Literal[""], Attribute("sk", prefix="NOTE_")] = ""
    text: str | None = None

    class Key(ItemKey["Note"]):
        user: str


class LinkTable(LogicalTable[LinkItem]):
    links: InlineView[Link.Key, Link]
    notes: InlineView[Note.Key, Note]


class LinkDb(LogicalDb):
    people: Annotated[LinkTable, TableName("links")]


def link_row(**attributes: Any) -> LinkItem:
    return LinkItem.model_validate(attributes)


@pytest.fixture
def links(mode: Mode) -> LinkDb:
    return mode.make(LinkDb)


def test_a_save_that_sets_nothing_makes_the_row(links: LinkDb) -> None:
    link = Link(user="a", friend="b")
    for _ in range(2):
        assert links.save(link) == link
    assert links.load(Link.Key("a", "b")) == link
    note = Note(user="a")
    for _ in range(2):
        assert links.save(note) == note
    assert links.load(Note.Key("a")) == note
    links.people.raw.put(link_row(pk="a", sk="NOTE_", text="x", other=1))
    assert links.save(note) == note
    assert links.people.raw.load(LinkItem(pk="a", sk="NOTE_")) == link_row(pk="a", sk="NOTE_", other=1)
    assert links.save(Note(user="t"), idempotency_token=uuid4().hex) == Note(user="t")
    assert links.load(Note.Key("t")) == Note(user="t")


def test_a_save_that_sets_nothing_under_a_condition(links: LinkDb) -> None:
    link = Link(user="a", friend="b")
    with pytest.raises(ConditionFailed) as error:
        links.save(link, attr(Link.friend).exists())
    assert error.value.item is None
    assert links.save(link, attr(Link.friend).not_exists()) == link
    with pytest.raises(ConditionFailed) as exists:
        links.save(link, attr(Link.friend).not_exists())
    assert exists.value.item == link
    assert links.save(link, attr(Link.friend) == "b") == link
