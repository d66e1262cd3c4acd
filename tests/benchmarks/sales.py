"""Unpaid orders and the webhooks that pay them, by the ten thousand, made inside the database.

Each order is one line of $25.00 with four legs and two payees, drawn from a thousand creators and
a thousand stores with an image each. `bench_sales` numbers them, with all that a settlement has to
know.
"""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import asyncpg

from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids
from domain.ordering.order import Order
from tests import builders
from tests.benchmarks.ground import Ground

PAYEES = 1000

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class Sample:
    """One order made by the product's own code, from which the others are copied."""

    order: Order
    market: builders.Market


async def sample(ground: Ground) -> Sample:
    engine = open_engine(ground.postgres.plain_url)
    uow = PostgresUnitOfWork(sessions_of(engine), clock=SystemClock(), ids=UuidV7Ids())
    market = await builders.market(uow)
    order = builders.order_of(market.products)
    async with uow:
        uow.orders.add(order)
        await uow.commit()
    await engine.dispose()
    return Sample(order, market)


async def prepare_sales(connection: Connection, kept: Sample, count: int) -> tuple[int, int]:
    """Add `count` sales, their webhooks dispatched and waiting; answers their first and last
    number."""
    await connection.execute(_TABLES)
    # Foreign keys are true by construction; their triggers would take most of the time.
    await connection.execute("SET session_replication_role = replica")
    first = await connection.fetchval("SELECT coalesce(max(n), 0) + 1 FROM bench_sales")
    line = kept.order.lines[0]
    amounts = [leg.amount_cents for leg in line.legs]
    await connection.execute(
        _SALES, first, first + count - 1, PAYEES, line.asset_id, *amounts, kept.order.total_cents
    )
    numbers = (first, first + count - 1)
    await connection.execute(_ORDERS, *numbers, kept.order.id)
    await connection.execute(_LINES, *numbers, kept.order.id)
    await connection.execute(_WEBHOOKS, *numbers)
    await connection.execute("ANALYZE")
    return numbers


async def webhook_ids(connection: Connection, first: int, last: int) -> list[UUID]:
    rows = await connection.fetch(
        "SELECT inbox_id FROM bench_sales WHERE n BETWEEN $1 AND $2 ORDER BY n", first, last
    )
    return [row["inbox_id"] for row in rows]


_TABLES = """
CREATE TABLE IF NOT EXISTS bench_payees (
    n int PRIMARY KEY, creator_id uuid, store_id uuid, asset_id uuid
);
CREATE TABLE IF NOT EXISTS bench_sales (
    n int PRIMARY KEY, order_id uuid, line_id uuid, inbox_id uuid, buyer_id uuid, asset_id uuid,
    creator_id uuid, store_id uuid, charge_id text, royalty_cents bigint, fee_cents bigint,
    cost_cents bigint, store_cents bigint, total_cents bigint,
    first_payee uuid, first_cents bigint, second_payee uuid, second_cents bigint
);
"""

_SALES = """
WITH new_payees AS (
    INSERT INTO bench_payees
    SELECT n, uuidv7(), uuidv7(), uuidv7() FROM generate_series(1, $3) AS n
    ON CONFLICT DO NOTHING RETURNING *
), payable AS (
    INSERT INTO payees
        (id, kind, account_id, transfers_active, payouts_enabled, currently_due, past_due, version)
    SELECT id, kind, 'acct_' || id, true, true, '[]', '[]', 1
    FROM new_payees, LATERAL (VALUES (creator_id, 'creator'), (store_id, 'store')) AS p (id, kind)
), image AS (
    INSERT INTO assets
        (id, owner_id, purpose, state, content_type, width, height, size_bytes, sha256, clean_key,
         preview_key, thumbnail_key, original_key, generation_id, created_at)
    SELECT p.asset_id, owner_id, purpose, state, content_type, width, height, size_bytes, sha256,
        clean_key, preview_key, thumbnail_key, original_key, generation_id, created_at
    FROM new_payees p, assets a WHERE a.id = $4
), known AS (
    SELECT * FROM bench_payees UNION ALL SELECT * FROM new_payees
)
INSERT INTO bench_sales
SELECT s.n, uuidv7(), uuidv7(), uuidv7(), uuidv7(), t.asset_id, c.creator_id, t.store_id,
    'ch_bench' || lpad(s.n::text, 16, '0'), $5::bigint, $6::bigint, $7::bigint, $8::bigint,
    $9::bigint,
    least(c.creator_id, t.store_id),
    CASE WHEN c.creator_id < t.store_id THEN $5::bigint ELSE $8::bigint END,
    greatest(c.creator_id, t.store_id),
    CASE WHEN c.creator_id < t.store_id THEN $8::bigint ELSE $5::bigint END
FROM (
    SELECT n, 1 + (hashint4(n) & 1048575) % $3 AS creator,
        1 + (hashint4(-n) & 1048575) % $3 AS store
    FROM generate_series($1::int, $2::int) AS n
) AS s
JOIN known c ON c.n = s.creator
JOIN known t ON t.n = s.store
"""

_ORDERS = """
INSERT INTO orders
    (id, buyer_id, request_key, currency, total_cents, fees_version, payment_status, session_id,
     created_at, expires_at, reconcile_at)
SELECT s.order_id, s.buyer_id, s.order_id::text, o.currency, o.total_cents, o.fees_version,
    'unpaid', 'cs_bench' || s.n, now(), now() + interval '1 hour', now() + interval '1 hour'
FROM bench_sales s, orders o
WHERE s.n BETWEEN $1 AND $2 AND o.id = $3
"""

_LINES = """
INSERT INTO order_lines
    (id, order_id, position, product_id, store_id, creator_id, asset_id, product_type, title,
     unit_price_cents, quantity, total_cents, terms_id, terms_version, terms_hash, decision,
     stock_reserved, legs)
SELECT s.line_id, s.order_id, 0, l.product_id, s.store_id, s.creator_id, s.asset_id,
    l.product_type, l.title, l.unit_price_cents, l.quantity, l.total_cents, l.terms_id,
    l.terms_version, l.terms_hash, l.decision, l.stock_reserved,
    jsonb_set(jsonb_set(l.legs, '{0,payee_id}', to_jsonb(s.creator_id)),
        '{3,payee_id}', to_jsonb(s.store_id))
FROM bench_sales s, order_lines l
WHERE s.n BETWEEN $1 AND $2 AND l.order_id = $3
"""

_WEBHOOKS = """
INSERT INTO inbox_messages
    (id, topic, external_id, kind, payload, state, lease_until, due_at, created_at)
SELECT inbox_id, 'stripe', 'evt_bench' || n, 'charge.succeeded',
    convert_to(jsonb_build_object(
        'id', 'evt_bench' || n, 'object', 'event', 'type', 'charge.succeeded',
        'data', jsonb_build_object('object', jsonb_build_object(
            'id', charge_id, 'object', 'charge', 'amount', total_cents,
            'amount_captured', total_cents, 'captured', true, 'currency', 'usd',
            'payment_intent', 'pi_bench' || n, 'paid', true, 'status', 'succeeded',
            'metadata', jsonb_build_object('order_id', order_id)
        ))
    )::text, 'UTF8'),
    'dispatched', now() + interval '1 hour', now(), now()
FROM bench_sales WHERE n BETWEEN $1 AND $2
"""
