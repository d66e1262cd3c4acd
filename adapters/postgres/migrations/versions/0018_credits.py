"""Credits, plans and what was used."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for statement in _TABLES.split("\n\n"):
        op.execute(statement)
    for function in (_ENTRIES_STAND, _WALLETS_AGREE):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER credit_entries_stand BEFORE INSERT OR UPDATE OR DELETE ON credit_entries "
        "FOR EACH ROW EXECUTE FUNCTION credit_entries_stand()"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER credit_wallets_agree AFTER INSERT OR UPDATE ON credit_wallets "
        "DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION credit_wallets_agree()"
    )


def downgrade() -> None:
    for table in _DROPPED:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION credit_entries_stand()")
    op.execute("DROP FUNCTION credit_wallets_agree()")


_DROPPED = (
    "plan_checkouts",
    "billing_customers",
    "charge_refunds",
    "platform_charges",
    "credit_purchases",
    "plan_subscriptions",
    "studio_use",
    "credit_holds",
    "credit_entries",
    "credit_wallets",
)

_TABLES = """
CREATE TABLE credit_wallets (
    user_id UUID NOT NULL,
    day DATE,
    granted BIGINT NOT NULL CONSTRAINT ck_credit_wallets_granted_not_negative CHECK (granted >= 0),
    daily BIGINT NOT NULL CONSTRAINT ck_credit_wallets_daily_not_negative CHECK (daily >= 0),
    bought BIGINT NOT NULL CONSTRAINT ck_credit_wallets_bought_not_negative CHECK (bought >= 0),
    held BIGINT NOT NULL CONSTRAINT ck_credit_wallets_held_not_negative CHECK (held >= 0),
    number BIGINT NOT NULL,
    CONSTRAINT pk_credit_wallets PRIMARY KEY (user_id)
)

CREATE INDEX ix_credit_wallets_lapsing ON credit_wallets (day) WHERE daily > 0

CREATE TABLE credit_entries (
    user_id UUID NOT NULL,
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    daily BIGINT NOT NULL,
    bought BIGINT NOT NULL,
    held BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    lapsed BIGINT NOT NULL,
    daily_after BIGINT NOT NULL
        CONSTRAINT ck_credit_entries_daily_after_not_negative CHECK (daily_after >= 0),
    bought_after BIGINT NOT NULL
        CONSTRAINT ck_credit_entries_bought_after_not_negative CHECK (bought_after >= 0),
    held_after BIGINT NOT NULL
        CONSTRAINT ck_credit_entries_held_after_not_negative CHECK (held_after >= 0),
    job_id UUID,
    round INTEGER,
    day DATE,
    granted_up_to BIGINT,
    purchase_id UUID,
    reason TEXT,
    CONSTRAINT pk_credit_entries PRIMARY KEY (user_id, number),
    CONSTRAINT ck_credit_entries_nothing_from_nowhere CHECK (
        daily + bought + held + spent + lapsed = CASE kind
            WHEN 'grant' THEN daily WHEN 'purchase' THEN bought WHEN 'refund' THEN bought
            WHEN 'adjust' THEN bought ELSE 0 END),
    CONSTRAINT ck_credit_entries_used_up CHECK (spent >= 0 AND lapsed >= 0),
    CONSTRAINT ck_credit_entries_of_a_job CHECK (
        (kind IN ('reserve', 'settle', 'release')) = (num_nonnulls(job_id, round) = 2)),
    CONSTRAINT ck_credit_entries_of_a_day CHECK (
        (kind IN ('grant', 'expire')) = (day IS NOT NULL)),
    CONSTRAINT ck_credit_entries_of_a_purchase CHECK (
        (kind IN ('purchase', 'refund')) = (purchase_id IS NOT NULL))
)

CREATE UNIQUE INDEX uq_credit_entries_bought_once ON credit_entries (purchase_id)
    WHERE kind = 'purchase'

CREATE UNIQUE INDEX uq_credit_entries_closed_once ON credit_entries (job_id, round)
    WHERE kind IN ('settle', 'release')

CREATE UNIQUE INDEX uq_credit_entries_granted_once ON credit_entries (user_id, day, granted_up_to)
    WHERE kind = 'grant'

