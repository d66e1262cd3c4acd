"""What is known of where delivered media came from."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute(_TABLE)
    op.execute(
        "CREATE INDEX ix_signed_copies_asset_id_signed_at ON signed_copies (asset_id, signed_at)"
    )
    op.execute(_KEPT)
    op.execute(
        "CREATE TRIGGER signed_copies_are_kept BEFORE UPDATE OR DELETE ON signed_copies "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_signed_copy()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE signed_copies")
    op.execute("DROP FUNCTION refuse_change_of_signed_copy()")


_TABLE = """
CREATE TABLE signed_copies (
    id UUID NOT NULL,
    asset_id UUID NOT NULL,
    copy TEXT NOT NULL,
    key TEXT NOT NULL,
    manifest TEXT NOT NULL,
    claim_sha256 TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    certificate_sha256 TEXT NOT NULL,
    source TEXT NOT NULL,
    model TEXT NOT NULL,
    creator_id UUID NOT NULL,
    generation_id UUID NOT NULL,
    licence_id UUID NOT NULL,
    licence_version INTEGER NOT NULL,
    licence_hash TEXT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_signed_copies PRIMARY KEY (id),
    CONSTRAINT uq_signed_copies_manifest UNIQUE (manifest),
    CONSTRAINT ck_signed_copies_licence CHECK (licence_version > 0),
    CONSTRAINT ck_signed_copies_hashes CHECK (
        length(claim_sha256) = 64 AND length(sha256) = 64 AND length(certificate_sha256) = 64)
)
"""

_KEPT = """
CREATE FUNCTION refuse_change_of_signed_copy() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'what was signed stays known' USING ERRCODE = 'restrict_violation';
END
$$ LANGUAGE plpgsql
"""
