"""Writing a catalogue into the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console

from examples.music import render
from examples.music.catalog import Catalog
from examples.music.models import AlbumTrack, MusicDb
from logicaldb import Item, ItemAlreadyExists


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

    Albums and tracks that are there already are overwritten, but for their play counts: ``save_all`` keeps counters,
    where a batch would replace whole rows. Playlists are not overwritten, because people change them.
    """
    items = catalog.album_items()
    kept = 0
    with render.progress(progress_on) as progress:
        task = progress.add_task("Importing", total=len(items) + len(catalog.playlists))

        def drawn() -> Iterator[Item]:
            for item in items:  # each counts when it is drawn, which is up to a page before it is saved
                yield item
                progress.advance(task)

        db.save_all(drawn(), max_transaction_items=100)
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
