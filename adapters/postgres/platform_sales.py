"""What users pay to the platform itself: purchases of credits, charges, refunds, and the customers
and pages on the way to a plan."""

from collections.abc import Collection, Sequence, Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.studio.plans import Interval, PlanName
from domain.studio.purchases import (
    ChargeKind,
    ChargeRefund,
    ChargeRefundStatus,
    CreditPurchase,
    PlatformCharge,
    PurchaseStatus,
)
from domain.studio.subscribing import (
    BillingCustomer,
    CheckoutPending,
    PlanCheckout,
    PlanCheckoutStatus,
)

credit_purchases = Table(
    "credit_purchases",
    metadata,
    id_column(),
    Column("user_id", Uuid, nullable=False),
    text("request_key"),
    text("pack"),
    Column("credits", BigInteger, nullable=False),
    cents("amount_cents"),
    cents("tax_cents"),
    text("currency"),
    enum_text("status", PurchaseStatus),
    text("session_id", nullable=True),
    text("url", nullable=True),
    text("charge_id", nullable=True),
    Column("taken_back", BigInteger, nullable=False),
    cents("refunded_cents"),
    Column("lost_credits", BigInteger, nullable=False),
    cents("lost_cents"),
    text("tax_calculation_id", nullable=True),
    text("tax_report_id", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("ask_at"),
    instant("paid_at", nullable=True),
    UniqueConstraint("user_id", "request_key"),
    UniqueConstraint("charge_id"),
    CheckConstraint(
        "credits > 0 AND amount_cents > 0 AND tax_cents >= 0", name="something_for_something"
    ),
    CheckConstraint(
        "taken_back >= 0 AND lost_credits >= 0 AND taken_back + lost_credits <= credits",
        name="taken_back_of_it",
    ),
    CheckConstraint(
        "refunded_cents BETWEEN 0 AND amount_cents + tax_cents"
        " AND lost_cents BETWEEN 0 AND amount_cents + tax_cents",
        name="refunded_of_it",
    ),
    CheckConstraint(
        "(status = 'paid') = (charge_id IS NOT NULL) AND (status = 'paid') = (paid_at IS NOT NULL)",
        name="paid_by_a_charge",
    ),
    Index("ix_credit_purchases_open", "ask_at", postgresql_where=sql("status = 'open'")),
)

platform_charges = Table(
    "platform_charges",
    metadata,
    text("id", primary_key=True),
    enum_text("kind", ChargeKind),
    Column("user_id", Uuid, nullable=False),
    cents("amount_cents"),
    cents("tax_cents"),
    text("currency"),
    Column("purchase_id", ForeignKey("credit_purchases.id"), nullable=True),
    text("invoice_id", nullable=True),
    Column(
        "subscription_id",
        ForeignKey("plan_subscriptions.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    ),
    cents("refunded_cents"),
    cents("contested_cents"),
    cents("out_cents"),
    instant("paid_at"),
    Index("ix_platform_charges_of_user", "user_id", "paid_at", "id"),
    UniqueConstraint("purchase_id"),
    UniqueConstraint("invoice_id"),
    CheckConstraint("amount_cents > 0", name="amount_positive"),
    CheckConstraint("tax_cents BETWEEN 0 AND amount_cents", name="tax_within"),
    CheckConstraint("refunded_cents BETWEEN 0 AND amount_cents", name="refunded_of_it"),
    CheckConstraint(
        "0 <= contested_cents AND contested_cents <= out_cents", name="contested_is_out"
    ),
    CheckConstraint(
        "(kind = 'credits') = (purchase_id IS NOT NULL)"
        " AND (kind = 'plan') = (invoice_id IS NOT NULL)",
        name="for_one_thing",
    ),
)

charge_refunds = Table(
    "charge_refunds",
    metadata,
    id_column(),
    Column("charge_id", ForeignKey("platform_charges.id"), nullable=False, index=True),
    Column("purchase_id", ForeignKey("credit_purchases.id"), nullable=True),
    cents("amount_cents"),
    cents("tax_cents"),
    text("currency"),
    Column("credits", BigInteger, nullable=False),
    enum_text("status", ChargeRefundStatus),
    text("provider_id", nullable=True),
    Column("requested_by", Uuid, nullable=True),
    text("reason"),
    instant("created_at"),
    instant("ended_at", nullable=True),
    UniqueConstraint("provider_id"),
    CheckConstraint("amount_cents > 0", name="amount_positive"),
    CheckConstraint("tax_cents BETWEEN 0 AND amount_cents", name="tax_within"),
    CheckConstraint("credits >= 0", name="credits_not_negative"),
)

billing_customers = Table(
    "billing_customers",
    metadata,
    id_column(),
    text("provider_id", nullable=True),
    instant("created_at"),
    instant("compare_at"),
    UniqueConstraint("provider_id"),
    Index(
        "ix_billing_customers_compare",
        "compare_at",
        postgresql_where=sql("provider_id IS NOT NULL"),
    ),
)

plan_checkouts = Table(
    "plan_checkouts",
    metadata,
    id_column(),
    Column("user_id", Uuid, nullable=False),
    text("request_key"),
    enum_text("plan", PlanName),
    Column("plan_version", Integer, nullable=False),
    enum_text("interval", Interval),
    enum_text("status", PlanCheckoutStatus),
    text("session_id", nullable=True),
    text("url", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("ask_at"),
    Index(
        "uq_plan_checkouts_open", "user_id", unique=True, postgresql_where=sql("status = 'open'")
    ),
    Index("ix_plan_checkouts_open", "ask_at", postgresql_where=sql("status = 'open'")),
)

on_violation(
    "uq_plan_checkouts_open",
    lambda: CheckoutPending("Another page of a plan was opened at this moment."),
)

mappers.map_imperatively(CreditPurchase, credit_purchases)
mappers.map_imperatively(PlatformCharge, platform_charges)
mappers.map_imperatively(ChargeRefund, charge_refunds)
mappers.map_imperatively(BillingCustomer, billing_customers)
mappers.map_imperatively(PlanCheckout, plan_checkouts)


async def _claim(
    session: AsyncSession, table: Table, *, now: datetime, again_at: datetime, limit: int
) -> Sequence[UUID]:
    due = (
        select(table.c.id)
        .where(table.c.status == "open", table.c.ask_at <= now)
        .order_by(table.c.ask_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = await session.scalars(
        update(table).where(table.c.id.in_(due)).values(ask_at=again_at).returning(table.c.id)
    )
    return claimed.all()


class PostgresCreditPurchases(PostgresRepository[CreditPurchase]):
    """See `application.ports.credits.CreditPurchases`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, CreditPurchase, kind="purchase of credits")

    async def by_request_key(self, user_id: UUID, request_key: str) -> CreditPurchase | None:
        return await self._one(
            select(CreditPurchase).where(
                credit_purchases.c.user_id == user_id, credit_purchases.c.request_key == request_key
            )
        )

    async def claim_open(self, *, now: datetime, again_at: datetime, limit: int) -> Sequence[UUID]:
        return await _claim(
            self._session, credit_purchases, now=now, again_at=again_at, limit=limit
        )


class PostgresPlatformCharges:
    """See `application.ports.credits.PlatformCharges`."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, charge_id: str, *, lock: bool = False) -> PlatformCharge | None:
        return await self._session.get(
            PlatformCharge, charge_id, with_for_update=lock or None, populate_existing=lock
        )

    def add(self, charge: PlatformCharge) -> None:
        self._session.add(charge)

    async def known_invoices(self, invoice_ids: Collection[str]) -> Set[str]:
        found = await self._session.scalars(
            select(platform_charges.c.invoice_id).where(
                platform_charges.c.invoice_id.in_(list(invoice_ids))
            )
        )
        return set(found)


class PostgresChargeRefunds(PostgresRepository[ChargeRefund]):
    """See `application.ports.credits.ChargeRefunds`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ChargeRefund, kind="refund")

    async def by_provider_id(self, provider_id: str) -> ChargeRefund | None:
        return await self._one(
            select(ChargeRefund).where(charge_refunds.c.provider_id == provider_id)
        )


class PostgresBillingCustomers(PostgresRepository[BillingCustomer]):
    """See `application.ports.credits.BillingCustomers`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, BillingCustomer, kind="customer")

    async def intend(self, customer: BillingCustomer) -> BillingCustomer:
        await self._session.execute(
            insert(billing_customers)
            .values(id=customer.id, created_at=customer.created_at, compare_at=customer.compare_at)
            .on_conflict_do_nothing()
        )
        return await self.get(customer.id, lock=True)

    async def by_provider_id(self, provider_id: str) -> BillingCustomer | None:
        return await self._one(
            select(BillingCustomer).where(billing_customers.c.provider_id == provider_id)
        )

    async def claim_comparable(
        self, *, now: datetime, again_at: datetime, limit: int
    ) -> Sequence[str]:
        customers = billing_customers.c
        due = (
            select(customers.id)
            .where(customers.provider_id.is_not(None), customers.compare_at <= now)
            .order_by(customers.compare_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = await self._session.scalars(
            update(billing_customers)
            .where(customers.id.in_(due))
            .values(compare_at=again_at)
            .returning(customers.provider_id)
        )
        return [provider_id for provider_id in claimed if provider_id]


class PostgresPlanCheckouts(PostgresRepository[PlanCheckout]):
    """See `application.ports.credits.PlanCheckouts`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, PlanCheckout, kind="checkout")

    async def open_of(self, user_id: UUID) -> PlanCheckout | None:
        return await self._one(
            select(PlanCheckout).where(
                plan_checkouts.c.user_id == user_id,
                plan_checkouts.c.status == PlanCheckoutStatus.OPEN,
            )
        )

    async def claim_open(self, *, now: datetime, again_at: datetime, limit: int) -> Sequence[UUID]:
        return await _claim(self._session, plan_checkouts, now=now, again_at=again_at, limit=limit)
