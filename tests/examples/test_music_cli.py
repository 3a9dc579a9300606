from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, repeat
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from examples.music.catalog import BUNDLED
from examples.music.cli import app
from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from logicaldb import TransactionCanceled, attr
from logicaldb.testing import in_process_dynamodb

ROOT = Path(__file__).parents[2]
PLAIN = {"FORCE_COLOR": None, "NO_COLOR": "1", "TERM": "xterm"}


class Result:
    """What a command printed, without spaces at the ends of lines."""

    def __init__(self, *args: str, columns: int) -> None:
        outcome = CliRunner().invoke(app, args, env={**PLAIN, "COLUMNS": str(columns)}, catch_exceptions=False)
        self.code = outcome.exit_code
        self.out = _stripped(outcome.stdout)
        self.err = _stripped(outcome.stderr)


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def _block(text: str) -> str:
    return dedent(text).strip("\n")


def run(*args: str, columns: int = 80) -> Result:
    """Run a command in process, on a DynamoDB of its own."""
    return Result(*args, columns=columns)


def run_on_shared(*args: str, columns: int = 80) -> Result:
    """Run a command on what the fixture ``library`` set up: the real service would be there, were it not for that."""
    return Result("--aws", *args, columns=columns)


@pytest.fixture(scope="module", autouse=True)
def library() -> Iterator[None]:
    with in_process_dynamodb():
        imported = run_on_shared("import", str(BUNDLED))
        assert (imported.code, imported.out) == (
            0,
            "Imported into Amazon DynamoDB: 19 albums, 187 tracks and 1 playlist.",
        )
        yield


both_widths = pytest.mark.parametrize("columns", [80, 120])


@both_widths
def test_album(columns: int) -> None:
    result = run_on_shared("album", "ALBUM_dark-side-of-the-moon", columns=columns)
    assert result.out == _block("""
        The Dark Side of the Moon by Pink Floyd
        Progressive Rock, Harvest, 1973-03-01
        ╭────┬──────────────────────────┬────────╮
        │  # │ Title                    │ Length │
        ├────┼──────────────────────────┼────────┤
        │  1 │ Speak to Me              │   1:05 │
        │  2 │ Breathe (In the Air)     │   2:49 │
        │  3 │ On the Run               │   3:45 │
        │  4 │ Time                     │   6:53 │
        │  5 │ The Great Gig in the Sky │   4:43 │
        │  6 │ Money                    │   6:22 │
        │  7 │ Us and Them              │   7:49 │
        │  8 │ Any Colour You Like      │   3:26 │
        │  9 │ Brain Damage             │   3:46 │
        │ 10 │ Eclipse                  │   2:12 │
        ╰────┴──────────────────────────┴────────╯
        10 tracks, 42:50
    """)
    assert (result.code, result.err) == (0, "")


@both_widths
def test_artist(columns: int) -> None:
    result = run_on_shared("artist", "Radiohead", columns=columns)
    assert result.out == _block("""
        ╭────────────┬───────────────────┬──────────────────┬────────────╮
        │ Released   │ Album             │ Genre            │ Label      │
        ├────────────┼───────────────────┼──────────────────┼────────────┤
        │ 1997-05-21 │ OK Computer       │ Alternative Rock │ Parlophone │
        │            │ ALBUM_ok-computer │                  │            │
        │ 2007-10-10 │ In Rainbows       │ Alternative Rock │            │
        │            │ ALBUM_in-rainbows │                  │            │
        ╰────────────┴───────────────────┴──────────────────┴────────────╯
    """)


