CREATE TABLE ledger_closings (
    through DATE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_ledger_closings PRIMARY KEY (through)
);

CREATE TABLE ledger_seals (
    number INTEGER NOT NULL CONSTRAINT ck_ledger_seals_number_positive CHECK (number > 0),
    day DATE NOT NULL,
    previous_hash TEXT NOT NULL,
    digest TEXT NOT NULL,
    transactions BIGINT NOT NULL CONSTRAINT ck_ledger_seals_transactions_positive CHECK (transactions > 0),
    entries BIGINT NOT NULL,
    volumes JSONB NOT NULL,
    hash TEXT NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_ledger_seals PRIMARY KEY (number),
    CONSTRAINT uq_ledger_seals_day UNIQUE (day),
    CONSTRAINT uq_ledger_seals_previous_hash UNIQUE (previous_hash)
);

CREATE TABLE ledger_checkpoints (
    through DATE NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    entries BIGINT NOT NULL,
    total_cents BIGINT NOT NULL,
    CONSTRAINT pk_ledger_checkpoints PRIMARY KEY (through, account, currency)
);

CREATE TABLE ledger_write_offs (
    id UUID NOT NULL,
    payee_id UUID NOT NULL,
    request_key TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_ledger_write_offs_amount_positive CHECK (amount_cents > 0),
    reason TEXT NOT NULL,
    written_off_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_ledger_write_offs PRIMARY KEY (id),
    CONSTRAINT uq_ledger_write_offs_payee_id_request_key UNIQUE (payee_id, request_key),
    CONSTRAINT fk_ledger_write_offs_payee_id FOREIGN KEY(payee_id) REFERENCES payees (id)
);

CREATE TABLE ledger_verifications (
    id UUID NOT NULL,
    requested_by UUID NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    report JSONB,
    CONSTRAINT pk_ledger_verifications PRIMARY KEY (id),
    CONSTRAINT ck_ledger_verifications_finished CHECK ((finished_at IS NULL) = (report IS NULL))
);

ALTER TABLE payee_balances ADD COLUMN negative_since TIMESTAMP WITH TIME ZONE;

UPDATE payee_balances SET negative_since = now() WHERE available_cents < 0;

ALTER TABLE payee_balances ADD CONSTRAINT ck_payee_balances_negative_since_when
    CHECK ((negative_since IS NULL) = (available_cents >= 0));

CREATE INDEX ix_payee_balances_negative ON payee_balances (negative_since, payee_id, currency)
    WHERE negative_since IS NOT NULL;

ALTER TABLE earnings ADD COLUMN fee_cents BIGINT DEFAULT '0' NOT NULL,
    ADD CONSTRAINT ck_earnings_fee_within_amount CHECK (0 <= fee_cents AND fee_cents <= amount_cents);

DROP TRIGGER ledger_transactions_append_only ON ledger_transactions;

DROP TRIGGER ledger_transactions_balance ON ledger_transactions;

ALTER TABLE ledger_transactions ADD COLUMN posted_on DATE;

UPDATE ledger_transactions SET posted_on = CAST(occurred_at AT TIME ZONE 'UTC' AS date);

ALTER TABLE ledger_transactions ALTER COLUMN posted_on SET NOT NULL;

CREATE INDEX ix_ledger_transactions_posted_on_id ON ledger_transactions (posted_on, id);

ALTER TABLE ledger_entries RENAME TO ledger_entries_before;

ALTER INDEX pk_ledger_entries RENAME TO pk_ledger_entries_before;

CREATE TABLE ledger_entries (
    transaction_id UUID NOT NULL,
    position INTEGER NOT NULL,
    account TEXT NOT NULL,
    payee_id UUID,
    amount_cents BIGINT NOT NULL CONSTRAINT ck_ledger_entries_amount_not_zero CHECK (amount_cents <> 0),
    currency TEXT NOT NULL,
    posted_on DATE NOT NULL,
    CONSTRAINT pk_ledger_entries PRIMARY KEY (posted_on, transaction_id, position),
    CONSTRAINT ck_ledger_entries_payables_have_payees CHECK ((account LIKE 'payable%') = (payee_id IS NOT NULL))
) PARTITION BY RANGE (posted_on);

