"""Every table that cannot be right is refused, and the message names the classes, the field, what was found, the fix."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.unit.schema.support import PLACES, refusal

TRACK = """
class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=3)]
    title: str

    class Key(ItemKey["Track"]):
        token: str
        number: int | None = None
"""

TABLE = """
class Table(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]
"""


def track(fields: str, key: str, raw: str = "Row") -> str:
    """A type of some fields, with a key, in a table."""
    return f"""
class Track(Item):
    {fields}

    class Key(ItemKey["Track"]):
        {key}

class Table(LogicalTable[{raw}]):
    tracks: InlineView[Track.Key, Track]
"""


TOKEN = 'token: Annotated[str, Attribute("pk")]'
INFO = 'sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""'

NUMBERS = """
class Numbers(RawItem):
    pk: Annotated[int, PartitionKey()]
    sk: Annotated[bytes, SortKey()]
"""

INDEXED = """
class Rows(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    artist: Annotated[str | None, PartitionKey(index="by_artist")] = None
    year: Annotated[int | None, SortKey(index="by_artist")] = None
"""

MAPPING = {
    "no partition key": (
        track('number: Annotated[int, Attribute("sk", width=3)]', "number: int"),
        'Track: no field maps to pk, the partition key of Row; declare one: Annotated[str, Attribute("pk")]',
    ),
    "no sort key": (
        track(TOKEN, "token: str"),
        'Track: no field maps to sk, the sort key of Row; declare one: Annotated[str, Attribute("sk")]',
    ),
    "no number key": (
        NUMBERS + track("sk: bytes", "sk: bytes", "Numbers"),
        'Track: no field maps to pk, the partition key of Numbers; declare one: Annotated[int, Attribute("pk")]',
    ),
    "no binary key": (
        NUMBERS + track("pk: int", "pk: int", "Numbers"),
        'Track: no field maps to sk, the sort key of Numbers; declare one: Annotated[bytes, Attribute("sk")]',
    ),
    "an optional partition key": (
        track(f'token: Annotated[str | None, Attribute("pk")]; {INFO}', "token: str"),
        "Track.token: is part of pk, the partition key of Row, and cannot be optional; remove None from its type",
    ),
    "an optional part of the sort key": (
        track(
            f"{TOKEN}; day: Annotated[date, Attribute('sk')]\n"
            '    number: Annotated[int | None, Attribute("sk", prefix="#", width=3)] = None',
            "token: str; day: date",
        ),
        "Track.number: is part of sk, the sort key of Row, and cannot be optional; remove None from its type",
    ),
    "an int without width": (
        track(f'{TOKEN}; number: Annotated[int, Attribute("sk")]', "token: str; number: int"),
        (
            "Track.number: is int in the string sk, where 10 would sort before 9; "
            'give it a number of digits: Attribute("sk", width=16)'
        ),
    ),
    "an enum of numbers without width": (
        dedent("""
        class Side(IntEnum):
            A = 1
            B = 2
        """)
        + track(f'{TOKEN}; side: Annotated[Side, Attribute("sk")]', "token: str; side: Side"),
        (
            "Track.side: is Side in the string sk, where 10 would sort before 9; "
            'give it a number of digits: Attribute("sk", width=16)'
        ),
    ),
    "a width of what is no number": (
        track(f'{TOKEN}; day: Annotated[date, Attribute("sk", width=10)]', "token: str; day: date"),
        "Track.day: is date, and width=10 is for int; remove it",
    ),
    **{
        f"{kind} in a string key": (
            track(f'{TOKEN}; value: Annotated[{kind}, Attribute("sk", prefix="V_")]', f"token: str; value: {kind}"),
            (
                f"Track.value: is {kind}, but sk is a string, which takes str, date, datetime, UUID, Enum, and int with a "
                "width; choose another type or attribute"
            ),
        )
        for kind in ("Decimal", "float", "bool", "bytes", "timedelta", "list[str]", "Any", "Literal[True]")
    },
    "a prefix of a number key": (
        NUMBERS + track('pk: Annotated[int, Attribute(prefix="P")]; sk: bytes', "pk: int; sk: bytes", "Numbers"),
        "Track.pk: prefix and width are for string keys, and pk is a number in Numbers; remove them",
    ),
    "a width of a number key": (
        NUMBERS + track("pk: Annotated[int, Attribute(width=9)]; sk: bytes", "pk: int; sk: bytes", "Numbers"),
        "Track.pk: prefix and width are for string keys, and pk is a number in Numbers; remove them",
    ),
    "text in a number key": (
        NUMBERS + track("pk: str; sk: bytes", "pk: str; sk: bytes", "Numbers"),
        "Track.pk: is str, but pk is a number in Numbers; give them one type",
    ),
    "a number in a binary key": (
        NUMBERS + track("pk: int; sk: int", "pk: int; sk: int", "Numbers"),
        "Track.sk: is int, but sk is a binary in Numbers; give them one type",
    ),
    "two parts of a number key": (
        NUMBERS
        + track(
            'pk: int; other: Annotated[int, Attribute("pk")]; sk: bytes', "pk: int; other: int; sk: bytes", "Numbers"
        ),
        "Track.other: Track.pk maps to pk already, a number in Numbers; only a string key has several parts",
    ),
    "a part without separator": (
        track(
            f'{TOKEN}; day: Annotated[date, Attribute("sk")]; name: Annotated[str, Attribute("sk")]',
            "token: str; day: date; name: str",
        ),
        (
            "Track.name: is a further part of the composite key sk and has no separator; "
            'give it a prefix: Attribute("sk", prefix="#")'
        ),
    ),
    **{
        f"a separator that is in every {kind}": (
            track(
                f'{TOKEN}; x: Annotated[{kind}, Attribute("sk")]\n'
                f'    name: Annotated[str, Attribute("sk", prefix={separator!r})]',
                f"token: str; x: {kind}; name: str",
            ),
            (
                f"Track.name: the separator {separator!r} is in every {kind} that Track.x, the part of sk before it, can be; "
                "choose another"
            ),
        )
        for kind, separator in (
            ("date", "-"),
            ("datetime", "Z"),
            ("datetime", "ZZ"),
            ("time", ":"),
            ("time", "."),
            ("UUID", "-"),
            ("Literal['a#b', 'c#']", "#"),
        )
    },
    "a separator that is in every member of an enum": (
        dedent("""
        class Kind(StrEnum):
            ONE = "k:1"
            TWO = "k:2"
        """)
        + track(
            f'{TOKEN}; kind: Annotated[Kind, Attribute("sk")]; name: Annotated[str, Attribute("sk", prefix=":")]',
            "token: str; kind: Kind; name: str",
        ),
        "Track.name: the separator ':' is in every Kind that Track.kind, the part of sk before it, can be; choose another",
    ),
    "a separator that is in a constant": (
        track(
            f'{TOKEN}; kind: Annotated[str, Attribute("sk")] = "a#b"; name: Annotated[str, Attribute("sk", prefix="#")]',
            "token: str; name: str",
        ),
        "Track.name: the separator '#' is in every str that Track.kind, the part of sk before it, can be; choose another",
    ),
    "a constant of another type": (
        track(f'{TOKEN}; sk: Annotated[str, Attribute(prefix="T_")] = None', "token: str"),
        (
            "Track.sk: is part of the primary key, so its default is a constant, and None is None, not a str; "
            "make it a value of its type, or remove it"
        ),
    ),
    "a constant that is none of the literals": (
        track(f'{TOKEN}; sk: Literal["A"] = "B"', "token: str"),
        (
            "Track.sk: is part of the primary key, so its default is a constant, and 'B' is a str that is none of the values "
            "of Literal['A']; make it a value of its type, or remove it"
        ),
    ),
    "a constant number that is too wide": (
        track(f'{TOKEN}; number: Annotated[int, Attribute("sk", width=1)] = 12', "token: str"),
        (
            "Track.number: is part of the primary key, so its default is a constant, and 12 is wider than 1 digits; "
            "make it a value of its type, or remove it"
        ),
    ),
    "a constant of a number key": (
        NUMBERS + track('pk: int = "x"; sk: bytes', "sk: bytes", "Numbers"),
        (
            "Track.pk: is part of the primary key, so its default is a constant, and 'x' is a str, not an int; "
            "make it a value of its type, or remove it"
        ),
    ),
    "an empty constant": (
        track(f'{TOKEN}; sk: Literal[""] = ""', "token: str"),
        (
            "Track.sk: is a constant that makes sk an empty string, which no key of Row can be; "
            'give it a prefix: Attribute("sk", prefix="...")'
        ),
    ),
    "names of different types": (
        INDEXED
        + track(
            f'{TOKEN}; {INFO}; year: Annotated[int | None, Attribute(names=("year", "artist"))] = None',
            "token: str",
            "Rows",
        ),
        (
            "Track.year: is written to attributes of different types in Rows: year is a number, artist is a string; "
            "give them one type"
        ),
    ),
    "names of different types, one of them no key": (
        dedent("""
        class Rows(Row):
            size: int = 0
        """)
        + track(
            f'{TOKEN}; name: Annotated[str, Attribute(names=("sk", "size"), prefix="X_")]',
            "token: str; name: str",
            "Rows",
        ),
        (
            "Track.name: is written to attributes of different types in Rows: sk is a string, size is a number; "
            "give them one type"
        ),
    ),
    "two fields of one attribute": (
        track(f'{TOKEN}; {INFO}; one: str; two: Annotated[str, Attribute("one")]', "token: str"),
        (
            "Track.two: Track.one maps to one already, which is no key attribute of Row; only the parts of a composite key "
            "share an attribute, so name another"
        ),
    ),
    "another type than the raw item declares": (
        dedent("""
        class Rows(Row):
            plays: int = 0
        """)
        + track(f"{TOKEN}; {INFO}; plays: str", "token: str", "Rows"),
        "Track.plays: is stored as S, but Rows.plays declares plays as N; give them one type",
    ),
    "another type than the raw item declares under another name": (
        dedent("""
        class Rows(Row):
            count: Annotated[int, Attribute("plays")] = 0
        """)
        + track(f'{TOKEN}; {INFO}; number: Annotated[int, Attribute("plays", prefix="P")]', "token: str", "Rows"),
        "Track.number: is stored as S, but Rows.count declares plays as N; give them one type",
    ),
    "a null that the raw item does not take": (
        dedent("""
        class Rows(Row):
            plays: int = 0
        """)
        + track(f"{TOKEN}; {INFO}; plays: int | None = 7", "token: str", "Rows"),
        "Track.plays: is stored as N or NULL, but Rows.plays declares plays as N; give them one type",
    ),
    "an index key whose absence is not None": (
        INDEXED + track(f'{TOKEN}; {INFO}; artist: str | None = "x"', "token: str", "Rows"),
        (
            "Track.artist: is stored as the string artist, which is absent for None, so that None would read back as the "
            "default 'x'; make the default None"
        ),
    ),
    "text with a prefix whose absence is not None": (
        track(f'{TOKEN}; {INFO}; label: Annotated[str | None, Attribute(prefix="L_")] = "x"', "token: str"),
        (
            "Track.label: is stored as the string label, which is absent for None, so that None would read back as the "
            "default 'x'; make the default None"
        ),
    ),
    "parts of which one alone is optional": (
        INDEXED
        + track(
            f'{TOKEN}; {INFO}; artist: str | None = None; city: Annotated[str, Attribute("artist", prefix="#")]',
            "token: str",
            "Rows",
        ),
        "Track.city: the parts of the composite key artist are optional together, or not at all, and Track.artist is",
    ),
    "parts of which all but one are optional": (
        INDEXED
        + track(
            f'{TOKEN}; {INFO}; artist: str; city: Annotated[str | None, Attribute("artist", prefix="#")] = None',
            "token: str",
            "Rows",
        ),
        "Track.city: the parts of the composite key artist are optional together, or not at all, and Track.artist is not",
    ),
    "a version in the primary key": (
        NUMBERS + track("pk: Annotated[int, Version()] = 0; sk: bytes", "sk: bytes", "Numbers"),
        (
            "Track.pk: is marked Version() and is part of pk, a key of Numbers; what the mapper changes cannot be part of the "
            "primary key"
        ),
    ),
    "a counter as the key of an index": (
        """
class Rows(RawItem):
    pk: Annotated[str, PartitionKey()]
    n: Annotated[int | None, PartitionKey(index="by_number")] = None
"""
        + track("pk: str; n: Annotated[int, Counter()] = 0", "pk: str", "Rows"),
        (
            "Track.n: is marked Counter() and is n, a key of an index in Rows; what changes with every write is no key, "
            "so map it to another attribute"
        ),
    ),
    "a time in a composite key": (
        INDEXED
        + track(
            f'{TOKEN}; {INFO}; at: Annotated[datetime | None, UpdatedAt(), Attribute("artist")] = None\n'
            '    city: Annotated[str | None, Attribute("artist", prefix="#")] = None',
            "token: str",
            "Rows",
        ),
        (
            "Track.at: is marked UpdatedAt() and is part of the composite key artist; what the mapper changes has an attribute "
            "of its own"
        ),
    ),
    "a time to live in a string key": (
        INDEXED + track(f"{TOKEN}; {INFO}; artist: Annotated[int, TimeToLive()] = 0", "token: str", "Rows"),
        (
            "Track.artist: is marked TimeToLive() and stored as a number, but artist is a string in Rows; "
            "map it to another attribute"
        ),
    ),
    "a time of change in a number key": (
        INDEXED + track(f"{TOKEN}; {INFO}; year: Annotated[datetime, UpdatedAt()]", "token: str", "Rows"),
        (
            "Track.year: is marked UpdatedAt() and stored as a string, but year is a number in Rows; "
            "map it to another attribute"
        ),
    ),
}

KEYS = {
    "a key that lacks a field": (
        track(f'{TOKEN}; number: Annotated[int, Attribute("sk", width=3)]', "token: str"),
        "Track.Key: lacks number, which is part of sk in the key of Row; declare number: int",
    ),
    "a key with a constant": (
        track(f"{TOKEN}; {INFO}", 'token: str; sk: Literal[""] | None = None'),
        "Track.Key.sk: is a constant of Track; remove it from the key",
    ),
    "a key with a field that is not part of it": (
        track(f"{TOKEN}; {INFO}; title: str", "token: str; title: str"),
        "Track.Key.title: is not part of the key of Row; remove it",
    ),
    "an optional field of the partition key": (
        track(f"{TOKEN}; {INFO}", "token: str | None = None"),
        "Track.Key.token: is part of the partition key pk and cannot be optional; remove None from its type",
    ),
    "an optional field before another": (
        track(
            f'{TOKEN}; day: Annotated[date, Attribute("sk")]; name: Annotated[str, Attribute("sk", prefix="#")]',
            "token: str; day: date | None = None; name: str",
        ),
        "Track.Key.name: follows day, which is optional, so it must be optional too; write name: ... | None = None",
    ),
    "an optional part before another in the attribute alone": (
        track(
            f'{TOKEN}; day: Annotated[date, Attribute("sk")]; name: Annotated[str, Attribute("sk", prefix="#")]',
            "token: str; name: str; day: date | None = None",
        ),
        "Track.Key.name: follows day, which is optional, so it must be optional too; write name: ... | None = None",
    ),
    "an index that is not there": (
        TRACK + '    class ByTitle(IndexKey["Track"], index="by_title"):\n        title: str\n' + TABLE,
        "Track.ByTitle: Row has no index 'by_title'; its indexes: none",
    ),
    "an index that has another name": (
        INDEXED
        + TRACK
        + '    class ByTitle(IndexKey["Track"], index="by_title"):\n        title: str\n'
        + TABLE.replace("Row", "Rows"),
        "Track.ByTitle: Rows has no index 'by_title'; its indexes: by_artist",
    ),
    "an index whose key the item has not": (
        INDEXED
        + TRACK
        + '    class ByArtist(IndexKey["Track"], index="by_artist"):\n        title: str\n'
        + TABLE.replace("Row", "Rows"),
        (
            "Track.ByArtist: no field of Track maps to artist, a key of the index 'by_artist'; "
            'declare one: Annotated[..., Attribute("artist")]'
        ),
    ),
    "an index key that lacks a field": (
        INDEXED
        + TRACK
        + "    artist: str | None = None; year: int | None = None\n"
        + '    class ByArtist(IndexKey["Track"], index="by_artist"):\n        artist: str\n'
        + TABLE.replace("Row", "Rows"),
        "Track.ByArtist: lacks year, which is part of year in the key of the index 'by_artist'; declare year: int",
    ),
    "an index key with a field that is not part of it": (
        INDEXED
        + TRACK
        + "    artist: str | None = None; year: int | None = None\n"
        + '    class ByArtist(IndexKey["Track"], index="by_artist"):\n        artist: str; year: int; title: str\n'
        + TABLE.replace("Row", "Rows"),
        "Track.ByArtist.title: is not part of the key of the index 'by_artist'; remove it",
    ),
    "an index key with an optional partition key": (
        INDEXED
        + TRACK
        + "    artist: str | None = None; year: int | None = None\n"
        + '    class ByArtist(IndexKey["Track"], index="by_artist"):\n'
        + "        artist: str | None = None; year: int | None = None\n"
        + TABLE.replace("Row", "Rows"),
        "Track.ByArtist.artist: is part of the partition key artist and cannot be optional; remove None from its type",
    ),
}


def info(name: str, fields: str = "x: str", prefix: str = "INFO_", partition: str = "") -> str:
    """A type of a constant sort key."""
    return f"""
class {name}(Item):
    token: Annotated[str, Attribute("pk", prefix="{partition}")]
    sk: Annotated[Literal[""], Attribute(prefix="{prefix}")] = ""
    {fields}

    class Key(ItemKey["{name}"]):
        token: str
"""


def two(view: str = "") -> str:
    """A table of Track and Info."""
    return f"""
class Table(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]
    infos: InlineView[Info.Key, Info]
    {view}
"""


PROJECTED = """
class Rows(Row):
    artist: Annotated[str | None, PartitionKey(index="by_artist", projection={projection})] = None

class Info(Item):
    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    artist: str
    x: str

    class Key(ItemKey["Info"]):
        token: str

    class ByArtist(IndexKey["Info"], index="by_artist"):
        artist: str

class Table(LogicalTable[Rows]):
    infos: SecondaryIndex[Info.ByArtist, Info]
"""

TYPES = {
    "no prefix": (
        track(f"{TOKEN}; sk: str", "token: str; sk: str").partition("class Table")[0] + info("Info") + two(),
        (
            "Table: Track.sk is the sort key sk without a prefix, and the table holds Info too; the prefix tells a row's type, "
            'so give it one: Attribute("sk", prefix="TRACK_")'
        ),
    ),
    "a prefix that is the beginning of another": (
        TRACK + info("Info", prefix="TR") + two(),
        (
            "Table: the sort key prefix 'TR' of Info is the beginning of 'TRACK_', that of Track, so that a query for the one "
            "would return the other; change one of them"
        ),
    ),
    "nothing that tells two types apart": (
        info("Track", "x: str") + info("Info", "x: str; y: str = ''; z: str | None; s: set[str]") + two(),
        (
            "Table: nothing tells Track and Info apart; give their sort keys different prefixes, or one of them a required "
            "field that the other does not have"
        ),
    ),
    "nothing that tells two types apart in a table without sort keys": (
        """
        class Tokens(RawItem):
            pk: Annotated[str, PartitionKey()]

        class Track(Item):
            token: Annotated[str, Attribute("pk", prefix="T")]

            class Key(ItemKey["Track"]):
                token: str

        class Info(Item):
            token: Annotated[str, Attribute("pk", prefix="TR")]

            class Key(ItemKey["Info"]):
                token: str

        class Table(LogicalTable[Tokens]):
            tracks: InlineView[Track.Key, Track]
            infos: InlineView[Info.Key, Info]
        """,
        (
            "Table: nothing tells Track and Info apart; give their sort keys different prefixes, or one of them a required "
            "field that the other does not have"
        ),
    ),
    "a collection of types with one prefix": (
        info("Track", "x: str") + info("Info", "y: str") + two("both: ItemCollection[Track.Key, Track | Info]"),
        (
            "Table.both: the sort keys of Track and Info both have the prefix 'INFO_', so that the rows of one query cannot be "
            "told apart; give them different prefixes"
        ),
    ),
    "a collection of types with different partition keys": (
        TRACK + info("Info", partition="I_") + two("both: ItemCollection[Track.Key, Track | Info]"),
        (
            "Table.both: the partition key of Info is made differently from that of the collection's key (the prefix 'I_' and "
            "no prefix), so they are never in one partition"
        ),
    ),
    "a collection in a table without sort keys": (
        """
        class Tokens(RawItem):
            pk: Annotated[str, PartitionKey()]

        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str

        class Table(LogicalTable[Tokens]):
            tracks: ItemCollection[Track.Key, Track]
        """,
        "Table.tracks: Tokens has no sort key, so that a partition holds one item and no collection; use an InlineView",
    ),
    "a collection of types with number keys": (
        NUMBERS
        + dedent("""
        class Track(Item):
            pk: int
            sk: bytes
            x: str

            class Key(ItemKey["Track"]):
                pk: int
                sk: bytes

        class Info(Item):
            pk: int
            sk: bytes
            y: str

            class Key(ItemKey["Info"]):
                pk: int
                sk: bytes

        class Table(LogicalTable[Numbers]):
            both: ItemCollection[Track.Key, Track | Info]
        """),
        (
            "Table.both: the sort keys of Track and Info both have no prefix, so that the rows of one query cannot be told "
            "apart; give them different prefixes"
        ),
    ),
    "an index of keys only": (
        PROJECTED.format(projection='"KEYS_ONLY"'),
        "Table.infos: the index 'by_artist' does not project x, which holds Info.x; project it, or everything",
    ),
    "an index that lacks an attribute": (
        PROJECTED.format(projection='["y", "z"]'),
        "Table.infos: the index 'by_artist' does not project x, which holds Info.x; project it, or everything",
    ),
    "an index that lacks what tells types apart": (
        """
        class Rows(Row):
            artist: Annotated[str | None, PartitionKey(index="by_artist", projection=["x"])] = None

        class Info(Item):
            token: Annotated[str, Attribute("pk")]
            sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
            artist: str | None = None
            x: str | None = None

            class Key(ItemKey["Info"]):
                token: str

            class ByArtist(IndexKey["Info"], index="by_artist"):
                artist: str

        class Other(Item):
            token: Annotated[str, Attribute("pk")]
            sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
            y: str
            z: str

            class Key(ItemKey["Other"]):
                token: str

        class Table(LogicalTable[Rows]):
            others: InlineView[Other.Key, Other]
            infos: SecondaryIndex[Info.ByArtist, Info]
        """,
        (
            "Table: nothing that the index 'by_artist' projects tells Info and Other apart; give their sort keys different "
            "prefixes, or project y or z"
        ),
    ),
    "two times to live": (
        info("Info", "until: Annotated[int | None, TimeToLive()] = None").replace("INFO_", "I_")
        + info("Track", "expires: Annotated[int | None, TimeToLive()] = None; x: int")
        + two(),
        (
            "Table: has several attributes marked TimeToLive(): expires, until; a table has one, so store them under one "
            'name: Attribute("expires")'
        ),
    ),
}

VIEWS = {
    "no raw item": (
        """
        class Table(LogicalTable):
            pass
        """,
        "Table: names no raw item; derive it from LogicalTable[YourRawItem]",
    ),
    "something else than a raw item": (
        TRACK + "class Table(LogicalTable[Track]):\n    pass",
        "Table: Track is not a raw item; derive it from logicaldb.RawItem",
    ),
    "tables of different raw items": (
        NUMBERS
        + dedent("""
        class One(LogicalTable[Row]):
            pass

        class Two(LogicalTable[Numbers]):
            pass

        class Table(One, Two):
            pass
        """),
        "Table: derives from tables of different raw items, Numbers and Row; a table has one",
    ),
    "an item type of another table": (
        TRACK
        + TABLE
        + """
class Others(Row):
    pass

class Other(LogicalTable[Others]):
    tracks: InlineView[Track.Key, Track]
""",
        (
            "Other: Track is bound to the raw item Row by another table, and this one has Others; an item type belongs to one "
            "raw item, so derive a class for the other, with its own keys"
        ),
    ),
    "something else than a view": (
        "class Table(LogicalTable[Row]):\n    tracks: list[str]",
        (
            "Table.tracks: is list[str]; a table declares InlineView[Key, Item], SecondaryIndex[IndexKey, Item] and "
            "ItemCollection[Key, ItemA | ItemB]"
        ),
    ),
    "a view of nothing": (
        "class Table(LogicalTable[Row]):\n    tracks: InlineView",
        (
            "Table.tracks: is InlineView; a table declares InlineView[Key, Item], SecondaryIndex[IndexKey, Item] and "
            "ItemCollection[Key, ItemA | ItemB]"
        ),
    ),
    "a name that is taken": (
        TRACK + "class Table(LogicalTable[Row]):\n    raw: InlineView[Track.Key, Track]",
        "Table.raw: is a name that LogicalTable keeps for itself; call the view otherwise",
    ),
    "a private name": (
        TRACK + "class Table(LogicalTable[Row]):\n    _views: InlineView[Track.Key, Track]",
        "Table._views: is a name that LogicalTable keeps for itself; call the view otherwise",
    ),
    "a view of a model": (
        dedent("""
        class Song(BaseModel):
            token: str
        """)
        + TRACK
        + "class Table(LogicalTable[Row]):\n    songs: InlineView[Track.Key, Song]",
        "Table.songs: Song is not an item type; derive it from logicaldb.Item",
    ),
    "a view of a raw item": (
        TRACK + "class Table(LogicalTable[Row]):\n    rows: InlineView[Track.Key, Row]",
        "Table.rows: Row is not an item type; derive it from logicaldb.Item",
    ),
    "a collection with None": (
        TRACK + "class Table(LogicalTable[Row]):\n    tracks: ItemCollection[Track.Key, Track | None]",
        "Table.tracks: NoneType is not an item type; derive it from logicaldb.Item",
    ),
    "a view of several types": (
        TRACK + info("Info") + "class Table(LogicalTable[Row]):\n    both: InlineView[Track.Key, Track | Info]",
        "Table.both: InlineView reads one item type, and Track | Info are 2; use ItemCollection",
    ),
    "an item type in place of a key": (
        TRACK + "class Table(LogicalTable[Row]):\n    tracks: InlineView[Track, Track]",
        "Table.tracks: Track is not an ItemKey, which InlineView takes",
    ),
    "an item key of an index": (
        TRACK + "class Table(LogicalTable[Row]):\n    tracks: SecondaryIndex[Track.Key, Track]",
        "Table.tracks: Track.Key is not an IndexKey, which SecondaryIndex takes",
    ),
    "an index key of a view": (
        INDEXED
        + TRACK
        + '    artist: str\n    class ByArtist(IndexKey["Track"], index="by_artist"):\n        artist: str\n'
        + "class Table(LogicalTable[Rows]):\n    tracks: InlineView[Track.ByArtist, Track]",
        "Table.tracks: Track.ByArtist is not an ItemKey, which InlineView takes",
    ),
    "a key of another type": (
        TRACK + info("Info") + "class Table(LogicalTable[Row]):\n    tracks: InlineView[Info.Key, Track]",
        "Table.tracks: Info.Key is not a key of Track; declare it inside that class",
    ),
    "a key of none of the types of a collection": (
        TRACK
        + info("Info")
        + info("Third", prefix="3_")
        + "class Table(LogicalTable[Row]):\n    both: ItemCollection[Third.Key, Track | Info]",
        "Table.both: Third.Key is not a key of Track or Info; declare it inside that class",
    ),
    "the key of a parent class": (
        TRACK
        + "class Single(Track):\n    pass\n"
        + "class Table(LogicalTable[Row]):\n    singles: InlineView[Single.Key, Single]",
        "Table.singles: Track.Key is not a key of Single; declare it inside that class",
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), MAPPING.values(), ids=MAPPING)
def test_mapping(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), KEYS.values(), ids=KEYS)
def test_keys(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), TYPES.values(), ids=TYPES)
def test_types(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), VIEWS.values(), ids=VIEWS)
def test_views(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message
