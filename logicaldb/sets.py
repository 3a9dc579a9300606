"""Reads and writes of several items as data: operations, and the sets that hold them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, cast

from pydantic import BaseModel
from typing_extensions import TypeVar

from logicaldb.codec.values import describe
from logicaldb.errors import EncodingError, LogicalDbError
from logicaldb.expressions import Condition, Update, check_condition
from logicaldb.items import Item, ItemKey, kind_of, primary_key_of

if TYPE_CHECKING:
    from logicaldb.operations.transactions import SentTransaction

I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature

OperationKind: TypeAlias = Literal[
    "load", "save", "create", "put", "update", "increment", "delete", "delete_key", "check_condition", "clobber"
]
"""The names of the methods, of views and of sets."""

MAX_TOKEN: Final = 36
"""Characters; https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""


@dataclass(slots=True)  # not frozen, for one is made for every write, and a frozen one takes more than twice the time
class Operation:
    """One operation as the caller asked for it.

    Attributes:
        kind: the name of the method.
        key: the key of the row.
        item: the item that is written or deleted, where one was given.
        updates: the updates.
        condition: the caller's condition.
        if_version: the version that an update requires.
        upsert: whether an update may make the row.
    """

    kind: OperationKind
    key: ItemKey[Any]
    item: Item | None = field(default=None, repr=False)  # a log may show the operation, and no values but keys
    updates: tuple[Update, ...] = ()
    condition: Condition | None = None
    if_version: int | None = None
    upsert: bool = False

    def __str__(self) -> str:
        return f"{self.kind} of {self.key!r}"  # no more: messages hold keys, and no other values


def item_key(key: Any) -> ItemKey[Any]:
    """Refuse what is no key of an item.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(key, ItemKey):
        raise TypeError(f"a key is due, such as AlbumTrack.Key(...), not {kind_of(key)}")
    return key


def item_keys(keys: tuple[Any, ...]) -> Iterable[ItemKey[Any]]:
    """The keys of a call that takes them one by one, or as one iterable."""
    # A key is iterable too, as every pydantic model is.
    if len(keys) == 1 and isinstance(keys[0], Iterable) and not isinstance(keys[0], BaseModel | str | bytes):
        given: Iterable[ItemKey[Any]] = keys[0]
        return given
    return keys


def several(values: Any, what: str) -> Iterable[Any]:
    """Refuse what is no iterable of items or keys; an item is one too, of its fields.

    Raises:
        TypeError: it is none.
    """
    if isinstance(values, BaseModel) or not isinstance(values, Iterable):
        raise TypeError(f"an iterable of {what} is due, not {kind_of(values)}")
    return values


def check_token(token: object) -> str:
    """Refuse what is no idempotency token.

    Raises:
        TypeError: it is no text.
        EncodingError: it has not the length of one, or is not valid text.
    """
    if not isinstance(token, str):
        raise TypeError(f"an idempotency token is a str, not {describe(token)}")
    try:
        length = len(token.encode("utf-16-le")) // 2  # as the service counts: what is beyond the BMP is two
    except UnicodeEncodeError:
        raise EncodingError("an idempotency token is not valid UTF-8 text") from None
    if not 1 <= length <= MAX_TOKEN:
        raise EncodingError(f"an idempotency token has 1 to {MAX_TOKEN} characters, not {length}")
    return token


class ItemSet(Sized, Iterable[Item]):
    """Items by key, in the order in which their keys were given, each key once.

    It is a collection of the items alone: ``len``, ``for`` and ``in`` leave out the keys without one.
    """

    def __init__(self, found: Mapping[ItemKey[Any], Item | None]) -> None:
        self._given: Mapping[ItemKey[Any], Item | None] | Collection[tuple[ItemKey[Any], Item | None]] = found

    @classmethod
    def of_pairs(cls, pairs: Collection[tuple[ItemKey[Any], Item | None]]) -> Self:
        """The same of pairs, which are put in order when somebody looks: few do at what a transaction has written."""
        made = cls({})
        made._given = pairs
        return made

    @cached_property
    def _found(self) -> Mapping[ItemKey[Any], Item | None]:
        return dict(self._given)

    def get(self, key: ItemKey[I]) -> I | None:
        """The item of a key; ``None`` where there is none, or where the key was not asked for."""
        return cast("I | None", self._found.get(item_key(key)))

    def get_items(self, item_type: type[I]) -> list[I]:
        """The items of a type, in order."""
        if not (isinstance(item_type, type) and issubclass(item_type, Item)):
            raise TypeError(f"an item type is due, such as AlbumTrack, not {kind_of(item_type)}")
        return [item for item in self if type(item) is item_type]

    @property
    def missing(self) -> list[ItemKey[Any]]:
        """The keys without an item, in order."""
        return [key for key, item in self._found.items() if item is None]

    def __iter__(self) -> Iterator[Item]:
        return (item for item in self._found.values() if item is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, found: object) -> bool:
        """Whether it holds an item, or the item of a key."""
        if isinstance(found, ItemKey):
            return self._found.get(found) is not None
        return any(item == found for item in self)

    def __repr__(self) -> str:
        return f"ItemSet of {len(self)} items, {len(self.missing)} missing"  # values are nobody's business in a log


class TransactionWriteSet:
    """Up to 100 operations that take effect together, or not at all.

    Each method adds one and returns the set. What is sent is fixed when the set is first sent: to send the same set again
    within 10 minutes sends the same with the same idempotency token, and takes effect once. That holds for a copy too, and
    for one that is pickled, which another process may send.
    """

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._token: str | None = None
        self._fixing = Lock()  # held while what is sent is fixed, lest two threads fix it twice
        self._sent: SentTransaction | None = None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations in the order in which they were added, which is that of the request."""
        return tuple(self._operations)

    @property
    def size(self) -> int:
        """The number of operations."""
        return len(self._operations)

    @property
    def token(self) -> str | None:
        """The idempotency token that the caller gave."""
        return self._token

    def save(self, item: Item, condition: Condition | None = None) -> Self:
        """Set every modelled attribute of an item, as the ``save`` of a view does.

        An item that sets none, of a type of keys only or with all else ``None``, is put instead.
        """
        return self._add(Operation("save", primary_key_of(item), item, condition=condition))

    def create(self, item: Item) -> Self:
        """Put an item where there is none."""
        return self._add(Operation("create", primary_key_of(item), item))

    def put(self, item: Item, condition: Condition | None = None) -> Self:
        """Replace the whole row of an item, counters and unknown attributes too."""
        return self._add(Operation("put", primary_key_of(item), item, condition=condition))

    def update(
        self,
        key: ItemKey[Any],
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
    ) -> Self:
        """Change some attributes of an item that exists, as the ``update`` of a view does."""
        return self._add(Operation("update", item_key(key), None, updates, condition, if_version, upsert))

    def delete(self, item: Item, condition: Condition | None = None) -> Self:
        """Delete an item whose stored version is its own."""
        return self._add(Operation("delete", primary_key_of(item), item, condition=condition))

    def delete_key(self, key: ItemKey[Any], condition: Condition | None = None) -> Self:
        """Delete the item of a key, whatever its version."""
        return self._add(Operation("delete_key", item_key(key), condition=condition))

    def check_condition(self, key: ItemKey[Any], condition: Condition) -> Self:
        """Require a condition of an item that is not written."""
        return self._add(Operation("check_condition", item_key(key), condition=check_condition(condition)))

    def add_all(self, other: TransactionWriteSet) -> Self:
        """Add the operations of another set, in their order; a token of its own is left aside."""
        check_set(other)
        for operation in other.operations:
            self._add(operation)
        return self

    def idempotency_token(self, token: str) -> Self:
        """Send this token: under it the service writes once within 10 minutes, whoever sends it.

        Without one, a token is made that is the set's own.

        Args:
            token: 1 to 36 characters
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
        """
        self._check_open()
        self._token = check_token(token)
        return self

    def _add(self, operation: Operation) -> Self:
        self._check_open()
        self._operations.append(operation)
        return self

    def _check_open(self) -> None:
        if self._sent is not None:
            raise LogicalDbError("the TransactionWriteSet was sent, which fixed what it sends; make another one")

    def __getstate__(self) -> dict[str, Any]:
        state = {**self.__dict__, "_operations": list(self._operations)}
        del state["_fixing"]  # which cannot be copied
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _fixing=Lock())

    def __repr__(self) -> str:
        return f"TransactionWriteSet({', '.join(map(str, self._operations))})"


