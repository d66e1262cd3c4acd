"""Invoices and credit notes, numbered without gaps, and never changed once they are written."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for statement in _TABLES.split("\n\n"):
        op.execute(statement)
    op.execute(_GUARD)
    op.execute(
        "CREATE TRIGGER invoices_stand BEFORE INSERT OR UPDATE OR DELETE ON invoices "
        "FOR EACH ROW EXECUTE FUNCTION invoices_stand()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE invoices")
    op.execute("DROP TABLE invoice_series")
    op.execute("DROP FUNCTION invoices_stand()")


_TABLES = """
CREATE TABLE invoice_series (
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    last_number INTEGER NOT NULL,
    CONSTRAINT pk_invoice_series PRIMARY KEY (kind, year),
    CONSTRAINT ck_invoice_series_from_one CHECK (last_number > 0)
)

CREATE TABLE invoices (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    number TEXT NOT NULL,
    order_id UUID NOT NULL,
    refund_id UUID,
    dispute_id UUID,
    corrects TEXT,
    currency TEXT NOT NULL,
    seller JSONB NOT NULL,
    buyer JSONB NOT NULL,
    lines JSONB NOT NULL,
    net_cents BIGINT NOT NULL,
    tax_cents BIGINT NOT NULL,
    total_cents BIGINT NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invoices PRIMARY KEY (id),
    CONSTRAINT uq_invoices_kind_year_sequence UNIQUE (kind, year, sequence),
    CONSTRAINT uq_invoices_number UNIQUE (number),
    CONSTRAINT uq_invoices_refund_id UNIQUE (refund_id),
    CONSTRAINT uq_invoices_dispute_id UNIQUE (dispute_id),
    CONSTRAINT ck_invoices_adds_up CHECK (
        total_cents = net_cents + tax_cents AND net_cents >= 0 AND tax_cents >= 0),
    CONSTRAINT ck_invoices_credited_for_one_cause CHECK (
        num_nonnulls(refund_id, dispute_id) = CASE kind WHEN 'invoice' THEN 0 ELSE 1 END
        AND (kind = 'invoice') = (corrects IS NULL)),
    CONSTRAINT fk_invoices_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT fk_invoices_refund_id FOREIGN KEY (refund_id) REFERENCES refunds (id),
    CONSTRAINT fk_invoices_dispute_id FOREIGN KEY (dispute_id) REFERENCES disputes (id)
)

CREATE UNIQUE INDEX uq_invoices_invoiced_order ON invoices (order_id) WHERE kind = 'invoice'

CREATE INDEX ix_invoices_order_id ON invoices (order_id)
"""

_GUARD = """
CREATE FUNCTION invoices_stand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'invoices are never changed' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.sequence IS DISTINCT FROM (
        SELECT last_number FROM invoice_series WHERE kind = NEW.kind AND year = NEW.year
    ) THEN
        RAISE EXCEPTION 'invoices are numbered without gaps' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$
"""
