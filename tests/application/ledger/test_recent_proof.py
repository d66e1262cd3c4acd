"""Which proof finds what: the recent one every quarter of an hour, that of all books at night."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from uuid import uuid4

import pytest

from adapters.memory.system import ManualClock
from adapters.postgres.invariants import PostgresInvariantChecks
from application.ledger.closing import rebuild_checkpoints
from application.ledger.invariants import check_invariants, prove_nightly
from application.ledger.verification import verify_recent
from application.ports.invariants import Invariant
from application.ports.ledger_views import LedgerSnapshot, LedgerViews
from domain.ledger.posting import Account, Entry, Transaction
from tests.application.ledger.books import CREATOR, STORE, Books, release, sale
from tests.builders import NOON, USD

DAY = timedelta(days=1)
FIRST = NOON.date()
LAST_BUT_ONE, LAST, TODAY = FIRST + DAY, FIRST + 2 * DAY, FIRST + 3 * DAY


@pytest.fixture
async def sealed(books: Books) -> Books:
    """Sales on four days, of which three are sealed. The creator sold on the first day alone."""
    await books.post(sale(1, payee_id=CREATOR), sale(2))
    await books.post(sale(3, at=NOON + DAY), sale(4, at=NOON + DAY))
    await books.post(sale(5, at=NOON + 2 * DAY))
    books.clock.advance(3 * DAY)
    await books.post(sale(6, at=NOON + 3 * DAY))
    assert (await books.close()).last_day == LAST
    await books.post(sale(7, at=NOON + 3 * DAY))
    return books


async def recent(books: Books) -> list[tuple[str, str]]:
    report = await verify_recent(books.views)
    assert report.sound == (not report.breaches)
    return [(breach.rule, breach.subject) for breach in report.breaches]


async def test_honest_books_are_read_from_the_last_sealed_day_on(sealed: Books) -> None:
    report, whole = await verify_recent(sealed.views), await sealed.verify()

    assert (report.sound, report.since, report.transactions, report.entries) == (True, LAST, 3, 9)
    assert (whole.sound, whole.since, whole.transactions, whole.entries) == (True, None, 7, 21)
    assert report.trial_balance == whole.trial_balance
    assert (report.sealed_days, report.last_seal) == (whole.sealed_days, whole.last_seal)


async def test_books_with_fewer_than_two_seals_are_read_whole(books: Books) -> None:
    await books.post(sale(1))
    books.clock.advance(2 * DAY)
    await books.close()
    await books.post(sale(2, at=NOON + 2 * DAY))

    report = await verify_recent(books.views)

    assert (report.sound, report.since, report.transactions) == (True, None, 2)


async def test_no_honest_posting_looks_as_if_written_apart(sealed: Books) -> None:
    """Several in one transaction, one that holds the balance first, late ones for closed days."""
    async with (uow := sealed.new_uow()):
        await uow.ledger.post([release(uuid4(), cents=500), sale(8)])
        await uow.ledger.post([sale(9, payee_id=CREATOR)])
        await uow.ledger.reserve_available(reservation(300))
        await uow.commit()

    async with sealed.views.snapshot() as books:
        apart = [found async for found in books.balance_differences(written_apart_since=FIRST)]
    assert apart == []
    assert await recent(sealed) == []


def reservation(cents: int) -> Transaction:
    return Transaction(
        "payout_reserve:1",
        "payout_reserve",
        USD,
        (
            Entry(Account.PAYABLE_AVAILABLE, STORE, -cents),
            Entry(Account.PAYABLE_RESERVED, STORE, cents),
        ),
        NOON + 3 * DAY,
        None,
    )


def _of(effect_key: str) -> str:
    return (
        f"transaction_id = (SELECT id FROM ledger_transactions WHERE effect_key = '{effect_key}')"
    )


_MORE = "UPDATE payee_balances SET {part}_cents = {part}_cents + 1 WHERE payee_id = '{payee}'"
_SHIFT_BALANCES = "UPDATE payee_balances SET pending_cents = pending_cents +"
_SHIFT = (
    "UPDATE ledger_entries SET amount_cents = amount_cents + CASE account "
    "WHEN 'platform_revenue' THEN 50 ELSE -50 END WHERE account <> 'payable_pending' AND "
)
_SUMS = "UPDATE ledger_checkpoints SET total_cents = total_cents + CASE account "
_SHIFT_SUMS = f"{_SUMS} WHEN 'platform_revenue' THEN 5 WHEN 'stripe_clearing' THEN -5 ELSE 0 END "

FOUND_SOON = {
    "an amount of an open day": (
        f"UPDATE ledger_entries SET amount_cents = 901 WHERE position = 0 AND {_of('sale:ch_6')}",
        ("balances", "sale:ch_6"),
    ),
    "an entry of an open day that is gone": (
        f"DELETE FROM ledger_entries WHERE amount_cents = 100 AND {_of('sale:ch_7')}",
        ("balances", "sale:ch_7"),
    ),
    "amounts of an open day that balance": (
        _SHIFT + _of("sale:ch_6"),
        ("unaltered", "sale:ch_6"),
    ),
    "a transaction of an open day that is gone": (
        "DELETE FROM ledger_transactions WHERE effect_key = 'sale:ch_7'",
        ("no_orphans", "entries"),
    ),
    "a balance of somebody who sells": (
        _MORE.format(part="pending", payee=STORE),
        ("kept_balance", f"{STORE} usd pending"),
    ),
    "a balance of somebody who does not": (
        _MORE.format(part="available", payee=CREATOR),
        ("kept_balance", f"{CREATOR} usd available"),
    ),
    "a figure that no sum holds": (
        _MORE.format(part="lifetime", payee=CREATOR),
        ("kept_balance", f"{CREATOR} usd lifetime"),
    ),
    "two balances whose sum is the same": (
        f"{_SHIFT_BALANCES} CASE payee_id WHEN '{STORE}' THEN 1 ELSE -1 END",
        ("kept_balance", f"{CREATOR} usd pending"),
    ),
    "a balance that is gone": (
        f"DELETE FROM payee_balances WHERE payee_id = '{CREATOR}'",
        ("kept_balance", f"{CREATOR} usd pending"),
    ),
    "a balance that was made up": (
        f"INSERT INTO payee_balances VALUES ('{uuid4()}', 'usd', 0, 0, 0, 0, 7)",
        ("kept_balance", ""),
    ),
    "the last checkpoint": (
        f"{_SHIFT_SUMS} WHERE through = '{LAST}'",
        ("checkpoint", str(LAST)),
    ),
    "the checkpoint that the proof begins with": (
        f"{_SHIFT_SUMS} WHERE through = '{LAST_BUT_ONE}'",
        ("checkpoint", str(LAST_BUT_ONE)),
    ),
    "an older checkpoint": (
        f"{_SHIFT_SUMS} WHERE through = '{FIRST}'",
        ("checkpoint", str(FIRST)),
    ),
    "every checkpoint alike": (
        _SHIFT_SUMS,
        ("checkpoint", str(FIRST)),
    ),
    "a checkpoint that is gone": (
        f"DELETE FROM ledger_checkpoints WHERE through = '{LAST}'",
        ("checkpoint", str(LAST)),
    ),
    "the last sealed day": (
        _SHIFT + _of("sale:ch_5"),
        ("unaltered", "sale:ch_5"),
    ),
    "an old seal": (
        "UPDATE ledger_seals SET digest = md5('x') WHERE number = 1",
        ("seal_chain", f"seal 1 of {FIRST}"),
    ),
}


@pytest.mark.parametrize(("change", "breach"), FOUND_SOON.values(), ids=FOUND_SOON)
async def test_what_is_changed_lately_is_found_soon(
    sealed: Books, change: str, breach: tuple[str, str]
) -> None:
    await sealed.tamper(change)

    found = await recent(sealed)

    rule, subject = breach
    assert any(each == rule and told.startswith(subject) for each, told in found), found
    assert set(found) <= set(await sealed.breaches())


FOUND_AT_NIGHT = {
    "amounts of an old day": (_SHIFT + _of("sale:ch_3"), ("unaltered", "sale:ch_3")),
    "what stands beside them": (
        "UPDATE ledger_transactions SET kind = 'refund' WHERE effect_key = 'sale:ch_3'",
        ("sealed_day", str(LAST_BUT_ONE)),
    ),
}


@pytest.mark.parametrize(("change", "breach"), FOUND_AT_NIGHT.values(), ids=FOUND_AT_NIGHT)
async def test_what_is_changed_in_older_days_is_found_at_night(
    sealed: Books, change: str, breach: tuple[str, str]
) -> None:
    await sealed.tamper(change)

    assert await recent(sealed) == []
    assert breach in await sealed.breaches()


async def test_checkpoints_made_again_are_proved_whole_until_two_days_are_sealed(
    sealed: Books,
) -> None:
    await rebuild_checkpoints(upkeep=sealed.upkeep, views=sealed.views)
    assert (await verify_recent(sealed.views)).since is None

    for number in (1, 2):
        sealed.clock.advance(DAY)
        await sealed.post(sale(20 + number, at=sealed.clock.now()))
        await sealed.close()

    report = await verify_recent(sealed.views)
    assert (report.sound, report.since) == (True, TODAY + DAY)


async def test_a_checkpoint_that_changed_without_being_written_is_found(sealed: Books) -> None:
    """By the balances, which are not what it and later days sum to: a fault of the disk, say."""
    await sealed.tamper(
        f"{_SUMS} WHEN 'payable_pending' THEN 5 WHEN 'stripe_clearing' THEN -5 ELSE 0 END "
        f"WHERE through = '{LAST_BUT_ONE}'"
    )
    report = await verify_recent(Unseen(sealed.views))
    assert report.since == LAST
    assert [(breach.rule, breach.subject) for breach in report.breaches] == [
        ("checkpoint", str(LAST)),
        ("checkpoint", str(LAST_BUT_ONE)),
    ]


class Unseen:
    """The books, of a disk that changes what nobody writes."""

    def __init__(self, views: LedgerViews) -> None:
        self._views = views

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[LedgerSnapshot]:
        async with self._views.snapshot() as books:
            books.checkpoints_rewritten = self._nothing  # type: ignore[method-assign]
            yield books

    async def _nothing(self, *, since: date) -> bool:
        return False


# At night.


async def nightly(books: Books, clock: ManualClock) -> bool:
    checks = PostgresInvariantChecks(books.engine)
    return await prove_nightly(books.views, checks=checks, clock=clock) is not None


async def test_all_books_are_proved_once_after_three_in_the_morning(sealed: Books) -> None:
    clock = ManualClock(NOON)
    assert await nightly(sealed, clock)  # never before
    assert not await nightly(sealed, clock)
    clock.advance(timedelta(hours=14, minutes=59))
    assert not await nightly(sealed, clock)
    clock.advance(timedelta(minutes=1))
    assert await nightly(sealed, clock)
    assert not await nightly(sealed, clock)


async def test_what_the_night_found_stands_through_the_day(sealed: Books) -> None:
    checks, clock = PostgresInvariantChecks(sealed.engine), ManualClock(NOON)
    await sealed.tamper(_SHIFT + _of("sale:ch_3"))

    async def holds() -> dict[Invariant, bool]:
        await check_invariants(await verify_recent(sealed.views), checks=checks, clock=clock)
        return {result.name: result.holds for result in await checks.latest()}

    assert Invariant.BOOKS_PROVED not in await holds()
    await prove_nightly(sealed.views, checks=checks, clock=clock)
    for _ in range(2):
        held = await holds()
        assert (held[Invariant.BOOKS_PROVED], held[Invariant.LEDGER_SUMS]) == (False, True)
    [told] = [one for one in await checks.latest() if one.name is Invariant.BOOKS_PROVED]
    assert told.violations[0].subject == "sale:ch_3"
