"""Every kind of event of a job, in the order in which it happened, and events of users' channels.

Events that are there already keep their numbers.
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    for statement in _UP.split("\n\n"):
        op.execute(statement)
    op.execute(_GUARD)
    for table in ("job_events", "user_events"):
        op.execute(
            f"CREATE TRIGGER {table}_stand BEFORE UPDATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION live_events_stand()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER job_events_stand ON job_events")
    for statement in _DOWN.split("\n\n"):
        op.execute(statement)


_UP = """
ALTER TABLE job_events ADD COLUMN event JSONB

UPDATE job_events SET event = jsonb_build_object(
    'type', 'job.progress', 'job_id', job_id, 'progress', progress,
    'current_step', current_step, 'status', status, 'seq', seq)

ALTER TABLE job_events
    ALTER COLUMN event SET NOT NULL,
    DROP COLUMN status,
    DROP COLUMN progress,
    DROP COLUMN current_step

CREATE INDEX ix_job_events_created_at ON job_events (created_at)

CREATE TABLE user_channels (
    user_id UUID NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    CONSTRAINT pk_user_channels PRIMARY KEY (user_id, kind),
    CONSTRAINT ck_user_channels_seq CHECK (seq > 0)
)

CREATE TABLE user_events (
    user_id UUID NOT NULL,
    kind TEXT NOT NULL,
    seq INTEGER NOT NULL,
    event JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_user_events PRIMARY KEY (user_id, kind, seq),
    CONSTRAINT ck_user_events_kind CHECK (kind IN ('generations', 'orders'))
)

CREATE INDEX ix_user_events_created_at ON user_events (created_at)
"""

_GUARD = """
CREATE FUNCTION live_events_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed' USING ERRCODE = 'check_violation';
END
$$
"""

_DOWN = """
DROP TABLE user_events

DROP TABLE user_channels

DROP FUNCTION live_events_stand

DROP INDEX ix_job_events_created_at

DELETE FROM job_events WHERE event ->> 'type' <> 'job.progress'

ALTER TABLE job_events
    ADD COLUMN status TEXT,
    ADD COLUMN progress INTEGER,
    ADD COLUMN current_step TEXT

UPDATE job_events SET
    status = event ->> 'status',
    progress = (event ->> 'progress')::integer,
    current_step = event ->> 'current_step'

ALTER TABLE job_events
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN progress SET NOT NULL,
    ALTER COLUMN current_step SET NOT NULL,
    DROP COLUMN event
"""
