"""What requests consume: capacity units, by table and index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
"""The operations that consume read units."""

WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
"""The operations that consume write units, and say so."""


@dataclass(frozen=True, slots=True)
class Units:
    """Capacity units.

    Attributes:
        read: read units.
        write: write units.
    """

    read: float = 0.0
    write: float = 0.0

    @property
    def total(self) -> float:
        """Both together."""
        return self.read + self.write

    def __add__(self, other: Units) -> Units:
        """Both sums."""
        return Units(self.read + other.read, self.write + other.write)


@dataclass(frozen=True, slots=True)
class TableUnits(Units):
    """Capacity units of a table with its indexes: ``read`` and ``write`` are those of all of them.

    Attributes:
        table: those of the table itself, without its indexes.
        indexes: those of each index, by name.
    """

    table: Units = field(default_factory=Units)
    indexes: Mapping[str, Units] = field(default_factory=dict[str, Units])


class Capacity:
    """The capacity that requests consumed.

    It grows while requests are answered, by whichever thread.

    Attributes:
        requests: how many requests told what they consumed.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._tables: dict[str, TableUnits] = {}
        self._lock = Lock()

    @property
    def read(self) -> float:
        """The read units of all tables and indexes."""
        return sum(units.read for units in self.tables.values())

    @property
    def write(self) -> float:
        """The write units of all tables and indexes."""
        return sum(units.write for units in self.tables.values())

    @property
    def total(self) -> float:
        """Read and write units together."""
        return self.read + self.write

    @property
    def tables(self) -> Mapping[str, TableUnits]:
        """The units of each table, by its physical name."""
        with self._lock:
            return dict(self._tables)

    def add(self, consumed: Iterable[tuple[str, TableUnits]]) -> None:
        """Add what one request consumed, of each table."""
        with self._lock:
            self.requests += 1
            for name, units in consumed:
                known = self._tables.get(name, TableUnits())
                indexes = dict(known.indexes)
                for index, of_index in units.indexes.items():
                    indexes[index] = indexes.get(index, Units()) + of_index
                self._tables[name] = TableUnits(
                    known.read + units.read, known.write + units.write, known.table + units.table, indexes
                )

    def __repr__(self) -> str:
        """What was consumed in all."""
        return f"<Capacity: {self.read:g} read units and {self.write:g} write units in {self.requests} requests>"


def consumed(operation: str, answer: Mapping[str, Any]) -> list[tuple[str, TableUnits]]:
    """What an answer says that its request consumed, of each table.

    Args:
        operation: the API operation.
        answer: the answer, in wire form.
    """
    told = answer.get("ConsumedCapacity") or []
    every: list[Mapping[str, Any]] = told if isinstance(told, list) else [told]
    return [(one.get("TableName", ""), _table_units(operation, one)) for one in every]


def _table_units(operation: str, told: Mapping[str, Any]) -> TableUnits:
    whole = _units(operation, told)
    indexes = {
        name: _units(operation, units)
        for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
        for name, units in (told.get(member) or {}).items()
    }
    table = _units(operation, told["Table"]) if "Table" in told else whole
    return TableUnits(whole.read, whole.write, table, indexes)


def _units(operation: str, told: Mapping[str, Any]) -> Units:
    """Units of a kind, where the service tells them apart, as of transactions; else those of the operation."""
    if "ReadCapacityUnits" in told or "WriteCapacityUnits" in told:
        return Units(told.get("ReadCapacityUnits", 0.0), told.get("WriteCapacityUnits", 0.0))
    units: float = told.get("CapacityUnits", 0.0)
    return Units(read=units) if operation in READS else Units(write=units)
