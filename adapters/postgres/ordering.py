"""Orders and their lines: the tables, and what the database asserts of them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import relationship

from adapters.postgres.columns import JsonOf, enum_text, json_of
from adapters.postgres.encrypted import encrypted_json
from adapters.postgres.errors import on_violation
from adapters.postgres.legs import Legs
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from domain.licensing.decision import Decision
from domain.licensing.terms import ProductType
from domain.ordering.address import Address
from domain.ordering.cart import CartOrdered
from domain.ordering.order import (
    DeliveryHold,
    DisputeState,
    FulfilmentState,
    Order,
    OrderLine,
    PaymentStatus,
)
from domain.ordering.pricing import AppliedDiscount

orders = Table(
    "orders",
    metadata,
    id_column(),
    Column("buyer_id", Uuid, nullable=True),
    text("buyer_email", nullable=True),
    Column("cart_id", Uuid, nullable=True),
    text("request_key"),
    text("currency"),
    cents("total_cents", CheckConstraint("total_cents > 0", name="total_positive")),
    text("fees_version"),
    encrypted_json("ship_to", Address, nullable=True),
    Column("ship_countries", JsonOf(tuple[str, ...]), nullable=False, server_default="[]"),
    enum_text("delivery_hold", DeliveryHold, nullable=True),
    text("shipping_option", nullable=True),
    enum_text("payment_status", PaymentStatus),
    enum_text("fulfilment_status", FulfilmentState, server_default="none"),
    enum_text("dispute_status", DisputeState, server_default="none"),
    cents(
        "contested_cents",
        CheckConstraint("contested_cents >= 0", name="contested_not_negative"),
        server_default="0",
    ),
    text("session_id", nullable=True),
    text("checkout_url", nullable=True),
    text("payment_id", nullable=True),
    text("charge_id", nullable=True),
    instant("created_at"),
    instant("expires_at"),
    instant("reconcile_at"),
    instant("paid_at", nullable=True),
    instant("cancelled_at", nullable=True),
    text("tax_calculation_id", nullable=True),
    text("tax_report_id", nullable=True),
    UniqueConstraint("buyer_id", "request_key"),
    UniqueConstraint("session_id"),
    UniqueConstraint("charge_id"),
    CheckConstraint(
        "(payment_status = 'paid') = (charge_id IS NOT NULL AND paid_at IS NOT NULL)",
        name="paid_has_charge",
    ),
    CheckConstraint("num_nonnulls(buyer_id, buyer_email) > 0", name="somebody_buys"),
    CheckConstraint("delivery_hold IS NULL OR ship_to IS NOT NULL", name="held_has_address"),
    Index(None, "buyer_id", "id"),
    Index(
        "ix_orders_being_delivered",
        "fulfilment_status",
        "id",
        postgresql_where=sql("fulfilment_status <> 'none'"),
    ),
    Index(
        "ix_orders_disputed",
        "dispute_status",
        "id",
        postgresql_where=sql("dispute_status <> 'none'"),
    ),
    Index("ix_orders_held", "id", postgresql_where=sql("delivery_hold IS NOT NULL")),
    Index("ix_orders_paid_at", "paid_at", "id", postgresql_where=sql("payment_status = 'paid'")),
    Index(
        "uq_orders_guest_request_key",
        "buyer_email",
        "request_key",
        unique=True,
        postgresql_where=sql("buyer_id IS NULL"),
    ),
    Index(
        "uq_orders_live_of_cart",
        "cart_id",
        unique=True,
        postgresql_where=sql("payment_status IN ('unpaid', 'processing', 'paid')"),
    ),
    Index("ix_orders_paid", "paid_at", postgresql_where=sql("payment_status = 'paid'")),
    Index(
        "ix_orders_unended",
        "reconcile_at",
        postgresql_where=sql("payment_status IN ('unpaid', 'processing')"),
    ),
)

order_lines = Table(
    "order_lines",
    metadata,
    id_column(),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("store_id", Uuid, nullable=False),
    Column("creator_id", Uuid, nullable=False),
    Column("asset_id", Uuid, nullable=False),
    enum_text("product_type", ProductType),
    text("title"),
    cents("unit_price_cents"),
    Column("quantity", Integer, CheckConstraint("quantity > 0", name="some"), nullable=False),
    cents("discount_cents", server_default="0"),
    cents("platform_discount_cents", server_default="0"),
    cents(
        "shipping_cents",
        CheckConstraint("shipping_cents >= 0", name="shipping_not_negative"),
        server_default="0",
    ),
    cents(
        "tax_cents", CheckConstraint("tax_cents >= 0", name="tax_not_negative"), server_default="0"
    ),
    cents("total_cents"),
    Column("terms_id", Uuid, nullable=False),
    Column("terms_version", Integer, nullable=False),
    text("terms_hash"),
    json_of("decision", Decision),
    Column("stock_reserved", Boolean, nullable=False),
    Column("legs", Legs, nullable=False),
    Column("discounts", JsonOf(tuple[AppliedDiscount, ...]), nullable=False, server_default="[]"),
    cents("refunded_cents", server_default="0"),
    Column("refunded_quantity", Integer, nullable=False, server_default="0"),
    cents("returned_cents", server_default="0"),
    cents("disputed_cents", server_default="0"),
    cents("lost_cents", server_default="0"),
    UniqueConstraint("order_id", "position"),
    CheckConstraint(
        "total_cents = unit_price_cents * quantity - discount_cents + shipping_cents + tax_cents",
        name="total_is_sum",
    ),
    CheckConstraint(
        "0 <= platform_discount_cents AND platform_discount_cents <= discount_cents "
        "AND discount_cents <= unit_price_cents * quantity",
        name="discount_within_price",
    ),
    CheckConstraint("legs_total_cents(legs) = total_cents", name="legs_sum_to_total"),
    CheckConstraint(
        "0 <= returned_cents AND returned_cents <= refunded_cents "
        "AND refunded_cents <= total_cents",
        name="refunds_within_total",
    ),
    CheckConstraint(
        "0 <= disputed_cents AND 0 <= lost_cents "
        "AND returned_cents + lost_cents + disputed_cents <= total_cents",
        name="disputes_within_total",
    ),
    CheckConstraint(
        "0 <= refunded_quantity AND refunded_quantity <= quantity", name="refunds_within_quantity"
    ),
    Index(None, "store_id", "order_id"),
    Index(None, "creator_id", "order_id"),
    Index(None, "product_id"),
)

on_violation(
    "uq_orders_live_of_cart", lambda: CartOrdered("An order of this cart is not over yet.")
)

order_news = Table(
    "order_news",
    metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    text("told"),
)
"""How each order stood when it was told last."""

mappers.map_imperatively(OrderLine, order_lines)
mappers.map_imperatively(
    Order,
    orders,
    properties={"lines": relationship(OrderLine, lazy="raise", order_by=order_lines.c.position)},
)
