"""Play counts, raised by several threads at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from examples.music.models import AlbumTrack, MusicDb


def play(
    db: MusicDb, track: AlbumTrack.Key, *, listeners: int, times: int, on_play: Callable[[], object] = lambda: None
) -> None:
    """Let each of ``listeners``, a thread each, play a track ``times`` times.

    Each play is one atomic addition by DynamoDB itself: nobody reads the count first, so nobody overwrites another's.

    Args:
        db: the database, which threads may share.
        track: what is played.
        listeners: how many threads play it at once.
        times: how often each of them does.
        on_play: called after each play, by the thread that played.
    """

    def listen() -> None:
        for _ in range(times):
            db.increment(track, AlbumTrack.play_count)
            on_play()

    with ThreadPoolExecutor(max_workers=listeners) as threads:
        running = [threads.submit(listen) for _ in range(listeners)]
    for done in running:
        done.result()
