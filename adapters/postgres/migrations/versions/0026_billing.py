"""Disputes of what was paid for credits and plans, and credits that lie still meanwhile."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    for statement in _UP.split("\n\n"):
        op.execute(statement)
    op.execute(_ENTRIES_STAND)
    op.execute(_WALLETS_AGREE)


def downgrade() -> None:
    for statement in _DOWN.split("\n\n"):
        op.execute(statement)
    op.execute(_without_frozen(_ENTRIES_STAND))
    op.execute(_without_frozen(_WALLETS_AGREE))


_UP = """
ALTER TABLE credit_wallets ADD COLUMN frozen BIGINT NOT NULL DEFAULT 0
    CONSTRAINT ck_credit_wallets_frozen_not_negative CHECK (frozen >= 0)

ALTER TABLE credit_wallets ALTER COLUMN frozen DROP DEFAULT

ALTER TABLE credit_entries ADD COLUMN frozen BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN frozen_after BIGINT NOT NULL DEFAULT 0
        CONSTRAINT ck_credit_entries_frozen_after_not_negative CHECK (frozen_after >= 0),
    DROP CONSTRAINT ck_credit_entries_nothing_from_nowhere,
    ADD CONSTRAINT ck_credit_entries_nothing_from_nowhere CHECK (
        daily + bought + held + frozen + spent + lapsed = CASE kind
            WHEN 'grant' THEN daily WHEN 'purchase' THEN bought WHEN 'refund' THEN bought
            WHEN 'adjust' THEN bought ELSE 0 END),
    DROP CONSTRAINT ck_credit_entries_of_a_purchase,
    ADD CONSTRAINT ck_credit_entries_of_a_purchase CHECK (
        (kind IN ('purchase', 'refund', 'freeze', 'thaw', 'forfeit'))
            = (purchase_id IS NOT NULL))

ALTER TABLE credit_entries ALTER COLUMN frozen DROP DEFAULT,
    ALTER COLUMN frozen_after DROP DEFAULT

ALTER TABLE plan_subscriptions ADD COLUMN forfeited_at TIMESTAMP WITH TIME ZONE

ALTER TABLE credit_purchases ADD COLUMN tax_cents BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN lost_credits BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN lost_cents BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN tax_calculation_id TEXT,
    ADD COLUMN tax_report_id TEXT,
    DROP CONSTRAINT ck_credit_purchases_something_for_something,
    ADD CONSTRAINT ck_credit_purchases_something_for_something CHECK (
        credits > 0 AND amount_cents > 0 AND tax_cents >= 0),
    DROP CONSTRAINT ck_credit_purchases_taken_back_of_it,
    ADD CONSTRAINT ck_credit_purchases_taken_back_of_it CHECK (
        taken_back >= 0 AND lost_credits >= 0 AND taken_back + lost_credits <= credits),
    DROP CONSTRAINT ck_credit_purchases_refunded_of_it,
    ADD CONSTRAINT ck_credit_purchases_refunded_of_it CHECK (
        refunded_cents BETWEEN 0 AND amount_cents + tax_cents
        AND lost_cents BETWEEN 0 AND amount_cents + tax_cents)

ALTER TABLE credit_purchases ALTER COLUMN tax_cents DROP DEFAULT,
    ALTER COLUMN lost_credits DROP DEFAULT,
    ALTER COLUMN lost_cents DROP DEFAULT

ALTER TABLE platform_charges ADD COLUMN subscription_id UUID
        CONSTRAINT fk_platform_charges_subscription_id REFERENCES plan_subscriptions (id)
        DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN contested_cents BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN out_cents BIGINT NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_platform_charges_contested_is_out CHECK (
        0 <= contested_cents AND contested_cents <= out_cents)

UPDATE platform_charges c SET out_cents = (
    SELECT coalesce(sum(r.amount_cents), 0) FROM charge_refunds r
    WHERE r.charge_id = c.id AND r.status IN ('succeeded', 'returned'))

ALTER TABLE platform_charges ALTER COLUMN contested_cents DROP DEFAULT,
    ALTER COLUMN out_cents DROP DEFAULT

