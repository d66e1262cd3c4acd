"""Subscribe to a plan: pages of the payment provider, and what the user has.

A user has one open page at a time, so that nobody pays for two plans; who has a subscription
changes it in the provider's portal.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from application.billing.customers import customer_of
from application.billing.purchases import PAGE_LIFE, PageOpened
from application.ledger.payees import BrowserUrl
from application.ports.billing import Billing, PlanRequest
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.studio.plans import (
    OFFERED,
    PLAN_CURRENCY,
    Allowance,
    Interval,
    PlanName,
    PlanSubscription,
    SubscriptionStatus,
    allowance_under,
    best_of,
)
from domain.studio.subscribing import (
    AlreadySubscribed,
    CheckoutPending,
    PlanCheckout,
    PlanCheckoutStatus,
    PlanNotSold,
)

ASK_AGAIN = timedelta(minutes=10)


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plan: PlanName
    interval: Interval = Interval.MONTH
    success_url: BrowserUrl
    cancel_url: BrowserUrl


class OpenPortal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    return_url: BrowserUrl


class PortalOpened(msgspec.Struct, frozen=True, kw_only=True):
    url: str


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan allows and costs. `clean_copies`: without a watermark, and without an order."""

    name: PlanName
    daily_credits: int
    concurrent_jobs: int
    storage_bytes: int
    clean_copies: bool
    price_month_cents: int
    price_year_cents: int
    currency: str


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """`plan` is what the user has now, `status` the provider's word of the subscription: None for
    who has none. A plan that is past due is had until `grace_ends`."""

    plan: PlanName
    status: SubscriptionStatus | None
    interval: Interval | None
    period_end: datetime | None
    cancel_at_period_end: bool
    grace_ends: datetime | None
    daily_credits: int
    concurrent_jobs: int
    storage_bytes: int
    clean_copies: bool
    plans: Annotated[
        Sequence[PlanView], msgspec.Meta(description="What is sold today, the free one first.")
    ]


async def read_subscription(*, actor: Actor, uow: UnitOfWork, clock: Clock) -> SubscriptionView:
    now = clock.now()
    async with uow:
        found = await uow.plan_subscriptions.standing(actor.user_id)
    shown = best_of(found, now) or next(iter(reversed(found)), None)
    return _view(allowance_under(found, now), shown)


async def start_subscription(
    command: Subscribe,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    billing: Billing,
    clock: Clock,
    ids: Ids,
) -> PageOpened:
    """Raises PlanNotSold, AlreadySubscribed, CheckoutPending, provider errors."""
    plan = OFFERED[command.plan]
    if plan.name is PlanName.FREE:
        raise PlanNotSold("The free plan is everybody's.")
    customer_id = await customer_of(actor, uow=uow, billing=billing, clock=clock)
    await _give_up_others(command, request_key, actor=actor, uow=uow, billing=billing)
    now = clock.now()
    async with uow:
        await uow.billing_customers.get(actor.user_id, lock=True)
        standing = await uow.plan_subscriptions.standing(actor.user_id)
        if any(one.status is not SubscriptionStatus.INCOMPLETE for one in standing):
            raise AlreadySubscribed("You have a subscription: change it in the portal.")
        checkout = await uow.plan_checkouts.open_of(actor.user_id)
        if checkout is None:
            checkout = PlanCheckout(
                id=ids.new(),
                user_id=actor.user_id,
                request_key=request_key,
                plan=plan.name,
                plan_version=plan.version,
                interval=command.interval,
                created_at=now,
                expires_at=now.replace(microsecond=0) + PAGE_LIFE,
                ask_at=now + ASK_AGAIN,
            )
            uow.plan_checkouts.add(checkout)
            await uow.commit()
        elif not _same(checkout, command, request_key):
            raise CheckoutPending("Another page of a plan was opened at this moment.")
    if checkout.url is not None:
        return PageOpened(id=checkout.id, url=checkout.url)
    page = await billing.sell_plan(
        PlanRequest(
            checkout_id=checkout.id,
            customer_id=customer_id,
            plan=plan.name,
            plan_version=plan.version,
            interval=command.interval,
            amount_cents=plan.price_cents(command.interval),
            currency=PLAN_CURRENCY,
            success_url=command.success_url,
            cancel_url=command.cancel_url,
            expires_at=checkout.expires_at,
        )
    )
    async with uow:
        stored = await uow.plan_checkouts.get(checkout.id, lock=True)
        stored.session_id, stored.url = page.session_id, page.url
        await uow.commit()
    return PageOpened(id=checkout.id, url=page.url)


async def open_portal(
    command: OpenPortal, *, actor: Actor, uow: UnitOfWork, billing: Billing, clock: Clock
) -> PortalOpened:
    """Raises provider errors."""
    customer_id = await customer_of(actor, uow=uow, billing=billing, clock=clock)
    url = await billing.portal(customer_id=customer_id, return_url=command.return_url)
    return PortalOpened(url=url)


async def _give_up_others(
    command: Subscribe, request_key: str, *, actor: Actor, uow: UnitOfWork, billing: Billing
) -> None:
    """Close the page of another wish, unless it was paid. Raises CheckoutPending."""
    async with uow:
        other = await uow.plan_checkouts.open_of(actor.user_id)
    if other is None or _same(other, command, request_key):
        return
    if other.session_id is not None:
        await billing.close_page(other.session_id)
        if (await billing.page_state(other.session_id)).status == "complete":
            raise CheckoutPending("Another page of a plan was just paid: look again in a moment.")
    async with uow:
        stored = await uow.plan_checkouts.get(other.id, lock=True)
        if stored.is_open and stored.session_id == other.session_id:
            stored.status = PlanCheckoutStatus.EXPIRED
            await uow.commit()


def _same(checkout: PlanCheckout, command: Subscribe, request_key: str) -> bool:
    wished = (command.plan, command.interval, request_key)
    return (checkout.plan, checkout.interval, checkout.request_key) == wished


def _view(allowed: Allowance, subscription: PlanSubscription | None) -> SubscriptionView:
    return SubscriptionView(
        plan=allowed.plan,
        status=subscription.status if subscription else None,
        interval=subscription.interval if subscription else None,
        period_end=subscription.period_end if subscription else None,
        cancel_at_period_end=subscription is not None and subscription.cancel_at_period_end,
        grace_ends=subscription.grace_ends if subscription else None,
        daily_credits=allowed.daily_credits,
        concurrent_jobs=allowed.concurrent_jobs,
        storage_bytes=allowed.storage_bytes,
        clean_copies=allowed.clean,
        plans=[
            PlanView(
                name=plan.name,
                daily_credits=plan.daily_credits,
                concurrent_jobs=plan.concurrent_jobs,
                storage_bytes=plan.storage_bytes,
                clean_copies=plan.clean,
                price_month_cents=plan.price_month_cents,
                price_year_cents=plan.price_year_cents,
                currency=PLAN_CURRENCY,
            )
            for plan in OFFERED.values()
        ],
    )
