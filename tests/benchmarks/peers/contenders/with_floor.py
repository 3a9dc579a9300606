"""No client at all: requests that were signed before, one socket, ``json.loads`` for what is read."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from orders import PARTITION, SCANNED, TABLE, row
from worker import serve

HEAD = b"\r\n\r\n"
LENGTH = b"Content-Length: "
ROWS = [row(number) for number in range(101)]
KEYS = [{name: one[name] for name in ("pk", "sk")} for one in ROWS]

url = urlsplit(sys.argv[2])
connection = socket.create_connection((url.hostname, url.port))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def request(operation: str, **body: Any) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {url.netloc}\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20261122T120000Z\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-central-1/dynamodb/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={'0' * 64}\r\n"
        f"Content-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


def ask(one: bytes) -> bytes:
    """Send a request, and give the body of the answer."""
    connection.sendall(one)
    answer = connection.recv(1 << 16)
    begin = answer.index(HEAD) + len(HEAD)
    digits = answer.index(LENGTH) + len(LENGTH)
    missing = begin + int(answer[digits : answer.index(b"\r", digits)]) - len(answer)
    if missing:
        answer += connection.recv(missing, socket.MSG_WAITALL)
    return answer[begin:]


GET = request("GetItem", TableName=TABLE, Key=KEYS[1])
PUT = request("PutItem", TableName=TABLE, Item=ROWS[1])
UPDATE = request(
    "UpdateItem",
    TableName=TABLE,
    Key=KEYS[1],
    UpdateExpression="SET #s = :s, #w = :w",
    ExpressionAttributeNames={"#s": "status", "#w": "weight"},
    ExpressionAttributeValues={":s": {"S": "sent"}, ":w": {"N": "1201"}},
    ReturnValues="ALL_NEW",
)
QUERY = request(
    "Query",
    TableName=TABLE,
    KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
    ExpressionAttributeValues={":p": {"S": PARTITION}, ":s": {"S": "ORDER#"}},
    Limit=100,
)
BATCH_GET = request("BatchGetItem", RequestItems={TABLE: {"Keys": KEYS[1:]}})
TRANSACT = request(
    "TransactWriteItems", TransactItems=[{"Put": {"TableName": TABLE, "Item": one}} for one in ROWS[:25]]
)
BATCH_WRITE = request("BatchWriteItem", RequestItems={TABLE: [{"PutRequest": {"Item": one}} for one in ROWS[:25]]})


def scan() -> int:
    count, start = 0, {}
    while True:
        page = json.loads(ask(request("Scan", TableName=TABLE, **start)))
        count += len(page["Items"])
        if "LastEvaluatedKey" not in page:
            assert count == SCANNED
            return count
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


serve(
    {
        "get": lambda: json.loads(ask(GET))["Item"],
        "put": lambda: ask(PUT),
        "update": lambda: json.loads(ask(UPDATE))["Attributes"],
        "query": lambda: json.loads(ask(QUERY))["Items"],
        "batch_get": lambda: json.loads(ask(BATCH_GET))["Responses"],
        "transact": lambda: ask(TRANSACT),
        "batch_write": lambda: ask(BATCH_WRITE),
        "scan": scan,
    }
)
