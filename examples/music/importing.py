"""Writing a catalogue into the table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from examples.music import render
from examples.music.catalog import Catalog
from examples.music.models import AlbumTrack, MusicDb
from logicaldb import ItemAlreadyExists


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, and which playlists it left as they were."""

    albums: int
    tracks: int
    playlists: int
    playlists_kept: int

    def __str__(self) -> str:
        albums, tracks = render.count(self.albums, "album"), render.count(self.tracks, "track")
        text = f"{albums}, {tracks} and {render.count(self.playlists, 'playlist')}."
        if self.playlists_kept:
            text += f"\nThere already, and left as stored: {render.count(self.playlists_kept, 'playlist')}."
        return text


def import_catalog(db: MusicDb, catalog: Catalog, progress_on: Console) -> Imported:
    """Write every item of a catalogue.

    Albums and tracks that are there already are overwritten, but for their play counts; playlists are not, because
    people change them.
    """
    items = catalog.album_items()
    kept = 0
    with render.progress(progress_on) as progress:
        task = progress.add_task("Importing", total=len(items) + len(catalog.playlists))
        for item in items:
            db.save(item)
            progress.advance(task)
        for playlist in catalog.playlists:
            try:
                db.create(playlist.item())
            except ItemAlreadyExists:
                kept += 1
            progress.advance(task)
    return Imported(
        albums=len(catalog.albums),
        tracks=sum(isinstance(item, AlbumTrack) for item in items),
        playlists=len(catalog.playlists) - kept,
        playlists_kept=kept,
    )