@both_widths
def test_genre(columns: int) -> None:
    result = run_on_shared("genre", "Jazz", columns=columns)
    assert result.out == _block("""
        ╭────────────┬─────────────────────────┬──────────────────────────┬──────────╮
        │ Released   │ Album                   │ Artist                   │ Label    │
        ├────────────┼─────────────────────────┼──────────────────────────┼──────────┤
        │ 1959-08-17 │ Kind of Blue            │ Miles Davis              │ Columbia │
        │            │ ALBUM_kind-of-blue      │                          │          │
        │ 1959-12-14 │ Time Out                │ The Dave Brubeck Quartet │ Columbia │
        │            │ ALBUM_time-out          │                          │          │
        │ 1960-07-18 │ Sketches of Spain       │ Miles Davis              │ Columbia │
        │            │ ALBUM_sketches-of-spain │                          │          │
        ╰────────────┴─────────────────────────┴──────────────────────────┴──────────╯
    """)


@both_widths
def test_label(columns: int) -> None:
    result = run_on_shared("label", "Columbia", columns=columns)
    assert result.out == _block("""
        ╭────────────┬──────────────────────────────┬──────────────────────────╮
        │ Released   │ Album                        │ Artist                   │
        ├────────────┼──────────────────────────────┼──────────────────────────┤
        │ 1959-08-17 │ Kind of Blue                 │ Miles Davis              │
        │            │ ALBUM_kind-of-blue           │                          │
        │ 1959-12-14 │ Time Out                     │ The Dave Brubeck Quartet │
        │            │ ALBUM_time-out               │                          │
        │ 1960-07-18 │ Sketches of Spain            │ Miles Davis              │
        │            │ ALBUM_sketches-of-spain      │                          │
        │ 2013-05-17 │ Random Access Memories       │ Daft Punk                │
        │            │ ALBUM_random-access-memories │                          │
        ╰────────────┴──────────────────────────────┴──────────────────────────╯
    """)


@both_widths
def test_albums_lists_each_once_by_date(columns: int) -> None:
    result = run_on_shared("albums", columns=columns)
    tokens = [line.split()[2] for line in result.out.splitlines() if "ALBUM_" in line]
    dates = [line.split()[1] for line in result.out.splitlines() if line[2:3].isdigit()]
    assert len(tokens) == len(set(tokens)) == len(dates) == 19
    assert dates == sorted(dates)
    assert (tokens[0], tokens[-1]) == ("ALBUM_kind-of-blue", "ALBUM_random-access-memories")


@both_widths
def test_search_everywhere_scans(columns: int) -> None:
    result = run_on_shared("search", "Blue", columns=columns)
    assert result.out == _block("""
        By a scan of the table with the filter begins_with(track_title):
        ╭─────────────────────────────┬────────╮
        │ Title                       │ Length │
        ├─────────────────────────────┼────────┤
        │ Blue                        │   3:00 │
        │ ALBUM_blue, track 5         │        │
        │ Blue Lines                  │   4:21 │
        │ ALBUM_blue-lines, track 3   │        │
        │ Blue Rondo à la Turk        │   6:44 │
        │ ALBUM_time-out, track 1     │        │
        │ Blue in Green               │   5:37 │
        │ ALBUM_kind-of-blue, track 3 │        │
        ╰─────────────────────────────┴────────╯
    """)


@both_widths
def test_search_in_an_album_queries_its_index(columns: int) -> None:
    result = run_on_shared("search", "S", "--album", "ALBUM_abbey-road", columns=columns)
    assert result.out == _block("""
        By a query of the local index album_track_title_index:
        ╭─────────────────────────────────────────┬────────╮
        │ Title                                   │ Length │
        ├─────────────────────────────────────────┼────────┤
        │ She Came In Through the Bathroom Window │   1:58 │
        │ ALBUM_abbey-road, track 13              │        │
        │ Something                               │   3:02 │
        │ ALBUM_abbey-road, track 2               │        │
        │ Sun King                                │   2:26 │
        │ ALBUM_abbey-road, track 10              │        │
        ╰─────────────────────────────────────────┴────────╯
    """)


