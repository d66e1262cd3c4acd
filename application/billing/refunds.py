"""Give money back that users paid to the platform, and take back the credits it had bought.

For a purchase of credits so much is given back as can be taken back: what is neither spent nor
held. The intent is committed with the credits taken; the provider's word, by answer or webhook,
posts once, and a refusal returns the credits. Refunds that somebody made at the provider are
adopted.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.billing.tax_reports import REPORT_CREDIT_REFUND, ReportCreditRefund
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.ids import Ids
from application.ports.payments import Payments, ProviderRefund, RefundRequest
from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import freeze_again
from domain.identity.actor import Actor, Role
from domain.ledger import platform_effects
from domain.ledger.posting import Transaction
from domain.shared.errors import NotFound
from domain.studio.contested import ChargeContested
from domain.studio.purchases import (
    ChargeRefund,
    ChargeRefundStatus,
    CreditPurchase,
    NothingToGiveBack,
    PlatformCharge,
    Share,
)

SEND_CHARGE_REFUND = "billing.send_refund"
MADE_AT_PROVIDER = "made at the provider"


class SendChargeRefund(msgspec.Struct, frozen=True, kw_only=True):
    refund_id: UUID


class RefundPurchase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class PurchaseRefunded(msgspec.Struct, frozen=True, kw_only=True):
    """`credits` were taken back for it."""

    id: UUID
    purchase_id: UUID
    amount_cents: int
    currency: str
    credits: int
    status: ChargeRefundStatus


async def refund_purchase(
    purchase_id: UUID,
    command: RefundPurchase,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> PurchaseRefunded:
    """Give back what of a purchase is not spent. Administrators.

    Raises RoleRequired, NotFound, PurchaseNotPaid, NothingToGiveBack, ChargeContested.
    """
    actor.require(Role.ADMIN)
    now = clock.now()
    async with uow:
        purchase = await uow.credit_purchases.get(purchase_id, lock=True)
        purchase.require_refundable()
        charge = await _charge_of(purchase, uow=uow)
        if charge.contested_cents:
            raise ChargeContested("A bank holds money of this purchase: wait for its decision.")
        credits = await _take_back(purchase, purchase.refundable_credits, uow=uow, at=now)
        amount_cents = purchase.price_of(credits)
        if not credits or not amount_cents:
            raise NothingToGiveBack("The credits of this purchase are spent or held.")
        purchase.give_back(credits, amount_cents)
        refund = ChargeRefund(
            id=ids.new(),
            charge_id=charge.id,
            purchase_id=purchase.id,
            amount_cents=amount_cents,
            currency=charge.currency,
            credits=credits,
            requested_by=actor.user_id,
            reason=command.reason,
            created_at=now,
        )
        charge.refunded_cents += amount_cents
        uow.charge_refunds.add(refund)
        uow.audit.record(
            "credits.refunded",
            actor=actor,
            on=("credit purchase", purchase.id),
            after={"amount_cents": amount_cents, "credits": credits, "reason": command.reason},
        )
        uow.outbox.add(SEND_CHARGE_REFUND, SendChargeRefund(refund_id=refund.id))
        await uow.commit()
    return PurchaseRefunded(
        id=refund.id,
        purchase_id=purchase.id,
        amount_cents=refund.amount_cents,
        currency=refund.currency,
        credits=refund.credits,
        status=refund.status,
    )


async def send_charge_refund(
    refund_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock
) -> None:
    """Ask the provider, or find what it made when its answer was lost. Raises Unavailable and
    OutcomeUnknown, after which it is called again."""
    async with uow:
        refund = await uow.charge_refunds.get(refund_id)
    if refund.status is not ChargeRefundStatus.PENDING or refund.requested_by is None:
        return
    try:
        said = await payments.find_refund(refund_id=refund.id, charge_id=refund.charge_id)
        if said is None:
            said = await payments.refund(
                RefundRequest(
                    refund_id=refund.id,
                    order_id=refund.purchase_id or refund.id,
                    charge_id=refund.charge_id,
                    amount_cents=refund.amount_cents,
                    currency=refund.currency,
                    attempt=1,
                )
            )
    except Rejected:
        await _record(refund.id, ChargeRefundStatus.FAILED, None, uow=uow, clock=clock)
        return
    await _record(refund.id, _status(said), said.provider_id, uow=uow, clock=clock)


async def hear_charge_refund(
    said: ProviderRefund, *, charge_id: str, uow: UnitOfWork, clock: Clock, ids: Ids
) -> bool:
    """What the provider tells of a refund; False when its charge is none of the platform's own."""
    async with uow:
        charge = await uow.platform_charges.find(charge_id)
        if charge is None:
            return False
        known = await uow.charge_refunds.by_provider_id(said.provider_id)
    refund_id = known.id if known else said.refund_id
    if refund_id is None:
        refund_id = await _adopt(said, charge_id=charge_id, uow=uow, clock=clock, ids=ids)
    await _record(refund_id, _status(said), said.provider_id, uow=uow, clock=clock)
    return True