CREATE INDEX ix_platform_charges_of_user ON platform_charges (user_id, paid_at, id)

CREATE TABLE charge_disputes (
    id UUID NOT NULL,
    provider_id TEXT NOT NULL,
    charge_id TEXT NOT NULL,
    purchase_id UUID,
    amount_cents BIGINT NOT NULL
        CONSTRAINT ck_charge_disputes_amount_positive CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    is_open BOOLEAN NOT NULL,
    withdrawn_cents BIGINT NOT NULL,
    fee_cents BIGINT NOT NULL,
    reinstated_cents BIGINT NOT NULL,
    returned_fee_cents BIGINT NOT NULL,
    lost_cents BIGINT NOT NULL,
    written_off BIGINT NOT NULL,
    due_by TIMESTAMP WITH TIME ZONE,
    timeline JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_charge_disputes PRIMARY KEY (id),
    CONSTRAINT uq_charge_disputes_provider_id UNIQUE (provider_id),
    CONSTRAINT ck_charge_disputes_decided_within_withdrawn CHECK (
        0 <= reinstated_cents AND 0 <= lost_cents
        AND reinstated_cents + lost_cents <= withdrawn_cents),
    CONSTRAINT ck_charge_disputes_fee_returned_once CHECK (
        0 <= returned_fee_cents AND returned_fee_cents <= fee_cents),
    CONSTRAINT ck_charge_disputes_closed_is_decided CHECK (
        is_open OR reinstated_cents + lost_cents = withdrawn_cents),
    CONSTRAINT ck_charge_disputes_open_until_closed CHECK (is_open = (closed_at IS NULL)),
    CONSTRAINT ck_charge_disputes_written_off_not_negative CHECK (written_off >= 0),
    CONSTRAINT fk_charge_disputes_charge_id FOREIGN KEY (charge_id)
        REFERENCES platform_charges (id),
    CONSTRAINT fk_charge_disputes_purchase_id FOREIGN KEY (purchase_id)
        REFERENCES credit_purchases (id)
)

CREATE INDEX ix_charge_disputes_charge_id ON charge_disputes (charge_id)

CREATE TABLE credit_freezes (
    dispute_id UUID NOT NULL,
    purchase_id UUID NOT NULL,
    wallet_id UUID NOT NULL,
    credits BIGINT NOT NULL CONSTRAINT ck_credit_freezes_credits_not_negative CHECK (credits >= 0),
    frozen BIGINT NOT NULL CONSTRAINT ck_credit_freezes_frozen_not_negative CHECK (frozen >= 0),
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_credit_freezes PRIMARY KEY (dispute_id),
    CONSTRAINT ck_credit_freezes_never_above_the_contested CHECK (frozen <= credits),
    CONSTRAINT fk_credit_freezes_dispute_id FOREIGN KEY (dispute_id)
        REFERENCES charge_disputes (id),
    CONSTRAINT fk_credit_freezes_purchase_id FOREIGN KEY (purchase_id)
        REFERENCES credit_purchases (id)
)

CREATE INDEX ix_credit_freezes_open ON credit_freezes (wallet_id) WHERE ended_at IS NULL

ALTER TABLE billing_customers ADD COLUMN compare_at TIMESTAMP WITH TIME ZONE

UPDATE billing_customers SET compare_at = created_at

ALTER TABLE billing_customers ALTER COLUMN compare_at SET NOT NULL

CREATE INDEX ix_billing_customers_compare ON billing_customers (compare_at)
    WHERE provider_id IS NOT NULL

CREATE TABLE order_news (
    order_id UUID NOT NULL,
    told TEXT NOT NULL,
    CONSTRAINT pk_order_news PRIMARY KEY (order_id),
    CONSTRAINT fk_order_news_order_id FOREIGN KEY (order_id) REFERENCES orders (id)
)

ALTER TABLE user_events DROP CONSTRAINT ck_user_events_kind,
    ADD CONSTRAINT ck_user_events_kind CHECK (kind IN ('generations', 'orders', 'uploads'))
