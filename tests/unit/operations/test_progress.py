"""Items that count the updates of a pager."""

# What is wrong here is wrong on purpose.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import Annotated, Any

import pytest

from logicaldb import Attribute, InlineView, Item, ItemKey, LogicalTable, TransactionWriteSet
from logicaldb.operations import transactions
from logicaldb.operations.progress import progress_of
from tests.pagers import Log, Row, Run, Step, rows_of


def test_each_save_counts_on_and_requires_the_version_before() -> None:
    rows = rows_of()
    progress = progress_of(Run(name="r", text="kept"), "applied", rows)
    assert progress.applied == 0
    writes = TransactionWriteSet()
    second = progress.save(writes, 5).save(writes, 2)
    assert second.item == Run(name="r", text="kept", applied=7, version=2)
    assert second.applied == 7
    assert [(operation.kind, operation.item) for operation in writes.operations] == [
        ("save", Run(name="r", text="kept", applied=5, version=0)),
        ("save", Run(name="r", text="kept", applied=7, version=1)),
    ]
    assert progress.applied == 0


def test_another_field_may_count() -> None:
    progress = progress_of(Run(name="r", applied=3, done=4), "done", rows_of())
    assert progress.applied == 4
    assert progress.save(TransactionWriteSet(), 1).item == Run(name="r", applied=3, done=5, version=1)


@pytest.mark.parametrize("applied", [0, 9, 10, 99, 12345, 10**20, 10**37 - 1])
@pytest.mark.parametrize("number", [0, 1, 91, 100])
def test_the_bytes_that_are_kept_for_it_suffice(applied: int, number: int) -> None:
    rows = rows_of()
    progress = progress_of(Run(name="r", applied=applied), "applied", rows)
    writes = TransactionWriteSet()
    progress.save(writes, number)
    (operation,) = writes.operations
    taken = transactions.bytes_of(rows.prepare(operation))
    assert taken <= progress.most_bytes(rows) <= taken + 2 * 21


@pytest.mark.parametrize(
    ("progress", "field", "message"),
    [
        (Run.Key("r"), "applied", "progress is an item that counts the updates applied, not Run.Key"),
        ({"applied": 0}, "applied", "progress is an item that counts the updates applied, not dict"),
        (Run, "applied", "progress is an item that counts the updates applied, not the class Run"),
        (
            Run(name="r"),
            "aplied",
            "progress: Run has no int field 'aplied'; declare one, or name it by progress_field",
        ),
        (Run(name="r"), "text", "progress: Run has no int field 'text'; declare one, or name it by progress_field"),
        (Run(name="r"), "maybe", "progress: Run has no int field 'maybe'; declare one, or name it by progress_field"),
        (
            Run(name="r"),
            "hits",
            "progress: Run.hits is a Counter(); declare another int field that counts, and name it by progress_field",
        ),
        (
            Run(name="r"),
            "version",
            "progress: Run.version is a Version(); declare another int field that counts, and name it by progress_field",
        ),
        (
            Step(name="r", number=1),
            "number",
            "progress: Step.number is part of the key; declare another int field that counts, and name it by progress_field",
        ),
        (
            Log(name="r"),
            "applied",
            "progress: Log has no int field 'applied'; declare one, or name it by progress_field",
        ),
    ],
)
def test_what_cannot_count_is_refused(progress: Any, field: str, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        progress_of(progress, field, rows_of())
    assert str(raised.value) == message


class Unversioned(Item):
    name: Annotated[str, Attribute("pk")]
    sk: str
    applied: int = 0

    class Key(ItemKey["Unversioned"]):
        name: str
        sk: str


class UnversionedTable(LogicalTable[Row]):
    unversioned: InlineView[Unversioned.Key, Unversioned]


def test_without_a_version_two_runs_would_meet() -> None:
    item = Unversioned(name="n", sk="s")
    with pytest.raises(TypeError) as raised:
        progress_of(item, "applied", rows_of(UnversionedTable))
    assert str(raised.value) == (
        "progress: Unversioned has no Version() field, which keeps two runs from meeting; declare one"
    )


def test_an_item_of_another_db_is_refused() -> None:
    with pytest.raises(TypeError) as raised:
        progress_of(Unversioned(name="n", sk="s"), "applied", rows_of())
    assert str(raised.value) == "Db has no view of Unversioned"
