"""Changing playlists while others do."""

from __future__ import annotations

from collections.abc import Callable

from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from logicaldb import VersionConflict


def add_track(
    db: MusicDb,
    playlist: PlaylistInfo,
    track: AlbumTrack.Key,
    *,
    place: int | None = None,
    on_retry: Callable[[VersionConflict], object] = lambda _: None,
) -> PlaylistInfo:
    """Add a track to a playlist, after whatever others make of it meanwhile.

    DynamoDB can append to a list, but not insert into one: the list is changed here and saved, and the version sees to
    it that nothing of another writer is overwritten. Who comes too late starts again from what is stored. That ends:
    each time another writer has won.

    Args:
        db: the database.
        playlist: the playlist as it was loaded.
        track: the track.
        place: where it goes, from 1; without one, or beyond the end, to the end.
        on_retry: called before each attempt but the first, with the error of the one before.

    Returns:
        The playlist as it is stored.

    Raises:
        VersionConflict: the playlist was deleted meanwhile.
    """
    while True:
        tracks = playlist.playlist_tracks.copy()
        tracks.insert(len(tracks) if place is None else place - 1, track)
        try:
            return db.save(playlist.replace(playlist_tracks=tracks))
        except VersionConflict as conflict:
            if conflict.item is None:
                raise
            on_retry(conflict)
            playlist = conflict.item
