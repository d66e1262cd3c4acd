"""Approvals and quotas of every creator whose likeness a model shows; outputs that come back."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE assets ADD COLUMN uploaded_sha256 TEXT")
    op.execute("CREATE INDEX ix_assets_output ON assets (sha256) WHERE purpose = 'generation'")
    op.execute("ALTER TABLE licence_decisions ADD COLUMN parties JSONB DEFAULT '[]' NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE licence_decisions DROP COLUMN parties")
    op.execute("DROP INDEX ix_assets_output")
    op.execute("ALTER TABLE assets DROP COLUMN uploaded_sha256")
