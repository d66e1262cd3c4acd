"""Webhooks over HTTP: how many are taken in, and how long until the order is settled."""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.request
from uuid import uuid4

from tests.benchmarks import load, sales
from tests.benchmarks.figures import Figure, at_least, below, middle, percentile
from tests.benchmarks.ground import WEBHOOK_SECRET, Ground

PATH = "/api/v1/webhooks/stripe"
PREPARED = 60_000
SECONDS = 2.5
ROUNDS = 3
IDLE_ORDERS = 40


async def webhook_ingestion(ground: Ground) -> list[Figure]:
    """`POST /webhooks/stripe` (verify the signature, store, answer 200), every event a new one.

    Baseline: a Litestar handler that reads the body and returns a constant, under the same server
    (granian, one process) with the same client and bodies. The rounds alternate. Then the time to
    answer at 60 % of the rate found, counted from when a request was due.
    """
    requests = await asyncio.to_thread(_requests, PREPARED)
    constant = [load.request("POST", "/webhooks", body=b"{}" * 300) for _ in range(10)]
    ours: list[float] = []
    bare: list[float] = []
    client = load.Client()
    try:
        with ground.api() as port, ground.bare() as bare_port:
            await client.saturate(port, requests[:2_000], seconds=0.5)
            await client.saturate(bare_port, constant, seconds=0.5)
            rest = requests[2_000:]
            for number in range(ROUNDS):
                fresh = rest[number::ROUNDS]
                ours.append((await client.saturate(port, fresh, seconds=SECONDS)).rate)
                bare.append((await client.saturate(bare_port, constant, seconds=SECONDS)).rate)
            paced = await client.pace(
                port, _requests(20_000), rate=middle(ours) * 0.6, seconds=SECONDS
            )
    finally:
        client.close()
    ground.postgres.run_sql("TRUNCATE inbox_messages", database=ground.postgres.database)
    return [
        Figure(
            name="webhook_ingestion",
            value=middle(ours),
            unit="requests/s",
            ratio=middle(ours) / middle(bare),
            baseline=f"constant handler: {middle(bare):,.0f}/s",
            goal=at_least(0.35),
        ),
        Figure(
            name="webhook_answer_p95_ms",
            value=percentile(paced.latencies_ms, 95),
            unit="ms",
            goal=below(20),
        ),
    ]


async def webhook_to_settled(ground: Ground) -> list[Figure]:
    """From sending a signed webhook to the order being paid in the database, p95, when idle.

    API, relay, worker, Redis and PostgreSQL are real processes; one webhook at a time.
    """
    connection = await ground.connect()
    kept = await sales.sample(ground)
    first, last = await sales.prepare_sales(connection, kept, IDLE_ORDERS)
    rows = await connection.fetch(
        "SELECT s.order_id, i.payload FROM bench_sales s JOIN inbox_messages i ON i.id = s.inbox_id"
        " WHERE s.n BETWEEN $1 AND $2",
        first,
        last,
    )
    await connection.execute(
        "DELETE FROM inbox_messages USING bench_sales"
        " WHERE inbox_id = inbox_messages.id AND n BETWEEN $1 AND $2",
        first,
        last,
    )
    taken_ms: list[float] = []
    with ground.api() as port, ground.likeness("worker"), ground.likeness("relay"):
        for number, row in enumerate(rows):
            headers = {"stripe-signature": _signature(row["payload"])}
            asked = urllib.request.Request(
                f"http://127.0.0.1:{port}{PATH}", data=row["payload"], headers=headers
            )
            began = time.perf_counter()
            await asyncio.to_thread(urllib.request.urlopen, asked)
            while not await connection.fetchval(
                "SELECT payment_status = 'paid' FROM orders WHERE id = $1", row["order_id"]
            ):
                await asyncio.sleep(0.001)
                if time.perf_counter() - began > 30:
                    raise RuntimeError("a webhook was not settled within 30 s")
            if number >= 5:  # the first ones meet cold caches
                taken_ms.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.05)
    await connection.close()
    return [
        Figure(
            name="webhook_to_settled_p95_ms",
            value=percentile(taken_ms, 95),
            unit="ms",
            goal=below(150),
        )
    ]


def _requests(count: int) -> list[bytes]:
    """Signed requests, each for an event of its own, of the size that Stripe's have."""
    filler = {f"field_{number}": "x" * 20 for number in range(12)}
    made = []
    for _ in range(count):
        event = uuid4().hex
        body = json.dumps(
            {
                "id": f"evt_{event}",
                "object": "event",
                "type": "charge.succeeded",
                "data": {"object": {"id": f"ch_{event}", "object": "charge", **filler}},
            }
        ).encode()
        made.append(
            load.request("POST", PATH, body=body, headers=[("stripe-signature", _signature(body))])
        )
    return made


def _signature(body: bytes) -> str:
    now = int(time.time())
    mac = hmac.new(WEBHOOK_SECRET.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
    return f"t={now},v1={mac}"
