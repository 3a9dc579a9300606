"""What the contenders read and write: orders of about 1 kB, and the answers of a DynamoDB that holds them.

It needs the standard library alone, because each contender has an environment of its own.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zlib import crc32

TABLE: Final = "shop"
CUSTOMER: Final = "C-17"
PARTITION: Final = f"CUSTOMER#{CUSTOMER}"
SCANNED: Final = 10_000
_PAGE: Final = 1_000
"""The rows of a page of a scan: about the megabyte that DynamoDB gives."""


def order(number: int) -> dict[str, Any]:
    """An order: its keys, strings, numbers, a date, a list of ten small maps."""
    return {
        "customer": CUSTOMER,
        "number": f"{number:04}",
        "status": "paid",
        "placed": date(2026, 11, 22),
        "total": Decimal("249.90"),
        "weight": 1200,
        "lines": [{"product": f"Product number {n}", "quantity": n + 1, "price": Decimal("24.99")} for n in range(10)],
    }


def attributes(number: int) -> dict[str, Any]:
    """The attributes of its row, as values that boto3 stores."""
    fields = order(number)
    keys = {"pk": f"CUSTOMER#{fields.pop('customer')}", "sk": f"ORDER#{fields.pop('number')}"}
    return {**keys, **fields, "placed": fields["placed"].isoformat()}


def row(number: int, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """The row in wire form; ``extra`` are attributes that a contender needs beside."""
    return {name: _wire(value) for name, value in {**attributes(number), **(extra or {})}.items()}


def _wire(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, list):
        return {"L": [_wire(element) for element in value]}
    if isinstance(value, dict):
        return {"M": {name: _wire(element) for name, element in value.items()}}
    return {"N": format(Decimal(value).normalize(), "f")}  # as DynamoDB stores numbers: without zeros at the end


def write_answers(folder: Path, extra: dict[str, Any] | None = None) -> None:
    """Write the answers of the canned server into a folder."""
    hundred = [row(number, extra) for number in range(1, 101)]
    answers: dict[str, Any] = {
        "GetItem": {"Item": hundred[0]},
        "PutItem": {},
        "UpdateItem": {"Attributes": hundred[0]},
        "Query": {"Items": hundred, "Count": 100, "ScannedCount": 100},
        "BatchGetItem": {"Responses": {TABLE: hundred}, "UnprocessedKeys": {}},
        "BatchWriteItem": {"UnprocessedItems": {}},
        "TransactWriteItems": {},
        "DescribeTable": {"Table": description()},
    }
    pages = SCANNED // _PAGE
    for page in range(pages):
        rows = [row(number, extra) for number in range(page * _PAGE, (page + 1) * _PAGE)]
        answer: dict[str, Any] = {"Items": rows, "Count": _PAGE, "ScannedCount": _PAGE}
        if page + 1 < pages:
            answer["LastEvaluatedKey"] = {"pk": {"S": PARTITION}, "sk": {"S": f"ORDER#PAGE#{page + 1}#"}}
        answers["Scan" if page == 0 else f"Scan.{page}"] = answer
    for name, answer in answers.items():
        Path(folder, name).write_bytes(_http(200, answer))
    refused = {"__type": "com.amazon.coral.service#UnknownOperationException", "message": "no answer is canned"}
    Path(folder, "Unknown").write_bytes(_http(400, refused))


def description() -> dict[str, Any]:
    """The table, for those who ask for it."""
    return {
        "TableName": TABLE,
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    }


def _http(status: int, answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer, separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Bad Request'}\r\n"
        "Server: Server\r\n"
        "Date: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
        "Content-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: keep-alive\r\n"
        "x-amzn-RequestId: 6QOL1GBJ6FVJJN5KJGJ9VQ3VPBVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        f"x-amz-crc32: {crc32(body)}\r\n\r\n"
    )
    return head.encode() + body
