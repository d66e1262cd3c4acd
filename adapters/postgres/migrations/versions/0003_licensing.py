"""Decisions say where they were taken, and under which sublicence."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE licence_decisions
            ADD COLUMN point TEXT,
            ADD COLUMN sublicence JSONB
    """)
    op.execute("""
        UPDATE licence_decisions
        SET point = CASE use ->> 'action' WHEN 'train' THEN 'training' ELSE 'generation' END
    """)
    op.execute("ALTER TABLE licence_decisions ALTER COLUMN point SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE licence_decisions DROP COLUMN point, DROP COLUMN sublicence")
