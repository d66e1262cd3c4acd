"""Uploads in parts, and assets of every kind.

What this adds to assets has a default: rows are not rewritten, and processes of the version before
can still add images while a deploy is under way.
"""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for statement in _ASSETS.split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    for statement in _IMAGES_ONLY.split("\n\n"):
        op.execute(statement)


_ASSETS = """
ALTER TABLE assets
    ADD COLUMN media TEXT NOT NULL DEFAULT 'image',
    ADD COLUMN name TEXT,
    ADD COLUMN duration_ms BIGINT,
    ADD COLUMN clean_for_owner BOOLEAN NOT NULL DEFAULT false,
    ALTER COLUMN width DROP NOT NULL,
    ALTER COLUMN height DROP NOT NULL,
    ALTER COLUMN preview_key DROP NOT NULL,
    ALTER COLUMN thumbnail_key DROP NOT NULL,
    ADD CONSTRAINT ck_assets_duration CHECK (duration_ms > 0) NOT VALID,
    ADD CONSTRAINT ck_assets_pixels CHECK (
        (width IS NULL) = (height IS NULL) AND (media <> 'image' OR width IS NOT NULL)) NOT VALID

ALTER TABLE assets VALIDATE CONSTRAINT ck_assets_duration

ALTER TABLE assets VALIDATE CONSTRAINT ck_assets_pixels

CREATE INDEX ix_assets_owner_purpose ON assets (owner_id, purpose, created_at, id)

CREATE INDEX ix_assets_owner_media ON assets (owner_id, media, created_at, id)

CREATE INDEX ix_assets_owner_both ON assets (owner_id, purpose, media, created_at, id)
"""

_IMAGES_ONLY = """
DROP INDEX ix_assets_owner_both

DROP INDEX ix_assets_owner_media

DROP INDEX ix_assets_owner_purpose

ALTER TABLE assets
    DROP CONSTRAINT ck_assets_pixels,
    DROP CONSTRAINT ck_assets_duration,
    ALTER COLUMN thumbnail_key SET NOT NULL,
    ALTER COLUMN preview_key SET NOT NULL,
    ALTER COLUMN height SET NOT NULL,
    ALTER COLUMN width SET NOT NULL,
    DROP COLUMN clean_for_owner,
    DROP COLUMN duration_ms,
    DROP COLUMN name,
    DROP COLUMN media
"""
