"""Each invariant, broken: what broke it is named. Unbroken, nothing is."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from uuid import UUID

import msgspec
import pytest
import structlog
from sqlalchemy import text

from adapters.postgres.invariants import PostgresInvariantChecks
from adapters.postgres.verification import PostgresLedgerViews
from application.ledger.invariants import check_invariants, prove_nightly
from application.ledger.verification import verify_recent
from application.ports.invariants import CheckResult, Invariant
from application.studio.credits import open_wallet, reserve_credits
from domain.ledger.reconciliation import (
    Difference,
    Fault,
    Finding,
    Movement,
    Phase,
    ReconciliationRun,
    Subject,
)
from domain.shared.money import Currency
from entrypoints.gauges import refresh_invariant_gauges
from entrypoints.metrics import exposition
from entrypoints.worker.books import watch_invariants
from tests.application.ordering.conftest import HOLD, Desk, desk

__all__ = ["desk"]

MONTH = timedelta(days=31)


class Note(msgspec.Struct):
    text: str = "hello"


USER = UUID("01900000-0000-7000-8000-0000000000c1")


async def tamper(desk: Desk, statement: str, **parameters: object) -> None:
    """Past every guard, as a restored backup or a superuser might."""
    async with desk.engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(text(statement), parameters)


async def check(desk: Desk) -> dict[Invariant, CheckResult]:
    views, checks = PostgresLedgerViews(desk.engine), PostgresInvariantChecks(desk.engine)
    recent = await verify_recent(views)
    results = await check_invariants(recent, checks=checks, clock=desk.clock)
    await prove_nightly(views, checks=checks, clock=desk.clock)
    assert {result.name for result in results} == set(Invariant) - {Invariant.BOOKS_PROVED}
    return {result.name: result for result in await checks.latest()}


async def a_late_message(desk: Desk) -> None:
    async with (uow := desk.new_uow()):
        uow.outbox.add("greet", Note())
        await uow.commit()
    desk.clock.advance(timedelta(minutes=11))


async def a_late_webhook(desk: Desk) -> None:
    await tamper(
        desk,
        "INSERT INTO inbox_messages (id, topic, external_id, kind, payload, due_at, created_at) "
        "VALUES (gen_random_uuid(), 'stripe', 'evt_1', 'charge.updated', '', :now, :now)",
        now=desk.clock.now(),
    )
    desk.clock.advance(timedelta(minutes=11))


async def a_lost_worker(desk: Desk) -> None:
    await a_late_message(desk)
    await tamper(
        desk,
        "UPDATE outbox_messages SET state = 'running', lease_until = :then",
        then=desk.clock.now() - timedelta(minutes=11),
    )


async def a_parked_message(desk: Desk) -> None:
    await a_late_message(desk)
    await tamper(
        desk,
        "UPDATE outbox_messages SET state = 'parked', finished_at = :now",
        now=desk.clock.now(),
    )


async def an_unsent_transfer(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    desk.clock.advance(HOLD)
    await desk.release()
    await desk.plan()
    desk.clock.advance(timedelta(hours=7))


async def an_unsent_reversal(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.pay_out()
    await desk.send_refund((await desk.ask_refund(order_id)).id)
    desk.clock.advance(timedelta(hours=7))


async def an_unanswered_refund(desk: Desk) -> None:
    shop = await desk.market()
    await desk.ask_refund(await desk.buy(*shop.products))
    desk.clock.advance(timedelta(hours=25))


async def a_payout(desk: Desk, state: str, *, age: timedelta) -> None:
    await tamper(
        desk,
        "INSERT INTO payouts (id, payee_id, method, speed, currency, amount_cents, fee_cents, "
        "net_cents, destination, state, attempts, provider_id, provider_fee_cents, created_at) "
        "VALUES (gen_random_uuid(), gen_random_uuid(), 'connect', 'standard', 'usd', 5000, 0, "
        "5000, 'acct_1', :state, 1, 'po_' || :state, 0, :then)",
        state=state,
        then=desk.clock.now() - age,
    )


async def a_payout_that_is_not_taken(desk: Desk) -> None:
    await a_payout(desk, "reserved", age=timedelta(hours=25))


async def an_unanswered_payout(desk: Desk) -> None:
    await a_payout(desk, "unknown", age=timedelta(hours=25))


async def a_payout_that_never_arrives(desk: Desk) -> None:
    await a_payout(desk, "sent", age=timedelta(days=5, hours=1))


async def an_unbooked_order(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    await tamper(
        desk,
        "DELETE FROM ledger_entries WHERE transaction_id IN "
        "(SELECT id FROM ledger_transactions WHERE kind = 'sale')",
    )
    await tamper(desk, "DELETE FROM ledger_transactions WHERE kind = 'sale'")


async def a_sale_of_nothing(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    await tamper(
        desk,
        "UPDATE orders SET payment_status = 'expired', charge_id = NULL, paid_at = NULL",
    )


async def a_lost_entry(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    await tamper(desk, "DELETE FROM ledger_entries WHERE account = 'platform_revenue'")


async def a_wrong_balance(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    await tamper(desk, "UPDATE payee_balances SET pending_cents = pending_cents + 1")


async def an_old_debt(desk: Desk) -> None:
    shop = await desk.market()
    await desk.buy(*shop.products)
    await tamper(
        desk,
        "UPDATE payee_balances SET available_cents = -5, negative_since = :then "
        "WHERE payee_id = :payee",
        then=desk.clock.now() - MONTH,
        payee=shop.creator.id,
    )


async def a_difference(desk: Desk) -> None:
    run = await a_run(desk, Phase.DONE)
    finding = Finding(
        subject=Subject(Movement.PAYOUT, "po_1", Currency("usd")),
        fault=Fault.NOT_BOOKED,
        our_id=None,
        effect_key=None,
        our_cents=None,
        their_cents=-100,
        sentence="The payout po_1 of -$1.00 is not in the books.",
    )
    async with (uow := desk.new_uow()):
        uow.differences.add(
            Difference.of(finding, difference_id=desk.ids.new(), run_id=run.id, at=desk.clock.now())
        )
        await uow.commit()


async def a_run(desk: Desk, phase: Phase) -> ReconciliationRun:
    now = desk.clock.now()
    run = ReconciliationRun(
        id=desk.ids.new(),
        day=date(2026, 1, 1),
        phase=phase,
        started_at=now,
        finished_at=now if phase is Phase.DONE else None,
    )
    async with (uow := desk.new_uow()):
        uow.reconciliations.add(run)
        await uow.commit()
    return run


async def a_stuck_run(desk: Desk) -> None:
    await a_run(desk, Phase.OURS)
    desk.clock.advance(timedelta(hours=7))


async def a_wallet_that_holds_nothing_it_says(desk: Desk) -> None:
    async with (uow := desk.new_uow()):
        await open_wallet(uow, user_id=USER, at=desk.clock.now())
        await uow.commit()
    await tamper(desk, "UPDATE credit_wallets SET held = held + 5")


async def a_wallet_that_froze_what_nobody_contests(desk: Desk) -> None:
    async with (uow := desk.new_uow()):
        await open_wallet(uow, user_id=USER, at=desk.clock.now())
        await uow.commit()
    await tamper(desk, "UPDATE credit_wallets SET frozen = frozen + 5")


async def a_forgotten_hold(desk: Desk) -> None:
    async with (uow := desk.new_uow()):
        await reserve_credits(
            uow, user_id=USER, job_id=USER, round=1, credits=1, at=desk.clock.now()
        )
        await uow.commit()
    desk.clock.advance(timedelta(days=4))


async def a_purchase_without_a_booking(desk: Desk) -> None:
    await tamper(
        desk,
        "INSERT INTO credit_purchases (id, user_id, request_key, pack, credits, amount_cents,"
        " tax_cents, currency, status, charge_id, taken_back, refunded_cents, lost_credits,"
        " lost_cents, created_at, expires_at, ask_at, paid_at) VALUES (gen_random_uuid(),"
        " gen_random_uuid(), 'k', 'p', 5, 100, 0, 'usd', 'paid', 'ch_lost', 0, 0, 0, 0, :at, :at,"
        " :at, :at)",
        at=desk.clock.now() - timedelta(hours=1),
    )


BREACHES: list[tuple[Callable[[Desk], Awaitable[None]], Invariant, str]] = [
    (a_late_message, Invariant.OUTBOX_FLOWS, "greet "),
    (a_lost_worker, Invariant.OUTBOX_FLOWS, "greet "),
    (a_late_webhook, Invariant.INBOX_FLOWS, "stripe "),
    (a_parked_message, Invariant.NOTHING_PARKED, "outbox greet "),
    (an_unsent_transfer, Invariant.TRANSFERS_END, "transfer "),
    (an_unsent_reversal, Invariant.REVERSALS_END, "reversal "),
    (an_unanswered_refund, Invariant.REFUNDS_END, "refund "),
    (a_payout_that_is_not_taken, Invariant.PAYOUTS_END, "payout "),
    (an_unanswered_payout, Invariant.PAYOUTS_END, "payout "),
    (a_payout_that_never_arrives, Invariant.PAYOUTS_END, "payout "),
    (a_wallet_that_holds_nothing_it_says, Invariant.WALLETS_AGREE, "credits of "),
    (a_wallet_that_froze_what_nobody_contests, Invariant.WALLETS_AGREE, "credits of "),
    (a_forgotten_hold, Invariant.HOLDS_END, "credits held for "),
    (a_purchase_without_a_booking, Invariant.BOUGHT_CREDITS_ARE_BOOKED, "purchase "),
    (an_unbooked_order, Invariant.PAID_ORDERS_ARE_BOOKED, "order "),
    (a_sale_of_nothing, Invariant.BOOKED_SALES_ARE_PAID, "sale:ch_"),
    (a_sale_of_nothing, Invariant.EARNINGS_ARE_PAID_FOR, "earning "),
    (a_lost_entry, Invariant.LEDGER_SUMS, "sale:ch_"),
    (a_wrong_balance, Invariant.KEPT_BALANCES, ""),
    (a_lost_entry, Invariant.BOOKS_PROVED, "sale:ch_"),
    (an_old_debt, Invariant.DEBTS_ARE_YOUNG, "payee "),
    (a_difference, Invariant.PROVIDER_AGREES, "difference "),
    (a_stuck_run, Invariant.RECONCILIATIONS_END, "reconciliation of 2026-01-01"),
]


@pytest.mark.parametrize(
    ("breach", "invariant", "named"), BREACHES, ids=lambda given: getattr(given, "__name__", "")
)
async def test_a_breach_is_found_and_named(
    desk: Desk, breach: Callable[[Desk], Awaitable[None]], invariant: Invariant, named: str
) -> None:
    await breach(desk)

    found = (await check(desk))[invariant]

    assert not found.holds
    assert found.count >= 1
    assert found.violations[0].subject.startswith(named)


def test_every_invariant_has_a_breach_here() -> None:
    assert {invariant for _, invariant, _ in BREACHES} == set(Invariant)


async def test_in_an_ordinary_life_everything_holds(desk: Desk) -> None:
    shop = await desk.market()
    order_id = await desk.buy(*shop.products)
    await desk.pay_out()
    await desk.refund(order_id, 300)
    await tamper(desk, "DELETE FROM outbox_messages")  # no worker takes them here

    results = await check(desk)

    assert {name for name, result in results.items() if not result.holds} == set()
    assert results.keys() == set(Invariant)


async def test_banks_may_take_some_days(desk: Desk) -> None:
    await a_payout(desk, "sent", age=timedelta(days=4, hours=23))
    await a_payout(desk, "paid", age=timedelta(days=30))

    assert (await check(desk))[Invariant.PAYOUTS_END].holds


async def test_results_are_kept_measured_and_told_as_errors(desk: Desk) -> None:
    await a_parked_message(desk)
    checks = PostgresInvariantChecks(desk.engine)

    with structlog.testing.capture_logs() as logged:
        await watch_invariants(PostgresLedgerViews(desk.engine), checks=checks, clock=desk.clock)
    await refresh_invariant_gauges(checks)

    [told] = [entry for entry in logged if entry["event"] == "invariant broken"]
    assert (told["log_level"], told["invariant"], told["count"]) == ("error", "nothing_parked", 1)
    kept = {result.name: result for result in await checks.latest()}
    assert kept[Invariant.NOTHING_PARKED].count == 1
    assert 'invariant_breaches{name="nothing_parked"} 1.0' in exposition().decode()
    assert 'invariant_breaches{name="ledger_sums"} 0.0' in exposition().decode()
