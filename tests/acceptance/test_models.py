"""Items as pydantic has them: inheritance, generics, aliases, validators, serializers, and what else models do."""

# pyright: reportInvalidTypeForm=false, reportIncompatibleVariableOverride=false, reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    ValidationError,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from logicaldb import (
    Attribute,
    CreatedAt,
    DecodingError,
    EncodingError,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalDb,
    LogicalTable,
    TableName,
    Version,
    VersionConflict,
    attr,
)
from tests.acceptance.shop import ShopRow
from tests.modes import Mode

pytestmark = pytest.mark.parametrize("mode", ["local-direct"], indirect=True)

T = TypeVar("T")


def db_of(mode: Mode, item_type: Any) -> Any:
    """A db with one type."""

    class Table(LogicalTable[ShopRow]):
        view: InlineView[item_type.Key, item_type]

    class Db(LogicalDb):
        table: Annotated[Table, TableName("models")]

    return mode.make(Db)


def comes_back(mode: Mode, item: Any) -> Any:
    """Write and read an item in several ways, and give its db."""
    db, key = db_of(mode, type(item)), type(item).Key.of(item)
    codec = db.table.codec(type(item))
    assert codec.decode(codec.encode(item)) == db.table.decode(codec.encode(item)) == item
    assert db.save(item) == item
    for found in (
        db.load(key, consistent_read=True),
        db.table.view.scan().contents[0],
        db.transaction_load(key).get(key),
        db.batch_load(key).get(key),
        db.put(item),
        db.delete(item),
    ):
        assert found == item
        assert type(found) is type(item)
    db.save(item)
    return db


def test_subclasses_and_redeclared_fields(mode: Mode) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    class Base(Item):
        owner: Annotated[str, Attribute("pk")]
        created: Annotated[datetime | None, CreatedAt()] = None
        note: str = "base"

    class Animal(Base):
        kind: Annotated[Literal[""], Attribute("sk", prefix="ANIMAL#")] = ""
        legs: int
        note: str = "animal"

        class Key(ItemKey["Animal"]):
            owner: str

    class Bird(Animal):
        kind: Annotated[Literal[""], Attribute("sk", prefix="BIRD#")] = ""
        wings: int

        class Key(ItemKey["Bird"]):
            owner: str

    class Table(LogicalTable[ShopRow]):
        animals: InlineView[Animal.Key, Animal]
        birds: InlineView[Bird.Key, Bird]
        both: ItemCollection[Animal.Key, Animal | Bird]

    class Db(LogicalDb):
        zoo: Annotated[Table, TableName("zoo")]

    db = mode.make(Db, clock=lambda: now)
    animal, bird = db.save(Animal(owner="o", legs=4)), db.save(Bird(owner="o", legs=2, wings=2))
    assert (animal.note, animal.created, bird.note) == ("animal", now, "animal")
    found = db.zoo.both.query(Animal.Key("o")).contents
    assert found == [animal, bird]
    assert [type(item) for item in found] == [Animal, Bird]
    assert db.zoo.animals.scan().contents == [animal]
    with pytest.raises(TypeError, match="Bird is not Animal"):
        db.zoo.animals.save(bird)
    changed = db.update(Bird.Key("o"), attr(Bird.legs).set(3), attr(Animal.note).set("x"))
    assert changed == bird.replace(legs=3, note="x") == db.load(Bird.Key("o"))


def test_mixins(mode: Mode) -> None:
    class Named(BaseModel, frozen=True):
        name: str

        @field_validator("name")
        @classmethod
        def stripped(cls, name: str) -> str:
            return name.strip()

    class Versioned(Item):
        version: Annotated[int, Version()] = 0

    class Person(Named, Versioned):
        pk: str
        sk: str

        class Key(ItemKey["Person"]):
            pk: str
            sk: str

    db = db_of(mode, Person)
    stored = db.save(Person(pk="a", sk="b", name=" x "))
    assert (stored.version, stored.name) == (1, "x")
    with pytest.raises(VersionConflict):
        db.save(Person(pk="a", sk="b", name="y"))
    assert db.load(Person.Key("a", "b")) == stored


