"""Buy credits: a page of the payment provider, and one way in which what was paid there arrives.

The purchase is committed before its page is opened. Webhook and sweep end in `settle_purchase`,
which asks the provider how the page stands: paid, the credits come and the money is booked once.
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.billing.customers import customer_of
from application.billing.tax_reports import REPORT_CREDIT_SALE, ReportCreditSale
from application.ledger.fees import RECORD_FEE, RecordFee
from application.ledger.payees import BrowserUrl
from application.ports.billing import Billing, BillingPage, PaidCharge, PurchaseRequest
from application.ports.clock import Clock
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.taxes import TaxableLine, TaxAddress, Taxes, TaxRequest
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger import platform_effects
from domain.studio.purchases import (
    PACKS,
    ChargeKind,
    CreditPack,
    CreditPurchase,
    PackUnknown,
    PlaceRequired,
    PlatformCharge,
    PurchaseStatus,
)

SETTLE_PURCHASE = "billing.settle_purchase"
PAGE_LIFE = timedelta(hours=1)
ASK_AGAIN = timedelta(minutes=10)
FEE_IS_KNOWN_AFTER = timedelta(minutes=1)


class SettlePurchase(msgspec.Struct, frozen=True, kw_only=True):
    purchase_id: UUID


class BillingPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the buyer is at home: tax depends on it."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", examples=["DE"])]
    state: Annotated[str, msgspec.Meta(max_length=20, examples=["CA"])] | None = None
    postal_code: Annotated[str, msgspec.Meta(max_length=20)] | None = None


class BuyCredits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pack` is the name of one of `GET /credits/prices`. `place` is required where tax is
    collected."""

    pack: str
    place: BillingPlace | None = None
    success_url: BrowserUrl
    cancel_url: BrowserUrl


