"""Approvals and quotas of every creator whose likeness a model shows."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE licence_decisions ADD COLUMN parties JSONB DEFAULT '[]' NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE licence_decisions DROP COLUMN parties")