def test_generics(mode: Mode) -> None:
    class Box(Item, Generic[T]):
        pk: str
        sk: str
        content: T
        more: list[T] = []

    class Days(Box[date]):
        class Key(ItemKey["Days"]):
            pk: str
            sk: str

    class Maps(Box[dict[str, set[Decimal]]]):
        class Key(ItemKey["Maps"]):
            pk: str
            sk: str

    comes_back(mode, Days(pk="a", sk="b", content=date(2026, 1, 1), more=[date(1, 1, 1)]))
    db = comes_back(mode, Maps(pk="a", sk="b", content={"x": {Decimal("1.5")}}, more=[{}]))
    changed = db.update(Maps.Key("a", "b"), attr(Maps.content)["y"].set({Decimal(2)}))
    assert changed.content == {"x": {Decimal("1.5")}, "y": {Decimal(2)}}


def test_items_that_can_be_changed(mode: Mode) -> None:
    class Loose(Item):
        model_config = ConfigDict(frozen=False, extra="ignore", validate_assignment=True)
        pk: str
        sk: str
        count: int = 0

        class Key(ItemKey["Loose"]):
            pk: str
            sk: str

    item = Loose(pk="a", sk="b", unknown=1)  # type: ignore[call-arg]
    db = comes_back(mode, item)
    item.count = 5  # type: ignore[misc]
    assert db.save(item).count == 5
    assert db.load(Loose.Key("a", "b")) == item


def test_fields_that_are_not_declared_are_not_lost_in_silence(mode: Mode) -> None:
    class Open(Item):
        model_config = ConfigDict(extra="allow")
        pk: str
        sk: str

        class Key(ItemKey["Open"]):
            pk: str
            sk: str

    db = comes_back(mode, Open(pk="a", sk="b"))
    with pytest.raises(EncodingError, match=r"^Open\.other: is not declared"):
        db.save(Open(pk="a", sk="b", other=1))  # type: ignore[call-arg]
    db.table.raw.put(ShopRow(pk="a", sk="b", other=1))  # type: ignore[call-arg]
    loaded = db.load(Open.Key("a", "b"))
    db.save(loaded)
    assert db.table.raw.load(ShopRow(pk="a", sk="b")).model_extra == {"other": 1}


def test_aliases_are_no_names_of_attributes(mode: Mode) -> None:
    class Aliased(Item):
        model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
        own: Annotated[str, Attribute("pk"), Field(alias="theOwner")]
        sk: str
        first_name: str
        second: int = Field(validation_alias=AliasChoices("s", "twond"), serialization_alias="SECOND")

        class Key(ItemKey["Aliased"]):
            own: str
            sk: str

    item = Aliased.model_validate({"theOwner": "a", "sk": "b", "firstName": "f", "s": 3})
    db = comes_back(mode, item)
    row = db.table.codec(Aliased).encode(item)
    assert row == {"pk": {"S": "a"}, "sk": {"S": "b"}, "first_name": {"S": "f"}, "second": {"N": "3"}}
    changed = db.update(Aliased.Key("a", "b"), attr(Aliased.first_name).set("g"))
    assert changed == item.replace(first_name="g")
    assert item.replace(second=8).second == 8


def test_what_models_make_by_themselves(mode: Mode) -> None:
    class Made(Item):
        pk: str
        sk: str
        token: UUID = Field(default_factory=uuid4)
        names: list[str] = Field(default_factory=list)
        title: str = Field(default_factory=lambda data: data["pk"] + "!")
        _seen: dict[str, int] = PrivateAttr(default_factory=dict)

        @computed_field  # type: ignore[prop-decorator]
        @property
        def shout(self) -> str:
            return self.title.upper()

        def model_post_init(self, context: Any) -> None:
            self._seen["made"] = 1

        class Key(ItemKey["Made"]):
            pk: str
            sk: str

    item = Made(pk="a", sk="b")
    db = comes_back(mode, item)
    loaded = db.load(Made.Key("a", "b"))
    assert (loaded._seen, loaded.shout) == ({"made": 1}, "A!")
    row = db.table.codec(Made).encode(item)
    assert row.keys() == {"pk", "sk", "token", "names", "title"}
    assert db.table.codec(Made).decode({"pk": {"S": "z"}, "sk": {"S": "b"}}).title == "z!"


