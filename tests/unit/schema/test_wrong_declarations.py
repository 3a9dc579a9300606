"""Every wrong declaration is refused, and the message names the class, the field, what was found and the fix."""

from __future__ import annotations

import pytest

from tests.unit.schema.support import PLACES, refusal

RAW_ITEMS = {
    "no partition key": (
        """
        class Rows(RawItem):
            pk: str
        """,
        "Rows: has no partition key; mark one field: Annotated[str, PartitionKey()]",
    ),
    "two partition keys": (
        """
        class Rows(RawItem):
            one: Annotated[str, PartitionKey()]
            two: Annotated[str, PartitionKey()]
        """,
        "Rows.two: Rows.one is the partition key of the table already; there is only one",
    ),
    "two sort keys of an index": (
        """
        class Rows(Row):
            one: Annotated[str | None, SortKey(index="by_x")] = None
            two: Annotated[str | None, SortKey(index="by_x")] = None
        """,
        "Rows.two: Rows.one is the sort key of the index 'by_x' already; there is only one",
    ),
    "one attribute as both keys of the table": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), SortKey()]
        """,
        "Rows.pk: is both the partition key and the sort key of the table; mark another field SortKey(...), or none",
    ),
    "one attribute as both keys of an index": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x"), SortKey(index="by_x")] = None
        """,
        (
            "Rows.x: is both the partition key and the sort key of the index 'by_x'; "
            "mark another field SortKey(...), or none"
        ),
    ),
    "the partition key as the sort key of a local index": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), SortKey(index="by_pk")]
            sk: Annotated[str, SortKey()]
        """,
        (
            "Rows.pk: is the partition key of the table, and so of its local index 'by_pk', whose sort key it cannot be too; "
            "mark another field, or give the index a partition key"
        ),
    ),
    "an optional partition key": (
        """
        class Rows(RawItem):
            pk: Annotated[str | None, PartitionKey()] = None
        """,
        "Rows.pk: is a key of the table and cannot be optional; remove None from its type",
    ),
    "an optional sort key": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey()]
            sk: Annotated[Optional[str], SortKey()] = None
        """,
        "Rows.sk: is a key of the table and cannot be optional; remove None from its type",
    ),
    "a key of another type": (
        """
        class Rows(RawItem):
            pk: Annotated[date, PartitionKey()]
        """,
        "Rows.pk: is date, but a key attribute is str, int, Decimal or bytes",
    ),
    "a key that is a list": (
        """
        class Rows(RawItem):
            pk: Annotated[list[str], PartitionKey()]
        """,
        "Rows.pk: is list[str], but a key attribute is str, int, Decimal or bytes",
    ),
    "a local index on a table without sort key": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey()]
            title: Annotated[str | None, SortKey(index="by_title")] = None
        """,
        (
            "Rows.title: the index 'by_title' has a sort key alone, so it is a local one, and local indexes need a table "
            "with a sort key; give the index a partition key, or mark a field SortKey() for the table"
        ),
    ),
    "too many global indexes": (
        """
        class Rows(Row):
            x: Annotated[str | None, *(PartitionKey(index=f"by_{n}") for n in range(21))] = None
        """,
        "Rows: has 21 global indexes; DynamoDB takes 20 of a table",
    ),
    "too many local indexes": (
        """
        class Rows(Row):
            x: Annotated[str | None, *(SortKey(index=f"by_{n}") for n in range(6))] = None
        """,
        "Rows: has 6 local indexes; DynamoDB takes 5 of a table",
    ),
    "a projection of the table": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(projection="ALL")]
        """,
        "Rows.pk: projection='ALL' is for an index, and the table holds everything; remove it",
    ),
    "two projections of one index": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x", projection="KEYS_ONLY")] = None
            y: Annotated[str | None, SortKey(index="by_x", projection=["z"])] = None
        """,
        "Rows.y: has projection=('z',) for the index 'by_x', and its other key has projection='KEYS_ONLY'; give it once",
    ),
    "an unknown projection": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x", projection="SOME")] = None
        """,
        'Rows.x: projection=\'SOME\' is not "ALL", "KEYS_ONLY" or a list of the names of attributes',
    ),
    "a projection that is no list": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x", projection=3)] = None
        """,
        'Rows.x: projection=3 is not "ALL", "KEYS_ONLY" or a list of the names of attributes',
    ),
    "a projection of what are no names": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x", projection=[1])] = None
        """,
        'Rows.x: projection=[1] is not "ALL", "KEYS_ONLY" or a list of the names of attributes',
    ),
    "an empty projection": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="by_x", projection=[])] = None
        """,
        'Rows.x: projection=[] names no attribute; write "KEYS_ONLY" for the keys alone',
    ),
    "a prefix": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute(prefix="P_")]
        """,
        "Rows.pk: a field of a raw item is one attribute as it is; write Attribute(name) without more",
    ),
    "several names": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute(names=("a", "b"))]
        """,
        "Rows.pk: a field of a raw item is one attribute as it is; write Attribute(name) without more",
    ),
    "a width": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute(width=3)]
        """,
        "Rows.pk: a field of a raw item is one attribute as it is; write Attribute(name) without more",
    ),
    "an empty name": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute("")]
        """,
        "Rows.pk: '' is not the name of an attribute; write one, or leave it out",
    ),
    "a name that is none": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute(7)]
        """,
        "Rows.pk: 7 is not the name of an attribute; write one, or leave it out",
    ),
    "two names": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey(), Attribute("a"), Attribute("b")]
        """,
        "Rows.pk: Attribute is given 2 times; give it once",
    ),
    "two fields of one attribute": (
        """
        class Rows(Row):
            other: Annotated[str, Attribute("sk")]
        """,
        "Rows.other: maps to sk, as Rows.sk does already; name another attribute",
    ),
    "a version": (
        """
        class Rows(Row):
            version: Annotated[int, Version()] = 0
        """,
        "Rows.version: Version() belongs on the field of an item type; remove it here",
    ),
    "a key annotation inside the type": (
        """
        class Rows(Row):
            x: Annotated[str, PartitionKey(index="by_x")] | None = None
        """,
        "Rows.x: PartitionKey stands inside the type; put it outermost: Annotated[... | None, PartitionKey(...)]",
    ),
    "an annotation that was not called": (
        """
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey]
        """,
        "Rows.pk: is annotated with the class PartitionKey; call it: Annotated[str, PartitionKey(...)]",
    ),
    "an empty name of an index": (
        """
        class Rows(Row):
            x: Annotated[str | None, PartitionKey(index="")] = None
        """,
        "Rows.x: index='' is not the name of an index; write one, or leave it out for the table",
    ),
    "a name of an index that is none": (
        """
        class Rows(Row):
            x: Annotated[str | None, SortKey(index=3)] = None
        """,
        "Rows.x: index=3 is not the name of an index; write one, or leave it out for the table",
    ),
    "a type that cannot be stored": (
        """
        class Rows(Row):
            x: int | float
        """,
        (
            "Rows.x: int and float have the stored form N in common, so that a stored value does not tell which it is: "
            "use a discriminated union of models, or one type"
        ),
    ),
    "a field named like a method": (
        """
        class Rows(Row):
            json: str
        """,
        (
            "Rows.json: is the name of an attribute of RawItem itself; call the field json_ and say where it is stored: "
            'json_: Annotated[..., Attribute("json")]'
        ),
    ),
}

FIELDS = {
    "name with names": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk", names=("a", "b"))]
        """,
        "Track.token: Attribute has both name='pk' and names=('a', 'b'); give one of them",
    ),
    "names that are one str": (
        """
        class Track(Item):
            token: Annotated[str, Attribute(names="pk")]
        """,
        'Track.token: names=\'pk\' is a str; write names=("pk", ...), or Attribute("pk") for one attribute',
    ),
    "one name twice": (
        """
        class Track(Item):
            token: Annotated[str, Attribute(names=["a", "a"])]
        """,
        "Track.token: names=['a', 'a'] has 'a' twice; give it once",
    ),
    "an empty name": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("")]
        """,
        "Track.token: '' is not the name of an attribute; write one, or leave it out",
    ),
    "names that are none": (
        """
        class Track(Item):
            token: Annotated[str, Attribute(names=(1,))]
        """,
        "Track.token: 1 is not the name of an attribute; write one, or leave it out",
    ),
    "a prefix that is no text": (
        """
        class Track(Item):
            token: Annotated[str, Attribute(prefix=1)]
        """,
        "Track.token: prefix=1 is not a str; a prefix is text",
    ),
    "no width": (
        """
        class Track(Item):
            number: Annotated[int, Attribute(width=0)]
        """,
        "Track.number: width=0 is not a number of digits from 1 to 2048, which is what a string key can hold",
    ),
    "a width beyond all keys": (
        """
        class Track(Item):
            number: Annotated[int, Attribute(width=2049)]
        """,
        "Track.number: width=2049 is not a number of digits from 1 to 2048, which is what a string key can hold",
    ),
    "a width that is no number": (
        """
        class Track(Item):
            number: Annotated[int, Attribute(width="3")]
        """,
        "Track.number: width='3' is not a number of digits from 1 to 2048, which is what a string key can hold",
    ),
    "a width that is a bool": (
        """
        class Track(Item):
            number: Annotated[int, Attribute(width=True)]
        """,
        "Track.number: width=True is not a number of digits from 1 to 2048, which is what a string key can hold",
    ),
    "two attributes": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("a"), Attribute("b")]
        """,
        "Track.token: Attribute is given 2 times; give it once",
    ),
    "a partition key": (
        """
        class Track(Item):
            pk: Annotated[str, PartitionKey()]
        """,
        (
            "Track.pk: PartitionKey() belongs on the raw item; the field of an item type names the key attribute instead: "
            'Attribute("pk")'
        ),
    ),
    "a sort key": (
        """
        class Track(Item):
            title: Annotated[str, SortKey(index="by_title")]
        """,
        (
            "Track.title: SortKey() belongs on the raw item; the field of an item type names the key attribute instead: "
            'Attribute("title")'
        ),
    ),
    "a table name": (
        """
        class Track(Item):
            title: Annotated[str, TableName("x")]
        """,
        "Track.title: TableName() belongs on the attribute of a LogicalDb; remove it here",
    ),
    "an annotation that was not called": (
        """
        class Track(Item):
            version: Annotated[int, Version] = 0
        """,
        "Track.version: is annotated with the class Version; call it: Annotated[int, Version(...)]",
    ),
    "an annotation as a default": (
        """
        class Track(Item):
            token: str | None = Attribute("pk")
        """,
        "Track.token: has Attribute(...) for its default; annotate the type: Annotated[str | None, Attribute(...)]",
    ),
    "an attribute inside an optional": (
        """
        class Track(Item):
            title: Annotated[str, Attribute("t")] | None = None
        """,
        "Track.title: Attribute stands inside the type; put it outermost: Annotated[... | None, Attribute(...)]",
    ),
    "an attribute inside a list": (
        """
        class Track(Item):
            titles: list[Annotated[str, Attribute(prefix="T_")]]
        """,
        "Track.titles: Attribute stands inside the type; put it outermost: Annotated[... | None, Attribute(...)]",
    ),
    "a type that cannot be stored": (
        """
        class Track(Item):
            x: int | float
        """,
        (
            "Track.x: int and float have the stored form N in common, so that a stored value does not tell which it is: "
            "use a discriminated union of models, or one type"
        ),
    ),
    "a field named like a method of pydantic's": (
        """
        class Track(Item):
            copy: str
        """,
        (
            "Track.copy: is the name of an attribute of Item itself; call the field copy_ and say where it is stored: "
            'copy_: Annotated[..., Attribute("copy")]'
        ),
    ),
    "a field named like a method of ours": (
        """
        class Track(Item):
            replace: Annotated[str, Attribute("r")] = ""
        """,
        (
            "Track.replace: is the name of an attribute of Item itself; call the field replace_ and say where it is stored: "
            'replace_: Annotated[..., Attribute("replace")]'
        ),
    ),
    "a field named like a method of classes": (
        """
        class Track(Item):
            mro: int
        """,
        (
            "Track.mro: is the name of an attribute of Item itself; call the field mro_ and say where it is stored: "
            'mro_: Annotated[..., Attribute("mro")]'
        ),
    ),
    "a field named like a method of abstract classes": (
        """
        class Track(Item):
            register: int
        """,
        (
            "Track.register: is the name of an attribute of Item itself; call the field register_ and say where it is "
            'stored: register_: Annotated[..., Attribute("register")]'
        ),
    ),
    "a field of a mixin named like a method": (
        """
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")

            class Stamp(BaseModel):
                json: str

        class Track(Stamp, Item):
            title: str
        """,
        (
            "Track.json: is the name of an attribute of Item itself; call the field json_ and say where it is stored: "
            'json_: Annotated[..., Attribute("json")]'
        ),
    ),
}

