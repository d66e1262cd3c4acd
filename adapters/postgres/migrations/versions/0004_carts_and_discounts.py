"""Carts, discounts and their uses; orders of guests, of carts, with addresses and more states."""

from alembic import op

revision = "0004"
down_revision = "0003"

_UP = """
CREATE TABLE carts (
    id UUID NOT NULL,
    user_id UUID,
    items JSONB NOT NULL,
    codes JSONB NOT NULL,
    ship_to JSONB,
    order_id UUID,
    closed BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_carts PRIMARY KEY (id)
);

CREATE UNIQUE INDEX uq_carts_open_of_user ON carts (user_id)
WHERE user_id IS NOT NULL AND NOT closed;

CREATE TABLE discounts (
    id UUID NOT NULL,
    store_id UUID,
    code TEXT,
    title TEXT NOT NULL,
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    value BIGINT NOT NULL,
    currency TEXT,
    product_ids JSONB NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    usage_limit INTEGER,
    per_customer_limit INTEGER,
    used INTEGER NOT NULL,
    active BOOLEAN NOT NULL,
    archived BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_discounts PRIMARY KEY (id),
    CONSTRAINT fk_discounts_store_id FOREIGN KEY (store_id) REFERENCES stores (id),
    CONSTRAINT ck_discounts_value_positive CHECK (value > 0),
    CONSTRAINT ck_discounts_amount_has_currency
        CHECK ((kind = 'amount') = (currency IS NOT NULL)),
    CONSTRAINT ck_discounts_percent_within_whole CHECK (kind = 'amount' OR value <= 10000),
    CONSTRAINT ck_discounts_used_within_limit
        CHECK (used >= 0 AND (usage_limit IS NULL OR used <= usage_limit)),
    CONSTRAINT ck_discounts_limits_positive CHECK (usage_limit > 0 AND per_customer_limit > 0)
);

CREATE UNIQUE INDEX uq_discounts_store_id_code ON discounts (store_id, code)
WHERE store_id IS NOT NULL AND NOT archived;

CREATE UNIQUE INDEX uq_discounts_platform_code ON discounts (code)
WHERE store_id IS NULL AND NOT archived;

CREATE INDEX ix_discounts_store_id_id ON discounts (store_id, id);

CREATE TABLE discount_uses (
    discount_id UUID NOT NULL,
    order_id UUID NOT NULL,
    customer TEXT NOT NULL,
    CONSTRAINT pk_discount_uses PRIMARY KEY (discount_id, order_id),
    CONSTRAINT fk_discount_uses_discount_id FOREIGN KEY (discount_id) REFERENCES discounts (id)
);

CREATE INDEX ix_discount_uses_discount_id_customer ON discount_uses (discount_id, customer);

CREATE INDEX ix_discount_uses_order_id ON discount_uses (order_id);

ALTER TABLE stores ADD COLUMN shipping_options JSONB DEFAULT '[]' NOT NULL;

ALTER TABLE orders
    ALTER COLUMN buyer_id DROP NOT NULL,
    ADD COLUMN buyer_email TEXT,
    ADD COLUMN cart_id UUID,
    ADD COLUMN ship_to JSONB,
    ADD COLUMN ship_countries JSONB DEFAULT '[]' NOT NULL,
    ADD COLUMN shipping_option TEXT,
    ADD COLUMN fulfilment_status TEXT DEFAULT 'none' NOT NULL,
    ADD COLUMN cancelled_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_orders_somebody_buys CHECK (num_nonnulls(buyer_id, buyer_email) > 0);

CREATE UNIQUE INDEX uq_orders_guest_request_key ON orders (buyer_email, request_key)
WHERE buyer_id IS NULL;

CREATE UNIQUE INDEX uq_orders_live_of_cart ON orders (cart_id)
WHERE payment_status IN ('unpaid', 'processing', 'paid');

ALTER TABLE order_lines ADD COLUMN discounts JSONB DEFAULT '[]' NOT NULL;
"""

_DOWN = """
ALTER TABLE order_lines DROP COLUMN discounts;

DROP INDEX uq_orders_live_of_cart;

DROP INDEX uq_orders_guest_request_key;

ALTER TABLE orders
    DROP CONSTRAINT ck_orders_somebody_buys,
    DROP COLUMN buyer_email,
    DROP COLUMN cart_id,
    DROP COLUMN ship_to,
    DROP COLUMN ship_countries,
    DROP COLUMN shipping_option,
    DROP COLUMN fulfilment_status,
    DROP COLUMN cancelled_at,
    ALTER COLUMN buyer_id SET NOT NULL;

ALTER TABLE stores DROP COLUMN shipping_options;

DROP TABLE discount_uses;

DROP TABLE discounts;

DROP TABLE carts;
"""


def upgrade() -> None:
    _run(_UP)


def downgrade() -> None:
    _run(_DOWN)


def _run(script: str) -> None:
    for statement in script.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
