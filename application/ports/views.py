"""The read side: questions that are answered from storage straight into what is shown."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.catalogue.product import ProductStatus
from domain.ledger.earning import ReversalState, TransferState
from domain.licensing.terms import ProductType
from domain.ordering.address import Address
from domain.ordering.order import (
    DeliveryHold,
    DisputeState,
    FulfilmentState,
    OrderStatus,
    PaymentStatus,
    RefundState,
)
from domain.ordering.refund import LineRefund, RefundStatus
from domain.ordering.split import Leg


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What of the pending money becomes available on a day (UTC)."""

    on: date
    amount_cents: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """A payee's money in one currency. `available_cents` below zero is owed to the platform:
    `owed_cents` says it again, `owed_since` since when. `releases` tell on which day what is
    pending becomes available; `currencies` are all in which there is a balance."""

    available_cents: int
    pending_cents: int
    reserved_cents: int
    disputed_cents: int
    lifetime_cents: int
    owed_cents: int
    owed_since: datetime | None
    currency: str
    currencies: list[str]
    releases: list[Release]


class BalanceViews(Protocol):
    async def balance(self, payee_id: UUID, *, currency: str | None) -> Balance:
        """In `currency`, or the one in which the payee earned most; zeroes where there is none."""
        ...


class OrderLineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A line with what decides who may see it."""

    id: UUID
    product_id: UUID
    store_id: UUID
    creator_id: UUID
    creator_user_id: UUID
    asset_id: UUID
    product_type: ProductType
    title: str
    unit_price_cents: int
    quantity: int
    discount_cents: int
    shipping_cents: int
    tax_cents: int
    total_cents: int
    refunded_cents: int
    refunded_quantity: int
    returned_cents: int
    disputed_cents: int
    lost_cents: int
    terms_id: UUID
    terms_version: int
    terms_hash: str
    legs: tuple[Leg, ...]


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    buyer_id: UUID | None
    currency: str
    payment_status: PaymentStatus
    dispute_status: DisputeState
    fulfilment_status: FulfilmentState
    cancelled_at: datetime | None
    checkout_url: str | None
    charge_id: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    lines: Sequence[OrderLineRecord]


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """`delivery_hold` is why goods that are paid must not be sent."""

    id: UUID
    status: OrderStatus
    payment_status: PaymentStatus
    fulfilment_status: FulfilmentState
    refund_status: RefundState
    dispute_status: DisputeState
    delivery_hold: DeliveryHold | None
    total_cents: int
    refunded_cents: int
    currency: str
    created_at: datetime
    paid_at: datetime | None


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever is given must hold. `held`: whether the goods must not be sent."""

    fulfilment: FulfilmentState | None = None
    dispute: DisputeState | None = None
    held: bool | None = None


EVERY_ORDER = OrderFilter()


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where goods go; `hold` is why they must not be sent, though they are paid."""

    address: Address
    hold: DeliveryHold | None


class RefundRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    order_id: UUID
    status: RefundStatus
    amount_cents: int
    currency: str
    reason: str
    lines: list[LineRefund]
    failure_reason: str | None
    settlement: str | None
    created_at: datetime


class ReversalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`refused`: the payee's account could not give it, and its next earnings will."""

    id: UUID
    refund_id: UUID | None
    dispute_id: UUID | None
    amount_cents: int
    status: ReversalState
    provider_id: str | None
    created_at: datetime
    done_at: datetime | None


class TransferRecord(msgspec.Struct, frozen=True, kw_only=True):
    """`payee` is `creator:{id}` or `store:{id}`; `last_error` is why it is not sent yet."""

    id: UUID
    order_id: UUID
    payee_id: UUID
    payee: str
    amount_cents: int
    currency: str
    status: TransferState
    provider_id: str | None
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    reversals: list[ReversalRecord]


class FeeShare(msgspec.Struct, frozen=True, kw_only=True):
    """What a payee bears of the payment provider's fee."""

    payee_id: UUID
    amount_cents: int


class OrderViews(Protocol):
    async def fee_shares(self, order_id: UUID) -> list[FeeShare]:
        """By payee; none where the platform bears the fee, or does not know it yet."""
        ...

    async def order(self, order_id: UUID) -> OrderRecord:
        """Raises NotFound."""
        ...

    async def delivery(self, order_id: UUID) -> Delivery | None:
        """None while nobody has said where it goes."""
        ...

    async def of_buyer(
        self,
        buyer_id: UUID,
        *,
        before: UUID | None,
        limit: int,
        wanted: OrderFilter = EVERY_ORDER,
    ) -> list[OrderSummary]:
        """Newest first."""
        ...

    async def of_store(
        self,
        store_id: UUID,
        *,
        before: UUID | None,
        limit: int,
        wanted: OrderFilter = EVERY_ORDER,
    ) -> list[OrderSummary]:
        """Newest first; amounts are those of the store's own lines."""
        ...

    async def transfers(self, order_id: UUID) -> list[TransferRecord]: ...

    async def refunds(self, order_id: UUID) -> list[RefundRecord]:
        """Oldest first."""
        ...


class ListedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product as anybody sees it."""

    id: UUID
    store_id: UUID
    store_slug: str
    creator_id: UUID
    creator_slug: str
    product_type: ProductType
    title: str
    description: str
    price_cents: int
    currency: str
    available: int | None
    asset_id: UUID
    published_at: datetime


class StoreProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product as its store sees it in a list."""

    id: UUID
    creator_id: UUID
    generation_id: UUID
    product_type: ProductType
    title: str
    price_cents: int
    currency: str
    stock: int | None
    reserved: int
    status: ProductStatus
    created_at: datetime


class PublicCreator(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    display_name: str
    bio: str


class PublicStore(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    name: str
    description: str


class CatalogueViews(Protocol):
    async def on_sale(
        self,
        *,
        store_id: UUID | None,
        creator_id: UUID | None,
        product_type: ProductType | None,
        before: UUID | None,
        limit: int,
    ) -> list[ListedProduct]:
        """Active products, newest first."""
        ...

    async def listed(self, product_id: UUID) -> ListedProduct:
        """An active product. Raises NotFound."""
        ...

    async def of_store(
        self, store_id: UUID, *, before: UUID | None, limit: int
    ) -> list[StoreProduct]: ...

    async def creators(self, *, before: UUID | None, limit: int) -> list[PublicCreator]:
        """Published creators, newest first."""
        ...

    async def creator(self, slug: str) -> PublicCreator:
        """A published creator. Raises NotFound."""
        ...

    async def slug_taken(self, slug: str) -> bool: ...

    async def store(self, slug: str) -> PublicStore:
        """Raises NotFound."""
        ...