ROLES = {
    "two versions": (
        """
        class Track(Item):
            one: Annotated[int, Version()] = 0
            two: Annotated[int, Version()] = 0
        """,
        "Track: one and two are both marked Version(); keep one of them",
    ),
    "two roles": (
        """
        class Track(Item):
            x: Annotated[int, Version(), Counter()] = 0
        """,
        "Track.x: is marked Version() and Counter(); a field has one of them",
    ),
    **{
        f"a version as {declared}": (
            f"""
            class Track(Item):
                v: {declared}
            """,
            "Track.v: a version is an int with default 0: Annotated[int, Version()] = 0",
        )
        for declared in (
            "Annotated[str, Version()] = '0'",
            "Annotated[int, Version()]",
            "Annotated[int, Version()] = 1",
            "Annotated[int | None, Version()] = 0",
            "Annotated[int, Version()] = Field(default_factory=int)",
        )
    },
    **{
        f"a counter as {declared}": (
            f"""
            class Track(Item):
                n: {declared}
            """,
            "Track.n: a counter is an int or a Decimal: Annotated[int, Counter()] = 0",
        )
        for declared in (
            "Annotated[float, Counter()] = 0.0",
            "Annotated[int | None, Counter()] = None",
            "Annotated[str, Counter(minimum=0)] = '0'",
        )
    },
    "bounds of another type": (
        """
        class Track(Item):
            n: Annotated[int, Counter(maximum=Decimal("1.5"))] = 0
        """,
        "Track.n: the bounds and the initial value of an int counter must be ints",
    ),
    "an initial value below the minimum": (
        """
        class Track(Item):
            n: Annotated[int, Counter(minimum=1)] = 0
        """,
        (
            "Track.n: the initial value 0 is outside the bounds minimum=1, maximum=None; "
            "give Counter(...) an initial value inside them"
        ),
    ),
    "an initial value above the maximum": (
        """
        class Track(Item):
            n: Annotated[Decimal, Counter(initial=Decimal(9), maximum=Decimal(8))] = Decimal(9)
        """,
        (
            "Track.n: the initial value 9 is outside the bounds minimum=None, maximum=8; "
            "give Counter(...) an initial value inside them"
        ),
    ),
    "a time to live of another type": (
        """
        class Track(Item):
            t: Annotated[date, TimeToLive()]
        """,
        "Track.t: a time to live is a datetime, or an int of epoch seconds",
    ),
    "a time of creation of another type": (
        """
        class Track(Item):
            t: Annotated[date | None, CreatedAt()] = None
        """,
        "Track.t: CreatedAt is a time that the mapper sets: Annotated[datetime | None, CreatedAt()] = None",
    ),
    "a time of change of another type": (
        """
        class Track(Item):
            t: Annotated[int, UpdatedAt()]
        """,
        "Track.t: UpdatedAt is a time that the mapper sets: Annotated[datetime | None, UpdatedAt()] = None",
    ),
    "a role with a prefix": (
        """
        class Track(Item):
            t: Annotated[datetime | None, CreatedAt(), Attribute(prefix="T_")] = None
        """,
        (
            "Track.t: is marked CreatedAt(), which is stored in one attribute as it is; "
            "remove names, prefix and width from its Attribute(...)"
        ),
    ),
    "a role with a width": (
        """
        class Track(Item):
            v: Annotated[int, Version(), Attribute(width=9)] = 0
        """,
        (
            "Track.v: is marked Version(), which is stored in one attribute as it is; "
            "remove names, prefix and width from its Attribute(...)"
        ),
    ),
    "a role with several names": (
        """
        class Track(Item):
            n: Annotated[int, Counter(), Attribute(names=("a", "b"))] = 0
        """,
        (
            "Track.n: is marked Counter(), which is stored in one attribute as it is; "
            "remove names, prefix and width from its Attribute(...)"
        ),
    ),
}

