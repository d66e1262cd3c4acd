"""What a licence gives away beside its terms: counters, grants, approvals, revocations.

GiST compares ranges, not ids: a range type over ids lets one exclusion constraint see the creator
of a grant too, without an extension that a server may not have.
"""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("CREATE TYPE uuid_range AS RANGE (subtype = uuid)")
    for statement in _TABLES.split("\n\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE products DROP COLUMN frozen_for")
    op.execute("ALTER TABLE likeness_models DROP COLUMN erased_at")
    for table in (
        "licence_revocations",
        "approval_requests",
        "licence_grants",
        "licence_claims",
        "licence_counters",
    ):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TYPE uuid_range")


_TABLES = """
CREATE TABLE licence_counters (
    creator_id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    currency TEXT NOT NULL,
    value BIGINT NOT NULL,
    CONSTRAINT pk_licence_counters PRIMARY KEY (creator_id, kind, subject, currency),
    CONSTRAINT ck_licence_counters_value_not_negative CHECK (value >= 0)
)

CREATE TABLE licence_claims (
    order_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    CONSTRAINT pk_licence_claims PRIMARY KEY (order_id, creator_id, kind, subject, currency),
    CONSTRAINT ck_licence_claims_amount_positive CHECK (amount > 0)
)

CREATE TABLE licence_grants (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    store_id UUID NOT NULL,
    parent_id UUID,
    root_id UUID,
    sublicensors JSONB NOT NULL,
    kind TEXT NOT NULL,
    product_types INT4MULTIRANGE NOT NULL,
    territories INT4MULTIRANGE NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_until TIMESTAMP WITH TIME ZONE,
    terms_id UUID NOT NULL,
    terms JSONB,
    guarantee_cents BIGINT NOT NULL,
    currency TEXT,
    guarantee_paid_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_licence_grants PRIMARY KEY (id),
    CONSTRAINT ck_licence_grants_guarantee_not_negative CHECK (guarantee_cents >= 0),
    CONSTRAINT ck_licence_grants_period CHECK (valid_until IS NULL OR valid_from <= valid_until),
    CONSTRAINT ck_licence_grants_guarantee_currency CHECK (
        (guarantee_cents > 0) = (currency IS NOT NULL)),
    CONSTRAINT ck_licence_grants_paid_guarantee_exists CHECK (
        guarantee_paid_at IS NULL OR guarantee_cents > 0),
    CONSTRAINT ck_licence_grants_sublicence CHECK (
        (parent_id IS NULL) = (root_id IS NULL)
        AND (parent_id IS NULL) = (terms IS NULL)),
    CONSTRAINT ck_licence_grants_sublicence_shuts_nobody_out CHECK (
        parent_id IS NULL OR kind = 'none'),
    CONSTRAINT fk_licence_grants_creator_id FOREIGN KEY (creator_id) REFERENCES creators (id),
    CONSTRAINT fk_licence_grants_store_id FOREIGN KEY (store_id) REFERENCES stores (id),
    CONSTRAINT fk_licence_grants_parent_id FOREIGN KEY (parent_id) REFERENCES licence_grants (id),
    CONSTRAINT fk_licence_grants_root_id FOREIGN KEY (root_id) REFERENCES licence_grants (id),
    CONSTRAINT fk_licence_grants_terms_id FOREIGN KEY (terms_id) REFERENCES licence_terms (id),
    CONSTRAINT ex_licence_grants_overlap EXCLUDE USING gist (
        uuid_range(creator_id, creator_id, '[]') WITH &&,
        product_types WITH &&,
        territories WITH &&,
        tstzrange(valid_from, valid_until) WITH &&) WHERE (kind <> 'none')
)

CREATE INDEX ix_licence_grants_creator_id_id ON licence_grants (creator_id, id)

CREATE INDEX ix_licence_grants_store_id_id ON licence_grants (store_id, id)

CREATE INDEX ix_licence_grants_root_id ON licence_grants (root_id)

CREATE INDEX ix_licence_grants_parent_id ON licence_grants (parent_id)

CREATE TABLE approval_requests (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    requester_id UUID NOT NULL,
    subject TEXT NOT NULL,
    store_id UUID,
    product_id UUID,
    once BOOLEAN NOT NULL,
    used_for UUID,
    use JSONB NOT NULL,
    decision JSONB NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deadline TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    answered_by UUID,
    version INTEGER NOT NULL,
    CONSTRAINT pk_approval_requests PRIMARY KEY (id),
    CONSTRAINT ck_approval_requests_answered CHECK (
        (state IN ('approved', 'rejected')) = (answered_at IS NOT NULL)),
    CONSTRAINT ck_approval_requests_spent CHECK (
        used_for IS NULL OR (once AND state = 'approved')),
    CONSTRAINT fk_approval_requests_creator_id FOREIGN KEY (creator_id) REFERENCES creators (id),
    CONSTRAINT fk_approval_requests_requester_id FOREIGN KEY (requester_id) REFERENCES users (id),
    CONSTRAINT fk_approval_requests_terms_id FOREIGN KEY (terms_id) REFERENCES licence_terms (id)
)

CREATE INDEX ix_approval_requests_creator_id_id ON approval_requests (creator_id, id)

CREATE INDEX ix_approval_requests_creator_id_subject_id
    ON approval_requests (creator_id, subject, id)

CREATE INDEX ix_approval_requests_requester_id_id ON approval_requests (requester_id, id)

CREATE UNIQUE INDEX uq_approval_requests_open ON approval_requests (creator_id, subject)
    WHERE state = 'pending'

CREATE INDEX ix_approval_requests_due ON approval_requests (deadline) WHERE state = 'pending'

CREATE TABLE licence_revocations (
    id UUID NOT NULL,
    creator_id UUID NOT NULL,
    terms_id UUID NOT NULL,
    terms_version INTEGER NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    declared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    declared_by UUID NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    step TEXT NOT NULL,
    cursor UUID,
    listings_frozen INTEGER NOT NULL,
    checkouts_closed INTEGER NOT NULL,
    copies_withdrawn INTEGER NOT NULL,
    refunds_asked INTEGER NOT NULL,
    weights_erased INTEGER NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_licence_revocations PRIMARY KEY (id),
    CONSTRAINT ck_licence_revocations_not_in_retrospect CHECK (declared_at <= effective_at),
    CONSTRAINT ck_licence_revocations_done CHECK ((step = 'done') = (done_at IS NOT NULL)),
    CONSTRAINT uq_licence_revocations_creator_id_terms_version UNIQUE (creator_id, terms_version),
    CONSTRAINT fk_licence_revocations_creator_id FOREIGN KEY (creator_id) REFERENCES creators (id),
    CONSTRAINT fk_licence_revocations_terms_id FOREIGN KEY (terms_id) REFERENCES licence_terms (id)
)

ALTER TABLE products ADD COLUMN frozen_for TEXT,
    ADD CONSTRAINT ck_products_frozen_is_suspended CHECK (
        frozen_for IS NULL OR status = 'suspended')

ALTER TABLE likeness_models ADD COLUMN erased_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_likeness_models_erased_has_no_weights CHECK (
        erased_at IS NULL OR weights_key IS NULL)
"""
