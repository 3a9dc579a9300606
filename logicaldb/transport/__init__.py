"""How requests reach DynamoDB: the only part of the package that knows botocore."""

from logicaldb.transport.direct import DirectTransport
from logicaldb.transport.direct_aio import AsyncDirectTransport

__all__ = ["AsyncDirectTransport", "DirectTransport"]