def test_longer() -> None:
    result = run_on_shared("longer", "12:30")
    assert result.out == _block("""
        ╭────────────────────────────────────────┬────────╮
        │ Title                                  │ Length │
        ├────────────────────────────────────────┼────────┤
        │ Concierto de Aranjuez (Adagio)         │  16:19 │
        │ ALBUM_sketches-of-spain, track 1       │        │
        │ Shine On You Crazy Diamond (Parts I-V) │  13:32 │
        │ ALBUM_wish-you-were-here, track 1      │        │
        ╰────────────────────────────────────────┴────────╯
    """)
    assert run_on_shared("longer", "5:00").out.count("ALBUM_") == 56


@both_widths
def test_playing(columns: int) -> None:
    track = ["ALBUM_time-out", "3" if columns == 80 else "4"]
    once = run_on_shared("play", *track, columns=columns)
    assert (once.code, once.err.split()[0], once.err.split()[-1]) == (0, "Playing", "1/1")
    assert once.out.splitlines()[1:] == [
        f"{track[0]}, track {track[1]}",
        "╭─────────────────────────┬────╮",
        "│ Play count              │    │",
        "├─────────────────────────┼────┤",
        "│ before                  │  0 │",
        "│ 1 listener, 1 play each │ +1 │",
        "│ after                   │  1 │",
        "╰─────────────────────────┴────╯",
    ]
    often = run_on_shared("play", *track, "--listeners", "8", "--times", "25", columns=columns)
    assert (often.code, often.err.split()[-1]) == (0, "200/200")
    assert often.out.splitlines()[2:] == [
        "╭────────────────────────────┬──────╮",
        "│ Play count                 │      │",
        "├────────────────────────────┼──────┤",
        "│ before                     │    1 │",
        "│ 8 listeners, 25 plays each │ +200 │",
        "│ after                      │  201 │",
        "╰────────────────────────────┴──────╯",
    ]


@both_widths
def test_a_playlist_from_its_making_to_its_end(columns: int) -> None:
    token = f"PLAYLIST_of-{columns}"
    made = run_on_shared("playlist", "create", token, "[bold]Mine[/]", columns=columns)
    assert (made.code, made.out) == (0, f"[bold]Mine[/]  {token}")
    run_on_shared("playlist", "add", token, "ALBUM_rumours", "5", columns=columns)
    added = run_on_shared("playlist", "add", token, "ALBUM_abbey-road", "13", columns=columns)
    assert added.out.splitlines() == [
        f"[bold]Mine[/]  {token}",
        "  ALBUM_rumours, track 5",
        "  ALBUM_abbey-road, track 13",
    ]
    renamed = run_on_shared("playlist", "rename", token, "Ours", "--from", "[bold]Mine[/]", columns=columns)
    assert (renamed.code, renamed.out.splitlines()[0]) == (0, f"Ours  {token}")
    shown = run_on_shared("playlist", "show", token, columns=columns)
    assert shown.out == f"Ours  {token}\n" + _block("""
        ╭───┬─────────────────────────────────────────┬────────╮
        │ # │ Title                                   │ Length │
        ├───┼─────────────────────────────────────────┼────────┤
        │ 1 │ Go Your Own Way                         │   3:38 │
        │   │ ALBUM_rumours, track 5                  │        │
        │ 2 │ She Came In Through the Bathroom Window │   1:58 │
        │   │ ALBUM_abbey-road, track 13              │        │
        ╰───┴─────────────────────────────────────────┴────────╯
    """)
    assert "│ Ours" in run_on_shared("playlist", "list", columns=columns).out
    deleted = run_on_shared("playlist", "delete", token, columns=columns)
    assert (deleted.code, deleted.out) == (0, "Deleted: Ours.")
    assert run_on_shared("playlist", "show", token, columns=columns).code == 1


def test_a_track_is_added_at_a_place() -> None:
    run_on_shared("playlist", "create", "PLAYLIST_places", "Places")
    for number, place in [("1", "1"), ("2", "1"), ("3", "2"), ("4", "99"), ("5", "4")]:
        added = run_on_shared("playlist", "add", "PLAYLIST_places", "ALBUM_blue", number, "--at", place)
        assert (added.code, added.err) == (0, "")
    assert added.out.splitlines()[1:] == [f"  ALBUM_blue, track {number}" for number in (2, 3, 1, 5, 4)]