def test_validators_run_on_what_is_read(mode: Mode) -> None:
    ran: list[str] = []

    class Span(Item):
        pk: str
        sk: str
        low: int
        high: int

        @model_validator(mode="before")
        @classmethod
        def before(cls, values: Any) -> Any:
            ran.append("before")
            return values

        @model_validator(mode="wrap")
        @classmethod
        def wrap(cls, values: Any, handler: Any) -> Any:
            ran.append("wrap")
            return handler(values)

        @model_validator(mode="after")
        def after(self) -> Span:
            ran.append("after")
            if self.low > self.high:
                raise ValueError("secret text")
            return self

        @field_validator("low", mode="wrap")
        @classmethod
        def of_field(cls, value: Any, handler: Any) -> Any:
            ran.append("field")
            return handler(value)

        class Key(ItemKey["Span"]):
            pk: str
            sk: str

    db = comes_back(mode, Span(pk="a", sk="b", low=1, high=2))
    ran.clear()
    item = db.load(Span.Key("a", "b"))
    assert set(ran) == {"before", "wrap", "after", "field"}
    with pytest.raises(ValidationError):
        item.replace(low=3)
    with pytest.raises(
        DecodingError, match=r"^the write took effect, but the row pk='a', sk='b' is no valid Span"
    ) as e:
        db.update(Span.Key("a", "b"), attr(Span.low).set(9))
    assert "secret" not in str(e.value)
    assert e.value.key == {"pk": "a", "sk": "b"}
    with pytest.raises(DecodingError):
        db.table.view.scan()


def test_serializers_have_their_validators(mode: Mode) -> None:
    class Priced(Item):
        pk: str
        sk: str
        tags: Annotated[
            list[str],
            PlainSerializer(",".join, return_type=str),
            BeforeValidator(lambda tags: tags.split(",") if isinstance(tags, str) else tags),
        ]
        price: Decimal

        @field_serializer("price")
        def with_unit(self, price: Decimal) -> str:
            return f"{price} CHF"

        @field_validator("price", mode="before")
        @classmethod
        def without_unit(cls, price: Any) -> Any:
            return price.removesuffix(" CHF") if isinstance(price, str) else price

        class Key(ItemKey["Priced"]):
            pk: str
            sk: str

    db = comes_back(mode, Priced(pk="a", sk="b", tags=["x", "y"], price=Decimal("1.50")))
    row = db.table.raw.load(ShopRow(pk="a", sk="b"))
    assert row.model_extra == {"tags": "x,y", "price": "1.50 CHF"}
    changed = db.update(Priced.Key("a", "b"), attr(Priced.price).set(Decimal(2)), attr(Priced.tags).set(["z"]))
    assert (changed.price, changed.tags) == (Decimal(2), ["z"])
    assert db.table.view.scan(filter_expression=attr(Priced.price) == Decimal(2)).contents == [changed]


def test_forward_references(mode: Mode) -> None:
    class Tree(Item):
        pk: str
        sk: str
        root: Node | None = None
        others: list[Node] = []

        class Key(ItemKey["Tree"]):
            pk: str
            sk: str

    class Node(BaseModel):
        name: str
        children: list[Node] = []

    Tree.model_rebuild()
    leaf = Node(name="leaf")
    db = comes_back(mode, Tree(pk="a", sk="b", root=Node(name="root", children=[leaf]), others=[leaf]))
    changed = db.update(Tree.Key("a", "b"), attr(Tree.others).append([leaf]))
    assert changed.others == [leaf, leaf]


def test_names_of_attributes(mode: Mode) -> None:
    class Odd(Item):
        pk: str
        sk: str
        copy_: Annotated[str, Attribute("copy")]
        twice: Annotated[Decimal, Attribute(names=("one", "two"))]
        weird: Annotated[str, Attribute("a name.[0]#:x")] = "w"
        begun: Annotated[str, Attribute(prefix="P-")] = ""

        class Key(ItemKey["Odd"]):
            pk: str
            sk: str

    db = comes_back(mode, Odd(pk="a", sk="b", copy_="c", twice=Decimal("1.5")))
    db.update(Odd.Key("a", "b"), attr(Odd.twice).set(Decimal(3)), attr(Odd.begun).set("q"), attr(Odd.copy_).set("d"))
    row = db.table.raw.load(ShopRow(pk="a", sk="b"))
    assert row.model_extra == {"copy": "d", "one": 3, "two": 3, "a name.[0]#:x": "w", "begun": "P-q"}
    condition = attr(Odd.begun).begins_with("q") & (attr(Odd.weird) == "w") & (attr(Odd.twice) == Decimal(3))
    assert len(db.table.view.scan(filter_expression=condition).contents) == 1
