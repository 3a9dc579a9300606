from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError

from logicaldb import Attribute, PartitionKey, RawItem, SortKey
from logicaldb.schema.raw import Index, KeyNames, declare_raw, problems


class Simple(RawItem):
    pk: Annotated[str, PartitionKey()]


class Rich(RawItem):
    """Every kind of key and index; two attributes have other names than their fields."""

    pk: Annotated[str, PartitionKey(), SortKey(index="by_score")]
    number: Annotated[int, SortKey(), Attribute("sk")]
    score: Annotated[Decimal | None, PartitionKey(index="by_score", projection=("title", "label", "title"))] = None
    hash: Annotated[bytes | None, PartitionKey(index="by_hash", projection="KEYS_ONLY")] = None
    title_: Annotated[str | None, SortKey(index="by_title"), SortKey(index="by_hash"), Attribute("title")] = None
    created: Annotated[str | None, SortKey(index="by_created", projection=["label"])] = None
    label: str = ""
    size: int = 0


def test_a_table_without_indexes() -> None:
    assert Simple.create_table_request("simple") == {
        "TableName": "simple",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def test_a_table_with_indexes() -> None:
    """Of the attributes, those alone that are keys are defined."""
    assert Rich.create_table_request("rich") == {
        "TableName": "rich",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "score", "AttributeType": "N"},
            {"AttributeName": "hash", "AttributeType": "B"},
            {"AttributeName": "title", "AttributeType": "S"},
            {"AttributeName": "created", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_score",
                "KeySchema": [
                    {"AttributeName": "score", "KeyType": "HASH"},
                    {"AttributeName": "pk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["title", "label"]},
            },
            {
                "IndexName": "by_hash",
                "KeySchema": [
                    {"AttributeName": "hash", "KeyType": "HASH"},
                    {"AttributeName": "title", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
        "LocalSecondaryIndexes": [
            {
                "IndexName": "by_title",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "title", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            },
            {
                "IndexName": "by_created",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "created", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["label"]},
            },
        ],
    }


def test_a_declaration() -> None:
    raw = declare_raw(Rich)
    assert raw is declare_raw(Rich)
    assert raw.name == "Rich"
    assert raw.keys == KeyNames("pk", "sk")
    assert dict(raw.fields) == {name: name for name in Rich.model_fields if name not in ("number", "title_")} | {
        "sk": "number",
        "title": "title_",
    }
    assert dict(raw.tags) == {"pk": "S", "sk": "N", "score": "N", "hash": "B", "title": "S", "created": "S"}
    assert raw.indexes["by_title"] == Index("by_title", KeyNames("pk", "title"), True, "ALL")
    assert list(KeyNames("pk", None)) == ["pk"]


def test_equal_projections_on_both_keys_are_fine() -> None:
    class Rows(Simple):
        a: Annotated[str | None, PartitionKey(index="by_a", projection=["x"])] = None
        b: Annotated[str | None, SortKey(index="by_a", projection=("x",))] = None
        c: Annotated[str | None, PartitionKey(index="by_c")] = None
        d: Annotated[str | None, SortKey(index="by_c", projection="KEYS_ONLY")] = None

    indexes = declare_raw(Rows).indexes
    assert (indexes["by_a"].projection, indexes["by_c"].projection) == (("x",), "KEYS_ONLY")


def test_as_many_indexes_as_there_can_be() -> None:
    class Rows(RawItem):
        pk: Annotated[str, PartitionKey()]
        sk: Annotated[str, SortKey(), *(SortKey(index=f"local_{n}") for n in range(5))]
        x: Annotated[str | None, *(PartitionKey(index=f"global_{n}") for n in range(20))] = None

    request = Rows.create_table_request("rows")
    assert (len(request["GlobalSecondaryIndexes"]), len(request["LocalSecondaryIndexes"])) == (20, 5)


def test_subclasses_take_on_the_keys() -> None:
    class Rows(Rich):
        more: Annotated[str | None, PartitionKey(index="by_more")] = None
        size: float = 0  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]  # redeclared

    assert set(declare_raw(Rows).indexes) == {*declare_raw(Rich).indexes, "by_more"}
    assert declare_raw(Rows) is not declare_raw(Rich)


def test_raw_items_are_frozen_and_keep_what_is_not_declared() -> None:
    given: dict[str, Any] = {"pk": "x", "more": Decimal(1)}
    item = Simple(**given)
    assert item.__pydantic_extra__ == {"more": Decimal(1)}
    with pytest.raises(ValidationError):
        setattr(item, "pk", "y")  # noqa: B010 - the checkers know better


@pytest.mark.parametrize(
    ("row", "key", "text"),
    [
        ({"pk": {"S": "x"}, "sk": {"N": "1"}, "label": {"S": "secret"}}, {"pk": "x", "sk": "1"}, "pk='x', sk='1'"),
        ({"sk": {"N": "1"}}, {"sk": "1"}, "sk='1'"),
        ({"pk": "x", "sk": None}, {}, ""),
        ({}, {}, ""),
    ],
)
def test_the_key_of_a_row(row: dict[str, Any], key: dict[str, Any], text: str) -> None:
    raw = declare_raw(Rich)
    assert raw.key_of(row) == key
    assert raw.key_text(row) == text


def test_the_error_of_a_row() -> None:
    error = declare_raw(Simple).undecodable({"pk": {"S": "x"}}, "Track", "title (missing)")
    assert str(error) == "the row pk='x' is no valid Track: title (missing)"
    assert error.key == {"pk": "x"}


def test_problems_name_fields_and_kinds_but_no_values() -> None:
    class Inner(BaseModel):
        numbers: dict[str, int]

    class Model(BaseModel):
        inner: Inner
        title: str

    with pytest.raises(ValidationError) as error:
        Model.model_validate({"inner": {"numbers": {"secret": "secret", "hidden": "x"}}})
    assert problems(error.value) == "inner (int_parsing), title (missing)"

    with pytest.raises(ValidationError) as error:
        Model.model_validate("secret")
    assert problems(error.value) == "the item (model_type)"
