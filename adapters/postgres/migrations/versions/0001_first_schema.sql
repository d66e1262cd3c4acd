CREATE OR REPLACE FUNCTION legs_total_cents(legs jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(sum((leg ->> 'amount_cents')::bigint), 0)::bigint
    FROM jsonb_array_elements(legs) AS leg
$$;

CREATE TABLE assets (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    content_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    clean_key TEXT NOT NULL,
    preview_key TEXT NOT NULL,
    thumbnail_key TEXT NOT NULL,
    original_key TEXT,
    generation_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_assets PRIMARY KEY (id),
    CONSTRAINT ck_assets_size CHECK (width > 0 AND height > 0 AND size_bytes > 0),
    CONSTRAINT ck_assets_generation CHECK ((generation_id IS NOT NULL) = (purpose = 'generation'))
);

CREATE INDEX ix_assets_generation ON assets (generation_id) WHERE generation_id IS NOT NULL;

CREATE INDEX ix_assets_owner ON assets (owner_id, created_at, id);

CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BYTEA NOT NULL,
    claim_id UUID NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status SMALLINT,
    headers JSONB,
    body BYTEA,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (owner, operation, key)
);

CREATE INDEX ix_idempotency_keys_expires_at ON idempotency_keys (expires_at);

CREATE TABLE inbox_messages (
    id UUID NOT NULL,
    topic TEXT NOT NULL,
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload BYTEA NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    request_id TEXT,
    traceparent TEXT,
    CONSTRAINT pk_inbox_messages PRIMARY KEY (id),
    CONSTRAINT ck_inbox_messages_state CHECK (state IN ('pending', 'dispatched', 'running', 'done', 'parked')),
    CONSTRAINT ck_inbox_messages_lease CHECK ((lease_until IS NOT NULL) = (state IN ('dispatched', 'running'))),
    CONSTRAINT ck_inbox_messages_finished CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'parked')))
)
 WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX ix_inbox_messages_due ON inbox_messages (topic, due_at) WHERE state = 'pending';

CREATE INDEX ix_inbox_messages_in_flight ON inbox_messages (topic, lease_until) WHERE state IN ('dispatched', 'running');

CREATE INDEX ix_inbox_messages_parked ON inbox_messages (topic, id) WHERE state = 'parked';

CREATE UNIQUE INDEX uq_inbox_messages_topic_external_id ON inbox_messages (topic, external_id);

CREATE TABLE jobs (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    owner_id UUID NOT NULL,
    status TEXT NOT NULL,
    progress INTEGER NOT NULL,
    current_step TEXT NOT NULL,
    seq INTEGER NOT NULL,
    round INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_jobs PRIMARY KEY (id),
    CONSTRAINT ck_jobs_progress CHECK (progress BETWEEN 0 AND 100),
    CONSTRAINT ck_jobs_finished CHECK ((finished_at IS NULL) = (status IN ('accepted', 'queued', 'running', 'ingesting')))
);

CREATE INDEX ix_jobs_open ON jobs (expires_at) WHERE status IN ('accepted', 'queued', 'running', 'ingesting');

CREATE TABLE ledger_transactions (
    id UUID NOT NULL,
    effect_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    order_id UUID,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_ledger_transactions PRIMARY KEY (id),
    CONSTRAINT uq_ledger_transactions_effect_key UNIQUE (effect_key)
);

CREATE INDEX ix_ledger_transactions_order_id ON ledger_transactions (order_id);

CREATE TABLE orders (
    id UUID NOT NULL,
    buyer_id UUID NOT NULL,
    request_key TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_cents BIGINT NOT NULL CONSTRAINT ck_orders_total_positive CHECK (total_cents > 0),
    fees_version TEXT NOT NULL,
    payment_status TEXT NOT NULL,
    session_id TEXT,
    checkout_url TEXT,
    payment_id TEXT,
    charge_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reconcile_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_orders PRIMARY KEY (id),
    CONSTRAINT uq_orders_buyer_id_request_key UNIQUE (buyer_id, request_key),
    CONSTRAINT uq_orders_session_id UNIQUE (session_id),
    CONSTRAINT uq_orders_charge_id UNIQUE (charge_id),
    CONSTRAINT ck_orders_paid_has_charge CHECK ((payment_status = 'paid') = (charge_id IS NOT NULL AND paid_at IS NOT NULL))
);

