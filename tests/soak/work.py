"""What threads do all the time: each kind of work knows what came of it, and what must be stored in the end."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError

from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    BatchWriteSet,
    ConditionFailed,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    attr,
)
from tests.models import Db, Note, Tally
from tests.soak.ledger import Finding, Kind, Outcome, check_count, check_distinct, check_each

T = TypeVar("T")

REFUSED = (ThroughputExceeded, TransactionCanceled, ClientError, BotoCoreError)
"""What a write raises that took no effect."""
TRIES = 50


class Work(ABC):
    """One kind of work, which several threads do at once.

    Attributes:
        operations: how many there were.
        ambiguous: after how many of them the outcome could not be told.
    """

    def __init__(self) -> None:
        self.operations = 0
        self.ambiguous = 0
        self.lock = threading.Lock()

    @abstractmethod
    def turn(self, db: Db, random: Random) -> None:
        """Do a little."""

    @abstractmethod
    def check(self, db: Db) -> Iterator[Finding]:
        """Find what is wrong, when all work is over."""

    def attempt(self, write: Callable[[], T]) -> tuple[Outcome, T | None]:
        """Write; give what is told of it, and what it returns."""
        with self.lock:
            self.operations += 1
        try:
            return Outcome.DONE, write()
        except AmbiguousWrite:
            with self.lock:
                self.ambiguous += 1
            return Outcome.UNKNOWN, None
        except REFUSED:
            return Outcome.FAILED, None

    def settle(self, write: Callable[[], T]) -> tuple[Outcome, T | None]:
        """Send what has a token until it is known to have taken effect, or never to have been done."""
        unknown = False
        for _ in range(TRIES):
            outcome, value = self.attempt(write)
            unknown |= outcome is Outcome.UNKNOWN
            if outcome is Outcome.DONE or not unknown:
                return outcome, value
        return Outcome.UNKNOWN, None

    def read(self, load: Callable[[], T]) -> T:
        """Read until there is an answer."""
        for _ in range(TRIES):
            with self.lock:
                self.operations += 1
            try:
                return load()
            except (*REFUSED, BatchIncomplete):
                continue
        raise AssertionError(f"no read in {TRIES} was answered")


def token_of(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128)))


class Counting(Work):
    """Increments: by one, downwards, by three, and under a token, which leaves nothing unknown."""

    COUNTS = {"up": 1, "down": -1, "three": 3, "token": 1}

    def __init__(self, db: Db) -> None:
        super().__init__()
        db.create(Tally(name="token"))
        self.told = {name: Counter[Outcome]() for name in self.COUNTS}
        self.counts: dict[str, list[int]] = {name: [] for name in self.COUNTS}

    def turn(self, db: Db, random: Random) -> None:
        name = random.choice(list(self.COUNTS))
        token = token_of(random) if name == "token" else None

        def write() -> int:
            return db.increment(
                Tally.Key(name), Tally.hits, self.COUNTS[name], upsert=token is None, idempotency_token=token
            )

        outcome, count = self.attempt(write) if token is None else self.settle(write)
        with self.lock:
            self.told[name][outcome] += 1
            if count is not None and token is None:  # under a token it is the count afterwards, whoever counted
                self.counts[name].append(count)

    def check(self, db: Db) -> Iterator[Finding]:
        for name, by in self.COUNTS.items():
            stored = db.load(Tally.Key(name), consistent_read=True)
            yield from check_count(name, self.told[name], by, 0 if stored is None else stored.hits)
            yield from check_distinct(f"counts of {name}", self.counts[name], Kind.DOUBLED)


class Appending(Work):
    """Updates that add and append, so that each is known by what it appended."""

    EACH = 200

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, dict[str, Outcome]] = {}
        self.number = 0

    def turn(self, db: Db, random: Random) -> None:
        with self.lock:
            self.number += 1
            name, entry = f"journal-{self.number // self.EACH}", str(self.number)
            told = self.told.setdefault(name, {})
        outcome, _ = self.attempt(
            lambda: db.update(Tally.Key(name), attr(Tally.hits).add(1), attr(Tally.log).append([entry]), upsert=True)
        )
        with self.lock:
            told[entry] = outcome

    def check(self, db: Db) -> Iterator[Finding]:
        for name, told in self.told.items():
            stored = db.load(Tally.Key(name), consistent_read=True) or Tally(name=name)
            yield from check_each(name, told, stored.log)
            if stored.hits != len(stored.log):
                yield Finding(Kind.UNEQUAL, f"{name}: {stored.hits} hits of {len(stored.log)} updates")


class Versions(Work):
    """Each writer adds to the list that it read, under its version, and deletes the item when that is long."""

    EACH = 60

    def __init__(self) -> None:
        super().__init__()
        self.generation = 0
        self.number = 0
        self.told: dict[str, dict[str, Outcome]] = {}
        self.won: list[tuple[str, int]] = []
        self.deleted: dict[str, Note] = {}
        self.created: set[str] = set()

    def turn(self, db: Db, random: Random) -> None:
        with self.lock:
            name = f"note-{self.generation}"
            self.number += 1
            entry = str(self.number)
            told = self.told.setdefault(name, {})
            if new := name not in self.created:
                self.created.add(name)
        if new:
            token = token_of(random)
            while self.settle(lambda: db.create(Note(name=name), idempotency_token=token))[0] is not Outcome.DONE:
                continue
        outcome = self._add(db, random, name, entry)
        with self.lock:
            told[entry] = outcome

    def _add(self, db: Db, random: Random, name: str, entry: str) -> Outcome:
        unknown = False
        for _ in range(TRIES):
            note = self.read(lambda: db.load(Note.Key(name), consistent_read=True))
            if note is None:  # not there yet, or deleted meanwhile
                return Outcome.UNKNOWN if unknown else Outcome.FAILED
            if entry in note.log:
                return Outcome.DONE  # an attempt of this one whose answer was lost
            if len(note.log) >= self.EACH:
                self._delete(db, note)
                return Outcome.UNKNOWN if unknown else Outcome.FAILED
            write = self._write(db, random, note, entry)
            try:
                outcome, written = self.attempt(write)
            except ConditionFailed:
                continue
            if outcome is Outcome.DONE and written is not None:
                with self.lock:
                    self.won.append((name, written.version))
                return outcome
            unknown |= outcome is Outcome.UNKNOWN
        return Outcome.UNKNOWN if unknown else Outcome.FAILED

    def _write(self, db: Db, random: Random, note: Note, entry: str) -> Callable[[], Note]:
        changed = note.replace(log=[*note.log, entry])
        return random.choice(
            [
                lambda: db.save(changed),
                lambda: db.put(changed),
                lambda: db.update(Note.Key(note.name), attr(Note.log).append([entry]), if_version=note.version),
            ]
        )

    def _delete(self, db: Db, note: Note) -> None:
        """Delete it as it was read, after which nobody may find it again."""
        try:
            outcome, _ = self.attempt(lambda: db.delete(note))
        except ConditionFailed:
            return
        gone = outcome is Outcome.DONE
        if outcome is Outcome.UNKNOWN:
            gone = self.read(lambda: db.load(Note.Key(note.name), consistent_read=True)) is None
        if gone:
            with self.lock:
                if self.deleted.setdefault(note.name, note).version < note.version:
                    self.deleted[note.name] = note
                self.generation = max(self.generation, int(note.name.partition("-")[2]) + 1)

    def check(self, db: Db) -> Iterator[Finding]:
        for name, told in self.told.items():
            stored = db.load(Note.Key(name), consistent_read=True)
            if stored is not None and name in self.deleted:
                yield Finding(Kind.REVIVED, name)
            last = self.deleted.get(name, stored) or Note(name=name)
            yield from check_each(name, told, last.log)
            if last.log and last.version != 1 + len(last.log):
                yield Finding(Kind.UNEQUAL, f"{name}: version {last.version} of {len(last.log)} entries")
        yield from check_distinct("notes", self.won, Kind.WON_TWICE)


@dataclass
class Move:
    """An amount that goes from one account to another."""

    giver: str
    taker: str
    amount: int
    outcome: Outcome = Outcome.UNKNOWN


class Transfers(Work):
    """Transactions move amounts between accounts and note it in a journal; snapshots always have the same sum."""

    ACCOUNTS = [f"account-{number}" for number in range(4)]
    START = 1000
    EACH = 200

    def __init__(self, db: Db) -> None:
        super().__init__()
        self.moved: dict[str, Move] = {}
        self.torn: list[tuple[int, ...]] = []
        self.snapshots = 0
        for name in self.ACCOUNTS:
            db.create(Tally(name=name, hits=self.START))

    def turn(self, db: Db, random: Random) -> None:
        if random.random() < 0.4:
            return self.watch(db)
        giver, taker = random.sample(self.ACCOUNTS, 2)
        move = Move(giver, taker, random.randint(1, 50))
        with self.lock:
            entry = str(len(self.moved))
            self.moved[entry] = move
        writes = (
            TransactionWriteSet()
            .update(Tally.Key(giver), attr(Tally.hits).add(-move.amount))
            .update(Tally.Key(taker), attr(Tally.hits).add(move.amount))
            .update(Tally.Key(self.journal(entry)), attr(Tally.log).append([entry]), upsert=True)
        )
        move.outcome, _ = self.settle(lambda: db.transaction_write(writes))
        return None

    def journal(self, entry: str) -> str:
        return f"transfers-{int(entry) // self.EACH}"

    def watch(self, db: Db) -> None:
        """Look at all accounts at one moment."""
        keys = [Tally.Key(name) for name in self.ACCOUNTS]
        hits = tuple(one.hits for one in self.read(lambda: db.transaction_load(keys)).get_items(Tally))
        with self.lock:
            self.snapshots += 1
            if sum(hits) != self.START * len(self.ACCOUNTS):
                self.torn.append(hits)

    def check(self, db: Db) -> Iterator[Finding]:
        journals = {self.journal(entry) for entry in self.moved}
        stored = {name: db.load(Tally.Key(name), consistent_read=True) or Tally(name=name) for name in journals}
        found = [entry for name in journals for entry in stored[name].log]
        yield from check_each("transfers", {entry: move.outcome for entry, move in self.moved.items()}, found)
        expected = Counter(dict.fromkeys(self.ACCOUNTS, self.START))
        for entry in found:
            if move := self.moved.get(entry):
                expected[move.giver] -= move.amount
                expected[move.taker] += move.amount
        for name in self.ACCOUNTS:
            account = db.load(Tally.Key(name), consistent_read=True)
            if account is None or account.hits != expected[name]:
                yield Finding(Kind.UNEQUAL, f"{name}: {account and account.hits}, but {expected[name]} by its journal")
        for hits in self.torn:
            yield Finding(Kind.TORN, str(hits))


class Batches(Work):
    """Batches of puts, which are read back, and of which a part is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0
        self.expected: dict[str, Tally | None] = {}
        self.missing: list[str] = []

    def turn(self, db: Db, random: Random) -> None:
        with self.lock:
            self.number += 1
            names = [f"batch-{self.number}-{one}" for one in range(random.randint(1, 60))]
        items = [Tally(name=name, text=token_of(random)) for name in names]
        keys = [Tally.Key(name) for name in names]
        if not self.write(db, BatchWriteSet().clobber(*items)):
            return
        found = self.read(lambda: db.batch_load(keys, consistent_read=True))
        with self.lock:
            self.missing += [key.name for key in found.missing if isinstance(key, Tally.Key)]
            self.expected.update(zip(names, items, strict=True))
        gone = names[:: random.randint(2, 5)]
        if self.write(db, BatchWriteSet().delete(*map(Tally.Key, gone))):
            with self.lock:
                self.expected.update(dict.fromkeys(gone))
        else:
            with self.lock:
                for name in gone:
                    del self.expected[name]  # nobody knows

    def write(self, db: Db, writes: BatchWriteSet) -> bool:
        """Write, and then what is left, until all is done."""
        left: list[Any] | None = None
        for _ in range(TRIES):
            with self.lock:
                self.operations += 1
            try:
                if left is None:
                    db.batch_write(writes)
                else:
                    db.batch_write_all(left)
            except BatchIncomplete as incomplete:
                left = incomplete.unprocessed
            else:
                return True
        return False

    def check(self, db: Db) -> Iterator[Finding]:
        for name in self.missing:
            yield Finding(Kind.LOST, f"{name}, when it was read at once")
        names = list(self.expected)
        found = db.batch_load([Tally.Key(name) for name in names], consistent_read=True)
        stored = {item.name: item for item in found.get_items(Tally)}
        for name in names:
            if stored.get(name) != self.expected[name]:
                kind = Kind.LOST if name not in stored else Kind.REVIVED
                yield Finding(kind, name)
