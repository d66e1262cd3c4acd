DROP FUNCTION ledger_close;

DROP TRIGGER ledger_transactions_append_only ON ledger_transactions;

DROP TRIGGER ledger_transactions_balance ON ledger_transactions;

ALTER TABLE ledger_entries RENAME TO ledger_entries_by_month;

ALTER INDEX pk_ledger_entries RENAME TO pk_ledger_entries_by_month;

ALTER INDEX ix_ledger_entries_payee RENAME TO ix_ledger_entries_by_month_payee;

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

INSERT INTO ledger_entries (transaction_id, position, account, payee_id, amount_cents, currency)
SELECT transaction_id, position, account, payee_id, amount_cents, currency
FROM ledger_entries_by_month;

DROP TABLE ledger_entries_by_month;

DROP FUNCTION ledger_make_month, ledger_partition_is_guarded;

CREATE INDEX ix_ledger_entries_payee ON ledger_entries (payee_id, transaction_id)
    WHERE payee_id IS NOT NULL;

DROP INDEX ix_ledger_transactions_posted_on_id;

ALTER TABLE ledger_transactions DROP COLUMN posted_on;

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

ALTER TABLE earnings DROP COLUMN fee_cents;

ALTER TABLE payee_balances DROP COLUMN negative_since;

DROP TABLE ledger_write_offs, ledger_verifications, ledger_checkpoints, ledger_seals,
    ledger_closings
