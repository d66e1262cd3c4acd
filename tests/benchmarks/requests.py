"""What signed-in people wait for: reading an order, asking for an image."""

import json
from datetime import UTC, datetime

from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids
from domain.identity.actor import Actor, Role
from tests import builders
from tests.benchmarks import load, sales
from tests.benchmarks.figures import Figure, at_least, below, middle, percentile
from tests.benchmarks.ground import Ground

ORDERS = 500
SECONDS = 2.0
ROUNDS = 3
SHARE_OF_SATURATION = 0.6
FANS = 50


async def reading(ground: Ground) -> list[Figure]:
    """`GET /orders/{id}` by its buyer, over 500 orders.

    Baseline: a bare Litestar handler that runs the same statement by asyncpg and answers its
    rows, under the same server (granian, one process) with the same client. The rounds alternate.
    Then the time to answer at 60 % of the rate found, counted from when a request was due.
    """
    connection = await ground.connect()
    first, last = await sales.prepare_sales(connection, await sales.sample(ground), ORDERS)
    rows = await connection.fetch(
        "SELECT order_id, buyer_id FROM bench_sales WHERE n BETWEEN $1 AND $2", first, last
    )
    # What is shown of an order names its store and creator: all those of the sample.
    await connection.execute(
        "UPDATE order_lines l SET store_id = p.store_id, creator_id = p.creator_id"
        " FROM products p, bench_sales s"
        " WHERE p.id = l.product_id AND s.order_id = l.order_id AND s.n BETWEEN $1 AND $2",
        first,
        last,
    )
    await connection.close()
    ours = [
        load.request("GET", f"/api/v1/orders/{row['order_id']}", headers=[_bearer(ground, row[1])])
        for row in rows
    ]
    bare = [load.request("GET", f"/orders/{row['order_id']}") for row in rows]
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    client = load.Client()
    try:
        with ground.api() as port, ground.bare() as bare_port:
            await client.saturate(port, ours, seconds=0.7)
            await client.saturate(bare_port, bare, seconds=0.7)
            for _ in range(ROUNDS):
                rates["ours"].append((await client.saturate(port, ours, seconds=SECONDS)).rate)
                rates["bare"].append((await client.saturate(bare_port, bare, seconds=SECONDS)).rate)
            rate = middle(rates["ours"]) * SHARE_OF_SATURATION
            paced = await client.pace(port, ours, rate=rate, seconds=SECONDS)
    finally:
        client.close()
    return [
        Figure(
            name="read_order",
            value=middle(rates["ours"]),
            unit="requests/s",
            ratio=middle(rates["ours"]) / middle(rates["bare"]),
            baseline=f"bare handler, same SQL: {middle(rates['bare']):,.0f}/s",
            goal=at_least(0.5),
        ),
        Figure(
            name="read_p95_ms",
            value=percentile(paced.latencies_ms, 95),
            unit="ms",
            goal=below(25),
        ),
    ]


async def generating(ground: Ground) -> list[Figure]:
    """`POST /generations`: prompt judged, licence judged and recorded, credits held, job and outbox
    row committed, 202. By fans who have credits enough.

    The median of one caller after another; the median of 50 who are there at once and together ask
    at 60 % of the rate that saturates the process, counted from when a request was due; and the
    p95 of 8 callers in the same way. What 50 wait for who never pause is told beside: it is 50 by
    that rate, whatever a request costs.
    """
    asked = await _fans_requests(ground)
    client = load.Client()
    try:
        with ground.api() as port:
            await client.saturate(port, asked, seconds=0.7, connections=8)
            alone = await client.saturate(port, asked, seconds=SECONDS, connections=1)
            full = await client.saturate(port, asked, seconds=SECONDS, connections=8)
            rate = full.rate * SHARE_OF_SATURATION
            paced = await client.pace(port, asked, rate=rate, seconds=SECONDS)
            fans = await client.pace(port, asked, rate=rate, seconds=2 * SECONDS, connections=FANS)
            crowd = await client.saturate(port, asked, seconds=SECONDS, connections=FANS)
    finally:
        client.close()
        await _forget_what_was_asked(ground)
    return [
        Figure(
            name="generation_accepted_ms",
            value=middle(alone.latencies_ms),
            unit="ms",
            goal=below(20),
        ),
        Figure(
            name="generation_accepted_50_ms",
            value=middle(fans.latencies_ms),
            unit="ms",
            baseline=f"{rate:,.0f}/s; never pausing, {middle(crowd.latencies_ms):,.0f} ms at"
            f" {crowd.rate:,.0f}/s",
            goal=below(20),
        ),
        Figure(
            name="write_p95_ms",
            value=percentile(paced.latencies_ms, 95),
            unit="ms",
            goal=below(50),
        ),
    ]


async def _forget_what_was_asked(ground: Ground) -> None:
    """Nobody makes all these images: a worker that is measured later would be busy with them."""
    connection = await ground.connect()
    await connection.execute("DELETE FROM outbox_messages")
    await connection.close()


async def _fans_requests(ground: Ground) -> list[bytes]:
    """One request of each fan. Nobody's credits run out, however fast they are."""
    engine = open_engine(ground.postgres.plain_url)
    uow = PostgresUnitOfWork(sessions_of(engine), clock=SystemClock(), ids=UuidV7Ids())
    market = await builders.market(uow)
    await builders.generation(uow, market)
    fans = await builders.fans_with_credits(uow, FANS)
    await engine.dispose()
    body = json.dumps({"creator_id": str(market.creator.id), "prompt": "at a harbour at dawn"})
    return [
        load.request(
            "POST", "/api/v1/generations", body=body.encode(), headers=[_bearer(ground, fan.id)]
        )
        for fan in fans
    ]


def _bearer(ground: Ground, user_id: object) -> tuple[str, str]:
    tokens = JwtAccessTokens([key.reveal() for key in ground.settings.secret_keys])
    actor = Actor(user_id, frozenset({Role.FAN, Role.STORE_OWNER}))  # type: ignore[arg-type]
    token, _ = tokens.issue(actor, now=datetime.now(UTC))
    return "authorization", f"Bearer {token}"
