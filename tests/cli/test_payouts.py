"""`likeness payouts`: a day is paid once, and what was moved to the provider is booked once."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.memory.system import ManualClock
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.clock import SystemClock
from adapters.system.ids import UuidV7Ids
from domain.ledger.payout_settings import PayoutSchedule
from tests.application.ledger.paying import Bank, paid_by_bank
from tests.infrastructure import ROOT


class Shell:
    """The command line over the database of the test."""

    def __init__(self, database_url: str, redis_url: str, folder: Path) -> None:
        self._environ = {
            "LIKENESS_DATA_DIR": str(folder),
            "LIKENESS_DATABASE_URL": database_url,
            "LIKENESS_REDIS_URL": redis_url,
        }

    def payouts(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "entrypoints.cli.main", "payouts", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **self._environ},
            check=False,
            timeout=60,
        )


@pytest.fixture
def shell(clean_database: str, redis_url: str, tmp_path: Path) -> Shell:
    return Shell(clean_database, redis_url, tmp_path)


@pytest.fixture
async def bank(clean_database: str) -> AsyncIterator[Bank]:
    engine = open_engine(clean_database)
    sessions, ids = sessions_of(engine), UuidV7Ids()
    clock = ManualClock(SystemClock().now())
    yield Bank(lambda: PostgresUnitOfWork(sessions, clock=clock, ids=ids), clock=clock, ids=ids)
    await engine.dispose()


async def test_a_day_is_paid_once(shell: Shell, bank: Bank) -> None:
    payee = await paid_by_bank(bank, cents=12_345)
    await payee.choose(schedule=PayoutSchedule.DAILY)

    first, again = shell.payouts("run", "--json"), shell.payouts("run")

    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {
        "day": str(bank.clock.now().date()),
        "looked_at": 1,
        "payouts": 1,
        "transfers": 0,
    }
    assert again.returncode == 0, again.stderr
    assert ": 0 payouts, 0 earnings on their way to connected accounts" in again.stdout
    assert (await payee.balance()).reserved_cents == 12_345


def test_a_day_to_come_is_refused_in_a_sentence(shell: Shell) -> None:
    refused = shell.payouts("run", "--day", "2999-01-01")

    assert refused.returncode == 1
    assert "This day has not begun yet." in refused.stderr
    assert "Traceback" not in refused.stderr


def test_money_moved_to_the_provider_is_booked_once(shell: Shell) -> None:
    moved = ("fund", "--amount-cents", "500000", "--reference", "po_1")

    first, again = shell.payouts(*moved), shell.payouts(*moved)
    other = shell.payouts("fund", "--amount-cents", "1", "--reference", "po_1")

    assert (first.returncode, first.stdout) == (0, "$5,000.00 under po_1: booked.\n")
    assert (again.returncode, again.stdout) == (0, "$5,000.00 under po_1: was booked before.\n")
    assert other.returncode == 1
    assert "Traceback" not in other.stderr


@pytest.mark.parametrize(
    "wrong", [("--amount-cents", "0"), ("--amount-cents", "5", "--currency", "xxx")]
)
def test_an_amount_that_is_none_is_refused_in_a_sentence(
    shell: Shell, wrong: tuple[str, ...]
) -> None:
    refused = shell.payouts("fund", "--reference", "po_1", *wrong)

    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
