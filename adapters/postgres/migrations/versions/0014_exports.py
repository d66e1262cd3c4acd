"""Exports that were asked for, and where they are kept."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute("CREATE INDEX ix_exports_expires_at ON exports (expires_at)")


def downgrade() -> None:
    op.execute("DROP TABLE exports")


_TABLE = """
CREATE TABLE exports (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    since DATE NOT NULL,
    until DATE NOT NULL,
    payee_id UUID,
    requested_by UUID NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    files JSONB NOT NULL,
    failure TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_exports PRIMARY KEY (id),
    CONSTRAINT ck_exports_spans_days CHECK (until > since),
    CONSTRAINT ck_exports_finished_expires CHECK (
        (state IN ('ready', 'failed')) = (finished_at IS NOT NULL)
        AND (finished_at IS NULL) = (expires_at IS NULL)),
    CONSTRAINT ck_exports_failed_says_why CHECK (state <> 'failed' OR failure IS NOT NULL),
    CONSTRAINT ck_exports_ready_has_files
        CHECK (state <> 'ready' OR jsonb_array_length(files) > 0)
)
"""
