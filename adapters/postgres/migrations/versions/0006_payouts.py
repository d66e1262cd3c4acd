"""Payouts, bank accounts, and how payees want their money."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE payout_settings (
            id UUID NOT NULL,
            method TEXT NOT NULL,
            schedule TEXT NOT NULL,
            minimum_cents INTEGER,
            updated_at TIMESTAMP WITH TIME ZONE,
            version INTEGER NOT NULL,
            CONSTRAINT pk_payout_settings PRIMARY KEY (id),
            CONSTRAINT ck_payout_settings_minimum_positive CHECK (minimum_cents > 0),
            CONSTRAINT fk_payout_settings_id FOREIGN KEY(id) REFERENCES payees (id)
        )
    """)
    op.execute("""
        CREATE INDEX ix_payout_settings_by_day
            ON payout_settings (method, id)
            WHERE schedule <> 'manual'
    """)
    op.execute("""
        CREATE TABLE bank_accounts (
            id UUID NOT NULL,
            payee_id UUID NOT NULL,
            provider_id TEXT NOT NULL,
            bank_name TEXT,
            last4 TEXT NOT NULL CONSTRAINT ck_bank_accounts_only_four_digits
                CHECK (last4 ~ '^[0-9]{4}$'),
            currency TEXT NOT NULL,
            state TEXT NOT NULL,
            holder_name TEXT NOT NULL,
            is_default BOOLEAN NOT NULL,
            attempts INTEGER NOT NULL CONSTRAINT ck_bank_accounts_three_attempts
                CHECK (0 <= attempts AND attempts <= 3),
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            verified_at TIMESTAMP WITH TIME ZONE,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_bank_accounts PRIMARY KEY (id),
            CONSTRAINT uq_bank_accounts_provider_id UNIQUE (provider_id),
            CONSTRAINT fk_bank_accounts_payee_id FOREIGN KEY(payee_id) REFERENCES payees (id)
        )
    """)
    op.execute("""
        CREATE INDEX ix_bank_accounts_payee_id_id
            ON bank_accounts (payee_id, id)
    """)
    op.execute("""
        CREATE UNIQUE INDEX uq_bank_accounts_default
            ON bank_accounts (payee_id)
            WHERE is_default
    """)
    op.execute("""
        CREATE TABLE payouts (
            id UUID NOT NULL,
            payee_id UUID NOT NULL,
            method TEXT NOT NULL,
            speed TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount_cents BIGINT NOT NULL CONSTRAINT ck_payouts_amount_positive
                CHECK (amount_cents > 0),
            fee_cents BIGINT NOT NULL CONSTRAINT ck_payouts_fee_not_negative CHECK (fee_cents >= 0),
            net_cents BIGINT NOT NULL CONSTRAINT ck_payouts_net_positive CHECK (net_cents > 0),
            destination TEXT NOT NULL,
            bank_account_id UUID,
            last4 TEXT,
            payout_day DATE,
            request_key TEXT,
            state TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            reason TEXT,
            provider_id TEXT,
            provider_fee_cents BIGINT NOT NULL,
            created_at TIMESTAMP WITH TIME ZONE NOT NULL,
            tried_at TIMESTAMP WITH TIME ZONE,
            asked_at TIMESTAMP WITH TIME ZONE,
            sent_at TIMESTAMP WITH TIME ZONE,
            ended_at TIMESTAMP WITH TIME ZONE,
            CONSTRAINT pk_payouts PRIMARY KEY (id),
            CONSTRAINT ck_payouts_net_is_the_rest
                CHECK (net_cents = amount_cents - CASE WHEN method = 'bank' THEN fee_cents
                    ELSE 0 END),
            CONSTRAINT ck_payouts_sent_has_provider_id
                CHECK (state NOT IN ('sent', 'paid', 'returned') OR provider_id IS NOT NULL),
            CONSTRAINT ck_payouts_banks_have_accounts
                CHECK ((method = 'bank') = (bank_account_id IS NOT NULL)),
            CONSTRAINT uq_payouts_payee_id_request_key UNIQUE (payee_id, request_key),
            CONSTRAINT uq_payouts_provider_id UNIQUE (provider_id),
            CONSTRAINT fk_payouts_payee_id FOREIGN KEY(payee_id) REFERENCES payees (id),
            CONSTRAINT fk_payouts_bank_account_id FOREIGN KEY(bank_account_id)
                REFERENCES bank_accounts (id)
        )
    """)
    op.execute("""
        CREATE INDEX ix_payouts_bank_account_id
            ON payouts (bank_account_id)
    """)
    op.execute("""
        CREATE INDEX ix_payouts_open
            ON payouts (created_at)
            WHERE state IN ('reserved', 'unknown', 'sent')
    """)
    op.execute("""
        CREATE INDEX ix_payouts_payee_id_id
            ON payouts (payee_id, id)
    """)
    op.execute("""
        CREATE INDEX ix_payouts_silent
            ON payouts (asked_at)
            WHERE state IN ('sent', 'unknown')
    """)
    op.execute("""
        CREATE UNIQUE INDEX uq_payouts_one_a_day
            ON payouts (payee_id, currency, payout_day)
            WHERE payout_day IS NOT NULL
    """)
    op.execute("""
        CREATE TABLE payout_days (
            day DATE NOT NULL,
            finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
            payouts INTEGER NOT NULL,
            CONSTRAINT pk_payout_days PRIMARY KEY (day)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE payout_days")
    op.execute("DROP TABLE payouts")
    op.execute("DROP TABLE bank_accounts")
    op.execute("DROP TABLE payout_settings")
