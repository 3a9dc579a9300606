"""What ``explain`` gives, to the checkers: the methods of views and dbs, each of which gives an ``Explanation``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Generic, Self, cast

from typing_extensions import TypeVar

from logicaldb.explaining import Explaining, Explanation, Recorder
from logicaldb.expressions import Condition, KeyCondition, Update
from logicaldb.items import Item, ItemKey, KeyBase
from logicaldb.pages import Offset, WorkerId
from logicaldb.sets import BatchWriteSet, TransactionWriteSet

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature


class Explanations(ABC):
    """Methods, each of which explains what it would send; nothing is sent."""

    @classmethod
    def of(cls, make: Callable[[Recorder], Any]) -> Self:
        """Those of a view or db.

        Args:
            make: makes it, with a transport that is given.
        """
        return cast("Self", Explaining(make, cls.__abstractmethods__))

    @abstractmethod
    def assuming(self, *, item_size: int) -> Self:
        """The same, where rows of which nothing is known are taken to have so many bytes; 1,024 by default."""
        ...


class IndexExplanations(Explanations, Generic[K, I]):
    """The methods of an index view, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def query(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query``."""
        ...

    @abstractmethod
    def query_all(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query_all``."""
        ...

    @abstractmethod
    def query_all_contents(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``query_all_contents``."""
        ...

    @abstractmethod
    def count(
        self,
        key_condition: KeyCondition[K],
        *,
        filter_expression: Condition | None = None,
        consistent_read: bool = False,
    ) -> Explanation:
        """Explain ``count``."""
        ...

    @abstractmethod
    def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Explanation:
        """Explain ``scan``."""
        ...

    @abstractmethod
    def scan_all(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Explanation:
        """Explain ``scan_all``."""
        ...

    @abstractmethod
    def scan_all_contents(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``scan_all_contents``."""
        ...

    @abstractmethod
    def parallel_scan(
        self,
        total_segments: int,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
    ) -> Explanation:
        """Explain ``parallel_scan``."""
        ...


class ItemExplanations(Explanations, Generic[K, I]):
    """The methods about one item, of a view or a db."""

    @abstractmethod
    def load(self, key: K, *, consistent_read: bool = False) -> Explanation:
        """Explain ``load``."""
        ...

    @abstractmethod
    def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``save``."""
        ...

    @abstractmethod
    def create(self, item: I, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``create``."""
        ...

    @abstractmethod
    def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``put``."""
        ...

    @abstractmethod
    def update(
        self,
        key: K,
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``update``."""
        ...

    @abstractmethod
    def increment(
        self,
        key: K,
        counter: Any,
        by: int | Decimal = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``increment``."""
        ...

    @abstractmethod
    def delete(
        self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete``."""
        ...

    @abstractmethod
    def delete_key(
        self, key: K, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete_key``."""
        ...


class ViewExplanations(IndexExplanations[K, I], ItemExplanations[K, I]):
    """The methods of a view, each of which explains what it would send; nothing is sent."""


class CollectionExplanations(Explanations, Generic[K]):
    """The methods of an item collection, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def query(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query``."""
        ...

    @abstractmethod
    def query_all(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query_all``."""
        ...

    @abstractmethod
    def query_all_contents(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``query_all_contents``."""
        ...


class DbExplanations(ItemExplanations[ItemKey[Any], Item]):
    """The methods of a db, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def transaction_load(self, *keys: ItemKey[Any] | Iterable[ItemKey[Any]]) -> Explanation:
        """Explain ``transaction_load``."""
        ...

    @abstractmethod
    def transaction_write(self, writes: TransactionWriteSet) -> Explanation:
        """Explain ``transaction_write``."""
        ...

    @abstractmethod
    def batch_load(
        self,
        *keys: ItemKey[Any] | Iterable[ItemKey[Any]],
        consistent_read: bool = False,
        max_page_size: int = 100,
    ) -> Explanation:
        """Explain ``batch_load``."""
        ...

    @abstractmethod
    def batch_write(self, writes: BatchWriteSet, *, max_page_size: int = 25) -> Explanation:
        """Explain ``batch_write``."""
        ...