"""

_DOWN = """
DELETE FROM user_events WHERE kind = 'uploads'

ALTER TABLE user_events DROP CONSTRAINT ck_user_events_kind,
    ADD CONSTRAINT ck_user_events_kind CHECK (kind IN ('generations', 'orders'))

DROP TABLE order_news

ALTER TABLE billing_customers DROP COLUMN compare_at

DROP TABLE credit_freezes

DROP TABLE charge_disputes

DROP INDEX ix_platform_charges_of_user

ALTER TABLE platform_charges DROP COLUMN subscription_id, DROP COLUMN contested_cents,
    DROP COLUMN out_cents

ALTER TABLE credit_purchases DROP CONSTRAINT ck_credit_purchases_something_for_something,
    DROP CONSTRAINT ck_credit_purchases_taken_back_of_it,
    DROP CONSTRAINT ck_credit_purchases_refunded_of_it,
    DROP COLUMN tax_cents, DROP COLUMN lost_credits, DROP COLUMN lost_cents,
    DROP COLUMN tax_calculation_id, DROP COLUMN tax_report_id,
    ADD CONSTRAINT ck_credit_purchases_something_for_something CHECK (
        credits > 0 AND amount_cents > 0),
    ADD CONSTRAINT ck_credit_purchases_taken_back_of_it CHECK (taken_back BETWEEN 0 AND credits),
    ADD CONSTRAINT ck_credit_purchases_refunded_of_it CHECK (
        refunded_cents BETWEEN 0 AND amount_cents)

ALTER TABLE plan_subscriptions DROP COLUMN forfeited_at

ALTER TABLE credit_entries DROP CONSTRAINT ck_credit_entries_nothing_from_nowhere,
    DROP CONSTRAINT ck_credit_entries_of_a_purchase,
    DROP COLUMN frozen, DROP COLUMN frozen_after,
    ADD CONSTRAINT ck_credit_entries_nothing_from_nowhere CHECK (
        daily + bought + held + spent + lapsed = CASE kind
            WHEN 'grant' THEN daily WHEN 'purchase' THEN bought WHEN 'refund' THEN bought
            WHEN 'adjust' THEN bought ELSE 0 END),
    ADD CONSTRAINT ck_credit_entries_of_a_purchase CHECK (
        (kind IN ('purchase', 'refund')) = (purchase_id IS NOT NULL))

ALTER TABLE credit_wallets DROP COLUMN frozen
"""

# Each entry continues the one before it, so that the last one's balance is the sum of all.
_ENTRIES_STAND = """
CREATE OR REPLACE FUNCTION credit_entries_stand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before credit_entries;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'entries of credits are never changed' USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO before FROM credit_entries
        WHERE user_id = NEW.user_id ORDER BY number DESC LIMIT 1;
    IF NEW.number <> coalesce(before.number, 0) + 1
        OR NEW.daily_after <> coalesce(before.daily_after, 0) + NEW.daily
        OR NEW.bought_after <> coalesce(before.bought_after, 0) + NEW.bought
        OR NEW.held_after <> coalesce(before.held_after, 0) + NEW.held
        OR NEW.frozen_after <> coalesce(before.frozen_after, 0) + NEW.frozen
    THEN
        RAISE EXCEPTION 'an entry of credits continues the one before it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$
"""

_WALLETS_AGREE = """
CREATE OR REPLACE FUNCTION credit_wallets_agree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last credit_entries;
BEGIN
    SELECT * INTO last FROM credit_entries
        WHERE user_id = NEW.user_id AND number = NEW.number;
    IF NEW.daily <> coalesce(last.daily_after, 0)
        OR NEW.bought <> coalesce(last.bought_after, 0)
        OR NEW.held <> coalesce(last.held_after, 0)
        OR NEW.frozen <> coalesce(last.frozen_after, 0)
    THEN
        RAISE EXCEPTION 'a wallet holds what its entries say' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$
"""


def _without_frozen(function: str) -> str:
    return "\n".join(line for line in function.split("\n") if "frozen" not in line)