class PageOpened(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser goes next."""

    id: UUID
    url: str


async def buy_credits(
    command: BuyCredits,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    billing: Billing,
    taxes: Taxes,
    address_required: bool,
    clock: Clock,
    ids: Ids,
) -> PageOpened:
    """Raises PackUnknown, KeyReused, PlaceRequired, provider errors. After
    Unavailable or OutcomeUnknown the same request may be made again."""
    pack = PACKS.get(command.pack)
    if pack is None:
        raise PackUnknown("There is no such pack.", fields={"pack": ["is not sold"]})
    async with uow:
        purchase = await uow.credit_purchases.by_request_key(actor.user_id, request_key)
    tax_cents, calculation_id = 0, None
    if purchase is None:
        tax_cents, calculation_id = await _tax(
            pack, command.place, taxes=taxes, address_required=address_required
        )
    now = clock.now()
    async with uow:
        purchase = await uow.credit_purchases.by_request_key(actor.user_id, request_key)
        if purchase is None:
            purchase = CreditPurchase(
                id=ids.new(),
                user_id=actor.user_id,
                request_key=request_key,
                pack=pack.name,
                credits=pack.credits,
                amount_cents=pack.amount_cents,
                tax_cents=tax_cents,
                tax_calculation_id=calculation_id,
                currency=pack.currency,
                created_at=now,
                expires_at=now.replace(microsecond=0) + PAGE_LIFE,
                ask_at=now + ASK_AGAIN,
            )
            uow.credit_purchases.add(purchase)
            await uow.commit()
    if purchase.pack != command.pack:
        raise KeyReused
    if purchase.url is not None:
        return PageOpened(id=purchase.id, url=purchase.url)
    customer_id = await customer_of(actor, uow=uow, billing=billing, clock=clock)
    page = await _open(purchase, command, customer_id=customer_id, billing=billing)
    async with uow:
        stored = await uow.credit_purchases.get(purchase.id, lock=True)
        stored.session_id, stored.url = page.session_id, page.url
        await uow.commit()
    return PageOpened(id=purchase.id, url=page.url)


async def settle_purchase(
    purchase_id: UUID, *, uow: UnitOfWork, billing: Billing, clock: Clock
) -> None:
    """Ask how the page of a purchase stands, and do what follows. A page that is past its time is
    closed first. Raises PurchaseMismatch and provider errors."""
    async with uow:
        purchase = await uow.credit_purchases.get(purchase_id)
    if purchase.status is PurchaseStatus.PAID:
        return
    overdue = clock.now() >= purchase.expires_at
    if purchase.session_id is None:
        if overdue:
            await _expire(purchase_id, uow=uow)
        return
    state = await billing.page_state(purchase.session_id)
    if state.status == "open" and overdue:
        await billing.close_page(purchase.session_id)
        state = await billing.page_state(purchase.session_id)
    if state.paid is not None:
        await _pay(purchase_id, state.paid, uow=uow, clock=clock)
    elif state.status == "expired" or (state.status == "complete" and not state.processing):
        await _expire(purchase_id, uow=uow)


async def sweep_purchases(*, uow: UnitOfWork, clock: Clock, limit: int = 200) -> int:
    """Have the provider asked about the pages that are still open."""
    now = clock.now()
    async with uow:
        due = await uow.credit_purchases.claim_open(now=now, again_at=now + ASK_AGAIN, limit=limit)
        for purchase_id in due:
            uow.outbox.add(SETTLE_PURCHASE, SettlePurchase(purchase_id=purchase_id))
        await uow.commit()
    return len(due)


async def _tax(
    pack: CreditPack, place: BillingPlace | None, *, taxes: Taxes, address_required: bool
) -> tuple[int, str | None]:
    """On top, with no transaction open; and the provider's calculation, to be reported later."""
    if place is None:
        if address_required:
            raise PlaceRequired(
                "Say where you are at home: tax depends on it.", fields={"place": ["is required"]}
            )
        return 0, None
    line = TaxableLine(
        reference=pack.name, amount_cents=pack.amount_cents, shipping_cents=0, kind="digital"
    )
    quoted = await taxes.quote(
        TaxRequest(
            currency=pack.currency,
            lines=[line],
            ship_to=TaxAddress(
                country=place.country, state=place.state, postal_code=place.postal_code
            ),
        )
    )
    return quoted.tax_cents[pack.name], quoted.calculation_id


async def _open(
    purchase: CreditPurchase, command: BuyCredits, *, customer_id: str, billing: Billing
) -> BillingPage:
    return await billing.sell_credits(
        PurchaseRequest(
            purchase_id=purchase.id,
            customer_id=customer_id,
            title=f"{purchase.credits} credits",
            amount_cents=purchase.amount_cents,
            tax_cents=purchase.tax_cents,
            currency=purchase.currency,
            success_url=command.success_url,
            cancel_url=command.cancel_url,
            expires_at=purchase.expires_at,
        )
    )


async def _pay(purchase_id: UUID, paid: PaidCharge, *, uow: UnitOfWork, clock: Clock) -> None:
    now = clock.now()
    async with uow:
        purchase = await uow.credit_purchases.get(purchase_id, lock=True)
        new = purchase.pay(
            charge_id=paid.charge_id, amount_cents=paid.amount_cents, currency=paid.currency, at=now
        )
        if not new:
            return
        wallet = await uow.credits.wallet(purchase.user_id)
        wallet.buy(purchase.credits, purchase_id=purchase.id, at=now)
        await uow.credits.save(wallet)
        charge = PlatformCharge(
            id=paid.charge_id,
            kind=ChargeKind.CREDITS,
            user_id=purchase.user_id,
            amount_cents=paid.amount_cents,
            tax_cents=purchase.tax_cents,
            currency=purchase.currency,
            purchase_id=purchase.id,
            paid_at=now,
        )
        uow.platform_charges.add(charge)
        sold = platform_effects.credit_sale(
            charge_id=charge.id,
            currency=charge.currency,
            amount_cents=charge.amount_cents,
            tax_cents=charge.tax_cents,
            at=now,
        )
        await uow.ledger.post([sold])
        uow.outbox.add(
            RECORD_FEE,
            RecordFee(charge_id=charge.id),
            due_at=now + FEE_IS_KNOWN_AFTER,
            key=charge.id,
        )
        if purchase.tax_calculation_id is not None:
            uow.outbox.add(REPORT_CREDIT_SALE, ReportCreditSale(purchase_id=purchase.id))
        await uow.commit()


async def _expire(purchase_id: UUID, *, uow: UnitOfWork) -> None:
    async with uow:
        purchase = await uow.credit_purchases.get(purchase_id, lock=True)
        if purchase.status is PurchaseStatus.OPEN:
            purchase.status = PurchaseStatus.EXPIRED
            await uow.commit()
