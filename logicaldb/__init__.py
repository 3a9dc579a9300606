"""logicaldb: a typed, declarative data mapper for Amazon DynamoDB.

Tables and item types are declared as pydantic models with key annotations; a ``LogicalDb`` gives typed views of them.
"""

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
from logicaldb.transport import AsyncDirectTransport, DirectTransport
from logicaldb.views import CollectionView, IndexView, RawView, View
from logicaldb.views_async import AsyncCollectionView, AsyncIndexView, AsyncRawView, AsyncView
from logicaldb.watching import RequestEvent

__version__ = "0.1.0.dev0"

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
