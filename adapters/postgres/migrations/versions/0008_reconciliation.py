"""The audit log, reconciliation with the payment provider, and the cursors of its sweeps."""

from alembic import op

revision = "0008"
down_revision = "0007"

_UP = """
CREATE TABLE audit_entries (
    id UUID NOT NULL,
    act TEXT NOT NULL,
    actor_id UUID,
    actor_name TEXT,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    before JSONB,
    after JSONB,
    address TEXT,
    request_id TEXT,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_audit_entries PRIMARY KEY (id),
    CONSTRAINT ck_audit_entries_act_is_object_and_verb CHECK (act ~ '^[a-z_]+\\.[a-z_]+$'),
    CONSTRAINT ck_audit_entries_one_actor CHECK ((actor_id IS NULL) <> (actor_name IS NULL))
);

CREATE INDEX ix_audit_entries_occurred_at_id ON audit_entries (occurred_at, id);

CREATE INDEX ix_audit_entries_object_kind_object_id_occurred_at_id
ON audit_entries (object_kind, object_id, occurred_at, id);

CREATE INDEX ix_audit_entries_actor_id_occurred_at_id
ON audit_entries (actor_id, occurred_at, id);

CREATE INDEX ix_audit_entries_act_occurred_at_id ON audit_entries (act, occurred_at, id);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: what was done stays done', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_entries_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""

_DOWN = """
DROP TABLE audit_entries;

DROP FUNCTION audit_is_append_only;
"""


def upgrade() -> None:
    _run(_UP)


def downgrade() -> None:
    _run(_DOWN)


def _run(script: str) -> None:
    for statement in script.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
