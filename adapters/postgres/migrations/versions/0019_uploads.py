"""Uploads in parts, and assets of every kind.

What this adds to assets has a default: rows are not rewritten, and processes of the version before
can still add images while a deploy is under way. From the moment that the triggers are there, and
what was there before them is counted, nobody adds or deletes an asset without its being counted.
"""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for statement in (_ASSETS + _UPLOADS).split("\n\n"):
        op.execute(statement)
    for event, counted in _COUNTED.items():
        op.execute(counted)
        op.execute(_TRIGGER.format(event=event, lower=event.lower(), rows=_ROWS[event]))
    op.execute(_COUNT_WHAT_IS_THERE)


def downgrade() -> None:
    for event in _COUNTED:
        op.execute(f"DROP TRIGGER count_bytes_of_{event.lower()} ON assets")
        op.execute(f"DROP FUNCTION count_bytes_of_{event.lower()}()")
    op.execute("DROP TABLE storage_usage")
    op.execute("DROP TABLE uploads")
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

_UPLOADS = """

CREATE TABLE uploads (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    part_bytes INTEGER NOT NULL,
    multipart_id TEXT,
    state TEXT NOT NULL,
    error_code TEXT,
    error_message TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_uploads PRIMARY KEY (id),
    CONSTRAINT ck_uploads_size CHECK (size_bytes > 0 AND part_bytes > 0),
    CONSTRAINT ck_uploads_refused CHECK ((state = 'refused') = (error_code IS NOT NULL)),
    CONSTRAINT ck_uploads_ended CHECK (
        (state IN ('uploading', 'verifying')) = (ended_at IS NULL))
)

CREATE INDEX ix_uploads_owner ON uploads (owner_id, created_at, id)

CREATE INDEX ix_uploads_owner_state ON uploads (owner_id, state, created_at, id)

CREATE INDEX ix_uploads_due ON uploads (expires_at) WHERE state = 'uploading'

CREATE TABLE storage_usage (
    owner_id UUID NOT NULL,
    used_bytes BIGINT NOT NULL,
    reserved_bytes BIGINT NOT NULL,
    CONSTRAINT pk_storage_usage PRIMARY KEY (owner_id),
    CONSTRAINT ck_storage_usage_not_negative CHECK (used_bytes >= 0 AND reserved_bytes >= 0)
)
"""

_COUNTED = {
    "INSERT": """
CREATE FUNCTION count_bytes_of_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storage_usage AS u (owner_id, used_bytes, reserved_bytes)
    SELECT owner_id, sum(size_bytes), 0 FROM new_rows WHERE state = 'ready'
    GROUP BY owner_id ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET used_bytes = u.used_bytes + EXCLUDED.used_bytes;
    RETURN NULL;
END $$
""",
    "UPDATE": """
CREATE FUNCTION count_bytes_of_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storage_usage AS u (owner_id, used_bytes, reserved_bytes)
    SELECT owner_id, sum(change), 0 FROM (
        SELECT owner_id, size_bytes AS change FROM new_rows WHERE state = 'ready'
        UNION ALL
        SELECT owner_id, -size_bytes FROM old_rows WHERE state = 'ready') AS changes
    GROUP BY owner_id HAVING sum(change) > 0 ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET used_bytes = u.used_bytes + EXCLUDED.used_bytes;
    UPDATE storage_usage AS u SET used_bytes = u.used_bytes + less.change FROM (
        SELECT owner_id, sum(change) AS change FROM (
            SELECT owner_id, size_bytes AS change FROM new_rows WHERE state = 'ready'
            UNION ALL
            SELECT owner_id, -size_bytes FROM old_rows WHERE state = 'ready') AS changes
        GROUP BY owner_id HAVING sum(change) < 0) AS less
    WHERE u.owner_id = less.owner_id;
    RETURN NULL;
END $$
""",
    "DELETE": """
CREATE FUNCTION count_bytes_of_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE storage_usage AS u SET used_bytes = u.used_bytes - gone.bytes FROM (
        SELECT owner_id, sum(size_bytes) AS bytes FROM old_rows WHERE state = 'ready'
        GROUP BY owner_id) AS gone
    WHERE u.owner_id = gone.owner_id;
    RETURN NULL;
END $$
""",
}

_ROWS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}

_TRIGGER = """
CREATE TRIGGER count_bytes_of_{lower} AFTER {event} ON assets
REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION count_bytes_of_{lower}()
"""

_COUNT_WHAT_IS_THERE = """
INSERT INTO storage_usage (owner_id, used_bytes, reserved_bytes)
SELECT owner_id, sum(size_bytes), 0 FROM assets WHERE state = 'ready' GROUP BY owner_id
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