def check_set(writes: object) -> TransactionWriteSet:
    """Refuse what is no set of the operations of a transaction.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(writes, TransactionWriteSet):
        raise TypeError(f"a TransactionWriteSet is due, not {describe(writes)}")
    return writes


@dataclass(frozen=True, slots=True)
class OperationFailure:
    """One operation because of which a transaction was cancelled.

    Attributes:
        operation: the operation.
        index: its place in the transaction, from 0.
        code: the service's reason: ``ConditionalCheckFailed``, ``TransactionConflict``, ``ValidationError``, …
            (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
        error: what the operation alone would have raised of ours: ``VersionConflict``, ``ConditionFailed``, … with the
            stored item; ``None`` where the reason is no failed condition.
    """

    operation: Operation
    index: int
    code: str
    error: LogicalDbError | None


class BatchWriteSet:
    """Puts and deletes without conditions, any number of them; each takes effect or not by itself."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations in the order in which they were added."""
        return tuple(self._operations)

    @property
    def size(self) -> int:
        """The number of operations."""
        return len(self._operations)

    def clobber(self, *items: Item) -> Self:
        """Replace the whole rows of items, whatever is stored, versions and counters too."""
        self._operations += list(map(clobber, items))
        return self

    def delete(self, *keys: ItemKey[Any]) -> Self:
        """Delete the items of keys, whatever is stored."""
        self._operations += list(map(deletion, keys))
        return self

    def __repr__(self) -> str:
        return f"BatchWriteSet({', '.join(map(str, self._operations))})"


def clobber(item: Item) -> Operation:
    """A put without a condition."""
    return Operation("clobber", primary_key_of(item), item)


def deletion(key: ItemKey[Any]) -> Operation:
    """A delete without a condition."""
    return Operation("delete_key", item_key(key))


@dataclass(frozen=True, slots=True)
class BatchWriteResult:
    """What a batch has written: all of it.

    Attributes:
        clobbered: the items as they are stored, in the order of the batch.
        deleted: the keys that were deleted, in the order of the batch.
    """

    clobbered: list[Item]
    deleted: list[ItemKey[Any]]
