"""One declaration for both modes, and what the users of the one that is awaited write."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_type

from logicaldb import (
    Async,
    AsyncIndexView,
    AsyncLogicalDb,
    AsyncRawView,
    AsyncView,
    AsyncWritingPager,
    AsyncWritingPagerHandler,
    Attribute,
    BatchWriteResult,
    BatchWriteSet,
    BeginsWith,
    Counter,
    IndexKey,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    ItemSet,
    LogicalDb,
    LogicalTable,
    M,
    Offset,
    Page,
    PartitionKey,
    RawItem,
    RawView,
    SecondaryIndex,
    SortKey,
    Sync,
    TableName,
    TransactionWriteSet,
    View,
    WritingPagerHandler,
    attr,
)


class MusicItem(RawItem):
    partition_key: Annotated[str, PartitionKey()]
    sort_key: Annotated[str, SortKey()]
    track_title: Annotated[str | None, SortKey(index="album_track_title_index")] = None


class AlbumInfo(Item):
    album_token: Annotated[str, Attribute("partition_key")]
    sort_key: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    album_title: str

    class Key(ItemKey["AlbumInfo"]):
        album_token: str


class AlbumTrack(Item):
    album_token: Annotated[str, Attribute("partition_key")]
    track_number: Annotated[int, Attribute("sort_key", prefix="TRACK_", width=16)]
    track_title: str
    run_length: timedelta
    play_count: Annotated[int, Counter()] = 0
    earned: Annotated[Decimal, Counter()] = Decimal(0)

    class Key(ItemKey["AlbumTrack"]):
        album_token: str
        track_number: int | None = None

    class TitleIndexOffset(IndexKey["AlbumTrack"], index="album_track_title_index"):
        album_token: str
        track_title: str | None = None
        track_number: int | None = None


class MusicTable(LogicalTable[MusicItem, M]):
    album_info: InlineView[AlbumInfo.Key, AlbumInfo]
    album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]
    album_tracks_by_title: SecondaryIndex[AlbumTrack.TitleIndexOffset, AlbumTrack]
    albums: ItemCollection[AlbumInfo.Key, AlbumInfo | AlbumTrack]


class MusicDb(LogicalDb):
    music: Annotated[MusicTable, TableName("music_items")]


class AsyncMusicDb(AsyncLogicalDb):
    music: Annotated[MusicTable[Async], TableName("music_items")]


KEY = AlbumTrack.Key("ALBUM_1", 1)


def modes(blocking: MusicDb, awaited: AsyncMusicDb) -> None:
    assert_type(blocking.music, MusicTable[Sync])
    assert_type(awaited.music, MusicTable[Async])
    assert_type(blocking.music.album_tracks, View[AlbumTrack.Key, AlbumTrack])
    assert_type(awaited.music.album_tracks, AsyncView[AlbumTrack.Key, AlbumTrack])
    assert_type(awaited.music.album_tracks_by_title, AsyncIndexView[AlbumTrack.TitleIndexOffset, AlbumTrack])
    assert_type(blocking.music.raw, RawView[MusicItem])
    assert_type(awaited.music.raw, AsyncRawView[MusicItem])
    assert_type(blocking.music.album_tracks.load(KEY), AlbumTrack | None)
    assert_type(blocking.music.album_tracks.query_all_contents(BeginsWith(KEY)), Iterator[AlbumTrack])


async def read_and_write(db: AsyncMusicDb, track: AlbumTrack) -> None:
    tracks = db.music.album_tracks
    assert_type(await tracks.load(KEY), AlbumTrack | None)
    assert_type(await tracks.load(KEY, consistent_read=True), AlbumTrack | None)
    assert_type(await tracks.save(track, attr(AlbumTrack.track_title).not_exists()), AlbumTrack)
    assert_type(await tracks.create(track), AlbumTrack)
    assert_type(await tracks.put(track), AlbumTrack)
    assert_type(await tracks.update(KEY, attr(AlbumTrack.track_title).set("Time"), upsert=True), AlbumTrack)
    assert_type(await tracks.increment(KEY, AlbumTrack.play_count), int)
    assert_type(await tracks.increment(KEY, AlbumTrack.earned, Decimal("0.5")), Decimal)
    assert_type(await tracks.delete(track), AlbumTrack | None)
    assert_type(await tracks.delete_key(KEY), AlbumTrack | None)
    tracks.load(KEY).track_title  # error: attr-defined
    await db.music.album_info.load(KEY)  # error: arg-type
    await db.music.album_info.save(track)  # error: arg-type
    await tracks.load(AlbumTrack.TitleIndexOffset("ALBUM_1"))  # error: arg-type
    await tracks.load(KEY, True)  # error: call-arg
    await tracks.load(AlbumTrack.Key(album="ALBUM_1"))  # error: call-arg
    await tracks.no_such_method(KEY)  # error: attr-defined
    await db.music.no_such_view.load(KEY)  # error: attr-defined
    await db.music.album_tracks_by_title.load(KEY)  # error: attr-defined


async def use_the_facade(db: AsyncMusicDb, track: AlbumTrack) -> None:
    assert_type(await db.load(KEY), AlbumTrack | None)
    assert_type(await db.load(AlbumInfo.Key("ALBUM_1")), AlbumInfo | None)
    assert_type(await db.save(track), AlbumTrack)
    assert_type(await db.update(KEY, attr(AlbumTrack.track_title).set("Time")), AlbumTrack)
    assert_type(await db.increment(KEY, AlbumTrack.play_count, idempotency_token="t"), int)
    assert_type(await db.delete_key(KEY), AlbumTrack | None)
    assert_type(await db.create_tables(), list[str])
    await db.load(AlbumTrack.TitleIndexOffset("ALBUM_1"))  # error: arg-type
    await db.save(KEY)  # error: type-var
    await db.delete_key(track)  # error: arg-type


async def query_and_scan(db: AsyncMusicDb) -> None:
    tracks = db.music.album_tracks
    page = await tracks.query(BeginsWith(KEY), asc=False, page_size=10)
    assert_type(page, Page[AlbumTrack.Key, AlbumTrack])
    assert_type(page.offset, Offset[AlbumTrack.Key] | None)
    assert_type(tracks.query_all(BeginsWith(KEY)), AsyncGenerator[Page[AlbumTrack.Key, AlbumTrack]])
    assert_type(tracks.query_all_contents(BeginsWith(KEY), limit=3), AsyncGenerator[AlbumTrack])
    assert_type(await tracks.count(BeginsWith(KEY)), int)
    assert_type((await tracks.scan()).contents, list[AlbumTrack])
    assert_type(tracks.scan_all_contents(), AsyncGenerator[AlbumTrack])
    assert_type(tracks.parallel_scan(4), AsyncGenerator[AlbumTrack])
    async for track in tracks.query_all_contents(BeginsWith(KEY)):
        assert_type(track, AlbumTrack)
    by_title = db.music.album_tracks_by_title
    start = AlbumTrack.TitleIndexOffset("ALBUM_1", "I want ")
    assert_type((await by_title.query(BeginsWith(start))).contents, list[AlbumTrack])
    albums = db.music.albums
    assert_type((await albums.query(AlbumInfo.Key("ALBUM_1"))).contents, list[AlbumInfo | AlbumTrack])
    assert_type(albums.query_all_contents(AlbumInfo.Key("ALBUM_1")), AsyncGenerator[AlbumInfo | AlbumTrack])
    await tracks.query(BeginsWith(AlbumInfo.Key("ALBUM_1")))  # error: arg-type
    await by_title.query(BeginsWith(KEY))  # error: arg-type
    await albums.query(KEY)  # error: arg-type
    for _ in tracks.scan_all_contents():  # error: attr-defined
        pass
    await tracks.query_all(BeginsWith(KEY))  # error: misc


async def raw_rows(db: AsyncMusicDb, row: dict[str, Any]) -> None:
    key = MusicItem(partition_key="ALBUM_1", sort_key="INFO_")
    assert_type(await db.music.raw.load(key), MusicItem | None)
    assert_type(await db.music.raw.delete(key), MusicItem | None)
    assert_type(db.music.raw.scan_all_contents(), AsyncGenerator[MusicItem])
    assert_type(db.music.codec(AlbumTrack).decode(row), AlbumTrack)
    await db.music.raw.load(KEY)  # error: arg-type


class Play(AsyncWritingPagerHandler[AlbumTrack.Key]):
    async def each_page(self, proceed: Callable[[], Awaitable[None]]) -> None:
        await proceed()

    async def before_page(self, remaining_updates: Sequence[AlbumTrack.Key], max_transaction_items: int) -> int:
        return max_transaction_items

    def item(self, writes: TransactionWriteSet, update: AlbumTrack.Key) -> None:
        writes.update(update, attr(AlbumTrack.play_count).add(1))


class Blocking(WritingPagerHandler[AlbumTrack.Key]):
    def item(self, writes: TransactionWriteSet, update: AlbumTrack.Key) -> None:
        writes.delete_key(update)


async def sets(db: AsyncMusicDb, track: AlbumTrack) -> None:
    assert_type(await db.transaction_load(KEY, AlbumInfo.Key("ALBUM_1")), ItemSet)
    assert_type((await db.transaction_load([KEY])).get(KEY), AlbumTrack | None)
    assert_type(await db.transaction_write(TransactionWriteSet().save(track)), ItemSet)
    async with db.transaction() as writes:
        assert_type(writes, TransactionWriteSet)
    assert_type(await db.batch_load(KEY), ItemSet)
    assert_type(db.batch_load_all([KEY]), AsyncGenerator[AlbumTrack])
    assert_type(await db.batch_write(BatchWriteSet().clobber(track)), BatchWriteResult)
    assert_type(await db.batch_write_all([track, KEY]), int)
    assert_type(await db.save_all([track]), int)
    pager = db.transaction_writing_pager([KEY], Play())
    assert_type(pager, AsyncWritingPager[AlbumTrack.Key])
    assert_type(await pager.execute(), None)
    assert_type(pager.updated_count, int)
    with db.transaction():  # error: attr-defined
        pass
    db.transaction_writing_pager([KEY], Blocking())  # error: arg-type
    db.transaction_writing_pager([track], Play())  # error