KEYS = {
    "a field unknown to the item": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]
            number: Annotated[int, Attribute("sk", width=3)]

            class Key(ItemKey["Track"]):
                token: str
                nummer: int
        """,
        "Track.Key.nummer: Track has no field 'nummer'; its fields are token, number",
    ),
    "a field of another type": (
        """
        class Track(Item):
            number: Annotated[int, Attribute("pk", width=3)]

            class Key(ItemKey["Track"]):
                number: str
        """,
        "Track.Key.number: is str, but Track.number is int; write number: int",
    ),
    "a field of another enum": (
        """
        class Colour(Enum):
            RED = "red"

        class Track(Item):
            colour: Annotated[Colour, Attribute("pk")]

            class Key(ItemKey["Track"]):
                colour: Literal["red"]
        """,
        "Track.Key.colour: is Literal['red'], but Track.colour is Colour; write colour: Colour",
    ),
    "a field of a union": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str | int | None = None
        """,
        "Track.Key.token: is str | int, but Track.token is str; write token: str",
    ),
    "an attribute": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: Annotated[str, Attribute("pk")]
        """,
        (
            "Track.Key.token: has Attribute(...), but a key says nothing about how it is stored, Track.token does; "
            "remove it here"
        ),
    ),
    "a partition key": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: Annotated[str, PartitionKey()]
        """,
        (
            "Track.Key.token: has PartitionKey(...), but a key says nothing about how it is stored, Track.token does; "
            "remove it here"
        ),
    ),
    "an optional field without default": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str | None
        """,
        "Track.Key.token: may be None but has no default; write token: str | None = None",
    ),
    "a default": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str = "x"
        """,
        "Track.Key.token: a field of a key has no default other than None; write token: str | None = None",
    ),
    "a default of an optional field": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str | None = "x"
        """,
        "Track.Key.token: a field of a key has no default other than None; write token: str | None = None",
    ),
    "no item type": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey):
                token: str
        """,
        'Track.Key: does not say whose key it is; derive it from ItemKey["Track"] or IndexKey["Track"]',
    ),
    "another item type": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Album"]):
                token: str
        """,
        "Track.Key: is declared as a key of 'Album' inside Track; write ItemKey[\"Track\"]",
    ),
    "an item key with an index": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"], index="by_x"):
                token: str
        """,
        (
            "Track.Key: is an ItemKey with index='by_x', and the primary key has no index; "
            'derive it from IndexKey["Track"], or remove index'
        ),
    ),
    "an index key without index": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class ByTitle(IndexKey["Track"]):
                token: str
        """,
        'Track.ByTitle: is an IndexKey and does not say of which index; write IndexKey["Track"], index="..."',
    ),
    "a field named like a method": (
        """
        class Track(Item):
            of: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                of: str
        """,
        (
            "Track.Key.of: is the name of an attribute of keys themselves; call the field of_ here and in the item type, "
            'where it is of_: Annotated[..., Attribute("of")]'
        ),
    ),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), RAW_ITEMS.values(), ids=RAW_ITEMS)
def test_raw_item(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), FIELDS.values(), ids=FIELDS)
def test_field(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), ROLES.values(), ids=ROLES)
def test_role(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("source", "message"), KEYS.values(), ids=KEYS)
def test_key(source: str, message: str, place: str) -> None:
    assert refusal(source, place) == message
