"""The rules of the machine over the whole interface that write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from logicaldb import (
    BatchWriteSet,
    DuplicateItem,
    EncodingError,
    Item,
    ItemKey,
    TransactionCanceled,
    TransactionWriteSet,
)
from tests.properties import whole_strategies as draws
from tests.properties.whole_base import Base, add, send
from tests.properties.whole_kinds import FOLDER, KINDS, REQUIRED
from tests.properties.whole_model import Done, Failed, Op
from tests.properties.whole_strategies import OWNERS, Intent
from tests.properties.whole_types import VIEWS, Entry, Row

clients = st.integers(0, 2)
yes_or_no = st.booleans()
sending = st.sampled_from(["plain", "plain", "token", "twice"])
TOGETHER = ["save", "put", "create", "update", "update", "delete", "delete_key", "check_condition"]
any_key = st.one_of(*draws.keys.values())


@st.composite
def batches(draw: st.DrawFn) -> list[Item | ItemKey[Any]]:
    """Items to put and keys to delete."""
    writes: list[Item | ItemKey[Any]] = []
    for name in draw(st.lists(draws.names_of_kinds, max_size=7)):
        key = draw(draws.keys[name])
        if draw(yes_or_no):
            writes.append(key)
        else:
            names = {field: getattr(key, field) for field in type(key).model_fields}
            writes.append(draws.KIND_NAMES[name].type(**names, **draw(draws.items[name])))
    return writes


def batch_op(write: Item | ItemKey[Any]) -> Op:
    """What a batch does with an item or a key."""
    if isinstance(write, ItemKey):
        (kind,) = (kind for kind in KINDS.values() if type(write) is kind.type.Key)
        return Op(kind, "delete_key", write)
    kind = KINDS[type(write)]
    return Op(kind, "clobber", kind.key(kind.place(write)), write)


class Writes(Base):
    """One write, transactions, batches, and what others write past the library."""

    @initialize(seed=st.integers(0, 20))
    def much_is_stored(self, seed: int) -> None:
        if seed:
            ops = [batch_op(item) for item in draws.many_items(seed)]
            self.db(0).batch_write(self.batch_of(ops))
            self.follow(ops)

    def follow(self, ops: Sequence[Op]) -> None:
        """Do in the model what a batch did; writes of one row take effect in their order."""
        for op in ops:
            effect = self.model.effect(op)
            assert isinstance(effect, Done)
            self.model.store(op.place, effect.row)

    @rule(by=st.sampled_from([0.000001, 0.5, 60.0, 86400.0]))
    def time_goes_by(self, by: float) -> None:
        self.model.tick(timedelta(seconds=by))

    @rule(writes=st.lists(st.tuples(clients, draws.intents()), min_size=1, max_size=4), by_view=yes_or_no, how=sending)
    def write(self, writes: Sequence[tuple[int, Intent]], by_view: bool, how: str) -> None:
        for who, intent in writes:
            self.one(who, intent.op(self.model, self.seen(who)), by_view=by_view, how=how)

    @rule(who=clients, op=draws.increments(), by_view=yes_or_no, how=sending)
    def increment(self, who: int, op: Op, by_view: bool, how: str) -> None:
        if op.kind is FOLDER and op.upsert:
            with pytest.raises(EncodingError, match=r"text and home would be missing; set them too$"):
                send(self.db(who), op, by_view=by_view)
            return
        self.one(who, op, by_view=by_view, how=how)

    def one(self, who: int, op: Op, *, by_view: bool, how: str) -> None:
        """A write by itself, under a token or not; what is sent again under its token has no second effect."""
        tokened = how != "plain"
        # A client that asks again for what a token of its own did is told what is stored, but of a delete nothing is.
        again = how == "twice" and op.method not in ("delete", "delete_key")
        token = {"idempotency_token": uuid4().hex} if tokened else {}
        effect = self.model.effect(op, together=tokened, tokened=tokened)
        result = self.expect(op, effect, lambda: send(self.db(who), op, by_view=by_view, **token))
        if isinstance(effect, Done):
            if again:
                assert send(self.db(who + 1), op, by_view=by_view, **token) == effect.result
            if op.method == "increment":
                return
            self.sees(who, op.place, None if op.method.startswith("delete") else result)

    @rule(who=clients, key=any_key, by_view=yes_or_no, consistent=yes_or_no)
    def load(self, who: int, key: Any, by_view: bool, consistent: bool) -> None:
        kind = next(kind for kind in KINDS.values() if type(key) is kind.type.Key)
        table, view = VIEWS[kind.type]
        source = getattr(getattr(self.db(who), table), view) if by_view else self.db(who)
        found = source.load(key, consistent_read=consistent)
        assert found == self.model.load(kind, key)
        self.sees(who, kind.place(key), found)

    @rule(
        who=clients,
        intents=st.lists(draws.intents(TOGETHER), max_size=5),
        willing=st.sampled_from([True, True, False]),
        how=st.sampled_from(["set", "block", "twice", "token", "joined"]),
    )
    def transaction(self, who: int, intents: Sequence[Intent], willing: bool, how: str) -> None:
        ops = [intent.op(self.model, self.seen(who)) for intent in intents]
        if willing:
            ops = [op for op in ops if isinstance(self.model.effect(op, together=True), Done)]
        db = self.db(who)
        writes = TransactionWriteSet()
        for op in ops:
            add(writes, op)
        if how == "joined":
            writes = TransactionWriteSet().add_all(writes)
        if how == "token":
            writes.idempotency_token(uuid4().hex)
        assert [(one.kind, one.key) for one in writes.operations] == [(op.method, op.key) for op in ops]
        if len({op.place for op in ops}) < len(ops):
            with pytest.raises(DuplicateItem):
                db.transaction_write(writes)
            return
        effects = [self.model.effect(op, together=True) for op in ops]
        failed = self.model.together(ops)
        if failed:
            with pytest.raises(TransactionCanceled) as raised:
                db.transaction_write(writes)
            self.expect_cancelled(ops, failed, raised.value)
            assert all(one.operation == writes.operations[one.index] for one in raised.value.failures)
            return
        if how == "block":
            with db.transaction() as block:
                block.add_all(writes)
            return
        told = {op.key: effect.told for op, effect in zip(ops, effects, strict=True) if isinstance(effect, Done)}
        for sender in [db, self.db(who + 1)] if how == "twice" else [db]:
            written = sender.transaction_write(writes)
            assert [written.get(op.key) for op in ops] == list(told.values())
            assert list(written) == [item for item in told.values() if item is not None]
            assert written.missing == [key for key, item in told.items() if item is None]

    @rule(who=clients, keys=st.lists(any_key, max_size=8), way=st.sampled_from(["snapshot", "batch", "stream"]))
    def load_several(self, who: int, keys: Sequence[Any], way: str) -> None:
        db = self.db(who)
        kinds = {kind.type.Key: kind for kind in KINDS.values()}
        expected = {key: self.model.load(kinds[type(key)], key) for key in keys}
        found = [item for item in expected.values() if item is not None]
        if way == "stream":
            assert list(db.batch_load_all(iter(keys), consistent_read=True)) == found
            return
        if way == "snapshot":
            items = db.transaction_load(*keys)
        else:
            items = db.batch_load(keys, consistent_read=True, max_page_size=3)
        assert list(items) == found
        assert items.missing == [key for key, item in expected.items() if item is None]
        assert [items.get(key) for key in keys] == [expected[key] for key in keys]
        assert items.get_items(Entry) == [item for item in found if type(item) is Entry]
        for key, item in expected.items():
            self.sees(who, kinds[type(key)].place(key), item)

    @rule(who=clients, writes=batches(), page_size=st.sampled_from([1, 3, 25]), stream=yes_or_no)
    def batch(self, who: int, writes: Sequence[Any], page_size: int, stream: bool) -> None:
        db = self.db(who)
        ops = [batch_op(write) for write in writes]
        if stream:
            assert db.batch_write_all(iter(writes)) == len(writes)
        elif len({op.place for op in ops}) < len(ops):
            with pytest.raises(DuplicateItem):
                db.batch_write(self.batch_of(ops))
            return
        else:
            result = db.batch_write(self.batch_of(ops), max_page_size=page_size)
            effects = [effect for effect in map(self.model.effect, ops) if isinstance(effect, Done)]
            assert result.clobbered == [
                one.result for op, one in zip(ops, effects, strict=True) if op.method == "clobber"
            ]
            assert result.deleted == [op.key for op in ops if op.method == "delete_key"]
        self.follow(ops)
        self.compare()

    def batch_of(self, ops: Sequence[Op]) -> BatchWriteSet:
        """The set of a batch."""
        writes = BatchWriteSet()
        for op in ops:
            if op.method == "clobber":
                writes.clobber(op.item)
            else:
                writes.delete(op.key)
        return writes

    @rule(
        who=clients,
        intents=st.lists(draws.intents(["save"]), max_size=5),
        at_once=st.sampled_from([1, 2, 25]),
    )
    def save_all(self, who: int, intents: Sequence[Intent], at_once: int) -> None:
        ops = [Op(intent.kind, "save", op.key, op.item) for intent in intents for op in [intent.op(self.model, {})]]
        saved, left, failed = 0, list(ops), list[tuple[int, Failed]]()
        while left and not failed:
            page = page_of(left, at_once)
            failed = self.model.together(page)
            saved, left = (saved, left) if failed else (saved + len(page), left[len(page) :])
        items = (op.item for op in ops)
        if not failed:
            assert self.db(who).save_all(items, max_transaction_items=at_once) == len(ops)
            return
        with pytest.raises(TransactionCanceled) as raised:
            self.db(who).save_all(items, max_transaction_items=at_once)
        self.expect_cancelled(left, failed, raised.value)
        assert raised.value.__notes__ == [f"save_all: the first {saved} items are saved"]

    @rule(
        place=st.tuples(draws.names_of_kinds, st.integers(0, 40)),
        what=st.sampled_from(["unknown", "absent", "other", "raw put", "raw delete"]),
        who=clients,
    )
    def others_write(self, place: tuple[str, int], what: str, who: int) -> None:
        """A row gets an attribute that nobody declared, or loses one; a row of no type of ours comes or goes."""
        client, raw = self.around.client, self.db(who).main.raw
        kind = draws.KIND_NAMES[place[0]]
        stored = self.model.of(kind)
        owner = OWNERS[place[1] % 2]
        other = ("main", owner, "OTHER_1")
        if what == "raw put":
            values = {"genre": "jazz", "rank": 1, "body": "raw"}
            raw.put(Row.model_validate({"pk": owner, "sk": "OTHER_1", **values}))
            self.model.rows[other] = dict(values)
        elif what == "raw delete":
            row = self.model.rows.pop(other, None)
            deleted = raw.delete(Row(pk=owner, sk="OTHER_1"))
            assert deleted == (None if row is None else Row(pk=owner, sk="OTHER_1", **row))
        elif what == "other" or not stored:
            wire = {"pk": {"S": owner}, "sk": {"S": "OTHER_1"}, "genre": {"S": "jazzy"}, "rank": {"N": "-1"}}
            client.put_item(TableName=self.around.tables["main"], Item=wire)
            self.model.rows[other] = {"genre": "jazzy", "rank": -1}
        else:
            at, row = stored[place[1] % len(stored)]
            optional = [
                one.attributes[0]
                for one in kind.fields.values()
                if one.default is not REQUIRED and one.attributes[0] in row
            ]
            if what == "unknown" or not optional:
                update = {"UpdateExpression": "SET bpm = :seven", "ExpressionAttributeValues": {":seven": {"N": "7"}}}
                row["bpm"] = 7
            else:
                name = optional[place[1] % len(optional)]
                update = {"UpdateExpression": "REMOVE #name", "ExpressionAttributeNames": {"#name": name}}
                del row[name]
            self.around.client.update_item(TableName=self.around.tables[at[0]], Key=self.around.wire_key(at), **update)


def page_of(ops: Sequence[Op], room: int) -> list[Op]:
    """The first operations that fit into one transaction, in which a row has one."""
    page: list[Op] = []
    for op in ops[:room]:
        if any(op.place == one.place for one in page):
            break
        page.append(op)
    return page
