"""What writes cost before they are sent, beside plain boto3, as ratios of CPU time in one run.

    python -m tests.benchmarks.writing

The transport of logicaldb answers from memory, so that only the mapper's own work counts: the work of a transport is to
be added. The naive contender is boto3 whole, with its answers canned before they are sent.
"""

from __future__ import annotations

import json
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from logicaldb import BatchWriteSet, TransactionWriteSet
from tests.benchmarks.core import ORDER, PLAIN, Canned, Order, PlainOrder, Shop, make_client, measure, report

NAIVE: Final = "boto3 client + TypeSerializer + pydantic"
OURS: Final = "logicaldb, above the transport"
_SERIALIZER: Final = TypeSerializer()
_NUMBERS: Final = [f"{number:04d}" for number in range(25)]


class Memory:
    """A transport whose answers are in memory."""

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """An empty answer."""
        return b"{}"


def naive_encode(order: PlainOrder) -> dict[str, Any]:
    """The wire form of a model as people make it."""
    dumped = order.model_dump(exclude_none=True)
    dumped["placed"] = dumped["placed"].isoformat()
    return {name: _SERIALIZER.serialize(value) for name, value in dumped.items()}


def main() -> None:
    """Run everything."""
    client = make_client()
    Canned(client)
    shop = Shop(make_client())
    shop._transport = shop.shop.orders._transport = Memory()
    orders = shop.shop.orders
    items = [ORDER.replace(number=number) for number in _NUMBERS]
    plain = [PLAIN.model_copy(update={"sk": f"ORDER#{number}"}) for number in _NUMBERS]
    key, plain_key = Order.Key("C-17", "0001"), {"pk": {"S": "CUSTOMER#C-17"}, "sk": {"S": "ORDER#0001"}}

    schema = orders._writer.item
    report(
        "Encode an item of 1 kB to JSON text",
        measure(
            {
                "logicaldb": lambda: schema.text(ORDER)[2],
                "logicaldb, slow road": lambda: json.dumps(schema.encode(ORDER), ensure_ascii=False),
                NAIVE: lambda: json.dumps(naive_encode(PLAIN), ensure_ascii=False),
            },
            100,
        ),
        NAIVE,
    )
    report(
        "put",
        measure(
            {OURS: lambda: orders.put(ORDER), NAIVE: lambda: client.put_item(TableName="t", Item=naive_encode(PLAIN))},
            20,
        ),
        NAIVE,
    )
    names = {f"#n{number}": name for number, name in enumerate(naive_encode(PLAIN)) if name not in plain_key}
    text = "SET " + ", ".join(f"{name} = :v{number}" for number, name in enumerate(names))

    def naive_save() -> None:
        row = naive_encode(PLAIN)
        values = {f":v{number}": row[name] for number, name in enumerate(names.values())}
        client.update_item(
            TableName="t",
            Key={"pk": row["pk"], "sk": row["sk"]},
            UpdateExpression=text,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )

    report("save", measure({OURS: lambda: orders.save(ORDER), NAIVE: naive_save}, 20), NAIVE)
    report(
        "delete_key",
        measure(
            {OURS: lambda: orders.delete_key(key), NAIVE: lambda: client.delete_item(TableName="t", Key=plain_key)}, 20
        ),
        NAIVE,
    )
    report(
        "load of nothing",
        measure({OURS: lambda: orders.load(key), NAIVE: lambda: client.get_item(TableName="t", Key=plain_key)}, 20),
        NAIVE,
    )

    def transact(kind: str) -> None:
        writes = TransactionWriteSet()
        for item in items:
            getattr(writes, kind)(item)
        shop.transaction_write(writes)

    def naive_transact() -> None:
        puts = [{"Put": {"TableName": "t", "Item": naive_encode(order)}} for order in plain]
        client.transact_write_items(TransactItems=puts)

    report(
        "transaction_write of 25",
        measure(
            {
                f"{OURS}, put": lambda: transact("put"),
                f"{OURS}, save": lambda: transact("save"),
                NAIVE: naive_transact,
            },
            2,
        ),
        NAIVE,
    )

    def naive_batch() -> None:
        puts = [{"PutRequest": {"Item": naive_encode(order)}} for order in plain]
        client.batch_write_item(RequestItems={"t": puts})

    report(
        "batch_write of 25",
        measure({OURS: lambda: shop.batch_write(BatchWriteSet().clobber(*items)), NAIVE: naive_batch}, 2),
        NAIVE,
    )


if __name__ == "__main__":
    main()
