"""Versions of likeness models: what each was trained from, which one is in force, and tombstones;
and what was seen of the images that they are trained from.

Two rules are the database's own. A tombstone is never changed, so no late answer brings a model
back. A generation begins with a model that is ready, and holds it so until it is committed: a
deletion comes before, and it is refused, or after, and finds it.
"""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    for statement in _UP.split("\n\n"):
        op.execute(statement)
    for guard in (_TOMBSTONES_STAND, _READY_MODELS_ONLY):
        op.execute(guard)
    op.execute(
        "CREATE TRIGGER tombstones_stand BEFORE UPDATE OR DELETE ON likeness_models FOR EACH ROW "
        "WHEN (OLD.status = 'deleted') EXECUTE FUNCTION likeness_models_tombstones_stand()"
    )
    op.execute(
        "CREATE TRIGGER ready_models_only BEFORE INSERT OR UPDATE OF model_id ON generations "
        "FOR EACH ROW WHEN (NEW.model_id IS NOT NULL) "
        "EXECUTE FUNCTION generations_ready_models_only()"
    )


def downgrade() -> None:
    for statement in _DOWN.split("\n\n"):
        op.execute(statement)


_UP = """
ALTER TABLE likeness_models
    ADD COLUMN version INTEGER,
    ADD COLUMN status TEXT,
    ADD COLUMN in_force BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN takes_force BOOLEAN NOT NULL DEFAULT true,
    ADD COLUMN base_model TEXT NOT NULL DEFAULT 'flux.1-dev',
    ADD COLUMN training_set JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN manifest_hash TEXT,
    ADD COLUMN provider TEXT,
    ADD COLUMN trainer TEXT,
    ADD COLUMN weights_sha256 TEXT,
    ADD COLUMN weights_bytes BIGINT,
    ADD COLUMN ready_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN deleted_by UUID,
    ADD COLUMN deletion_reason TEXT,
    DROP CONSTRAINT ck_likeness_models_erased_has_no_weights

ALTER TABLE likeness_models RENAME COLUMN erased_at TO deleted_at

UPDATE likeness_models m SET
    version = n.version,
    status = CASE WHEN m.deleted_at IS NOT NULL THEN 'deleted'
                  WHEN m.weights_key IS NOT NULL THEN 'ready'
                  WHEN j.finished_at IS NULL THEN 'training'
                  ELSE 'failed' END,
    training_set = (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'asset_id', i.id, 'sha256', coalesce(a.sha256, '')) ORDER BY i.place), '[]')
        FROM jsonb_array_elements_text(m.asset_ids) WITH ORDINALITY AS i (id, place)
        LEFT JOIN assets a ON a.id = CAST(i.id AS uuid))
FROM jobs j, (
    SELECT id, row_number() OVER (PARTITION BY creator_id ORDER BY created_at, id) AS version
    FROM likeness_models) n
WHERE n.id = m.id AND j.id = m.id

UPDATE likeness_models m SET
    manifest_hash = encode(sha256(convert_to((
        SELECT '[' || coalesce(string_agg(format(
            '{"asset_id":"%s","sha256":"%s"}', i.one ->> 'asset_id', i.one ->> 'sha256'
        ), ',' ORDER BY i.place), '') || ']'
        FROM jsonb_array_elements(m.training_set) WITH ORDINALITY AS i (one, place)
    ), 'UTF8')), 'hex')

UPDATE likeness_models m SET
    weights_sha256 = coalesce((
        SELECT made ->> 'sha256' FROM steps s, jsonb_array_elements(s.results) made
        WHERE s.job_id = m.id AND made ->> 'key' = m.weights_key LIMIT 1), ''),
    provider = coalesce((
        SELECT a.provider FROM attempts a
        WHERE a.job_id = m.id AND strpos(m.weights_key, CAST(a.id AS text)) > 0 LIMIT 1), ''),
    trainer = coalesce((
        SELECT a.model FROM attempts a
        WHERE a.job_id = m.id AND strpos(m.weights_key, CAST(a.id AS text)) > 0 LIMIT 1), ''),
    ready_at = (SELECT j.finished_at FROM jobs j WHERE j.id = m.id)
WHERE m.weights_key IS NOT NULL

UPDATE likeness_models m SET in_force = true
WHERE status = 'ready' AND NOT EXISTS (
    SELECT FROM likeness_models newer WHERE newer.creator_id = m.creator_id
    AND newer.status = 'ready' AND newer.version > m.version)

UPDATE likeness_models m SET
    deleted_by = c.user_id, deletion_reason = 'licence_revoked',
    training_set = '[]', trigger_word = ''
FROM creators c WHERE c.id = m.creator_id AND m.status = 'deleted'

SET CONSTRAINTS ALL IMMEDIATE

DROP INDEX ix_likeness_models_creator

ALTER TABLE likeness_models
    DROP COLUMN asset_ids,
    ALTER COLUMN version SET NOT NULL,
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN manifest_hash SET NOT NULL,
    ALTER COLUMN in_force DROP DEFAULT,
    ALTER COLUMN takes_force DROP DEFAULT,
    ALTER COLUMN base_model DROP DEFAULT,
    ALTER COLUMN training_set DROP DEFAULT,
    ADD CONSTRAINT uq_likeness_models_creator_id_version UNIQUE (creator_id, version),
    ADD CONSTRAINT ck_likeness_models_version CHECK (version > 0),
    ADD CONSTRAINT ck_likeness_models_weights_of_trained CHECK (
        (weights_key IS NOT NULL) = (status IN ('ready', 'retired'))),
    ADD CONSTRAINT ck_likeness_models_weights_are_known CHECK (
        weights_key IS NULL OR weights_sha256 IS NOT NULL AND provider IS NOT NULL),
    ADD CONSTRAINT ck_likeness_models_ready_in_force CHECK (NOT in_force OR status = 'ready'),
    ADD CONSTRAINT ck_likeness_models_tombstone_says_why CHECK (
        (status = 'deleted') = (deleted_at IS NOT NULL)
        AND (status = 'deleted') = (deleted_by IS NOT NULL)
        AND (status = 'deleted') = (deletion_reason IS NOT NULL)),
    ADD CONSTRAINT ck_likeness_models_tombstone_is_empty CHECK (
        status <> 'deleted' OR training_set = '[]' AND trigger_word = '')

ALTER TABLE assets
    ADD COLUMN looks JSONB,
    ADD CONSTRAINT ck_assets_looks_of_training CHECK (
        looks IS NULL OR purpose = 'training_image')

CREATE UNIQUE INDEX uq_likeness_models_in_force ON likeness_models (creator_id) WHERE in_force

CREATE INDEX ix_generations_model_id ON generations (model_id) WHERE model_id IS NOT NULL
"""

