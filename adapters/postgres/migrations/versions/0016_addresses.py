"""Orders whose goods are held, lists of orders by what became of them, prices in steps.

Addresses are encrypted from here on by what writes them: the columns stay, and what is in them in
clear is read until it is written again. What is on sale at a price that cannot be charged goes off
sale: its store sets another.
"""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for statement in _UP.split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN.split("\n\n"):
        op.execute(statement)


_UP = """
ALTER TABLE orders
    ADD COLUMN delivery_hold TEXT,
    ADD CONSTRAINT ck_orders_held_has_address
        CHECK (delivery_hold IS NULL OR ship_to IS NOT NULL)

UPDATE products SET status = 'inactive'
    WHERE (status IN ('active', 'out_of_stock') OR (status = 'suspended' AND frozen_for IS NULL))
        AND price_cents % 10 <> 0 AND currency IN ('bhd', 'jod', 'kwd', 'omr', 'tnd')

ALTER TABLE products
    ADD CONSTRAINT ck_products_listed_price_in_steps CHECK (
        status NOT IN ('active', 'out_of_stock') OR price_cents % 10 = 0
        OR currency NOT IN ('bhd', 'jod', 'kwd', 'omr', 'tnd'))

CREATE INDEX ix_orders_being_delivered ON orders (fulfilment_status, id)
    WHERE fulfilment_status <> 'none'

CREATE INDEX ix_orders_disputed ON orders (dispute_status, id) WHERE dispute_status <> 'none'

CREATE INDEX ix_orders_held ON orders (id) WHERE delivery_hold IS NOT NULL
"""

_DOWN = """
DROP INDEX ix_orders_held

DROP INDEX ix_orders_disputed

DROP INDEX ix_orders_being_delivered

ALTER TABLE products DROP CONSTRAINT ck_products_listed_price_in_steps

ALTER TABLE orders DROP COLUMN delivery_hold
"""
