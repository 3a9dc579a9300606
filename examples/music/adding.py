"""Adding any number of tracks to a playlist, a transaction a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from logicaldb import (
    ItemNotFound,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    WritingPagerHandler,
    attr,
)

TRIES = 10
"""How often a page is tried while other writers change the playlist."""


@dataclass(frozen=True, slots=True)
class AddedPage:
    """A page that is written: how many tracks it added, and the playlist with them."""

    added: int
    playlist: PlaylistInfo


class AddTracks(WritingPagerHandler[AlbumTrack.Key]):
    """Adds tracks to the end of a playlist, each on the condition that it exists.

    A page is one transaction, which checks its tracks and saves the playlist with all of them: it takes effect as a
    whole or not at all. The version of the playlist sees to it that nothing of another writer is overwritten; who comes
    too late starts the page again from what is stored.

    Args:
        db: the database.
        playlist: the key of the playlist.
        on_page: called after each page.
        on_retry: called before each try of a page but the first, with the error of the one before.

    Attributes:
        pages: the pages written so far.
    """

    finish_operations = 1  # a page keeps room for the playlist

    def __init__(
        self,
        db: MusicDb,
        playlist: PlaylistInfo.Key,
        *,
        on_page: Callable[[AddedPage], object] = lambda _: None,
        on_retry: Callable[[VersionConflict], object] = lambda _: None,
    ) -> None:
        self.pages: list[AddedPage] = []
        self._db = db
        self._key = playlist
        self._on_page = on_page
        self._on_retry = on_retry
        self._stored: PlaylistInfo
        self._next: AddedPage

    def each_page(self, proceed: Callable[[], None]) -> None:
        """Write a page, and try again as long as another writer of the playlist was faster."""
        for _ in range(TRIES - 1):
            try:
                return proceed()
            except TransactionCanceled as canceled:
                conflict = _overtaken(canceled)
                if conflict is None:
                    raise
                self._on_retry(conflict)
        return proceed()

    def before_page(self, remaining_updates: Sequence[AlbumTrack.Key], max_transaction_items: int) -> int:  # noqa: ARG002 - finish_operations keeps the room
        """Load the playlist.

        Raises:
            ItemNotFound: there is none.
        """
        playlist = self._db.load(self._key, consistent_read=True)
        if playlist is None:
            raise ItemNotFound(f"there is no playlist {self._key.playlist_token}", key=self._key)
        self._stored = playlist
        return len(remaining_updates)

    def item(self, writes: TransactionWriteSet, update: AlbumTrack.Key) -> None:
        """Require that a track exists."""
        writes.check_condition(update, attr(AlbumTrack.track_title).exists())

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[AlbumTrack.Key]) -> None:
        """Save the playlist with the tracks of the page."""
        playlist = self._stored.replace(playlist_tracks=[*self._stored.playlist_tracks, *applied])
        writes.save(playlist)
        self._next = AddedPage(len(applied), playlist)

    def page_written(self, writes: TransactionWriteSet) -> None:  # noqa: ARG002 - all is known
        """Tell of the page."""
        self.pages.append(self._next)
        self._on_page(self._next)


def _overtaken(canceled: TransactionCanceled) -> VersionConflict | None:
    """The conflict, where nothing but other writers stood in the way, and the playlist is still there."""
    # Of a track that other transactions check at the same moment, the reason is a TransactionConflict.
    errors = [failure.error for failure in canceled.failures if failure.code != "TransactionConflict"]
    match errors:
        case [VersionConflict(item=PlaylistInfo()) as conflict]:
            return conflict
        case _:
            return None
