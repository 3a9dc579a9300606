"""logicaldb: a typed, declarative data mapper for Amazon DynamoDB.

Tables and item types are declared as pydantic models with key annotations; a ``LogicalDb`` gives typed views of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from logicaldb.annotations import (
        Attribute,
        Counter,
        CreatedAt,
        PartitionKey,
        SortKey,
        TableName,
        TimeToLive,
        UpdatedAt,
        Version,
    )
    from logicaldb.capacity import Capacity, TableUnits, Units
    from logicaldb.db import LogicalDb
    from logicaldb.db_async import AsyncLogicalDb
    from logicaldb.errors import (
        AmbiguousWrite,
        BatchIncomplete,
        ConditionFailed,
        CounterOutOfBounds,
        DeclarationError,
        DecodingError,
        DuplicateItem,
        EncodingError,
        IncompleteKey,
        InvalidCursor,
        ItemAlreadyExists,
        ItemNotFound,
        LimitExceeded,
        LogicalDbError,
        PagerStalled,
        ThroughputExceeded,
        TransactionCanceled,
        VersionConflict,
    )
    from logicaldb.estimates import item_size
    from logicaldb.explaining import Explanation
    from logicaldb.expressions import (
        AtLeast,
        AtMost,
        Attr,
        BeginsWith,
        Between,
        Condition,
        EqualTo,
        Expression,
        GreaterThan,
        KeyCondition,
        LessThan,
        Update,
        attr,
    )
    from logicaldb.flow import Async, M, Sync
    from logicaldb.items import IndexKey, Item, ItemKey, RawItem
    from logicaldb.pager import WritingPager, WritingPagerHandler
    from logicaldb.pager_async import AsyncWritingPager, AsyncWritingPagerHandler
    from logicaldb.pages import Offset, Page, WorkerId
    from logicaldb.sets import (
        BatchWriteResult,
        BatchWriteSet,
        ItemSet,
        Operation,
        OperationFailure,
        TransactionWriteSet,
    )
    from logicaldb.table import InlineView, ItemCodec, ItemCollection, LogicalTable, SecondaryIndex
    from logicaldb.transport.direct import DirectTransport
    from logicaldb.transport.direct_aio import AsyncDirectTransport
    from logicaldb.views import CollectionView, IndexView, RawView, View
    from logicaldb.views_async import AsyncCollectionView, AsyncIndexView, AsyncRawView, AsyncView
    from logicaldb.watching import RequestEvent


__all__ = [
    "AmbiguousWrite",
    "Async",
    "AsyncCollectionView",
    "AsyncDirectTransport",
    "AsyncIndexView",
    "AsyncLogicalDb",
    "AsyncRawView",
    "AsyncView",
    "AsyncWritingPager",
    "AsyncWritingPagerHandler",
    "AtLeast",
    "AtMost",
    "Attr",
    "Attribute",
    "BatchIncomplete",
    "BatchWriteResult",
    "BatchWriteSet",
    "BeginsWith",
    "Between",
    "Capacity",
    "CollectionView",
    "Condition",
    "ConditionFailed",
    "Counter",
    "CounterOutOfBounds",
    "CreatedAt",
    "DeclarationError",
    "DecodingError",
    "DirectTransport",
    "DuplicateItem",
    "EncodingError",
    "EqualTo",
    "Explanation",
    "Expression",
    "GreaterThan",
    "IncompleteKey",
    "IndexKey",
    "IndexView",
    "InlineView",
    "InvalidCursor",
    "Item",
    "ItemAlreadyExists",
    "ItemCodec",
    "ItemCollection",
    "ItemKey",
    "ItemNotFound",
    "ItemSet",
    "KeyCondition",
    "LessThan",
    "LimitExceeded",
    "LogicalDb",
    "LogicalDbError",
    "LogicalTable",
    "M",
    "Offset",
    "Operation",
    "OperationFailure",
    "Page",
    "PagerStalled",
    "PartitionKey",
    "RawItem",
    "RawView",
    "RequestEvent",
    "SecondaryIndex",
    "SortKey",
    "Sync",
    "TableName",
    "TableUnits",
    "ThroughputExceeded",
    "TimeToLive",
    "TransactionCanceled",
    "TransactionWriteSet",
    "Units",
    "Update",
    "UpdatedAt",
    "Version",
    "VersionConflict",
    "View",
    "WorkerId",
    "WritingPager",
    "WritingPagerHandler",
    "attr",
    "item_size",
]


__version__ = "0.1.0.dev0"

_HOMES: Final = {
    "AmbiguousWrite": "logicaldb.errors",
    "Async": "logicaldb.flow",
    "AsyncCollectionView": "logicaldb.views_async",
    "AsyncDirectTransport": "logicaldb.transport.direct_aio",
    "AsyncIndexView": "logicaldb.views_async",
    "AsyncLogicalDb": "logicaldb.db_async",
    "AsyncRawView": "logicaldb.views_async",
    "AsyncView": "logicaldb.views_async",
    "AsyncWritingPager": "logicaldb.pager_async",
    "AsyncWritingPagerHandler": "logicaldb.pager_async",
    "AtLeast": "logicaldb.expressions",
    "AtMost": "logicaldb.expressions",
    "Attr": "logicaldb.expressions",
    "Attribute": "logicaldb.annotations",
    "BatchIncomplete": "logicaldb.errors",
    "BatchWriteResult": "logicaldb.sets",
    "BatchWriteSet": "logicaldb.sets",
    "BeginsWith": "logicaldb.expressions",
    "Between": "logicaldb.expressions",
    "Capacity": "logicaldb.capacity",
    "CollectionView": "logicaldb.views",
    "Condition": "logicaldb.expressions",
    "ConditionFailed": "logicaldb.errors",
    "Counter": "logicaldb.annotations",
    "CounterOutOfBounds": "logicaldb.errors",
    "CreatedAt": "logicaldb.annotations",
    "DeclarationError": "logicaldb.errors",
    "DecodingError": "logicaldb.errors",
    "DirectTransport": "logicaldb.transport.direct",
    "DuplicateItem": "logicaldb.errors",
    "EncodingError": "logicaldb.errors",
    "EqualTo": "logicaldb.expressions",
    "Explanation": "logicaldb.explaining",
    "Expression": "logicaldb.expressions",
    "GreaterThan": "logicaldb.expressions",
    "IncompleteKey": "logicaldb.errors",
    "IndexKey": "logicaldb.items",
    "IndexView": "logicaldb.views",
    "InlineView": "logicaldb.table",
    "InvalidCursor": "logicaldb.errors",
    "Item": "logicaldb.items",
    "ItemAlreadyExists": "logicaldb.errors",
    "ItemCodec": "logicaldb.table",
    "ItemCollection": "logicaldb.table",
    "ItemKey": "logicaldb.items",
    "ItemNotFound": "logicaldb.errors",
    "ItemSet": "logicaldb.sets",
    "KeyCondition": "logicaldb.expressions",
    "LessThan": "logicaldb.expressions",
    "LimitExceeded": "logicaldb.errors",
    "LogicalDb": "logicaldb.db",
    "LogicalDbError": "logicaldb.errors",
    "LogicalTable": "logicaldb.table",
    "M": "logicaldb.flow",
    "Offset": "logicaldb.pages",
    "Operation": "logicaldb.sets",
    "OperationFailure": "logicaldb.sets",
    "Page": "logicaldb.pages",
    "PagerStalled": "logicaldb.errors",
    "PartitionKey": "logicaldb.annotations",
    "RawItem": "logicaldb.items",
    "RawView": "logicaldb.views",
    "RequestEvent": "logicaldb.watching",
    "SecondaryIndex": "logicaldb.table",
    "SortKey": "logicaldb.annotations",
    "Sync": "logicaldb.flow",
    "TableName": "logicaldb.annotations",
    "TableUnits": "logicaldb.capacity",
    "ThroughputExceeded": "logicaldb.errors",
    "TimeToLive": "logicaldb.annotations",
    "TransactionCanceled": "logicaldb.errors",
    "TransactionWriteSet": "logicaldb.sets",
    "Units": "logicaldb.capacity",
    "Update": "logicaldb.expressions",
    "UpdatedAt": "logicaldb.annotations",
    "Version": "logicaldb.annotations",
    "VersionConflict": "logicaldb.errors",
    "View": "logicaldb.views",
    "WorkerId": "logicaldb.pages",
    "WritingPager": "logicaldb.pager",
    "WritingPagerHandler": "logicaldb.pager",
    "attr": "logicaldb.expressions",
    "item_size": "logicaldb.estimates",
}
"""Where each name is: a module is imported when something of it is first asked for."""


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
