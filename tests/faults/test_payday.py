"""kill -9 in the middle of the day's payouts: run again, everybody has been paid once."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.faults.payday import AVAILABLE_CENTS, furnish

DAY = "2026-03-02"
PAYEES = 1_800
KILLS = 2


async def start(database_url: str) -> Process:
    command = (sys.executable, "-m", "tests.faults.payday", database_url, DAY)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE)


async def test_a_killed_payday_is_finished_by_the_next(clean_database: str) -> None:
    engine = create_async_engine(clean_database)
    await furnish(engine, payees=PAYEES)

    for kill in range(KILLS):
        running = await start(clean_database)
        assert running.stdout is not None
        await running.stdout.readline()
        running.kill()
        await running.wait()
        assert 0 < await count(engine, "payouts") < PAYEES, kill
        assert await count(engine, "payout_days") == 0
    last = await start(clean_database)
    told, _ = await last.communicate()

    assert json.loads(told.splitlines()[-1])["payouts"] < PAYEES
    await assert_paid_once(engine)
    again = await start(clean_database)
    told, _ = await again.communicate()
    assert json.loads(told.splitlines()[-1])["payouts"] == 0
    await assert_paid_once(engine)
    await engine.dispose()


async def assert_paid_once(engine: AsyncEngine) -> None:
    assert await count(engine, "payouts") == PAYEES
    assert await count(engine, "ledger_transactions WHERE kind = 'payout_reserve'") == PAYEES
    assert await count(engine, "outbox_messages WHERE topic = 'payouts.send'") == PAYEES
    assert await count(engine, "payout_days") == 1
    whole = f"available_cents = 0 AND reserved_cents = {AVAILABLE_CENTS}"
    assert await count(engine, f"payee_balances WHERE {whole}") == PAYEES


async def count(engine: AsyncEngine, what: str) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {what}")) or 0)