async def _adopt(
    said: ProviderRefund, *, charge_id: str, uow: UnitOfWork, clock: Clock, ids: Ids
) -> UUID:
    """Somebody gave the money back by hand: the credits that it had bought are taken, as far as
    they are there."""
    now = clock.now()
    async with uow:
        charge = await uow.platform_charges.find(charge_id)
        purchase = None
        if charge is not None and charge.purchase_id is not None:
            purchase = await uow.credit_purchases.get(charge.purchase_id, lock=True)
        charge = await uow.platform_charges.find(charge_id, lock=True)
        if charge is None:
            raise NotFound("charge", charge_id)
        known = await uow.charge_refunds.by_provider_id(said.provider_id)
        if known is not None:
            return known.id
        credits = 0
        if purchase is not None:
            wanted = min(purchase.bought_for(said.amount_cents), purchase.refundable_credits)
            credits = await _take_back(purchase, wanted, uow=uow, at=now)
            purchase.give_back(credits, said.amount_cents)
        refund = ChargeRefund(
            id=ids.new(),
            charge_id=charge.id,
            purchase_id=charge.purchase_id,
            amount_cents=said.amount_cents,
            currency=charge.currency,
            credits=credits,
            provider_id=said.provider_id,
            requested_by=None,
            reason=MADE_AT_PROVIDER,
            created_at=now,
        )
        charge.refunded_cents += said.amount_cents
        uow.charge_refunds.add(refund)
        await uow.commit()
    return refund.id


async def _record(
    refund_id: UUID,
    status: ChargeRefundStatus,
    provider_id: str | None,
    *,
    uow: UnitOfWork,
    clock: Clock,
) -> None:
    """Note the provider's word, and post what it means, once."""
    now = clock.now()
    async with uow:
        refund = await uow.charge_refunds.get(refund_id)
        purchase = None
        if refund.purchase_id is not None:
            purchase = await uow.credit_purchases.get(refund.purchase_id, lock=True)
        charge = await uow.platform_charges.find(refund.charge_id, lock=True)
        refund = await uow.charge_refunds.get(refund_id, lock=True)
        if charge is None:
            raise NotFound("charge", refund.charge_id)
        refund.provider_id = refund.provider_id or provider_id
        match refund.status, status:
            case ChargeRefundStatus.PENDING, ChargeRefundStatus.SUCCEEDED:
                refund.status = ChargeRefundStatus.SUCCEEDED
                share = charge.move(refund.amount_cents)
                refund.tax_cents = share.tax_cents
                await uow.ledger.post([_given(refund, share, at=now)])
                if purchase is not None and purchase.tax_calculation_id is not None:
                    uow.outbox.add(REPORT_CREDIT_REFUND, ReportCreditRefund(refund_id=refund.id))
            case ChargeRefundStatus.PENDING, ChargeRefundStatus.FAILED:
                refund.status = ChargeRefundStatus.FAILED
                charge.refunded_cents -= refund.amount_cents
                if purchase is not None:
                    await _return(purchase, refund, uow=uow, at=now)
            case ChargeRefundStatus.SUCCEEDED, ChargeRefundStatus.FAILED:
                refund.status = ChargeRefundStatus.RETURNED
                await uow.ledger.post([_returned(refund, at=now)])
            case _:
                await uow.commit()
                return
        refund.ended_at = now
        await uow.commit()


async def _charge_of(purchase: CreditPurchase, *, uow: UnitOfWork) -> PlatformCharge:
    charge = await uow.platform_charges.find(purchase.charge_id or "", lock=True)
    if charge is None:
        raise NotFound("charge", purchase.charge_id)
    return charge


async def _take_back(
    purchase: CreditPurchase, credits: int, *, uow: UnitOfWork, at: datetime
) -> int:
    wallet = await uow.credits.wallet(purchase.user_id)
    taken = wallet.take_back(credits, purchase_id=purchase.id, at=at)
    await uow.credits.save(wallet)
    return taken


async def _return(
    purchase: CreditPurchase, refund: ChargeRefund, *, uow: UnitOfWork, at: datetime
) -> None:
    """The money stays: so do the credits."""
    purchase.give_back(-refund.credits, -refund.amount_cents)
    if refund.credits:
        wallet = await uow.credits.wallet(purchase.user_id)
        wallet.give_again(refund.credits, purchase_id=purchase.id, at=at)
        await freeze_again(uow, wallet, refund.credits, since=refund.created_at, at=at)
        await uow.credits.save(wallet)


def _status(said: ProviderRefund) -> ChargeRefundStatus:
    return ChargeRefundStatus(said.status)


def _given(refund: ChargeRefund, share: Share, *, at: datetime) -> Transaction:
    return platform_effects.platform_refund(
        refund_id=refund.id,
        currency=refund.currency,
        parts=platform_effects.parts_of(**share._asdict()),
        at=at,
    )


def _returned(refund: ChargeRefund, *, at: datetime) -> Transaction:
    return platform_effects.platform_refund_returned(
        refund_id=refund.id, currency=refund.currency, amount_cents=refund.amount_cents, at=at
    )