CREATE INDEX ix_orders_buyer_id_id ON orders (buyer_id, id);

CREATE INDEX ix_orders_unended ON orders (reconcile_at) WHERE payment_status IN ('unpaid', 'processing');

CREATE TABLE outbox_messages (
    id UUID NOT NULL,
    topic TEXT NOT NULL,
    key TEXT,
    payload BYTEA NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    request_id TEXT,
    traceparent TEXT,
    CONSTRAINT pk_outbox_messages PRIMARY KEY (id),
    CONSTRAINT ck_outbox_messages_state CHECK (state IN ('pending', 'dispatched', 'running', 'done', 'parked')),
    CONSTRAINT ck_outbox_messages_lease CHECK ((lease_until IS NOT NULL) = (state IN ('dispatched', 'running'))),
    CONSTRAINT ck_outbox_messages_finished CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'parked')))
)
 WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.02);

CREATE INDEX ix_outbox_messages_due ON outbox_messages (topic, due_at) WHERE state = 'pending';

CREATE INDEX ix_outbox_messages_in_flight ON outbox_messages (topic, lease_until) WHERE state IN ('dispatched', 'running');

CREATE INDEX ix_outbox_messages_parked ON outbox_messages (topic, id) WHERE state = 'parked';

CREATE UNIQUE INDEX uq_outbox_messages_topic_key ON outbox_messages (topic, key) WHERE key IS NOT NULL;

CREATE TABLE payee_balances (
    payee_id UUID NOT NULL,
    currency TEXT NOT NULL,
    pending_cents BIGINT NOT NULL CONSTRAINT ck_payee_balances_pending_not_negative CHECK (pending_cents >= 0),
    available_cents BIGINT NOT NULL,
    reserved_cents BIGINT NOT NULL CONSTRAINT ck_payee_balances_reserved_not_negative CHECK (reserved_cents >= 0),
    disputed_cents BIGINT NOT NULL CONSTRAINT ck_payee_balances_disputed_not_negative CHECK (disputed_cents >= 0),
    lifetime_cents BIGINT NOT NULL,
    CONSTRAINT pk_payee_balances PRIMARY KEY (payee_id, currency)
);

CREATE TABLE payees (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    account_id TEXT,
    transfers_active BOOLEAN NOT NULL,
    payouts_enabled BOOLEAN NOT NULL,
    disabled_reason TEXT,
    currently_due JSONB NOT NULL,
    past_due JSONB NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_payees PRIMARY KEY (id),
    CONSTRAINT uq_payees_account_id UNIQUE (account_id)
);

CREATE INDEX ix_payees_asked ON payees (refreshed_at NULLS FIRST) WHERE account_id IS NOT NULL;

CREATE TABLE scheduler_runs (
    name TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    CONSTRAINT pk_scheduler_runs PRIMARY KEY (name)
);

CREATE TABLE users (
    id UUID NOT NULL,
    email TEXT NOT NULL,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT[] NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT ck_users_email_normalised CHECK (email = lower(email)),
    CONSTRAINT ck_users_roles_known CHECK (roles <@ ARRAY['fan', 'creator', 'store_owner', 'admin'] AND cardinality(roles) > 0)
);

CREATE TABLE asset_grants (
    asset_id UUID NOT NULL,
    user_id UUID NOT NULL,
    order_id UUID NOT NULL,
    CONSTRAINT pk_asset_grants PRIMARY KEY (asset_id, user_id, order_id),
    CONSTRAINT fk_asset_grants_asset_id FOREIGN KEY(asset_id) REFERENCES assets (id)
);

