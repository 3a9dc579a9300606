"""aiodynamo on aiohttp: dicts, no models."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp
from aiodynamo.client import Client
from aiodynamo.credentials import Key, StaticCredentials
from aiodynamo.expressions import F, HashKey, RangeKey
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.models import BatchGetRequest, BatchWriteRequest
from aiodynamo.operations import Put
from orders import PARTITION, TABLE, attributes
from worker import AwaitedCalls, serve
from yarl import URL


def plain(number: int) -> dict[str, Any]:
    values = attributes(number)
    lines = [{**line, "price": float(line["price"])} for line in values["lines"]]
    return {**values, "total": float(values["total"]), "lines": lines}


async def open_awaited(stack: AsyncExitStack) -> AwaitedCalls:
    session = await stack.enter_async_context(aiohttp.ClientSession())
    client = Client(AIOHTTP(session), StaticCredentials(Key("AKIDEXAMPLE", "secret")), "eu-central-1", URL(sys.argv[2]))
    table = client.table(TABLE)
    items = [plain(number) for number in range(101)]
    keys = [{name: item[name] for name in ("pk", "sk")} for item in items]
    condition = HashKey("pk", PARTITION) & RangeKey("sk").begins_with("ORDER#")

    async def query() -> Any:
        return (await table.query_single_page(condition, limit=100)).items

    async def scan() -> Any:
        return [item async for item in table.scan()]

    return {
        "get": lambda: table.get_item(keys[1]),
        "put": lambda: table.put_item(items[1]),
        "update": lambda: table.update_item(keys[1], F("status").set("sent") & F("weight").set(1201)),
        "query": query,
        "batch_get": lambda: client.batch_get({TABLE: BatchGetRequest(keys=keys[1:])}),
        "transact": lambda: client.transact_write_items([Put(TABLE, item) for item in items[:25]]),
        "batch_write": lambda: client.batch_write({TABLE: BatchWriteRequest(items_to_put=items[:25])}),
        "scan": scan,
    }


serve(None, open_awaited)
