"""Uploads are judged: what waits for a moderator takes room too, and the refused are known again.

The hash of a refused text becomes that of anything that was refused for what it is.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

_COUNTED = (
    """
CREATE OR REPLACE FUNCTION count_bytes_of_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storage_usage AS u (owner_id, used_bytes, reserved_bytes)
    SELECT owner_id, sum(size_bytes), 0 FROM new_rows WHERE {counts}
    GROUP BY owner_id ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET used_bytes = u.used_bytes + EXCLUDED.used_bytes;
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE FUNCTION count_bytes_of_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO storage_usage AS u (owner_id, used_bytes, reserved_bytes)
    SELECT owner_id, sum(change), 0 FROM (
        SELECT owner_id, size_bytes AS change FROM new_rows WHERE {counts}
        UNION ALL
        SELECT owner_id, -size_bytes FROM old_rows WHERE {counts}) AS changes
    GROUP BY owner_id HAVING sum(change) > 0 ORDER BY owner_id
    ON CONFLICT (owner_id) DO UPDATE SET used_bytes = u.used_bytes + EXCLUDED.used_bytes;
    UPDATE storage_usage AS u SET used_bytes = u.used_bytes + less.change FROM (
        SELECT owner_id, sum(change) AS change FROM (
            SELECT owner_id, size_bytes AS change FROM new_rows WHERE {counts}
            UNION ALL
            SELECT owner_id, -size_bytes FROM old_rows WHERE {counts}) AS changes
        GROUP BY owner_id HAVING sum(change) < 0) AS less
    WHERE u.owner_id = less.owner_id;
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE FUNCTION count_bytes_of_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE storage_usage AS u SET used_bytes = u.used_bytes - gone.bytes FROM (
        SELECT owner_id, sum(size_bytes) AS bytes FROM old_rows WHERE {counts}
        GROUP BY owner_id) AS gone
    WHERE u.owner_id = gone.owner_id;
    RETURN NULL;
END $$
""",
)


def upgrade() -> None:
    for function in _COUNTED:
        op.execute(function.format(counts="state <> 'hidden'"))
    op.execute("ALTER TABLE moderation_cases DROP CONSTRAINT ck_moderation_cases_text")
    op.execute("ALTER TABLE moderation_cases RENAME COLUMN text_sha256 TO refused_sha256")
    op.execute(
        "ALTER TABLE moderation_cases ADD CONSTRAINT ck_moderation_cases_refused CHECK "
        "(subject_kind NOT IN ('text', 'upload') OR refused_sha256 IS NOT NULL)"
    )
    op.execute("ALTER INDEX ix_moderation_cases_texts RENAME TO ix_moderation_cases_refused")


def downgrade() -> None:
    op.execute("UPDATE assets SET state = 'hidden' WHERE state = 'under_review'")
    for function in _COUNTED:
        op.execute(function.format(counts="state = 'ready'"))
    op.execute("ALTER INDEX ix_moderation_cases_refused RENAME TO ix_moderation_cases_texts")
    op.execute("ALTER TABLE moderation_cases DROP CONSTRAINT ck_moderation_cases_refused")
    op.execute("DELETE FROM moderation_reports WHERE subject_kind = 'upload'")
    op.execute("DELETE FROM moderation_cases WHERE subject_kind = 'upload'")
    op.execute("UPDATE moderation_cases SET refused_sha256 = NULL WHERE subject_kind <> 'text'")
    op.execute("ALTER TABLE moderation_cases RENAME COLUMN refused_sha256 TO text_sha256")
    op.execute(
        "ALTER TABLE moderation_cases ADD CONSTRAINT ck_moderation_cases_text CHECK "
        "((subject_kind = 'text') = (text_sha256 IS NOT NULL))"
    )
    op.execute("UPDATE publications SET state = 'private' WHERE state = 'held'")
