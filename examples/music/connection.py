"""Where the table is: in this process, at an endpoint of one's own, or at AWS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from examples.music.models import MusicDb
from logicaldb.testing import in_process_dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ANY_REGION = "us-east-1"
"""For an endpoint of one's own, where no region is configured and none matters."""

QUICK_TO_FAIL = Config(connect_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
"""An endpoint of one's own is there or it is not."""


class InvalidTarget(Exception):
    """The endpoint or the region is none."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the table is, and what it is called there.

    Attributes:
        endpoint_url: a DynamoDB of one's own, such as DynamoDB Local.
        aws: the real service, with the credentials and the region that are configured.
        table_name: the name of the table; ``None`` for the one that ``MusicDb`` declares.
    """

    endpoint_url: str | None = None
    aws: bool = False
    table_name: str | None = None

    @property
    def in_process(self) -> bool:
        """Whether the table lives in this process, and ends with it."""
        return not self.aws and self.endpoint_url is None

    def __str__(self) -> str:
        if self.in_process:
            return "in-process DynamoDB"
        return "Amazon DynamoDB" if self.aws else f"DynamoDB at {self.endpoint_url}"

    @contextmanager
    def client(self) -> Generator[DynamoDBClient]:
        """Give a boto3 client, which is all that logicaldb needs."""
        if self.aws:
            yield boto3.client("dynamodb")
        elif self.endpoint_url is not None:
            yield _endpoint_client(self.endpoint_url)
        else:
            with in_process_dynamodb() as client:
                yield client

    def database(self, client: DynamoDBClient) -> MusicDb:
        """The database; a table name of the caller's wins over the declared one."""
        return MusicDb(client, table_name_resolver=lambda _table_type, declared: self.table_name or declared)


def _endpoint_client(endpoint_url: str) -> DynamoDBClient:
    core = botocore.session.Session()
    # Made-up credentials will do where none are configured; asking EC2 for some would take seconds to fail elsewhere.
    core.set_config_variable("metadata_service_num_attempts", 0)
    made_up: dict[str, Any] = {}
    if core.get_credentials() is None:
        made_up = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    session = boto3.Session(botocore_session=core)
    try:
        return session.client(
            "dynamodb",
            endpoint_url=endpoint_url,
            region_name=session.region_name or ANY_REGION,
            config=QUICK_TO_FAIL,
            **made_up,
        )
    except ValueError as error:
        raise InvalidTarget(str(error)) from error


class RequestLog:
    """Counts the requests that a client sends, from whatever thread."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.sent: Counter[str] = Counter()
        self._lock = Lock()
        # First, because handlers behind one that answers (such as moto's) are not called.
        client.meta.events.register_first("before-send.dynamodb", self._count)

    def _count(self, event_name: str, **_: object) -> None:
        with self._lock:
            self.sent[event_name.rpartition(".")[2]] += 1
