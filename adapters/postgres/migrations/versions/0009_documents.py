"""Tax profiles of payees, with what is personal encrypted, and what was filed of them."""

from alembic import op

revision = "0009"
down_revision = "0008"

_UP = """
CREATE TABLE tax_profiles (
    id UUID NOT NULL,
    legal_name TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    tin_reference TEXT,
    tin_match TEXT NOT NULL,
    address TEXT NOT NULL,
    state TEXT,
    country TEXT NOT NULL,
    certificate TEXT,
    certified_on DATE,
    backup_withholding BOOLEAN NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_tax_profiles PRIMARY KEY (id),
    CONSTRAINT fk_tax_profiles_id FOREIGN KEY (id) REFERENCES payees (id)
);

CREATE TABLE tax_filings (
    id UUID NOT NULL,
    payee_id UUID NOT NULL,
    form TEXT NOT NULL,
    box TEXT NOT NULL,
    year INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    gross_cents BIGINT NOT NULL,
    correction BOOLEAN NOT NULL,
    filed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tax_filings PRIMARY KEY (id),
    CONSTRAINT fk_tax_filings_payee_id FOREIGN KEY (payee_id) REFERENCES payees (id)
);

CREATE UNIQUE INDEX uq_tax_filings_original
ON tax_filings (payee_id, form, box, year) WHERE NOT correction;

CREATE INDEX ix_tax_filings_payee_id_form_year_id ON tax_filings (payee_id, form, year, id);

CREATE INDEX ix_orders_paid_at ON orders (paid_at, id) WHERE payment_status = 'paid';
"""

_DOWN = """
DROP INDEX ix_orders_paid_at;

DROP TABLE tax_filings;

DROP TABLE tax_profiles;
"""


def upgrade() -> None:
    _run(_UP)


def downgrade() -> None:
    _run(_DOWN)


def _run(script: str) -> None:
    for statement in script.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