CREATE TABLE attempts (
    id UUID NOT NULL,
    job_id UUID NOT NULL,
    round INTEGER NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    provider TEXT,
    request_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    next_check_at TIMESTAMP WITH TIME ZONE,
    output_urls JSONB NOT NULL,
    weights_url TEXT,
    seed BIGINT,
    asset_ids JSONB NOT NULL,
    error_code TEXT,
    error_message TEXT,
    CONSTRAINT pk_attempts PRIMARY KEY (id),
    CONSTRAINT uq_attempts_job_id_round_number UNIQUE (job_id, round, number),
    CONSTRAINT uq_attempts_provider_request_id UNIQUE (provider, request_id),
    CONSTRAINT ck_attempts_request_of_provider CHECK (request_id IS NULL OR provider IS NOT NULL),
    CONSTRAINT ck_attempts_submitted CHECK ((provider IS NULL) = (submitted_at IS NULL)),
    CONSTRAINT fk_attempts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_attempts_watched ON attempts (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE creators (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    slug TEXT NOT NULL,
    display_name TEXT NOT NULL,
    bio TEXT NOT NULL,
    published BOOLEAN NOT NULL,
    terms_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_creators PRIMARY KEY (id),
    CONSTRAINT uq_creators_slug UNIQUE (slug),
    CONSTRAINT uq_creators_user_id UNIQUE (user_id),
    CONSTRAINT fk_creators_user_id FOREIGN KEY(user_id) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE earnings (
    order_id UUID NOT NULL,
    payee_id UUID NOT NULL,
    currency TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_earnings_amount_positive CHECK (amount_cents > 0),
    returned_cents BIGINT NOT NULL,
    state TEXT NOT NULL,
    release_at TIMESTAMP WITH TIME ZONE NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_earnings PRIMARY KEY (order_id, payee_id),
    CONSTRAINT ck_earnings_returned_within_amount CHECK (0 <= returned_cents AND returned_cents <= amount_cents),
    CONSTRAINT fk_earnings_order_id FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT fk_earnings_payee_id FOREIGN KEY(payee_id) REFERENCES payees (id)
);

CREATE INDEX ix_earnings_payee_id_state ON earnings (payee_id, state);

CREATE INDEX ix_earnings_pending ON earnings (release_at) WHERE state = 'pending';

CREATE INDEX ix_earnings_released ON earnings (released_at) WHERE state = 'released';

CREATE TABLE job_events (
    job_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    progress INTEGER NOT NULL,
    current_step TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_job_events PRIMARY KEY (job_id, seq),
    CONSTRAINT fk_job_events_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE ledger_entries (
    transaction_id UUID NOT NULL,
    position INTEGER NOT NULL,
    account TEXT NOT NULL,
    payee_id UUID,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_ledger_entries_amount_not_zero CHECK (amount_cents <> 0),
    currency TEXT NOT NULL,
    CONSTRAINT pk_ledger_entries PRIMARY KEY (transaction_id, position),
    CONSTRAINT ck_ledger_entries_payables_have_payees CHECK ((account LIKE 'payable%') = (payee_id IS NOT NULL)),
    CONSTRAINT fk_ledger_entries_transaction_id FOREIGN KEY(transaction_id) REFERENCES ledger_transactions (id)
);

CREATE INDEX ix_ledger_entries_payee ON ledger_entries (payee_id, transaction_id) WHERE payee_id IS NOT NULL;

CREATE TABLE refunds (
    id UUID NOT NULL,
    order_id UUID NOT NULL,
    request_key TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_refunds_amount_positive CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    lines JSONB NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    provider_id TEXT,
    failure_reason TEXT,
    requested_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refunds PRIMARY KEY (id),
    CONSTRAINT uq_refunds_order_id_request_key UNIQUE (order_id, request_key),
    CONSTRAINT uq_refunds_provider_id UNIQUE (provider_id),
    CONSTRAINT fk_refunds_order_id FOREIGN KEY(order_id) REFERENCES orders (id)
);

CREATE INDEX ix_refunds_open ON refunds (order_id) WHERE status = 'pending';

CREATE TABLE sessions (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    user_agent TEXT,
    address TEXT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    end_reason TEXT,
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT ck_sessions_end_has_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_sessions_user_id_last_seen_at ON sessions (user_id, last_seen_at);

CREATE TABLE stores (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_stores PRIMARY KEY (id),
    CONSTRAINT uq_stores_slug UNIQUE (slug),
    CONSTRAINT fk_stores_owner_id FOREIGN KEY(owner_id) REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_stores_owner_id ON stores (owner_id);

CREATE TABLE transfers (
    id UUID NOT NULL,
    order_id UUID NOT NULL,
    payee_id UUID NOT NULL,
    account_id TEXT NOT NULL,
    charge_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_transfers_amount_positive CHECK (amount_cents > 0),
    reversal_cents BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    provider_id TEXT,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_transfers PRIMARY KEY (id),
    CONSTRAINT uq_transfers_order_id_payee_id UNIQUE (order_id, payee_id),
    CONSTRAINT uq_transfers_provider_id UNIQUE (provider_id),
    CONSTRAINT ck_transfers_reversals_within_amount CHECK (0 <= reversal_cents AND reversal_cents <= amount_cents),
    CONSTRAINT ck_transfers_sent_has_provider_id CHECK ((state = 'sent') = (provider_id IS NOT NULL)),
    CONSTRAINT fk_transfers_order_id FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT fk_transfers_payee_id FOREIGN KEY(payee_id) REFERENCES payees (id)
);

CREATE INDEX ix_transfers_payee_id_id ON transfers (payee_id, id);

CREATE TABLE consents (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    text_version TEXT NOT NULL,
    text_hash TEXT,
    language TEXT NOT NULL,
    uses JSONB NOT NULL,
    signer_name TEXT NOT NULL,
    adult BOOLEAN NOT NULL CONSTRAINT ck_consents_signer_is_adult CHECK (adult),
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    signed_by UUID NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_consents PRIMARY KEY (id),
    CONSTRAINT fk_consents_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_consents_creator_id ON consents (creator_id);

CREATE TABLE licence_terms (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    terms JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID NOT NULL,
    CONSTRAINT pk_licence_terms PRIMARY KEY (id),
    CONSTRAINT uq_licence_terms_creator_id_version UNIQUE (creator_id, version),
    CONSTRAINT fk_licence_terms_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE refresh_tokens (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_refresh_tokens PRIMARY KEY (id),
    CONSTRAINT fk_refresh_tokens_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT uq_refresh_tokens_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE transfer_reversals (
    id UUID NOT NULL,
    transfer_id UUID NOT NULL,
    refund_id UUID NOT NULL,
    order_id UUID NOT NULL,
    payee_id UUID NOT NULL,
    currency TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_transfer_reversals_amount_positive CHECK (amount_cents > 0),
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    provider_id TEXT,
    last_error TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_transfer_reversals PRIMARY KEY (id),
    CONSTRAINT uq_transfer_reversals_refund_id_transfer_id UNIQUE (refund_id, transfer_id),
    CONSTRAINT uq_transfer_reversals_provider_id UNIQUE (provider_id),
    CONSTRAINT fk_transfer_reversals_transfer_id FOREIGN KEY(transfer_id) REFERENCES transfers (id),
    CONSTRAINT fk_transfer_reversals_refund_id FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE INDEX ix_transfer_reversals_intended ON transfer_reversals (payee_id) WHERE state = 'intended';

CREATE INDEX ix_transfer_reversals_transfer_id ON transfer_reversals (transfer_id);

CREATE TABLE licence_decisions (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    actor_id UUID NOT NULL,
    subject_id UUID,
    use JSONB NOT NULL,
    decision JSONB NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    terms_hash TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_licence_decisions PRIMARY KEY (id),
    CONSTRAINT fk_licence_decisions_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id),
    CONSTRAINT fk_licence_decisions_terms_id FOREIGN KEY(terms_id) REFERENCES licence_terms (id)
);

CREATE INDEX ix_licence_decisions_creator ON licence_decisions (creator_id, decided_at);

CREATE TABLE likeness_models (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    trigger_word TEXT NOT NULL,
    asset_ids JSONB NOT NULL,
    steps INTEGER NOT NULL,
    weights_key TEXT,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    terms_hash TEXT NOT NULL,
    consent_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_likeness_models PRIMARY KEY (id),
    CONSTRAINT fk_likeness_models_id FOREIGN KEY(id) REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_likeness_models_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id),
    CONSTRAINT fk_likeness_models_terms_id FOREIGN KEY(terms_id) REFERENCES licence_terms (id),
    CONSTRAINT fk_likeness_models_consent_id FOREIGN KEY(consent_id) REFERENCES consents (id)
);

CREATE INDEX ix_likeness_models_creator ON likeness_models (creator_id, created_at);

CREATE TABLE products (
    id UUID NOT NULL,
    store_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    generation_id UUID NOT NULL,
    asset_id UUID NOT NULL,
    product_type TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    prompt TEXT NOT NULL,
    price_cents BIGINT NOT NULL CONSTRAINT ck_products_price_not_negative CHECK (price_cents >= 0),
    currency TEXT NOT NULL,
    stock INTEGER,
    reserved INTEGER DEFAULT '0' NOT NULL,
    status TEXT NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    terms_hash TEXT NOT NULL,
    decision JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_products PRIMARY KEY (id),
    CONSTRAINT ck_products_no_oversale CHECK (reserved >= 0 AND (stock IS NULL OR reserved <= stock)),
    CONSTRAINT fk_products_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_products_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id),
    CONSTRAINT fk_products_asset_id FOREIGN KEY(asset_id) REFERENCES assets (id),
    CONSTRAINT fk_products_terms_id FOREIGN KEY(terms_id) REFERENCES licence_terms (id)
);

CREATE INDEX ix_products_asset_id ON products (asset_id);

CREATE INDEX ix_products_creator_id_id ON products (creator_id, id);

CREATE INDEX ix_products_store_id_id ON products (store_id, id);

CREATE TABLE generations (
    id UUID NOT NULL,
    owner_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    model_id UUID NOT NULL,
    mode TEXT NOT NULL,
    prompt TEXT NOT NULL,
    purpose TEXT NOT NULL,
    scene_asset_id UUID,
    seed BIGINT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    terms_hash TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_generations PRIMARY KEY (id),
    CONSTRAINT ck_generations_scene CHECK ((mode = 'photo') = (scene_asset_id IS NOT NULL)),
    CONSTRAINT fk_generations_id FOREIGN KEY(id) REFERENCES jobs (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT fk_generations_creator_id FOREIGN KEY(creator_id) REFERENCES creators (id),
    CONSTRAINT fk_generations_model_id FOREIGN KEY(model_id) REFERENCES likeness_models (id),
    CONSTRAINT fk_generations_terms_id FOREIGN KEY(terms_id) REFERENCES licence_terms (id)
);

CREATE INDEX ix_generations_owner ON generations (owner_id, created_at, id);

CREATE TABLE order_lines (
    id UUID NOT NULL,
    order_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID NOT NULL,
    store_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    asset_id UUID NOT NULL,
    product_type TEXT NOT NULL,
    title TEXT NOT NULL,
    unit_price_cents BIGINT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT ck_order_lines_some CHECK (quantity > 0),
    total_cents BIGINT NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    terms_hash TEXT NOT NULL,
    decision JSONB NOT NULL,
    stock_reserved BOOLEAN NOT NULL,
    legs JSONB NOT NULL,
    refunded_cents BIGINT DEFAULT '0' NOT NULL,
    refunded_quantity INTEGER DEFAULT '0' NOT NULL,
    returned_cents BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_order_lines PRIMARY KEY (id),
    CONSTRAINT uq_order_lines_order_id_position UNIQUE (order_id, position),
    CONSTRAINT ck_order_lines_total_is_product CHECK (total_cents = unit_price_cents * quantity),
    CONSTRAINT ck_order_lines_legs_sum_to_total CHECK (legs_total_cents(legs) = total_cents),
    CONSTRAINT ck_order_lines_refunds_within_total CHECK (0 <= returned_cents AND returned_cents <= refunded_cents AND refunded_cents <= total_cents),
    CONSTRAINT ck_order_lines_refunds_within_quantity CHECK (0 <= refunded_quantity AND refunded_quantity <= quantity),
    CONSTRAINT fk_order_lines_order_id FOREIGN KEY(order_id) REFERENCES orders (id),
    CONSTRAINT fk_order_lines_product_id FOREIGN KEY(product_id) REFERENCES products (id)
);

CREATE INDEX ix_order_lines_creator_id_order_id ON order_lines (creator_id, order_id);

CREATE INDEX ix_order_lines_product_id ON order_lines (product_id);

CREATE INDEX ix_order_lines_store_id_order_id ON order_lines (store_id, order_id);

CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: post a correction instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION ledger_transaction_balances() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    entries bigint;
    total numeric;
    foreign_entries bigint;
BEGIN
    SELECT count(*), sum(amount_cents), count(*) FILTER (WHERE currency <> NEW.currency)
    INTO entries, total, foreign_entries
    FROM ledger_entries WHERE transaction_id = NEW.id;
    IF entries < 2 OR total <> 0 OR foreign_entries > 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', NEW.effect_key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM added GROUP BY transaction_id, currency HAVING sum(amount_cents) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger entries do not sum to zero'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_transactions_balance
AFTER INSERT ON ledger_transactions DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances();

CREATE TRIGGER ledger_entries_balance AFTER INSERT ON ledger_entries
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_balance();

CREATE TRIGGER ledger_transactions_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE TRIGGER ledger_entries_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
