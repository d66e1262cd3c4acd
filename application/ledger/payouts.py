"""Send payouts and follow them: intent, call, outcome, each in its own step.

The intent was committed with the reservation. A call that is not answered may have been obeyed: the
payout is `unknown`, is sent again under the same key while the provider remembers it, and looked up
first afterwards. Money goes back to the balance only when the provider says that it took nothing.
Answers, webhooks and sweeps all end in `record_payout`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, Rejected
from application.ports.messages import Message, ParkMessage, RetryLater
from application.ports.payouts import (
    PROVIDER_SHORT,
    PayoutFact,
    PayoutOrder,
    PayoutRails,
    PayoutRecord,
    PayoutViews,
    PayoutWebhooks,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.payout import UNSENT, Payout, PayoutMismatch, PayoutState, PayoutStep
from domain.ledger.payout_effects import payout_declined, payout_step
from domain.ledger.payout_settings import PayoutMethod
from domain.shared.errors import NotFound

SEND_PAYOUT = "payouts.send"
ASK_PAYOUT = "payouts.ask"
SEND_AGAIN_AFTER = timedelta(minutes=5)
FUNDS_COME_WITHIN = timedelta(hours=1)
SILENT_FOR = timedelta(hours=1)


class SendPayout(msgspec.Struct, frozen=True, kw_only=True):
    payout_id: UUID


class AskPayout(msgspec.Struct, frozen=True, kw_only=True):
    payout_id: UUID


async def send_payout(
    payout_id: UUID, *, uow: UnitOfWork, rails: PayoutRails, clock: Clock
) -> None:
    """Raises RetryLater while the outcome is unknown or our money at the provider is short, and
    Unavailable."""
    now = clock.now()
    async with uow:
        payout = await uow.payouts.get(payout_id, lock=True)
        if payout.state not in UNSENT:
            return
        ask_first, was_tried = payout.ask_before_sending(at=now), payout.attempts > 0
        payout.try_to_send(at=now)
        await uow.commit()
    rail = rails[payout.method]
    found = await rail.find(payout.id, destination=payout.destination) if ask_first else None
    try:
        fact = found or await rail.send(_order(payout))
    except OutcomeUnknown as error:
        await _note(payout_id, error.message, unknown=True, uow=uow)
        raise RetryLater(error.message, delay=SEND_AGAIN_AFTER) from error
    except Rejected as error:
        taken = await rail.find(payout.id, destination=payout.destination) if was_tried else None
        if taken is None:
            await _declined(payout, error, uow=uow, clock=clock)
            return
        fact = taken
    await record_payout(payout_id, fact, uow=uow, clock=clock)


async def ask_payout(payout_id: UUID, *, uow: UnitOfWork, rails: PayoutRails, clock: Clock) -> None:
    """Ask the provider what became of a payout, and record it. One that the provider does not know
    stays as it is: its message still carries it. Raises Unavailable."""
    async with uow:
        payout = await uow.payouts.get(payout_id)
    rail = rails[payout.method]
    if payout.provider_id is None:
        fact = await rail.find(payout.id, destination=payout.destination)
    else:
        fact = await rail.state(payout.provider_id, destination=payout.destination)
    if fact is not None:
        await record_payout(payout_id, fact, uow=uow, clock=clock)


async def record_payout(
    payout_id: UUID, fact: PayoutFact, *, uow: UnitOfWork, clock: Clock
) -> None:
    """Move a payout on by what the provider says and post each step. Raises PayoutMismatch."""
    now = clock.now()
    async with uow:
        payout = await uow.payouts.get(payout_id, lock=True)
        payout.require_same(amount_cents=fact.amount_cents, currency=fact.currency)
        payout.asked_at = now
        payout.provider_id = payout.provider_id or fact.provider_id
        payout.provider_fee_cents = payout.provider_fee_cents or fact.fee_cents
        steps = payout.hear(fact.word, at=now, reason=fact.reason)
        if PayoutStep.RETURNED in steps and payout.bank_account_id is not None:
            (await uow.bank_accounts.get(payout.bank_account_id, lock=True)).flag()
        for step in steps:
            await uow.ledger.post(payout_step(payout, step, at=now))
        await uow.commit()


async def sweep_payouts(*, uow: UnitOfWork, clock: Clock, limit: int = 100) -> int:
    """Ask about payouts of which nothing was heard for an hour, and again about those that were
    paid some days ago; answers about how many.

    Each is marked as asked first, so that one that cannot be asked about does not stop the rest.
    """
    now = clock.now()
    async with uow:
        silent = await uow.payouts.silent(before=now - SILENT_FOR, limit=limit)
        paid = await uow.payouts.to_look_at_again(now=now, limit=limit)
        for payout_id in sorted({*silent, *paid}):
            payout = await uow.payouts.get(payout_id, lock=True)
            payout.asked_at = now
            if payout.state is PayoutState.PAID:
                payout.look_again(at=now)
            uow.outbox.add(ASK_PAYOUT, AskPayout(payout_id=payout_id))
        await uow.commit()
    return len({*silent, *paid})


async def handle_payout_events(
    messages: Sequence[Message],
    *,
    new_uow: Callable[[], UnitOfWork],
    webhooks: PayoutWebhooks,
    rails: PayoutRails,
    clock: Clock,
) -> Mapping[UUID, Exception]:
    """Each event makes us ask for the payout's state: events come twice, late and in any order."""
    failures: dict[UUID, Exception] = {}
    for message in messages:
        try:
            payout_id = webhooks.read(message.payload).payout_id
            if payout_id is not None:
                await ask_payout(payout_id, uow=new_uow(), rails=rails, clock=clock)
        except msgspec.MsgspecError as error:
            failures[message.id] = ParkMessage(f"unreadable: {error}")
        except PayoutMismatch as error:
            failures[message.id] = ParkMessage(str(error))
        except NotFound:
            continue  # another installation's: the provider's account may serve several
        except Exception as error:  # noqa: BLE001 - told to the dispatcher, message by message
            failures[message.id] = error
    return failures


