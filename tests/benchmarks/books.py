"""How the books read when they have become long: the same by ten million entries as by a thousand.

The long ledger is made inside the database, by one `INSERT … SELECT` for each table, with true
hashes and balances, so that the proof of the books passes over it. `--entries` makes it shorter.
"""

import os
import resource
import time
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import migrate
from adapters.postgres.engine import open_engine
from adapters.postgres.ledger_reading import PostgresBooksViews
from adapters.postgres.ledger_upkeep import PostgresLedgerUpkeep
from adapters.postgres.verification import PostgresLedgerViews
from adapters.postgres.views import PostgresBalanceViews
from adapters.system.clock import SystemClock
from application.ledger.closing import close_books
from application.ledger.verification import verify_ledger, verify_recent
from tests.benchmarks.figures import Figure, at_most, middle
from tests.benchmarks.ground import Ground

ENTRIES_OPTION = "LIKENESS_BENCH_ENTRIES"
ENTRIES = 10_000_000
FEW = 1_000
LEGS = 5
DAYS = 60
PAYEES = 50_000
READS = 400
SHORT, LONG = "likeness_books_short", "likeness_books_long"


async def books(ground: Ground) -> list[Figure]:
    """A payee's balance, the trial balance, and the proof with the memory that it took.

    A short ledger and a long one whose days are sealed lie in two databases of one server, and
    their reads take turns: so whatever else the machine does meets both alike.
    """
    entries = int(os.environ.get(ENTRIES_OPTION, ENTRIES))
    urls = [_database(ground, name) for name in (SHORT, LONG)]
    engines = [open_engine(url) for url in urls]
    try:
        await fill(urls[0], last=FEW // LEGS)
        began = time.perf_counter()
        await fill(urls[1], last=entries // LEGS)
        filled_s = time.perf_counter() - began
        return [
            Figure(name="ledger_filled", value=filled_s, unit="s", baseline=_told(entries)),
            *await _measure(engines[0], engines[1], entries),
        ]
    finally:
        for engine, name in zip(engines, (SHORT, LONG), strict=True):
            await engine.dispose()
            _drop(ground, name)


async def _measure(short: AsyncEngine, long: AsyncEngine, entries: int) -> list[Figure]:
    upkeep, views = PostgresLedgerUpkeep(long), PostgresLedgerViews(long)
    began = time.perf_counter()
    await close_books(upkeep=upkeep, views=views, clock=SystemClock())
    sealed_s = time.perf_counter() - began
    few_ms, many_ms = await _in_turns(PostgresBalanceViews(short), PostgresBalanceViews(long))
    began = time.perf_counter()
    await PostgresBooksViews(long).accounts()
    accounts_ms = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    report = await verify_ledger(views)
    proved_s = time.perf_counter() - began
    if not report.sound or report.entries != entries:
        raise RuntimeError(f"the books are not sound: {report.breaches[:3]}, {report.entries}")
    began = time.perf_counter()
    recent = await verify_recent(views)
    recent_s = time.perf_counter() - began
    if not recent.sound or recent.since is None:
        raise RuntimeError(f"the recent books are not sound: {recent.breaches[:3]}")
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = _told(entries)
    return [
        Figure(
            name="balance_read",
            value=many_ms,
            unit="ms",
            ratio=many_ms / few_ms,
            baseline=f"by {FEW:,} entries; {told}",
            goal=at_most(1.5),
        ),
        Figure(name="trial_balance_read", value=accounts_ms, unit="ms", baseline=told),
        Figure(name="ledger_sealed", value=sealed_s, unit="s", baseline=f"{told}, {DAYS} days"),
        Figure(name="ledger_verified", value=proved_s, unit="s", baseline=told),
        Figure(
            name="ledger_verified_recent",
            value=recent_s,
            unit="s",
            baseline=f"{told}, of which {recent.entries:,} are of the last sealed day or later",
        ),
        Figure(
            name="ledger_verified_memory",
            value=memory_mb,
            unit="MB",
            baseline="the benchmarks' process at its most, libraries and all",
        ),
    ]


def _told(entries: int) -> str:
    return f"of {entries:,} entries"


def _database(ground: Ground, name: str) -> str:
    _drop(ground, name)
    ground.postgres.run_sql(f'CREATE DATABASE "{name}"')
    url = ground.postgres.plain_url.replace(f"/{ground.postgres.database}", f"/{name}", 1)
    migrate.upgrade(url)
    return url


def _drop(ground: Ground, name: str) -> None:
    ground.postgres.run_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _in_turns(*views: PostgresBalanceViews) -> list[float]:
    """The median of each, in milliseconds, over payees that all of them have."""
    taken: list[list[float]] = [[] for _ in views]
    for number in range(READS):
        payee_id = UUID(f"{1 + number % 50:032x}")
        for view, times in zip(views, taken, strict=True):
            began = time.perf_counter()
            await view.balance(payee_id, currency="usd")
            times.append((time.perf_counter() - began) * 1000)
    return [middle(times[READS // 10 :]) for times in taken]


async def fill(url: str, *, last: int) -> None:
    """Sales from number 1 to `last`, of five entries each, spread over sixty days."""
    connection = await asyncpg.connect(url)
    try:
        # True by construction; the triggers would take most of the time.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("SET work_mem = '256MB'; SET synchronous_commit = off")
        for statement in (_MONTHS, _SALES.format(last=last), *_POSTINGS):
            await connection.execute(statement, timeout=None)
        await connection.execute("VACUUM ANALYZE ledger_transactions", timeout=None)
        await connection.execute("VACUUM ANALYZE ledger_entries", timeout=None)
        await connection.execute("VACUUM ANALYZE payee_balances", timeout=None)
    finally:
        await connection.close()


_MONTHS = f"""
    SELECT ledger_make_month(day::date)
    FROM generate_series(now() - interval '{DAYS + 31} days', now(), interval '1 month') AS day
"""
_SALES = f"""
    CREATE TEMPORARY TABLE filled AS
    SELECT n, day,
        (to_char(n, 'FM00000000') || '-0000-7000-8000-000000000000')::uuid AS id,
        lpad(to_hex(1 + n % {PAYEES}), 32, '0')::uuid AS creator_id,
        ('f' || lpad(to_hex(1 + n * 7 % {PAYEES}), 31, '0'))::uuid AS store_id
    FROM (
        SELECT n, (now() AT TIME ZONE 'UTC')::date - 1 - n % {DAYS} AS day
        FROM generate_series(1, {{last}}) AS n
    ) AS numbered
    ORDER BY day, id
"""
_POSTINGS = (
    """
    INSERT INTO ledger_transactions
        (id, effect_key, kind, currency, content_hash, order_id, occurred_at, posted_on)
    SELECT id, 'sale:ch_' || n, 'sale', 'usd', encode(sha256(convert_to(
        E'usd\\npayable_pending|' || creator_id || E'|250\\npayable_pending|' || store_id
        || E'|1050\\nplatform_revenue|None|250\\nproduction_cost_payable|None|950'
        || E'\\nstripe_clearing|None|-2500', 'UTF8')), 'hex'),
        NULL, day::timestamp AT TIME ZONE 'UTC', day
    FROM filled
    """,
    """
    INSERT INTO ledger_entries
        (transaction_id, position, account, payee_id, amount_cents, currency, posted_on)
    SELECT id, position, account,
        CASE position WHEN 0 THEN creator_id WHEN 1 THEN store_id END, cents, 'usd', day
    FROM filled CROSS JOIN (VALUES
        (0, 'payable_pending', 250), (1, 'payable_pending', 1050), (2, 'platform_revenue', 250),
        (3, 'production_cost_payable', 950), (4, 'stripe_clearing', -2500)
    ) AS leg (position, account, cents)
    """,
    """
    INSERT INTO payee_balances AS b
        (payee_id, currency, pending_cents, available_cents, reserved_cents, disputed_cents,
         lifetime_cents)
    SELECT payee_id, 'usd', sum(cents), 0, 0, 0, sum(cents) FROM (
        SELECT creator_id AS payee_id, 250 AS cents FROM filled
        UNION ALL SELECT store_id, 1050 FROM filled
    ) AS earned GROUP BY payee_id
    ON CONFLICT (payee_id, currency) DO UPDATE SET
        pending_cents = b.pending_cents + excluded.pending_cents,
        lifetime_cents = b.lifetime_cents + excluded.lifetime_cents
    """,
    "DROP TABLE filled",
)
