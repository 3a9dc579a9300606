"""``check``: how live tables differ from the declared ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from logicaldb.flow import Flow, Request, ServiceFailure
from logicaldb.schema.raw import RawDeclaration


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about a table that is not as it is declared.

    Attributes:
        table: the physical table.
        what: the thing.
        declared: how it is declared.
        found: how it is.
    """

    table: str
    what: str
    declared: str
    found: str


def differences(tables: Sequence[tuple[str, RawDeclaration, Sequence[str]]]) -> Flow[list[Difference]]:
    """Compare tables with their declarations; nothing is changed.

    Args:
        tables: their names, raw items and attributes with the time to live.
    """
    found: list[Difference] = []
    for name, raw, ttl_attributes in tables:
        found += yield from _of_table(name, raw, ttl_attributes)
    return found


def _of_table(name: str, raw: RawDeclaration, ttl_attributes: Sequence[str]) -> Flow[list[Difference]]:
    try:
        answer: dict[str, Any] = yield Request("DescribeTable", name, {"TableName": name})
    except ServiceFailure as failure:
        if failure.code != "ResourceNotFoundException":
            raise
        return [Difference(name, "the table", "there", "not there")]
    table: dict[str, Any] = answer["Table"]
    answer = yield Request("DescribeTimeToLive", name, {"TableName": name})
    ttl: dict[str, Any] = answer.get("TimeToLiveDescription", {})
    declared = raw.create_table_request(name)
    return [
        *_status(name, "the table", table.get("TableStatus")),
        *_keys(name, "the key", declared["KeySchema"], table["KeySchema"]),
        *_types(name, declared, table),
        *_indexes(name, declared, table),
        *_time_to_live(name, ttl_attributes, ttl),
    ]


def _status(name: str, what: str, status: str | None) -> Iterator[Difference]:
    if status not in (None, "ACTIVE"):
        yield Difference(name, f"{what}: status", "ACTIVE", str(status))


def _keys(name: str, what: str, declared: list[Any], found: list[Any]) -> Iterator[Difference]:
    if _key_text(declared) != _key_text(found):
        yield Difference(name, what, _key_text(declared), _key_text(found))


def _key_text(keys: list[dict[str, str]]) -> str:
    roles = {"HASH": "partition key", "RANGE": "sort key"}
    return ", ".join(f"{roles[key['KeyType']]} {key['AttributeName']}" for key in keys)


def _types(name: str, declared: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[Difference]:
    """The types of key attributes, of those that both know."""
    found = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    for one in declared["AttributeDefinitions"]:
        attribute, tag = one["AttributeName"], one["AttributeType"]
        if found.get(attribute, tag) != tag:
            yield Difference(name, f"the attribute {attribute}", tag, found[attribute])


def _indexes(name: str, declared: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[Difference]:
    wanted, there = _by_name(declared), _by_name(table)
    for index in {**wanted, **there}:
        what = f"the index {index}"
        if index not in there:
            yield Difference(name, what, wanted[index][0], "not there")
        elif index not in wanted:
            yield Difference(name, what, "not there", there[index][0])
        else:
            yield from _index(name, what, wanted[index], there[index])


def _by_name(table: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    kinds = (("GlobalSecondaryIndexes", "global"), ("LocalSecondaryIndexes", "local"))
    return {index["IndexName"]: (kind, index) for member, kind in kinds for index in table.get(member) or ()}


def _index(
    name: str, what: str, declared: tuple[str, dict[str, Any]], found: tuple[str, dict[str, Any]]
) -> Iterator[Difference]:
    if declared[0] != found[0]:
        yield Difference(name, what, declared[0], found[0])
    yield from _status(name, what, found[1].get("IndexStatus"))
    yield from _keys(name, f"{what}: the key", declared[1]["KeySchema"], found[1]["KeySchema"])
    projections = [_projection(one[1]["Projection"]) for one in (declared, found)]
    if projections[0] != projections[1]:
        yield Difference(name, f"{what}: the projection", *projections)


def _projection(projection: Mapping[str, Any]) -> str:
    if projection["ProjectionType"] != "INCLUDE":
        return str(projection["ProjectionType"])
    return ", ".join(sorted(projection["NonKeyAttributes"]))


def _time_to_live(name: str, declared: Sequence[str], found: Mapping[str, Any]) -> Iterator[Difference]:
    wanted = next(iter(declared), "off")
    enabled = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    there = str(found["AttributeName"]) if enabled else "off"
    if wanted != there:
        yield Difference(name, "the time to live", wanted, there)
