"""One day's payouts in a process of its own, to be killed, watched and started again.

`python -m tests.faults.payday DATABASE_URL DAY`: pays the day, prints a line after each batch, and
at the end what it did and how much memory it ever had.
"""

import asyncio
import json
import resource
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.memory.system import ManualClock
from adapters.postgres.engine import sessions_of
from adapters.postgres.payout_views import PostgresPayoutDays, PostgresPayoutViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.ledger.daily_payouts import pay_day
from domain.ledger.payout_rules import PayoutPolicy

AVAILABLE_CENTS = 5000

_PAYEES = """
    WITH made AS (
        INSERT INTO payees (id, kind, transfers_active, payouts_enabled, currently_due, past_due,
            version)
        SELECT gen_random_uuid(), 'store', false, false, '[]', '[]', 1
        FROM generate_series(1, :payees)
        RETURNING id
    ), chosen AS (
        INSERT INTO payout_settings (id, method, schedule, updated_at, version)
        SELECT id, 'bank', 'daily', now(), 1 FROM made
    ), held AS (
        INSERT INTO bank_accounts (id, payee_id, provider_id, last4, currency, state, holder_name,
            is_default, attempts, created_at)
        SELECT gen_random_uuid(), id, 'ba_' || id, '6789', 'usd', 'verified', 'matches', true, 0,
            now()
        FROM made
    )
    INSERT INTO payee_balances (payee_id, currency, pending_cents, available_cents, reserved_cents,
        disputed_cents, lifetime_cents)
    SELECT id, 'usd', 0, :cents, 0, 0, :cents FROM made
"""


async def furnish(engine: AsyncEngine, *, payees: int) -> None:
    """Payees who want their money each day; how they earned it is left out."""
    async with engine.begin() as connection:
        await connection.execute(text(_PAYEES), {"payees": payees, "cents": AVAILABLE_CENTS})
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE payees, payout_settings, payee_balances"))


async def pay(database_url: str, day: date) -> None:
    engine = create_async_engine(database_url)
    sessions = sessions_of(engine)
    clock, ids = ManualClock(datetime(day.year, day.month, day.day, 1, tzinfo=UTC)), UuidV7Ids()

    def tell(looked_at: int) -> None:
        sys.stdout.write(f"{looked_at}\n")
        sys.stdout.flush()

    report = await pay_day(
        day,
        new_uow=lambda: PostgresUnitOfWork(sessions, clock=clock, ids=ids),
        views=PostgresPayoutViews(engine),
        days=PostgresPayoutDays(engine),
        policy=PayoutPolicy(),
        clock=clock,
        ids=ids,
        progress=tell,
    )
    await engine.dispose()
    said = {"payouts": report.payouts, "looked_at": report.looked_at, "peak_mb": _peak_mb()}
    sys.stdout.write(json.dumps(said) + "\n")


def _peak_mb() -> float:
    """Of this program alone: `ru_maxrss` begins with what its parent held when it was forked."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # bytes on macOS
    (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


if __name__ == "__main__":
    asyncio.run(pay(sys.argv[1], date.fromisoformat(sys.argv[2])))
