"""Generations that show an invented person: no creator and no terms, but a character's images; and
jobs that succeeded with some of their pieces."""

from alembic import op

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    for statement in _UP.strip().split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    """Only while there are none of them."""
    for statement in _DOWN.strip().split("\n\n"):
        op.execute(statement)


_UP = """
ALTER TABLE generations
    ADD COLUMN character_id UUID,
    ADD COLUMN reference_ids JSONB NOT NULL DEFAULT '[]',
    ALTER COLUMN creator_id DROP NOT NULL,
    ALTER COLUMN terms_id DROP NOT NULL,
    ALTER COLUMN terms_version DROP NOT NULL,
    ALTER COLUMN terms_hash DROP NOT NULL,
    ADD CONSTRAINT fk_generations_character_id FOREIGN KEY (character_id)
        REFERENCES characters (id),
    ADD CONSTRAINT ck_generations_creator_or_character CHECK (
        (creator_id IS NULL) = (jsonb_array_length(reference_ids) > 0)),
    ADD COLUMN upscale INTEGER,
    ADD CONSTRAINT ck_generations_upscale CHECK (
        upscale IS NULL OR (upscale IN (2, 4) AND kind = 'image')),
    ADD CONSTRAINT ck_generations_whom_it_shows CHECK (
        creator_id IS NOT NULL OR character_id IS NOT NULL),
    ADD CONSTRAINT ck_generations_licence CHECK (
        num_nulls(creator_id, terms_id, terms_version, terms_hash) IN (0, 4)),
    ADD CONSTRAINT ck_generations_model_of_creator CHECK (
        creator_id IS NOT NULL OR model_id IS NULL)

ALTER TABLE generations ALTER COLUMN reference_ids DROP DEFAULT

CREATE INDEX ix_generations_character ON generations (character_id, created_at, id)
    WHERE character_id IS NOT NULL

ALTER TABLE signed_copies
    ALTER COLUMN creator_id DROP NOT NULL,
    ALTER COLUMN licence_id DROP NOT NULL,
    ALTER COLUMN licence_version DROP NOT NULL,
    ALTER COLUMN licence_hash DROP NOT NULL,
    ADD CONSTRAINT ck_signed_copies_creator_and_licence CHECK (
        num_nulls(creator_id, licence_id, licence_version, licence_hash) IN (0, 4))

ALTER TABLE jobs
    ADD COLUMN partial BOOLEAN NOT NULL DEFAULT false,
    ADD CONSTRAINT ck_jobs_partial_has_succeeded CHECK (NOT partial OR status = 'succeeded')
"""

_DOWN = """
ALTER TABLE jobs DROP COLUMN partial

ALTER TABLE signed_copies
    DROP CONSTRAINT ck_signed_copies_creator_and_licence,
    ALTER COLUMN creator_id SET NOT NULL,
    ALTER COLUMN licence_id SET NOT NULL,
    ALTER COLUMN licence_version SET NOT NULL,
    ALTER COLUMN licence_hash SET NOT NULL

DROP INDEX ix_generations_character

ALTER TABLE generations
    DROP CONSTRAINT ck_generations_model_of_creator,
    DROP CONSTRAINT ck_generations_licence,
    DROP CONSTRAINT ck_generations_whom_it_shows,
    DROP COLUMN upscale,
    DROP CONSTRAINT ck_generations_creator_or_character,
    ALTER COLUMN creator_id SET NOT NULL,
    ALTER COLUMN terms_id SET NOT NULL,
    ALTER COLUMN terms_version SET NOT NULL,
    ALTER COLUMN terms_hash SET NOT NULL,
    DROP COLUMN reference_ids,
    DROP COLUMN character_id
"""
