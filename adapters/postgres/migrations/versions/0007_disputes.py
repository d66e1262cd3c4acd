"""Disputes, what they do to lines and earnings, refunds paid otherwise, and who fetched what."""

from alembic import op

revision = "0007"
down_revision = "0006"

_UP = """
CREATE TABLE disputes (
    id UUID NOT NULL,
    provider_id TEXT NOT NULL,
    order_id UUID NOT NULL,
    charge_id TEXT NOT NULL,
    amount_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    withdrawn_cents BIGINT NOT NULL,
    fee_cents BIGINT NOT NULL,
    reinstated_cents BIGINT NOT NULL,
    returned_fee_cents BIGINT NOT NULL,
    lost_cents BIGINT NOT NULL,
    due_by TIMESTAMP WITH TIME ZONE,
    evidence JSONB,
    evidence_state TEXT NOT NULL,
    evidence_attempt INTEGER NOT NULL,
    evidence_by UUID,
    evidence_error TEXT,
    timeline JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_disputes PRIMARY KEY (id),
    CONSTRAINT uq_disputes_provider_id UNIQUE (provider_id),
    CONSTRAINT fk_disputes_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_disputes_amount_positive CHECK (amount_cents > 0),
    CONSTRAINT ck_disputes_decided_within_withdrawn CHECK (
        0 <= reinstated_cents AND 0 <= lost_cents
        AND reinstated_cents + lost_cents <= withdrawn_cents),
    CONSTRAINT ck_disputes_fee_returned_once CHECK (
        0 <= returned_fee_cents AND returned_fee_cents <= fee_cents),
    CONSTRAINT ck_disputes_closed_is_decided CHECK (
        is_open OR reinstated_cents + lost_cents = withdrawn_cents),
    CONSTRAINT ck_disputes_open_until_closed CHECK (is_open = (closed_at IS NULL))
);

CREATE INDEX ix_disputes_order_id ON disputes (order_id);

CREATE INDEX ix_disputes_open ON disputes (order_id) WHERE is_open;

ALTER TABLE orders
    ADD COLUMN dispute_status TEXT DEFAULT 'none' NOT NULL,
    ADD COLUMN contested_cents BIGINT DEFAULT '0' NOT NULL,
    ADD CONSTRAINT ck_orders_contested_not_negative CHECK (contested_cents >= 0);

ALTER TABLE order_lines
    ADD COLUMN disputed_cents BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN lost_cents BIGINT DEFAULT '0' NOT NULL,
    ADD CONSTRAINT ck_order_lines_disputes_within_total CHECK (
        0 <= disputed_cents AND 0 <= lost_cents
        AND returned_cents + lost_cents + disputed_cents <= total_cents);

ALTER TABLE earnings
    ADD COLUMN disputed_cents BIGINT DEFAULT '0' NOT NULL,
    ADD CONSTRAINT ck_earnings_disputed_within_amount CHECK (
        0 <= disputed_cents AND returned_cents + disputed_cents <= amount_cents);

ALTER TABLE transfer_reversals
    ALTER COLUMN refund_id DROP NOT NULL,
    ADD COLUMN dispute_id UUID,
    ADD CONSTRAINT fk_transfer_reversals_dispute_id FOREIGN KEY (dispute_id)
        REFERENCES disputes (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT uq_transfer_reversals_dispute_id_transfer_id UNIQUE (dispute_id, transfer_id),
    ADD CONSTRAINT ck_transfer_reversals_one_cause CHECK (
        num_nonnulls(refund_id, dispute_id) = 1);

ALTER TABLE refunds
    ALTER COLUMN requested_by DROP NOT NULL,
    ADD COLUMN settlement TEXT,
    ADD COLUMN settled_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_refunds_settled_was_returned CHECK (
        (settlement IS NULL) = (settled_at IS NULL)
        AND (settlement IS NULL OR status = 'returned'));

CREATE TABLE asset_accesses (
    id UUID NOT NULL,
    asset_id UUID NOT NULL,
    user_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_asset_accesses PRIMARY KEY (id),
    CONSTRAINT fk_asset_accesses_asset_id FOREIGN KEY (asset_id) REFERENCES assets (id)
);

CREATE INDEX ix_asset_accesses_asset_id_user_id_at ON asset_accesses (asset_id, user_id, at)
"""

# What only this version can say goes: reversals for disputes and refunds that nobody asked for.
_DOWN = """
DROP TABLE asset_accesses;

DELETE FROM transfer_reversals WHERE refund_id IS NULL;

ALTER TABLE transfer_reversals
    DROP COLUMN dispute_id,
    ALTER COLUMN refund_id SET NOT NULL;

UPDATE refunds SET requested_by = id WHERE requested_by IS NULL;

ALTER TABLE refunds
    DROP COLUMN settlement,
    DROP COLUMN settled_at,
    ALTER COLUMN requested_by SET NOT NULL;

ALTER TABLE earnings DROP COLUMN disputed_cents;

ALTER TABLE order_lines
    DROP COLUMN disputed_cents,
    DROP COLUMN lost_cents;

ALTER TABLE orders
    DROP COLUMN dispute_status,
    DROP COLUMN contested_cents;

DROP TABLE disputes
"""


def upgrade() -> None:
    for statement in _UP.split(";\n\n"):
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN.split(";\n\n"):
        op.execute(statement)
