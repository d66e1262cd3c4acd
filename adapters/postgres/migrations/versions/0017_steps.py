"""Steps of jobs, their attempts, and who waits for which provider.

Jobs that are there already get the two steps that they had all along. What is under way goes on
with the attempt that it has; its output may be told twice, which is harmless.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

_OPEN = "'accepted', 'moderated', 'reserved', 'queued', 'running', 'ingesting'"
_OPEN_BEFORE = "'accepted', 'queued', 'running', 'ingesting'"


def upgrade() -> None:
    for statement in _UP.split("\n\n"):
        op.execute(statement.replace("OPEN_STATUSES", _OPEN))


def downgrade() -> None:
    for statement in _DOWN.split("\n\n"):
        op.execute(statement.replace("OPEN_STATUSES", _OPEN_BEFORE))


_UP = """
UPDATE jobs SET kind = 'image' WHERE kind = 'generation'

ALTER TABLE jobs
    ADD COLUMN priority INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 1,
    ADD CONSTRAINT ck_jobs_concurrency CHECK (concurrency > 0),
    DROP CONSTRAINT ck_jobs_finished,
    ADD CONSTRAINT ck_jobs_finished CHECK (
        (finished_at IS NULL) = (status IN (OPEN_STATUSES)))

DROP INDEX ix_jobs_open

CREATE INDEX ix_jobs_open ON jobs (expires_at) WHERE status IN (OPEN_STATUSES)

CREATE INDEX ix_jobs_started ON jobs (owner_id)
    WHERE status IN ('queued', 'running', 'ingesting')

CREATE TABLE steps (
    id UUID NOT NULL,
    job_id UUID NOT NULL,
    position INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    type TEXT NOT NULL,
    request TEXT,
    status TEXT NOT NULL,
    progress INTEGER NOT NULL,
    input_hash TEXT,
    results JSONB NOT NULL,
    result_ids JSONB NOT NULL,
    ready_at TIMESTAMP WITH TIME ZONE,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    error_code TEXT,
    credits INTEGER NOT NULL DEFAULT 0,
    charged BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT pk_steps PRIMARY KEY (id),
    CONSTRAINT uq_steps_job_id_position UNIQUE (job_id, position),
    CONSTRAINT ck_steps_progress CHECK (progress BETWEEN 0 AND 100),
    CONSTRAINT ck_steps_credits CHECK (credits >= 0),
    CONSTRAINT ck_steps_charged_is_done CHECK (NOT charged OR status = 'succeeded'),
    CONSTRAINT ck_steps_ready CHECK ((ready_at IS NOT NULL) = (status = 'ready')),
    CONSTRAINT ck_steps_turn_of_engine CHECK (status <> 'ready' OR request IS NOT NULL),
    CONSTRAINT fk_steps_job_id FOREIGN KEY (job_id) REFERENCES jobs (id)
        DEFERRABLE INITIALLY DEFERRED
)

CREATE INDEX ix_steps_ready ON steps (ready_at) WHERE status = 'ready'

INSERT INTO steps (id, job_id, position, stage, lane, type, request, status, progress,
                   input_hash, results, result_ids, started_at, finished_at)
SELECT gen_random_uuid(), j.id, 0, 0, 0,
       CASE j.kind WHEN 'training' THEN 'training' ELSE 'image_generation' END,
       CASE WHEN j.kind = 'training' THEN 'train_likeness'
            WHEN g.mode = 'photo' THEN 'photo_to_image'
            ELSE 'text_to_image' END,
       CASE j.status WHEN 'succeeded' THEN 'succeeded'
                     WHEN 'failed' THEN 'failed'
                     WHEN 'cancelled' THEN 'cancelled'
                     WHEN 'expired' THEN 'cancelled'
                     WHEN 'ingesting' THEN 'ingesting'
                     ELSE 'running' END,
       CASE WHEN j.status IN ('succeeded', 'ingesting') THEN 100 ELSE 0 END,
       CASE WHEN j.finished_at IS NULL THEN '' END,
       '[]', '[]', j.created_at, j.finished_at