CREATE UNIQUE INDEX uq_credit_entries_job ON credit_entries (job_id, round, kind)
    WHERE job_id IS NOT NULL

CREATE UNIQUE INDEX uq_credit_entries_lapsed_once ON credit_entries (user_id, day)
    WHERE kind = 'expire'

CREATE TABLE credit_holds (
    job_id UUID NOT NULL,
    round INTEGER NOT NULL,
    user_id UUID NOT NULL,
    day DATE NOT NULL,
    daily BIGINT NOT NULL CONSTRAINT ck_credit_holds_daily_not_negative CHECK (daily >= 0),
    bought BIGINT NOT NULL CONSTRAINT ck_credit_holds_bought_not_negative CHECK (bought >= 0),
    price_table INTEGER NOT NULL,
    reserved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    spent BIGINT,
    CONSTRAINT pk_credit_holds PRIMARY KEY (job_id, round),
    CONSTRAINT ck_credit_holds_closed_at_a_price CHECK ((closed_at IS NULL) = (spent IS NULL)),
    CONSTRAINT ck_credit_holds_never_above_the_hold CHECK (spent BETWEEN 0 AND daily + bought)
)

CREATE INDEX ix_credit_holds_open ON credit_holds (reserved_at) WHERE closed_at IS NULL

CREATE TABLE studio_use (
    user_id UUID NOT NULL,
    day DATE NOT NULL,
    jobs BIGINT NOT NULL CONSTRAINT ck_studio_use_jobs_not_negative CHECK (jobs >= 0),
    credits BIGINT NOT NULL CONSTRAINT ck_studio_use_credits_not_negative CHECK (credits >= 0),
    bytes BIGINT NOT NULL CONSTRAINT ck_studio_use_bytes_not_negative CHECK (bytes >= 0),
    CONSTRAINT pk_studio_use PRIMARY KEY (user_id, day)
)

CREATE TABLE credit_purchases (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    request_key TEXT NOT NULL,
    pack TEXT NOT NULL,
    credits BIGINT NOT NULL,
    amount_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    session_id TEXT,
    url TEXT,
    charge_id TEXT,
    taken_back BIGINT NOT NULL,
    refunded_cents BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ask_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_credit_purchases PRIMARY KEY (id),
    CONSTRAINT uq_credit_purchases_user_id_request_key UNIQUE (user_id, request_key),
    CONSTRAINT uq_credit_purchases_charge_id UNIQUE (charge_id),
    CONSTRAINT ck_credit_purchases_something_for_something CHECK (credits > 0 AND amount_cents >
        0),
    CONSTRAINT ck_credit_purchases_taken_back_of_it CHECK (taken_back BETWEEN 0 AND credits),
    CONSTRAINT ck_credit_purchases_refunded_of_it CHECK (refunded_cents BETWEEN 0 AND
        amount_cents),
    CONSTRAINT ck_credit_purchases_paid_by_a_charge CHECK ((status = 'paid') = (charge_id IS NOT
        NULL) AND (status = 'paid') = (paid_at IS NOT NULL))
)

CREATE INDEX ix_credit_purchases_open ON credit_purchases (ask_at)
    WHERE status = 'open'

CREATE TABLE platform_charges (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    user_id UUID NOT NULL,
    amount_cents BIGINT NOT NULL,
    tax_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    purchase_id UUID,
    invoice_id TEXT,
    refunded_cents BIGINT NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_platform_charges PRIMARY KEY (id),
    CONSTRAINT uq_platform_charges_purchase_id UNIQUE (purchase_id),
    CONSTRAINT uq_platform_charges_invoice_id UNIQUE (invoice_id),
    CONSTRAINT ck_platform_charges_amount_positive CHECK (amount_cents > 0),
    CONSTRAINT ck_platform_charges_tax_within CHECK (tax_cents BETWEEN 0 AND amount_cents),
    CONSTRAINT ck_platform_charges_refunded_of_it CHECK (refunded_cents BETWEEN 0 AND
        amount_cents),
    CONSTRAINT ck_platform_charges_for_one_thing CHECK ((kind = 'credits') = (purchase_id IS NOT
        NULL) AND (kind = 'plan') = (invoice_id IS NOT NULL)),
    CONSTRAINT fk_platform_charges_purchase_id FOREIGN KEY(purchase_id) REFERENCES
        credit_purchases (id)
)

