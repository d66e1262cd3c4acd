"""Payouts that nobody asks for: every payee who wants it is paid once a day, at 00:00 UTC.

Payees are read by keyset, some hundred at a time, and each batch is one transaction: memory stays
small however many there are, and a run that was killed is simply run again. One payout for each
payee, currency and day is promised by a unique key; the balance's lock keeps runs side by side
from meeting it.
"""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

import msgspec

from application.ledger.payouts import SEND_PAYOUT, SendPayout
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payouts import Candidate, PayoutDays, PayoutViews
from application.ports.unit_of_work import UnitOfWork
from domain.ledger.payout import Payout, PayoutSpeed
from domain.ledger.payout_effects import payout_reserved
from domain.ledger.payout_rules import PayoutPolicy, blocks, payable_cents, too_small
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency

PAY_RELEASED = "payouts.pay_released"
BATCH = 500


class DayToCome(RuleRefused):
    """A day is paid when it has begun."""

    code = "payout_day_to_come"

    def __init__(self) -> None:
        super().__init__("This day has not begun yet.")


class PayReleased(msgspec.Struct, frozen=True, kw_only=True):
    payee_id: UUID
    currency: str


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """`looked_at` counts balances; the others were blocked, too small or paid already."""

    day: date
    looked_at: int
    payouts: int
    transfers: int


async def pay_today(
    *,
    new_uow: Callable[[], UnitOfWork],
    views: PayoutViews,
    days: PayoutDays,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
) -> DayReport | None:
    """The scheduler's question, again and again: has today been paid? None when it has."""
    day = clock.now().date()
    if await days.is_done(day):
        return None
    return await pay_day(
        day, new_uow=new_uow, views=views, days=days, policy=policy, clock=clock, ids=ids
    )


async def pay_day(
    day: date,
    *,
    new_uow: Callable[[], UnitOfWork],
    views: PayoutViews,
    days: PayoutDays,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda looked_at: None,
) -> DayReport:
    """Pay everybody of `day` who has not been. Safe to run again, and side by side.

    Raises DayToCome.
    """
    if day > clock.now().date():
        raise DayToCome
    looked_at = payouts = transfers = 0
    for method in PayoutMethod:
        after: Candidate | None = None
        while found := await views.candidates(day, method=method, after=after, limit=batch):
            if method is PayoutMethod.BANK:
                payouts += await _pay_banks(
                    found, day, uow=new_uow(), policy=policy, clock=clock, ids=ids
                )
            else:
                transfers += await _let_go(found, uow=new_uow())
            after = found[-1]
            looked_at += len(found)
            progress(looked_at)
    await days.finish(day, at=clock.now(), payouts=payouts)
    return DayReport(day=day, looked_at=looked_at, payouts=payouts, transfers=transfers)


async def pay_released(
    body: PayReleased, *, uow: UnitOfWork, policy: PayoutPolicy, clock: Clock, ids: Ids
) -> None:
    """A release made money available for a payee who wants it at once: the day's payout, unless
    the day had one; then the next day has it."""
    await _pay_banks(
        [Candidate(body.payee_id, body.currency)],
        clock.now().date(),
        uow=uow,
        policy=policy,
        clock=clock,
        ids=ids,
    )


async def _pay_banks(
    found: Sequence[Candidate],
    day: date,
    *,
    uow: UnitOfWork,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
) -> int:
    now = clock.now()
    payee_ids = {candidate.payee_id for candidate in found}
    async with uow:
        chosen = await uow.payout_settings.many(payee_ids)
        payees = {payee.id: payee for payee in await uow.payees.many(payee_ids)}
        accounts = await uow.bank_accounts.defaults(payee_ids)
        keys = [(one.payee_id, Currency(one.currency)) for one in found]
        balances = await uow.ledger.lock_balances(keys)
        had = await uow.payouts.of_day(day, payee_ids)
        postings = []
        for payee_id, code in keys:
            settings, balance = chosen[payee_id], balances[payee_id, code]
            account, amount_cents = accounts.get(payee_id), payable_cents(balance)
            if (
                (payee_id, code) in had
                or settings.method is not PayoutMethod.BANK
                or settings.schedule is PayoutSchedule.MANUAL
                or account is None
                or too_small(amount_cents, policy.minimum_cents(code, settings))
                or blocks(
                    payee=payees[payee_id],
                    settings=settings,
                    balance=balance,
                    account=account,
                    policy=policy,
                )
            ):
                continue
            payout = Payout(
                id=ids.new(),
                payee_id=payee_id,
                method=PayoutMethod.BANK,
                speed=PayoutSpeed.STANDARD,
                currency=code,
                amount_cents=amount_cents,
                fee_cents=0,
                net_cents=amount_cents,
                destination=account.provider_id,
                bank_account_id=account.id,
                last4=account.last4,
                payout_day=day,
                created_at=now,
            )
            uow.payouts.add(payout)
            uow.outbox.add(SEND_PAYOUT, SendPayout(payout_id=payout.id))
            postings.append(payout_reserved(payout, at=now))
        await uow.ledger.post(postings)
        await uow.commit()
    return len(postings)


async def _let_go(found: Sequence[Candidate], *, uow: UnitOfWork) -> int:
    """Kept earnings of connected accounts become transfers with the next look for them."""
    released = 0
    async with uow:
        chosen = await uow.payout_settings.many({candidate.payee_id for candidate in found})
        for candidate in found:
            settings = chosen[candidate.payee_id]
            if not settings.transfers_by_itself:
                continue
            released += await uow.earnings.let_go(
                candidate.payee_id, currency=Currency(candidate.currency)
            )
        await uow.commit()
    return released