def meanwhile(monkeypatch: pytest.MonkeyPatch, *changes: Callable[[MusicDb], object]) -> None:
    """Let somebody else make one change before each of the next saves."""
    others = iter(changes)
    save = MusicDb.save

    def save_too_late(self: MusicDb, item: PlaylistInfo) -> PlaylistInfo:
        for change in islice(others, 1):
            change(self)
        return save(self, item)

    monkeypatch.setattr(MusicDb, "save", save_too_late)


def test_who_adds_a_track_too_late_says_so_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(number: int) -> Callable[[MusicDb], object]:
        change = attr(PlaylistInfo.playlist_tracks).append([AlbumTrack.Key("ALBUM_heroes", number)])
        return lambda db: db.update(PlaylistInfo.Key("PLAYLIST_wanted"), change)

    run_on_shared("playlist", "create", "PLAYLIST_wanted", "Wanted")
    meanwhile(monkeypatch, add(1), add(2))
    added = run_on_shared("playlist", "add", "PLAYLIST_wanted", "ALBUM_blue", "7", "--at", "2")
    assert added.err.splitlines() == [
        "Too late: version 1 was expected, and version 2 is stored now, with 1 track. Trying again from that.",
        "Too late: version 2 was expected, and version 3 is stored now, with 2 tracks. Trying again from that.",
    ]
    assert (added.code, added.out.splitlines()) == (
        0,
        ["Wanted  PLAYLIST_wanted", "  ALBUM_heroes, track 1", "  ALBUM_blue, track 7", "  ALBUM_heroes, track 2"],
    )


def test_no_track_is_added_to_a_playlist_that_is_deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    run_on_shared("playlist", "create", "PLAYLIST_doomed", "Doomed")
    meanwhile(monkeypatch, lambda db: db.delete_key(PlaylistInfo.Key("PLAYLIST_doomed")))
    added = run_on_shared("playlist", "add", "PLAYLIST_doomed", "ALBUM_blue", "7")
    message = "Error: Not added: version 1 was expected, and nothing is stored any more."
    assert (added.code, added.out, added.err) == (1, "", message)
    assert run_on_shared("playlist", "show", "PLAYLIST_doomed").code == 1


@both_widths
def test_albums_are_added_a_transaction_a_page(columns: int) -> None:
    token = f"PLAYLIST_albums-{columns}"
    run_on_shared("playlist", "create", token, "Albums")
    run_on_shared("playlist", "add", token, "ALBUM_rumours", "5")
    albums = ["ALBUM_abbey-road", "ALBUM_revolver", "ALBUM_nevermind", "ALBUM_ok-computer", "ALBUM_blue"]
    added = run_on_shared("playlist", "add-album", token, *albums, columns=columns)
    assert added.out == f"Albums  {token}\n" + _block("""
        ╭──────┬──────────────┬───────────────╮
        │ Page │ Tracks added │ Tracks in all │
        ├──────┼──────────────┼───────────────┤
        │    1 │           24 │            25 │
        │    2 │           24 │            49 │
        │    3 │           17 │            66 │
        ╰──────┴──────────────┴───────────────╯
        11 requests (3 GetItem, 5 Query, 3 TransactWriteItems)
    """)
    assert (added.code, added.err.split()[0], added.err.split()[-1]) == (0, "Adding", "65/65")
    assert tracks_of(token) == [
        "ALBUM_rumours, track 5",
        *(f"{album}, track {number}" for album, last in zip(albums, [17, 14, 12, 12, 10], strict=True) for number in range(1, last + 1)),
    ]  # fmt: skip


