"""What becomes of subscriptions to plans: fetched from the provider, recorded, and booked once.

Events of subscriptions and of their invoices, pages that ended, and the sweep all end in
`refresh_subscription`: it fetches the subscription and the invoices that were paid, so that neither
their order nor their number matters.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.billing.purchases import FEE_IS_KNOWN_AFTER
from application.ledger.fees import RECORD_FEE, RecordFee
from application.ports.billing import Billing, PaidInvoice, SubscriptionState
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.repository import StaleVersion
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import platform_effects
from domain.shared.money import currency
from domain.studio.plans import PLANS, PlanSubscription, Snapshot
from domain.studio.purchases import ChargeKind, PlatformCharge
from domain.studio.subscribing import PlanCheckoutStatus

REFRESH_SUBSCRIPTION = "billing.refresh_subscription"
SETTLE_PLAN_CHECKOUT = "billing.settle_plan_checkout"
ASK_AGAIN = timedelta(minutes=10)


class RefreshSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """`provider_id` is the provider's id of the subscription."""

    provider_id: str


class SettlePlanCheckout(msgspec.Struct, frozen=True, kw_only=True):
    checkout_id: UUID


async def refresh_subscription(
    provider_id: str, *, uow: UnitOfWork, billing: Billing, clock: Clock, ids: Ids
) -> None:
    """Raises StaleVersion where somebody else recorded a snapshot meanwhile, and provider
    errors: then it is called again. What is no plan of ours, or of no user of ours, is left."""
    async with uow:
        known = await uow.plan_subscriptions.by_provider_id(provider_id)
    state = await billing.subscription(provider_id)
    if state is None or (state.plan, state.plan_version) not in PLANS:
        return
    invoices = await _new_invoices(provider_id, uow=uow, billing=billing)
    now = clock.now()
    async with uow:
        customer = await uow.billing_customers.by_provider_id(state.customer_id)
        if customer is None:
            return
        stored = await uow.plan_subscriptions.by_provider_id(provider_id, lock=True)
        if (stored.heard if stored else 0) != (known.heard if known else 0):
            raise StaleVersion("Another snapshot was recorded meanwhile.")
        if stored is None:
            stored = _begun(state, customer.id, ids.new(), at=now)
            uow.plan_subscriptions.add(stored)
        else:
            stored.hear(_snapshot(state), at=now)
        for invoice in invoices:
            await _book(invoice, stored, uow=uow, at=now)
        await uow.commit()


async def settle_plan_checkout(
    checkout_id: UUID, *, uow: UnitOfWork, billing: Billing, clock: Clock, ids: Ids
) -> None:
    """Ask how a page of a plan stands. Complete: record the subscription that began there."""
    async with uow:
        checkout = await uow.plan_checkouts.get(checkout_id)
    if not checkout.is_open:
        return
    overdue = clock.now() >= checkout.expires_at
    ended = PlanCheckoutStatus.EXPIRED if overdue else None
    if checkout.session_id is not None:
        state = await billing.page_state(checkout.session_id)
        if state.status == "open" and overdue:
            await billing.close_page(checkout.session_id)
            state = await billing.page_state(checkout.session_id)
        ended = None
        if state.status == "complete" and state.subscription_id is not None:
            await refresh_subscription(
                state.subscription_id, uow=uow, billing=billing, clock=clock, ids=ids
            )
            ended = PlanCheckoutStatus.DONE
        elif state.status == "expired":
            ended = PlanCheckoutStatus.EXPIRED
    if ended is None:
        return
    async with uow:
        stored = await uow.plan_checkouts.get(checkout_id, lock=True)
        if stored.is_open:
            stored.status = ended
            await uow.commit()


async def sweep_subscriptions(*, uow: UnitOfWork, clock: Clock, limit: int = 200) -> int:
    """Have the provider asked about subscriptions from time to time, and about open pages."""
    now = clock.now()
    again_at = now + ASK_AGAIN
    async with uow:
        due = await uow.plan_subscriptions.claim_refreshable(
            now=now, again_at=again_at, limit=limit
        )
        for provider_id in due:
            uow.outbox.add(REFRESH_SUBSCRIPTION, RefreshSubscription(provider_id=provider_id))
        pages = await uow.plan_checkouts.claim_open(now=now, again_at=again_at, limit=limit)
        for checkout_id in pages:
            uow.outbox.add(SETTLE_PLAN_CHECKOUT, SettlePlanCheckout(checkout_id=checkout_id))
        await uow.commit()
    return len(due) + len(pages)


async def _new_invoices(
    provider_id: str, *, uow: UnitOfWork, billing: Billing
) -> list[PaidInvoice]:
    paid = await billing.paid_invoices(provider_id)
    async with uow:
        known = await uow.platform_charges.known_invoices(paid) if paid else set()
    return [
        await billing.paid_invoice(invoice_id) for invoice_id in paid if invoice_id not in known
    ]


async def _book(
    invoice: PaidInvoice, subscription: PlanSubscription, *, uow: UnitOfWork, at: datetime
) -> None:
    """The money of one invoice, once. What cost nothing is not booked."""
    if invoice.charge is None or invoice.charge.amount_cents == 0:
        return
    if await uow.platform_charges.find(invoice.charge.charge_id) is not None:
        return
    charge = PlatformCharge(
        id=invoice.charge.charge_id,
        kind=ChargeKind.PLAN,
        user_id=subscription.user_id,
        amount_cents=invoice.charge.amount_cents,
        tax_cents=min(invoice.tax_cents, invoice.charge.amount_cents),
        currency=currency(invoice.charge.currency),
        invoice_id=invoice.invoice_id,
        subscription_id=subscription.id,
        paid_at=invoice.paid_at,
    )
    uow.platform_charges.add(charge)
    sold = platform_effects.plan_sale(
        charge_id=charge.id,
        currency=charge.currency,
        amount_cents=charge.amount_cents,
        tax_cents=charge.tax_cents,
        at=at,
    )
    await uow.ledger.post([sold])
    uow.outbox.add(
        RECORD_FEE, RecordFee(charge_id=charge.id), due_at=at + FEE_IS_KNOWN_AFTER, key=charge.id
    )


def _begun(
    state: SubscriptionState, user_id: UUID, subscription_id: UUID, *, at: datetime
) -> PlanSubscription:
    subscription = PlanSubscription(
        id=subscription_id,
        user_id=user_id,
        provider_id=state.provider_id,
        refresh_at=at,
        created_at=at,
        updated_at=at,
        **_snapshot(state)._asdict(),
    )
    subscription.hear(_snapshot(state), at=at)
    return subscription


def _snapshot(state: SubscriptionState) -> Snapshot:
    return Snapshot(
        plan=state.plan,
        plan_version=state.plan_version,
        interval=state.interval,
        status=state.status,
        period_start=state.period_start,
        period_end=state.period_end,
        cancel_at_period_end=state.cancel_at_period_end,
    )