CREATE FUNCTION ledger_partition_is_guarded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a part of ledger_entries: post there', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_make_month(month date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    following date := (date_trunc('month', month) + interval '1 month')::date;
    part text := 'ledger_entries_' || to_char(month, 'YYYY_MM');
    placed bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_make_month', 0));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    SET LOCAL lock_timeout = '3s';
    LOCK TABLE ledger_entries_unplaced IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'CREATE TABLE %I (LIKE ledger_entries INCLUDING CONSTRAINTS)', part);
    ALTER TABLE ledger_entries_unplaced DISABLE TRIGGER USER;
    EXECUTE format(
        'WITH found AS (DELETE FROM ledger_entries_unplaced '
        'WHERE posted_on >= %L AND posted_on < %L RETURNING *) '
        'INSERT INTO %I SELECT * FROM found', first, following, part);
    GET DIAGNOSTICS placed = ROW_COUNT;
    ALTER TABLE ledger_entries_unplaced ENABLE TRIGGER USER;
    EXECUTE format(
        'ALTER TABLE ledger_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        part, first, following);
    EXECUTE format(
        'CREATE TRIGGER ledger_partition_is_guarded '
        'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION ledger_partition_is_guarded()', part);
    RETURN placed;
END $$;

CREATE TABLE ledger_entries_unplaced PARTITION OF ledger_entries DEFAULT;

CREATE TRIGGER ledger_partition_is_guarded
BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ledger_entries_unplaced
FOR EACH STATEMENT EXECUTE FUNCTION ledger_partition_is_guarded();

SELECT ledger_make_month(month::date) FROM generate_series(
    date_trunc('month', least(
        (now() AT TIME ZONE 'UTC')::date, (SELECT min(posted_on) FROM ledger_transactions)
    )),
    date_trunc('month', now() AT TIME ZONE 'UTC') + interval '3 months',
    interval '1 month'
) AS month;

INSERT INTO ledger_entries
    (transaction_id, position, account, payee_id, amount_cents, currency, posted_on)
SELECT e.transaction_id, e.position, e.account, e.payee_id, e.amount_cents, e.currency, t.posted_on
FROM ledger_entries_before e JOIN ledger_transactions t ON t.id = e.transaction_id;

DROP TABLE ledger_entries_before;

CREATE INDEX ix_ledger_entries_payee ON ledger_entries (payee_id, posted_on, transaction_id)
    WHERE payee_id IS NOT NULL;

CREATE OR REPLACE FUNCTION ledger_transaction_balances() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    entries bigint;
    total numeric;
    foreign_entries bigint;
BEGIN
    SELECT count(*), sum(amount_cents), count(*) FILTER (WHERE currency <> NEW.currency)
    INTO entries, total, foreign_entries
    FROM ledger_entries WHERE posted_on = NEW.posted_on AND transaction_id = NEW.id;
    IF entries < 2 OR total <> 0 OR foreign_entries > 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance', NEW.effect_key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added GROUP BY transaction_id, currency HAVING sum(amount_cents) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger entries do not sum to zero'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT transaction_id, posted_on FROM added) AS a
        WHERE (SELECT t.posted_on FROM ledger_transactions t WHERE t.id = a.transaction_id)
            IS DISTINCT FROM a.posted_on
    ) THEN
        RAISE EXCEPTION 'ledger entries belong to a transaction of their day'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF (SELECT min(posted_on) FROM added) <= (SELECT max(through) FROM ledger_closings) THEN
        RAISE EXCEPTION 'the day is closed: post on an open one'
            USING ERRCODE = 'restrict_violation';
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

CREATE TRIGGER ledger_closings_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_closings
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE TRIGGER ledger_seals_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

CREATE FUNCTION ledger_close(last_day date, at timestamptz) RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF last_day <= (SELECT max(through) FROM ledger_closings) THEN
        RETURN (SELECT max(through) FROM ledger_closings);
    END IF;
    SET LOCAL lock_timeout = '3s';
    LOCK TABLE ledger_transactions IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO ledger_closings (through, closed_at)
    SELECT last_day, at WHERE NOT EXISTS (SELECT FROM ledger_closings WHERE through >= last_day);
    RETURN (SELECT max(through) FROM ledger_closings);
END $$;

REVOKE UPDATE, DELETE, TRUNCATE
ON ledger_transactions, ledger_entries, ledger_closings, ledger_seals FROM PUBLIC