def test_single_tracks_of_an_album_are_added_in_the_order_given() -> None:
    run_on_shared("playlist", "create", "PLAYLIST_singles", "Singles")
    tracks = ["--track", "3", "--track", "1", "--track", "3"]
    added = run_on_shared("playlist", "add-album", "PLAYLIST_singles", "ALBUM_blue", *tracks)
    # In one transaction a track is checked once, so the second 3 is on a page of its own.
    assert added.out == _block("""
        Singles  PLAYLIST_singles
        ╭──────┬──────────────┬───────────────╮
        │ Page │ Tracks added │ Tracks in all │
        ├──────┼──────────────┼───────────────┤
        │    1 │            2 │             2 │
        │    2 │            1 │             3 │
        ╰──────┴──────────────┴───────────────╯
        4 requests (2 GetItem, 2 TransactWriteItems)
    """)
    assert tracks_of("PLAYLIST_singles") == [f"ALBUM_blue, track {number}" for number in (3, 1, 3)]


def tracks_of(token: str) -> list[str]:
    """The keys of the tracks of a playlist, as ``show`` prints them."""
    rows = [line.split("│") for line in run_on_shared("playlist", "show", token).out.splitlines()]
    return [row[2].strip() for row in rows if len(row) == 5 and row[1].isspace()]


def test_a_missing_track_is_named_and_nothing_of_its_page_or_after_it_is_written() -> None:
    run_on_shared("playlist", "create", "PLAYLIST_gap", "Gap")
    numbers = [*range(1, 11), *range(1, 4), 11, *range(4, 8), 12, *range(1, 4)]
    tracks = [argument for number in numbers for argument in ("--track", str(number))]
    refused = run_on_shared("playlist", "add-album", "PLAYLIST_gap", "ALBUM_blue", *tracks)
    assert (refused.code, refused.out) == (1, "")
    progress, *told = refused.err.splitlines()
    assert progress.endswith(" 10/22")
    assert told == [
        "Error: Not added: there is no track 11 of ALBUM_blue; there is no track 12 of ALBUM_blue.",
        "Written before: 10 tracks, in 1 page.",
        "Not written: 12 tracks, the whole page that failed and all after it.",
    ]
    assert tracks_of("PLAYLIST_gap") == [f"ALBUM_blue, track {number}" for number in range(1, 11)]


def test_where_the_first_page_is_refused_nothing_is_written() -> None:
    run_on_shared("playlist", "create", "PLAYLIST_none-of-it", "None of It")
    refused = run_on_shared("playlist", "add-album", "PLAYLIST_none-of-it", "ALBUM_nowhere", "--track", "1")
    assert (refused.code, refused.out, refused.err.splitlines()[1:]) == (
        1,
        "",
        [
            "Error: Not added: there is no track 1 of ALBUM_nowhere.",
            "Written before: 0 tracks, in 0 pages.",
            "Not written: 1 track, the whole page that failed and all after it.",
        ],
    )
    assert tracks_of("PLAYLIST_none-of-it") == []


def overtaken(monkeypatch: pytest.MonkeyPatch, changes: Iterable[Callable[[MusicDb], object]]) -> None:
    """Let somebody else make one change after each of the next consistent loads."""
    others = iter(changes)
    load = MusicDb.load

    def load_too_early(self: MusicDb, key: PlaylistInfo.Key, *, consistent_read: bool = False) -> PlaylistInfo | None:
        loaded = load(self, key, consistent_read=consistent_read)
        for change in islice(others, 1 if consistent_read else 0):
            change(self)
        return loaded

    monkeypatch.setattr(MusicDb, "load", load_too_early)


def heroes_to(token: str) -> Callable[[MusicDb], object]:
    """A change of somebody else: a track at the end of a playlist."""
    change = attr(PlaylistInfo.playlist_tracks).append([AlbumTrack.Key("ALBUM_heroes", 3)])
    return lambda db: db.update(PlaylistInfo.Key(token), change)