CREATE TABLE charge_refunds (
    id UUID NOT NULL,
    charge_id TEXT NOT NULL,
    purchase_id UUID,
    amount_cents BIGINT NOT NULL,
    tax_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    credits BIGINT NOT NULL,
    status TEXT NOT NULL,
    provider_id TEXT,
    requested_by UUID,
    reason TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_charge_refunds PRIMARY KEY (id),
    CONSTRAINT uq_charge_refunds_provider_id UNIQUE (provider_id),
    CONSTRAINT ck_charge_refunds_amount_positive CHECK (amount_cents > 0),
    CONSTRAINT ck_charge_refunds_tax_within CHECK (tax_cents BETWEEN 0 AND amount_cents),
    CONSTRAINT ck_charge_refunds_credits_not_negative CHECK (credits >= 0),
    CONSTRAINT fk_charge_refunds_charge_id FOREIGN KEY(charge_id) REFERENCES platform_charges (id),
    CONSTRAINT fk_charge_refunds_purchase_id FOREIGN KEY(purchase_id) REFERENCES credit_purchases
        (id)
)

CREATE INDEX ix_charge_refunds_charge_id ON charge_refunds (charge_id)

CREATE TABLE billing_customers (
    id UUID NOT NULL,
    provider_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_billing_customers PRIMARY KEY (id),
    CONSTRAINT uq_billing_customers_provider_id UNIQUE (provider_id)
)

CREATE TABLE plan_checkouts (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    request_key TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_version INTEGER NOT NULL,
    interval TEXT NOT NULL,
    status TEXT NOT NULL,
    session_id TEXT,
    url TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ask_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plan_checkouts PRIMARY KEY (id)
)

CREATE INDEX ix_plan_checkouts_open ON plan_checkouts (ask_at)
    WHERE status = 'open'

CREATE UNIQUE INDEX uq_plan_checkouts_open ON plan_checkouts (user_id)
    WHERE status = 'open'

CREATE TABLE plan_subscriptions (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    provider_id TEXT NOT NULL,
    plan TEXT NOT NULL,
    plan_version INTEGER NOT NULL,
    interval TEXT NOT NULL,
    status TEXT NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    cancel_at_period_end BOOLEAN NOT NULL,
    past_due_since TIMESTAMP WITH TIME ZONE,
    heard INTEGER NOT NULL,
    refresh_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_plan_subscriptions PRIMARY KEY (id),
    CONSTRAINT ck_plan_subscriptions_of_what_is_sold CHECK (plan <> 'free'),
    CONSTRAINT uq_plan_subscriptions_provider_id UNIQUE (provider_id),
    CONSTRAINT ck_plan_subscriptions_past_due_since_when CHECK ((status = 'past_due') =
        (past_due_since IS NOT NULL))
)

CREATE INDEX ix_plan_subscriptions_refresh ON plan_subscriptions (refresh_at)
    WHERE status NOT IN ('canceled', 'incomplete_expired')

CREATE INDEX ix_plan_subscriptions_standing ON plan_subscriptions (user_id)
    WHERE status NOT IN ('canceled', 'incomplete_expired')
"""

# Each entry continues the one before it, so that the last one's balance is the sum of all.
_ENTRIES_STAND = """
CREATE FUNCTION credit_entries_stand() RETURNS trigger LANGUAGE plpgsql AS $$
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
    THEN
        RAISE EXCEPTION 'an entry of credits continues the one before it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$
"""

_WALLETS_AGREE = """
CREATE FUNCTION credit_wallets_agree() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last credit_entries;
BEGIN
    SELECT * INTO last FROM credit_entries
        WHERE user_id = NEW.user_id AND number = NEW.number;
    IF NEW.daily <> coalesce(last.daily_after, 0)
        OR NEW.bought <> coalesce(last.bought_after, 0)
        OR NEW.held <> coalesce(last.held_after, 0)
    THEN
        RAISE EXCEPTION 'a wallet holds what its entries say' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$
"""
