"""Everything that logicaldb raises.

::

    LogicalDbError
    ├── DeclarationError (TypeError)     a wrong declaration, found when the class is made
    ├── EncodingError (ValueError)       a value that cannot be stored, found before anything is sent
    │   └── IncompleteKey                a partial key where a whole one is needed
    ├── DecodingError (ValueError)       a row that is not valid for its type
    ├── LimitExceeded (ValueError)       more than DynamoDB takes, found before anything is sent
    ├── DuplicateItem (ValueError)       two operations on one row
    ├── InvalidCursor (ValueError)       a page token that was not made here, or for another query
    ├── ConditionFailed                  the service refused a conditional write
    │   ├── VersionConflict              the stored version is another
    │   ├── ItemNotFound                 there is no such item
    │   ├── ItemAlreadyExists            there is one already
    │   └── CounterOutOfBounds           the counter would leave its bounds
    ├── TransactionCanceled              with the failures, operation by operation
    ├── BatchIncomplete                  what a batch left over after its retries
    ├── ThroughputExceeded               throttled, and the retries are spent
    ├── PagerStalled                     a page that makes no progress
    └── AmbiguousWrite                   sent, and the outcome cannot be told

No message holds attribute values other than keys. The botocore error, where there is one, is the ``__cause__``; other
errors of the service pass unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logicaldb.sets import OperationFailure


class LogicalDbError(Exception):
    """The base of everything that logicaldb raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(error_type: type[LogicalDbError], args: tuple[Any, ...], state: dict[str, Any]) -> LogicalDbError:
    """Unpickle an error: keyword-only data on attributes, which plain exceptions would lose."""
    error = error_type.__new__(error_type)
    error.args = args
    error.__dict__.update(state)
    return error


class DeclarationError(LogicalDbError, TypeError):
    """A class is declared wrongly; the message names the class, the field, what was found and the fix."""


class EncodingError(LogicalDbError, ValueError):
    """A value cannot be stored as it is declared; nothing was sent."""


class IncompleteKey(EncodingError):
    """A key lacks fields where a whole key is needed; nothing was sent."""


class DecodingError(LogicalDbError, ValueError):
    """A row is not valid for its item type.

    Attributes:
        key: the key attributes of the row as they are stored (``{"partition_key": "ALBUM_1"}``), as far as they are known.
    """

    def __init__(self, message: str, *, key: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.key = key


class LimitExceeded(LogicalDbError, ValueError):
    """More than DynamoDB takes in one request; nothing was sent."""


class DuplicateItem(LogicalDbError, ValueError):
    """Two operations, or two keys of different types, are about one row; nothing was sent."""


class InvalidCursor(LogicalDbError, ValueError):
    """A page token is damaged, signed with another secret, or belongs to another query; nothing was sent."""


class ConditionFailed(LogicalDbError):
    """The service refused a write because its condition did not hold; nothing was changed.

    Attributes:
        item: the stored item, decoded; ``None`` where there is no item, or where it cannot be decoded.
        operation: the write that failed.
        undecodable: the ``DecodingError``, where there is an item that cannot be decoded.
    """

    def __init__(
        self, message: str, *, item: Any = None, operation: Any = None, undecodable: DecodingError | None = None
    ) -> None:
        super().__init__(message)
        self.item = item
        self.operation = operation
        self.undecodable = undecodable


class VersionConflict(ConditionFailed):
    """The stored version is not the expected one; ``expected`` is what the write asked for."""

    def __init__(
        self,
        message: str,
        *,
        expected: int,
        item: Any = None,
        operation: Any = None,
        undecodable: DecodingError | None = None,
    ) -> None:
        super().__init__(message, item=item, operation=operation, undecodable=undecodable)
        self.expected = expected


class ItemNotFound(ConditionFailed):
    """There is no item under ``key``."""

    def __init__(self, message: str, *, key: Any, operation: Any = None) -> None:
        super().__init__(message, operation=operation)
        self.key = key


class ItemAlreadyExists(ConditionFailed):
    """There is an item already; it is ``item``."""


class CounterOutOfBounds(ConditionFailed):
    """A counter would leave its bounds; ``item`` shows what is stored."""


class TransactionCanceled(LogicalDbError):
    """A transaction was cancelled and nothing of it was written; ``failures`` says which operations failed, and why."""

    def __init__(self, message: str, *, failures: list[OperationFailure]) -> None:
        super().__init__(message)
        self.failures = failures


class BatchIncomplete(LogicalDbError):
    """Part of a batch was left over after the retries; ``unprocessed`` holds it as the caller gave it."""

    def __init__(self, message: str, *, unprocessed: Any) -> None:
        super().__init__(message)
        self.unprocessed = unprocessed


class ThroughputExceeded(LogicalDbError):
    """The service throttled the request and the retries are spent."""


class PagerStalled(LogicalDbError):
    """A page of a writing pager makes no progress; ``update`` is the next one that should have been written."""

    def __init__(self, message: str, *, update: Any = None) -> None:
        super().__init__(message)
        self.update = update


class AmbiguousWrite(LogicalDbError):
    """A write was sent and its outcome cannot be told.

    Attributes:
        operation: the write.
        key: the key of the row.
        item: the item as it is stored now, where that is known.
    """

    def __init__(self, message: str, *, operation: Any = None, key: Any = None, item: Any = None) -> None:
        super().__init__(message)
        self.operation = operation
        self.key = key
        self.item = item
