"""Disputes of what users paid to the platform itself: credits and plans.

They are told and merged as those of orders are, and booked once. Contested money leaves the
platform's own accounts when the bank takes it. The bought credits that it paid for lie still
meanwhile: they come back when the dispute is won, and are gone when it is lost, as the plan is
that it paid for. What was spent of them stays spent.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ports.billing import Billing
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.payments import DisputeChanged
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import dispute_effects
from domain.ledger.platform_effects import parts_of
from domain.ledger.posting import Transaction
from domain.shared.disputes import DisputeContradiction, Step, StepKind
from domain.shared.errors import NotFound
from domain.studio.contested import ChargeDispute, Freeze
from domain.studio.purchases import CreditPurchase, PlatformCharge

CANCEL_SUBSCRIPTION = "billing.cancel_subscription"


class CancelSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """`provider_id` is the provider's id of the subscription."""

    provider_id: str


async def hear_charge_dispute(
    said: DisputeChanged, *, uow: UnitOfWork, clock: Clock, ids: Ids
) -> bool:
    """What the provider tells of a dispute; False when its charge is none of the platform's own.
    Raises DisputeContradiction."""
    now = clock.now()
    async with uow:
        known = await uow.platform_charges.find(said.charge_id)
        if known is None:
            return False
        purchase = None
        if known.purchase_id is not None:
            purchase = await uow.credit_purchases.get(known.purchase_id, lock=True)
        charge = await uow.platform_charges.find(said.charge_id, lock=True)
        if charge is None:
            raise NotFound("charge", said.charge_id)
        if said.currency != charge.currency:
            raise DisputeContradiction(
                "The dispute is in another currency than its charge.", provider_id=said.provider_id
            )
        dispute = await uow.charge_disputes.by_provider_id(said.provider_id)
        if dispute is None:
            dispute = _new(said, charge, dispute_id=ids.new(), at=now)
            uow.charge_disputes.add(dispute)
        for step in dispute.hear(said.report(), at=now):
            await _book(step, dispute, charge, uow=uow, at=now)
            if purchase is not None:
                await _move_credits(step, dispute, purchase, uow=uow, at=now)
            elif step.kind is StepKind.LOST:
                await _end_plan(charge, uow=uow, at=now)
        await uow.commit()
    return True


async def cancel_subscription(provider_id: str, *, billing: Billing) -> None:
    """Handles `billing.cancel_subscription`. What it is then is told by events, or by the sweep.
    Raises provider errors."""
    await billing.cancel(provider_id)


async def _book(
    step: Step, dispute: ChargeDispute, charge: PlatformCharge, *, uow: UnitOfWork, at: datetime
) -> None:
    posting: Transaction
    match step.kind:
        case StepKind.OPENED:
            charge.contested_cents += step.amount_cents
            posting = dispute_effects.dispute_opened(
                dispute_id=dispute.id,
                order_id=None,
                currency=charge.currency,
                parts=parts_of(**charge.move(step.amount_cents)._asdict()),
                fee_cents=step.fee_cents,
                at=at,
            )
        case StepKind.WON:
            charge.contested_cents -= step.amount_cents
            posting = dispute_effects.dispute_won(
                dispute_id=dispute.id,
                order_id=None,
                currency=charge.currency,
                parts=parts_of(**charge.move(-step.amount_cents)._asdict()),
                fee_cents=step.fee_cents,
                at=at,
            )
        case StepKind.LOST:  # it left when the bank took it
            charge.contested_cents -= step.amount_cents
            return
    await uow.ledger.post([posting])


async def _move_credits(
    step: Step, dispute: ChargeDispute, purchase: CreditPurchase, *, uow: UnitOfWork, at: datetime
) -> None:
    wallet = await uow.credits.wallet(purchase.user_id)
    freeze = await uow.credits.freeze(dispute.id)
    match step.kind:
        case StepKind.OPENED:
            freeze = Freeze(
                dispute_id=dispute.id,
                purchase_id=purchase.id,
                wallet_id=purchase.user_id,
                credits=purchase.bought_for(step.amount_cents),
                opened_at=at,
            )
            freeze.catch(freeze.credits, wallet, at=at)
            uow.credits.add_freeze(freeze)
        case StepKind.WON if freeze is not None:
            freeze.give_back(step.amount_cents, dispute.withdrawn_cents, wallet, at=at)
        case StepKind.LOST if freeze is not None:
            gone = min(freeze.credits, purchase.refundable_credits)
            dispute.written_off = max(0, gone - freeze.frozen)
            purchase.lose(freeze.credits, step.amount_cents)
            freeze.lose(wallet, at=at)
    await uow.credits.save(wallet)


async def _end_plan(charge: PlatformCharge, *, uow: UnitOfWork, at: datetime) -> None:
    """The plan ends here at once, and at the provider as soon as it can be told."""
    if charge.subscription_id is None:
        return
    subscription = await uow.plan_subscriptions.get(charge.subscription_id, lock=True)
    if subscription.has_ended or subscription.forfeited_at is not None:
        return
    subscription.forfeited_at = at
    uow.outbox.add(CANCEL_SUBSCRIPTION, CancelSubscription(provider_id=subscription.provider_id))


def _new(
    said: DisputeChanged, charge: PlatformCharge, *, dispute_id: UUID, at: datetime
) -> ChargeDispute:
    dispute = ChargeDispute(
        id=dispute_id,
        provider_id=said.provider_id,
        charge_id=charge.id,
        purchase_id=charge.purchase_id,
        amount_cents=said.amount_cents,
        currency=charge.currency,
        reason=said.reason,
        status=said.status,
        created_at=at,
    )
    dispute.note(at, str(said.status))
    return dispute
