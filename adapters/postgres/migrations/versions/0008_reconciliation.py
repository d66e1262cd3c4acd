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

CREATE TABLE provider_movements (
    id TEXT NOT NULL,
    movement TEXT NOT NULL,
    source TEXT NOT NULL,
    our_id UUID,
    amount_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_provider_movements PRIMARY KEY (id, movement)
);

CREATE INDEX ix_provider_movements_movement_source ON provider_movements (movement, source);

CREATE INDEX ix_provider_movements_at_id_movement ON provider_movements (at, id, movement);

CREATE TABLE reconciliation_runs (
    id UUID NOT NULL,
    day DATE NOT NULL,
    phase TEXT NOT NULL,
    cursor TEXT,
    attempt INTEGER NOT NULL,
    their_count INTEGER NOT NULL,
    our_count INTEGER NOT NULL,
    pending_count INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_reconciliation_runs PRIMARY KEY (id),
    CONSTRAINT uq_reconciliation_runs_day UNIQUE (day),
    CONSTRAINT ck_reconciliation_runs_done_is_finished
        CHECK ((phase = 'done') = (finished_at IS NOT NULL))
);

CREATE TABLE reconciliation_differences (
    id UUID NOT NULL,
    run_id UUID NOT NULL,
    movement TEXT NOT NULL,
    source TEXT NOT NULL,
    currency TEXT NOT NULL,
    fault TEXT NOT NULL,
    our_id UUID,
    effect_key TEXT,
    our_cents BIGINT,
    their_cents BIGINT,
    sentence TEXT NOT NULL,
    state TEXT NOT NULL,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    explained_at TIMESTAMP WITH TIME ZONE,
    explained_by UUID,
    explanation TEXT,
    CONSTRAINT pk_reconciliation_differences PRIMARY KEY (id),
    CONSTRAINT fk_reconciliation_differences_run_id FOREIGN KEY (run_id)
        REFERENCES reconciliation_runs (id),
    CONSTRAINT uq_reconciliation_differences_movement_source_currency
        UNIQUE (movement, source, currency),
    CONSTRAINT ck_reconciliation_differences_resolved_when
        CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
    CONSTRAINT ck_reconciliation_differences_explained_by_somebody CHECK (
        state <> 'explained' OR (explained_by IS NOT NULL AND explanation IS NOT NULL))
);

CREATE INDEX ix_reconciliation_differences_run_id_id ON reconciliation_differences (run_id, id);

CREATE INDEX ix_reconciliation_differences_unresolved ON reconciliation_differences (id)
WHERE state <> 'resolved';

CREATE TABLE invariant_results (
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    result JSONB NOT NULL,
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invariant_results PRIMARY KEY (name)
);

CREATE TABLE sweep_cursors (
    sweep TEXT NOT NULL,
    reached_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sweep_cursors PRIMARY KEY (sweep)
);

CREATE INDEX ix_transfers_intended ON transfers (created_at) WHERE state = 'intended';

CREATE INDEX ix_orders_paid ON orders (paid_at) WHERE payment_status = 'paid';
"""

_DOWN = """
DROP INDEX ix_orders_paid;

DROP INDEX ix_transfers_intended;

DROP TABLE sweep_cursors;

DROP TABLE invariant_results;

DROP TABLE reconciliation_differences;

DROP TABLE reconciliation_runs;

DROP TABLE provider_movements;

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