FROM jobs j LEFT JOIN generations g ON g.id = j.id

INSERT INTO steps (id, job_id, position, stage, lane, type, request, status, progress,
                   input_hash, results, result_ids, started_at, finished_at)
SELECT gen_random_uuid(), j.id, 1, 1, 0,
       CASE j.kind WHEN 'training' THEN 'storing' ELSE 'post_processing' END,
       NULL,
       CASE WHEN j.status = 'succeeded' THEN 'succeeded'
            WHEN j.finished_at IS NULL THEN 'waiting'
            ELSE 'cancelled' END,
       CASE j.status WHEN 'succeeded' THEN 100 ELSE 0 END,
       NULL, '[]', '[]', NULL, j.finished_at
FROM jobs j

ALTER TABLE steps ALTER COLUMN credits DROP DEFAULT, ALTER COLUMN charged DROP DEFAULT

ALTER TABLE attempts
    DROP CONSTRAINT ck_attempts_submitted,
    DROP CONSTRAINT ck_attempts_request_of_provider,
    DROP CONSTRAINT uq_attempts_job_id_round_number,
    ADD COLUMN step_id UUID,
    ADD COLUMN model TEXT NOT NULL DEFAULT '',
    ADD COLUMN input_hash TEXT NOT NULL DEFAULT '',
    ADD COLUMN outputs JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN billed_units DOUBLE PRECISION,
    ADD COLUMN failure TEXT

UPDATE attempts a SET
    step_id = s.id,
    provider = coalesce(a.provider, ''),
    outputs = (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'url', url, 'key', NULL, 'content_type', NULL, 'flagged', false)), '[]')
        FROM (
            SELECT jsonb_array_elements_text(a.output_urls) AS url
            UNION ALL SELECT a.weights_url WHERE a.weights_url IS NOT NULL
        ) made)
FROM steps s WHERE s.job_id = a.job_id AND s.position = 0

SET CONSTRAINTS ALL IMMEDIATE

ALTER TABLE attempts
    ALTER COLUMN step_id SET NOT NULL,
    ALTER COLUMN provider SET NOT NULL,
    ALTER COLUMN model DROP DEFAULT,
    ALTER COLUMN input_hash DROP DEFAULT,
    ALTER COLUMN outputs DROP DEFAULT,
    DROP COLUMN output_urls,
    DROP COLUMN weights_url,
    DROP COLUMN asset_ids,
    ADD CONSTRAINT uq_attempts_step_id_round_number UNIQUE (step_id, round, number),
    ADD CONSTRAINT ck_attempts_submitted CHECK (
        request_id IS NULL OR submitted_at IS NOT NULL),
    ADD CONSTRAINT fk_attempts_step_id FOREIGN KEY (step_id) REFERENCES steps (id)
        DEFERRABLE INITIALLY DEFERRED

CREATE INDEX ix_attempts_job_id ON attempts (job_id)

CREATE INDEX ix_attempts_in_flight ON attempts (provider)
    WHERE status IN ('planned', 'submitting', 'unknown', 'active')

CREATE TABLE studio_turns (
    user_id UUID NOT NULL,
    served_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_studio_turns PRIMARY KEY (user_id)
)

CREATE TABLE engine_circuits (
    id UUID NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    failures INTEGER NOT NULL,
    counted_since TIMESTAMP WITH TIME ZONE,
    open_until TIMESTAMP WITH TIME ZONE,
    probed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_engine_circuits PRIMARY KEY (id),
    CONSTRAINT uq_engine_circuits_provider_model UNIQUE (provider, model)
)

ALTER TABLE generations
    ALTER COLUMN model_id DROP NOT NULL,
    ADD COLUMN kind TEXT NOT NULL DEFAULT 'image',
    ADD COLUMN source_asset_id UUID,
    ADD COLUMN audio_asset_id UUID,
    ADD COLUMN speech JSONB,
    ADD COLUMN motion JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN count INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN project_id UUID,
    ADD COLUMN preset_id UUID,
    ADD COLUMN template_id UUID,
    ADD COLUMN clean_for_owner BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN deleted_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_generations_count CHECK (count BETWEEN 1 AND 4),
    ADD CONSTRAINT ck_generations_kind CHECK (kind <> 'training')

