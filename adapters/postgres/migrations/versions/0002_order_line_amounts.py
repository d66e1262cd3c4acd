"""Order lines tell discounts, shipping and tax apart."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE order_lines
            ADD COLUMN discount_cents BIGINT DEFAULT '0' NOT NULL,
            ADD COLUMN platform_discount_cents BIGINT DEFAULT '0' NOT NULL,
            ADD COLUMN shipping_cents BIGINT DEFAULT '0' NOT NULL,
            ADD COLUMN tax_cents BIGINT DEFAULT '0' NOT NULL,
            DROP CONSTRAINT ck_order_lines_total_is_product,
            ADD CONSTRAINT ck_order_lines_total_is_sum CHECK (
                total_cents = unit_price_cents * quantity - discount_cents + shipping_cents
                    + tax_cents),
            ADD CONSTRAINT ck_order_lines_discount_within_price CHECK (
                0 <= platform_discount_cents AND platform_discount_cents <= discount_cents
                AND discount_cents <= unit_price_cents * quantity),
            ADD CONSTRAINT ck_order_lines_shipping_not_negative CHECK (shipping_cents >= 0),
            ADD CONSTRAINT ck_order_lines_tax_not_negative CHECK (tax_cents >= 0)
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE order_lines
            DROP COLUMN discount_cents,
            DROP COLUMN platform_discount_cents,
            DROP COLUMN shipping_cents,
            DROP COLUMN tax_cents,
            ADD CONSTRAINT ck_order_lines_total_is_product CHECK (
                total_cents = unit_price_cents * quantity)
    """)