def test_a_page_of_tracks_that_comes_too_late_says_so_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run_on_shared("playlist", "create", "PLAYLIST_contended", "Contended")
    overtaken(monkeypatch, [heroes_to("PLAYLIST_contended")] * 2)
    added = run_on_shared("playlist", "add-album", "PLAYLIST_contended", "ALBUM_blue")
    assert [line for line in added.err.splitlines() if "Adding" not in line] == [
        "Too late: version 1 was expected, and version 2 is stored now, with 1 track. Trying again from that.",
        "Too late: version 2 was expected, and version 3 is stored now, with 2 tracks. Trying again from that.",
    ]
    # The two updates are those of the other writer.
    assert (added.code, added.out.splitlines()[-1]) == (
        0,
        "9 requests (3 GetItem, 1 Query, 3 TransactWriteItems, 2 UpdateItem)",
    )
    assert tracks_of("PLAYLIST_contended") == [
        *["ALBUM_heroes, track 3"] * 2,
        *(f"ALBUM_blue, track {number}" for number in range(1, 11)),
    ]


def test_a_page_of_tracks_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    run_on_shared("playlist", "create", "PLAYLIST_busy", "Busy")
    overtaken(monkeypatch, repeat(heroes_to("PLAYLIST_busy")))
    refused = run_on_shared("playlist", "add-album", "PLAYLIST_busy", "ALBUM_blue")
    assert (refused.code, refused.out, refused.err.count("Too late: ")) == (1, "", 9)
    assert refused.err.splitlines()[-3:] == [
        "Error: Not added: version 10 was expected, and version 11 is stored now, with 10 tracks.",
        "Written before: 0 tracks, in 0 pages.",
        "Not written: 10 tracks, the whole page that failed and all after it.",
    ]
    assert tracks_of("PLAYLIST_busy") == ["ALBUM_heroes, track 3"] * 10


def test_tracks_for_a_playlist_that_is_deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    key = PlaylistInfo.Key("PLAYLIST_short")
    run_on_shared("playlist", "create", "PLAYLIST_short", "Short")
    overtaken(monkeypatch, [lambda db: db.delete_key(key)])
    refused = run_on_shared("playlist", "add-album", "PLAYLIST_short", "ALBUM_blue")
    assert (refused.code, refused.err.splitlines()[1]) == (
        1,
        "Error: Not added: version 1 was expected, and nothing is stored any more.",
    )
    assert run_on_shared("playlist", "show", "PLAYLIST_short").code == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("album ALBUM_none", "There is no album ALBUM_none."),
        ("artist %", "There are no albums by %."),
        ("artist pink-floyd", "There are no albums by pink-floyd."),
        ("genre Polka", "There are no albums of the genre Polka."),
        ("label L_Columbia", "There are no albums of the label L_Columbia."),
        ("search blue", "There are no tracks whose title begins with blue."),
        ("search Money --album ALBUM_blue", "There are no tracks whose title begins with Money."),
        ("longer 100:00", "There are no tracks longer than 100:00."),
        ("playlist show PLAYLIST_none", "There is no playlist PLAYLIST_none."),
        ("playlist delete PLAYLIST_none", "There is no playlist PLAYLIST_none."),
        ("playlist add PLAYLIST_none ALBUM_blue 1", "There is no playlist PLAYLIST_none."),
        ("playlist add PLAYLIST_late-night ALBUM_blue 11", "There is no track 11 of ALBUM_blue."),
        ("playlist add-album PLAYLIST_none ALBUM_blue", "There is no playlist PLAYLIST_none."),
        ("playlist add-album PLAYLIST_late-night ALBUM_blue ALBUM_none", "There are no tracks of ALBUM_none."),
        ("play ALBUM_blue 11", "There is no track 11 of ALBUM_blue."),
        ("play ALBUM_none 1 --listeners 2", "There is no track 1 of ALBUM_none."),
        ("playlist create PLAYLIST_late-night Mine", "There is a playlist PLAYLIST_late-night already."),
        ("playlist rename PLAYLIST_none Mine --from Old", "There is no playlist PLAYLIST_none."),
        (
            "playlist rename PLAYLIST_late-night Mine --from Old",
            "Not renamed: PLAYLIST_late-night is called Late Night, not Old.",
        ),
        ("import no-such-file.json", "no-such-file.json: No such file or directory"),
        (
            "--table-name nowhere album ALBUM_blue",
            "Amazon DynamoDB has no such table. The commands demo and import create it.",
        ),
    ],
)
def test_a_failure_is_one_sentence(command: str, message: str) -> None:
    result = run_on_shared(*command.split())
    assert (result.code, result.err.splitlines()[-1]) == (1, f"Error: {message}")
    assert "Traceback" not in result.err