ALTER TABLE generations
    ALTER COLUMN kind DROP DEFAULT,
    ALTER COLUMN motion DROP DEFAULT,
    ALTER COLUMN clean_for_owner DROP DEFAULT,
    ALTER COLUMN count DROP DEFAULT

CREATE INDEX ix_generations_project ON generations (project_id, created_at, id)
    WHERE project_id IS NOT NULL
"""

_DOWN = """
DROP INDEX ix_generations_project

ALTER TABLE generations
    DROP CONSTRAINT ck_generations_kind,
    DROP CONSTRAINT ck_generations_count,
    DROP COLUMN deleted_at,
    DROP COLUMN clean_for_owner,
    DROP COLUMN template_id,
    DROP COLUMN preset_id,
    DROP COLUMN project_id,
    DROP COLUMN count,
    DROP COLUMN motion,
    DROP COLUMN speech,
    DROP COLUMN audio_asset_id,
    DROP COLUMN source_asset_id,
    DROP COLUMN kind,
    ALTER COLUMN model_id SET NOT NULL

DROP TABLE engine_circuits

DROP TABLE studio_turns

DROP INDEX ix_attempts_in_flight

DROP INDEX ix_attempts_job_id

DELETE FROM attempts a USING steps s WHERE s.id = a.step_id AND s.position > 0

ALTER TABLE attempts
    ADD COLUMN output_urls JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN weights_url TEXT,
    ADD COLUMN asset_ids JSONB NOT NULL DEFAULT '[]',
    DROP CONSTRAINT ck_attempts_submitted,
    DROP CONSTRAINT uq_attempts_step_id_round_number,
    DROP CONSTRAINT fk_attempts_step_id,
    ALTER COLUMN provider DROP NOT NULL

UPDATE attempts SET provider = NULL WHERE submitted_at IS NULL

UPDATE attempts a SET
    output_urls = CASE j.kind WHEN 'training' THEN '[]' ELSE (
        SELECT coalesce(jsonb_agg(made -> 'url'), '[]')
        FROM jsonb_array_elements(a.outputs) made) END,
    weights_url = CASE j.kind WHEN 'training' THEN a.outputs -> 0 ->> 'url' END
FROM jobs j WHERE j.id = a.job_id

SET CONSTRAINTS ALL IMMEDIATE

ALTER TABLE attempts
    ALTER COLUMN output_urls DROP DEFAULT,
    ALTER COLUMN asset_ids DROP DEFAULT,
    DROP COLUMN failure,
    DROP COLUMN billed_units,
    DROP COLUMN outputs,
    DROP COLUMN input_hash,
    DROP COLUMN model,
    DROP COLUMN step_id,
    ADD CONSTRAINT uq_attempts_job_id_round_number UNIQUE (job_id, round, number),
    ADD CONSTRAINT ck_attempts_request_of_provider CHECK (
        request_id IS NULL OR provider IS NOT NULL),
    ADD CONSTRAINT ck_attempts_submitted CHECK ((provider IS NULL) = (submitted_at IS NULL))

DROP TABLE steps

DROP INDEX ix_jobs_started

UPDATE jobs SET status = 'accepted' WHERE status IN ('moderated', 'reserved')

DROP INDEX ix_jobs_open

ALTER TABLE jobs
    DROP CONSTRAINT ck_jobs_concurrency,
    DROP COLUMN concurrency,
    DROP COLUMN priority,
    DROP CONSTRAINT ck_jobs_finished,
    ADD CONSTRAINT ck_jobs_finished CHECK (
        (finished_at IS NULL) = (status IN (OPEN_STATUSES)))

CREATE INDEX ix_jobs_open ON jobs (expires_at) WHERE status IN (OPEN_STATUSES)

UPDATE jobs SET kind = 'generation' WHERE kind <> 'training'
"""
