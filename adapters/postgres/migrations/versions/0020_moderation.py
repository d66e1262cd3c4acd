"""What was judged, reported and appealed."""

from alembic import op

revision = "0020"
down_revision = "0019"

_TABLES = """
CREATE TABLE moderation_judgements (
    id UUID NOT NULL,
    medium TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id UUID,
    field TEXT NOT NULL,
    actor_id UUID,
    creator_id UUID,
    sha256 TEXT NOT NULL
        CONSTRAINT ck_moderation_judgements_sha256 CHECK (length(sha256) = 64),
    excerpt TEXT NOT NULL
        CONSTRAINT ck_moderation_judgements_excerpt CHECK (length(excerpt) <= 200),
    findings JSONB NOT NULL,
    verdict TEXT NOT NULL,
    hard BOOLEAN NOT NULL,
    score FLOAT,
    edition TEXT NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_moderation_judgements PRIMARY KEY (id),
    CONSTRAINT ck_moderation_judgements_hard_is_blocked CHECK (NOT hard OR verdict = 'blocked')
);

CREATE INDEX ix_moderation_judgements_hard ON moderation_judgements (judged_at) WHERE hard;

CREATE INDEX ix_moderation_judgements_subject_subject_id_id
    ON moderation_judgements (subject, subject_id, id);

CREATE TABLE moderation_cases (
    id UUID NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    origin TEXT NOT NULL,
    category TEXT NOT NULL,
    hard BOOLEAN NOT NULL,
    hidden BOOLEAN NOT NULL,
    reports INTEGER NOT NULL,
    judgement_id UUID,
    text_sha256 TEXT,
    excerpt TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_by UUID,
    decided_at TIMESTAMP WITH TIME ZONE,
    appeal TEXT NOT NULL,
    appealed_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_moderation_cases PRIMARY KEY (id),
    CONSTRAINT ck_moderation_cases_decided CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT ck_moderation_cases_appealed CHECK (state <> 'appealed' OR appealed_at IS NOT NULL),
    CONSTRAINT ck_moderation_cases_hard_has_no_appeal CHECK (NOT hard OR appealed_at IS NULL),
    CONSTRAINT ck_moderation_cases_approved_is_shown CHECK (state <> 'approved' OR NOT hidden),
    CONSTRAINT ck_moderation_cases_text CHECK ((subject_kind = 'text') = (text_sha256 IS NOT NULL))
);

CREATE INDEX ix_moderation_cases_owner_id_id ON moderation_cases (owner_id, id);

CREATE INDEX ix_moderation_cases_queue
    ON moderation_cases (id) WHERE state IN ('open', 'appealed');

CREATE INDEX ix_moderation_cases_state_id ON moderation_cases (state, id);

CREATE INDEX ix_moderation_cases_subject_kind_subject_id_id
    ON moderation_cases (subject_kind, subject_id, id);

CREATE INDEX ix_moderation_cases_texts
    ON moderation_cases (owner_id, text_sha256, id) WHERE text_sha256 IS NOT NULL;

CREATE UNIQUE INDEX uq_moderation_cases_waiting
    ON moderation_cases (subject_kind, subject_id) WHERE state IN ('open', 'appealed');

CREATE TABLE moderation_reports (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    reporter TEXT NOT NULL,
    reporter_id UUID,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_moderation_reports PRIMARY KEY (id),
    CONSTRAINT fk_moderation_reports_case_id FOREIGN KEY(case_id) REFERENCES moderation_cases (id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_moderation_reports_case_id ON moderation_reports (case_id);

CREATE UNIQUE INDEX uq_moderation_reports_open
    ON moderation_reports (reporter, subject_kind, subject_id) WHERE closed_at IS NULL;

CREATE TABLE moderation_strikes (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    case_id UUID NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    voided_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_moderation_strikes PRIMARY KEY (id),
    CONSTRAINT uq_moderation_strikes_case_id UNIQUE (case_id),
    CONSTRAINT fk_moderation_strikes_case_id FOREIGN KEY(case_id) REFERENCES moderation_cases (id)
        DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX ix_moderation_strikes_user_id_at ON moderation_strikes (user_id, at)
"""

_APPEND_ONLY = """
CREATE FUNCTION judgements_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was judged stays judged' USING ERRCODE = 'check_violation';
END
$$
"""

_GUARD = """
CREATE TRIGGER moderation_judgements_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON moderation_judgements
FOR EACH STATEMENT EXECUTE FUNCTION judgements_are_append_only()
"""


def upgrade() -> None:
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    op.execute(_APPEND_ONLY)
    op.execute(_GUARD)


def downgrade() -> None:
    for table in ("strikes", "reports", "cases", "judgements"):
        op.execute(f"DROP TABLE moderation_{table}")
    op.execute("DROP FUNCTION judgements_are_append_only()")