async def show_payout(
    store_id: UUID | None, payout_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> PayoutRecord:
    """Raises NotFound, also for another payee's."""
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        payout = await uow.payouts.get(payout_id)
    if payout.payee_id != payee.id:
        raise NotFound("payout", payout_id)
    return record_of(payout)


async def list_payouts(
    store_id: UUID | None,
    *,
    before: UUID | None,
    limit: int,
    actor: Actor,
    uow: UnitOfWork,
    views: PayoutViews,
) -> list[PayoutRecord]:
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
    return await views.of_payee(payee.id, before=before, limit=limit)


def record_of(payout: Payout) -> PayoutRecord:
    return PayoutRecord(
        id=payout.id,
        method=payout.method,
        speed=payout.speed,
        currency=payout.currency,
        amount_cents=payout.amount_cents,
        fee_cents=payout.fee_cents,
        net_cents=payout.net_cents,
        state=payout.state,
        reason=payout.reason,
        last4=payout.last4,
        automatic=payout.payout_day is not None,
        created_at=payout.created_at,
        sent_at=payout.sent_at,
        ended_at=payout.ended_at,
    )


def _order(payout: Payout) -> PayoutOrder:
    return PayoutOrder(
        payout_id=payout.id,
        destination=payout.destination,
        amount_cents=payout.net_cents,
        currency=payout.currency,
        speed=payout.speed,
    )


async def _note(payout_id: UUID, reason: str, *, unknown: bool, uow: UnitOfWork) -> None:
    async with uow:
        payout = await uow.payouts.get(payout_id, lock=True)
        if unknown:
            payout.no_answer(reason)
        elif payout.state in UNSENT:
            payout.reason = reason
        await uow.commit()


async def _declined(payout: Payout, error: Rejected, *, uow: UnitOfWork, clock: Clock) -> None:
    """Give the money back, unless it is our own that is short at the provider: that passes."""
    if payout.method is PayoutMethod.BANK and error.reason == PROVIDER_SHORT:
        await _note(payout.id, "provider_funds_short", unknown=False, uow=uow)
        raise RetryLater(error.message, delay=FUNDS_COME_WITHIN) from error
    now = clock.now()
    async with uow:
        payout = await uow.payouts.get(payout.id, lock=True)
        if payout.state not in UNSENT:
            return
        payout.refuse(error.reason, at=now)
        await uow.ledger.post(payout_declined(payout, at=now))
        await uow.commit()