def test_an_empty_name_is_one_sentence() -> None:
    result = run_on_shared("artist", "")
    message = "AlbumInfo.ArtistIndexOffset.artist_name: is an empty string, and the key attribute artist_name cannot be"
    assert (result.code, result.err) == (1, f"Error: {message}")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "nonsense",
        "album",
        "album --nonsense",
        "longer long",
        "longer 5",
        "longer 5:60",
        "playlist show ALBUM_blue",
        "playlist create ALBUM_blue Mine",
        "playlist delete ALBUM_blue",
        "playlist rename ALBUM_blue Mine --from Blue",
        "playlist add ALBUM_blue ALBUM_blue 1",
        "playlist create PLAYLIST_x \x07",
        "longer -- -1:00",
        "playlist add PLAYLIST_x ALBUM_blue zero",
        "playlist add PLAYLIST_x ALBUM_blue 1 --at 0",
        "playlist add-album PLAYLIST_x",
        "playlist add-album ALBUM_blue ALBUM_blue",
        "playlist add-album PLAYLIST_x ALBUM_blue --track 0",
        "playlist add-album PLAYLIST_x ALBUM_blue ALBUM_heroes --track 1",
        "play ALBUM_blue 0",
        "play ALBUM_blue 1 --times 0",
        "play ALBUM_blue 1 --times 1001",
        "play ALBUM_blue 1 --listeners 0",
        "play ALBUM_blue 1 --listeners 51",
        "albums --endpoint-url",
        "albums --aws --endpoint-url http://localhost:8000",
    ],
)
def test_a_wrong_command_line_is_code_2(command: str) -> None:
    result = run(*command.split())
    assert result.code == 2
    assert "Traceback" not in result.err


def test_a_wrong_value_is_told_in_words() -> None:
    assert 'should be minutes and seconds such as "4:33"' in run("longer", "5").err
    told = " ".join(run("playlist", "show", "ALBUM_blue", columns=120).err.split())
    assert "should be PLAYLIST_ and up to 100 small letters, digits and hyphens" in told


