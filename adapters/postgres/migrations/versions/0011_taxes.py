"""Orders know by which calculation of the tax provider they were taxed, and its report."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE orders
            ADD COLUMN tax_calculation_id TEXT,
            ADD COLUMN tax_report_id TEXT
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE orders
            DROP COLUMN tax_calculation_id,
            DROP COLUMN tax_report_id
    """)
