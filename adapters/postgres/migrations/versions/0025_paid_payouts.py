"""When payouts that were paid are asked about again: a bank may still send one back."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute("ALTER TABLE payouts ADD COLUMN look_again_at TIMESTAMP WITH TIME ZONE")
    op.execute(
        "ALTER TABLE payouts ADD CONSTRAINT ck_payouts_looked_at_again_when_paid "
        "CHECK (look_again_at IS NULL OR state = 'paid')"
    )
    op.execute(
        "CREATE INDEX ix_payouts_look_again_at ON payouts (look_again_at) "
        "WHERE look_again_at IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE payouts DROP COLUMN look_again_at")