def test_a_second_import_overwrites_albums_and_keeps_playlists(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    track = {"title": "So What", "length": "9:22"}
    album = {"token": "ALBUM_mine", "title": "Mine", "artist": "Me", "genre": "Noise", "released": "2026-01-02"}
    playlist = {"token": "PLAYLIST_mine", "name": "First", "tracks": [{"album": "ALBUM_mine", "track": 1}]}
    file.write_text(json.dumps({"albums": [{**album, "tracks": [track]}], "playlists": [playlist]}))
    table = ("--table-name", "a_table_of_ones_own")
    first = run_on_shared(*table, "import", str(file))
    assert first.out == "Imported into Amazon DynamoDB: 1 album, 1 track and 1 playlist."
    content = {"albums": [{**album, "title": "Ours", "tracks": [track]}], "playlists": [{**playlist, "name": "Second"}]}
    file.write_text(json.dumps(content))
    second = run_on_shared(*table, "import", str(file))
    assert second.out == _block("""
        Imported into Amazon DynamoDB: 1 album, 1 track and 0 playlists.
        There already, and left as stored: 1 playlist.
    """)
    assert run_on_shared(*table, "album", "ALBUM_mine").out.startswith("Ours by Me\nNoise, no label, 2026-01-02\n")
    assert run_on_shared(*table, "playlist", "show", "PLAYLIST_mine").out.startswith("First  PLAYLIST_mine\n")
    assert run_on_shared("album", "ALBUM_mine").code == 1


def test_an_import_keeps_play_counts(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    track = {"title": "So What", "length": "9:22"}
    album = {"token": "ALBUM_mine", "title": "Mine", "artist": "Me", "genre": "Noise", "released": "2026-01-02"}
    table = ("--table-name", "a_table_of_counts")
    file.write_text(json.dumps({"albums": [{**album, "tracks": [track]}]}))
    run_on_shared(*table, "import", str(file))
    run_on_shared(*table, "play", "ALBUM_mine", "1", "--times", "7")
    file.write_text(json.dumps({"albums": [{**album, "tracks": [{**track, "title": "What of It"}]}]}))
    assert run_on_shared(*table, "import", str(file)).code == 0
    played = run_on_shared(*table, "play", "ALBUM_mine", "1").out.splitlines()
    assert (played[0], played[5], played[7]) == (
        "What of It",
        "│ before                  │  7 │",
        "│ after                   │  8 │",
    )


def test_a_failure_tells_what_the_library_notes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_db: MusicDb, _items: object, **_options: object) -> None:
        error = TransactionCanceled("nothing was written: it was not to be", failures=[])
        error.add_note("save_all: the first 25 items are saved")
        raise error

    monkeypatch.setattr(MusicDb, "save_all", refuse)
    result = run_on_shared("import", str(BUNDLED))
    assert (result.code, result.err.splitlines()[1:]) == (
        1,
        ["Error: nothing was written: it was not to be", "save_all: the first 25 items are saved"],
    )


def test_a_wrong_catalogue_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    content = json.loads(BUNDLED.read_text(encoding="utf-8"))
    content["albums"][3]["tracks"][2]["length"] = "long"
    file.write_text(json.dumps(content))
    table = ("--table-name", "never_created")
    result = run_on_shared(*table, "import", str(file))
    title = content["albums"][3]["title"]
    problem = 'tracks[2].length: should be minutes and seconds such as "4:33"'
    assert (result.code, result.err) == (1, f"Error: {file}: albums[3] ({title}): {problem}")
    assert run_on_shared(*table, "albums").code == 1


def test_options_may_stand_behind_the_command() -> None:
    nowhere = run("album", "ALBUM_blue", "--table-name=nowhere", "--aws")
    assert nowhere.err == "Error: Amazon DynamoDB has no such table. The commands demo and import create it."


def test_what_follows_two_hyphens_is_no_option() -> None:
    made = run_on_shared("playlist", "create", "PLAYLIST_odd", "--", "--aws")
    assert (made.code, made.out) == (0, "--aws  PLAYLIST_odd")


def test_an_endpoint_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    command = [sys.executable, "-m", "examples.music", "albums", "--endpoint-url", "http://127.0.0.1:1"]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("Error: Could not connect to the endpoint URL:")
    assert len(outcome.stderr.splitlines()) == 1


def test_an_endpoint_that_is_no_address_is_one_sentence() -> None:
    result = run("albums", "--endpoint-url", "localhost")
    assert (result.code, result.err) == (1, "Error: Invalid endpoint: localhost")


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text(
        f"raise ModuleNotFoundError(\"No module named '{package}'\", name='{package}')"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "from examples.music.__main__ import main; main()"]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert (outcome.returncode, outcome.stderr) == (
        1,
        f"The music example needs {package}, which is not installed. Install the extra: logicaldb[examples]\n",
    )


def test_without_moto_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "moto.py").write_text("raise ModuleNotFoundError(\"No module named 'moto'\", name='moto')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "from examples.music.__main__ import main; main()", "demo"]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    message = 'Error: in_process_dynamodb needs moto: pip install "logicaldb[testing]"\n'
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (1, "", message)