_TOMBSTONES_STAND = """
CREATE FUNCTION likeness_models_tombstones_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was deleted stays deleted' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'ck_likeness_models_tombstones_stand';
END
$$
"""

_READY_MODELS_ONLY = """
CREATE FUNCTION generations_ready_models_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM likeness_models WHERE id = NEW.model_id AND status = 'ready' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the model is not ready' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'ck_generations_model_ready';
    END IF;
    RETURN NEW;
END
$$
"""

_DOWN = """
DROP TRIGGER ready_models_only ON generations

DROP TRIGGER tombstones_stand ON likeness_models

DROP FUNCTION generations_ready_models_only

DROP FUNCTION likeness_models_tombstones_stand

ALTER TABLE assets DROP COLUMN looks

DROP INDEX ix_generations_model_id

DROP INDEX uq_likeness_models_in_force

ALTER TABLE likeness_models RENAME COLUMN deleted_at TO erased_at

ALTER TABLE likeness_models ADD COLUMN asset_ids JSONB NOT NULL DEFAULT '[]'

UPDATE likeness_models m SET asset_ids = (
    SELECT coalesce(jsonb_agg(i.one -> 'asset_id' ORDER BY i.place), '[]')
    FROM jsonb_array_elements(m.training_set) WITH ORDINALITY AS i (one, place))

SET CONSTRAINTS ALL IMMEDIATE

ALTER TABLE likeness_models
    DROP CONSTRAINT ck_likeness_models_weights_of_trained,
    DROP CONSTRAINT ck_likeness_models_weights_are_known,
    DROP CONSTRAINT ck_likeness_models_ready_in_force,
    DROP CONSTRAINT ck_likeness_models_tombstone_says_why,
    DROP CONSTRAINT ck_likeness_models_tombstone_is_empty,
    ALTER COLUMN asset_ids DROP DEFAULT,
    DROP COLUMN version,
    DROP COLUMN status,
    DROP COLUMN in_force,
    DROP COLUMN takes_force,
    DROP COLUMN base_model,
    DROP COLUMN training_set,
    DROP COLUMN manifest_hash,
    DROP COLUMN provider,
    DROP COLUMN trainer,
    DROP COLUMN weights_sha256,
    DROP COLUMN weights_bytes,
    DROP COLUMN ready_at,
    DROP COLUMN deleted_by,
    DROP COLUMN deletion_reason,
    ADD CONSTRAINT ck_likeness_models_erased_has_no_weights CHECK (
        erased_at IS NULL OR weights_key IS NULL)

CREATE INDEX ix_likeness_models_creator ON likeness_models (creator_id, created_at)
"""
