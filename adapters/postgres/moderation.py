"""What was judged, which cases wait, who reported what, and whose strikes there are."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
    bindparam,
    exists,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.moderation.case import (
    AlreadyReported,
    CaseState,
    ModerationCase,
    Origin,
    Report,
    ReportReason,
    SubjectKind,
)
from domain.moderation.judgement import Category, Finding, Verdict
from domain.moderation.record import JudgementRecord, Medium
from domain.moderation.strikes import Strike, StrikeKind

_WAITING = "state IN ('open', 'appealed')"

moderation_judgements = Table(
    "moderation_judgements",
    metadata,
    id_column(),
    enum_text("medium", Medium),
    text("subject"),
    Column("subject_id", Uuid, nullable=True),
    text("field"),
    # No foreign key: accounts may be erased, and what was judged stays judged.
    Column("actor_id", Uuid, nullable=True),
    Column("creator_id", Uuid, nullable=True),
    text("sha256", CheckConstraint("length(sha256) = 64", name="sha256")),
    text("excerpt", CheckConstraint("length(excerpt) <= 200", name="excerpt")),
    json_of("findings", tuple[Finding, ...]),
    enum_text("verdict", Verdict),
    Column("hard", Boolean, nullable=False),
    Column("score", Float, nullable=True),
    text("edition"),
    instant("judged_at"),
    CheckConstraint("NOT hard OR verdict = 'blocked'", name="hard_is_blocked"),
    Index(None, "subject", "subject_id", "id"),
    Index("ix_moderation_judgements_hard", "judged_at", postgresql_where=sql("hard")),
)

moderation_cases = Table(
    "moderation_cases",
    metadata,
    id_column(),
    enum_text("subject_kind", SubjectKind),
    Column("subject_id", Uuid, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    enum_text("origin", Origin),
    enum_text("category", Category),
    Column("hard", Boolean, nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("reports", Integer, nullable=False),
    Column("judgement_id", Uuid, nullable=True),
    text("refused_sha256", nullable=True),
    text("excerpt"),
    enum_text("state", CaseState),
    text("note"),
    Column("decided_by", Uuid, nullable=True),
    instant("decided_at", nullable=True),
    text("appeal"),
    instant("appealed_at", nullable=True),
    instant("opened_at"),
    Column("version", Integer, nullable=False),
    CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
    CheckConstraint("state <> 'appealed' OR appealed_at IS NOT NULL", name="appealed"),
    CheckConstraint("NOT hard OR appealed_at IS NULL", name="hard_has_no_appeal"),
    CheckConstraint("state <> 'approved' OR NOT hidden", name="approved_is_shown"),
    CheckConstraint(
        "subject_kind NOT IN ('text', 'upload') OR refused_sha256 IS NOT NULL", name="refused"
    ),
    Index(
        "uq_moderation_cases_waiting",
        "subject_kind",
        "subject_id",
        unique=True,
        postgresql_where=sql(_WAITING),
    ),
    Index("ix_moderation_cases_queue", "id", postgresql_where=sql(_WAITING)),
    Index(None, "state", "id"),
    Index(None, "owner_id", "id"),
    Index(None, "subject_kind", "subject_id", "id"),
    Index(
        "ix_moderation_cases_refused",
        "owner_id",
        "refused_sha256",
        "id",
        postgresql_where=sql("refused_sha256 IS NOT NULL"),
    ),
)

moderation_reports = Table(
    "moderation_reports",
    metadata,
    id_column(),
    Column(
        "case_id",
        ForeignKey("moderation_cases.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    enum_text("subject_kind", SubjectKind),
    Column("subject_id", Uuid, nullable=False),
    text("reporter"),
    Column("reporter_id", Uuid, nullable=True),
    enum_text("reason", ReportReason),
    text("text"),
    instant("created_at"),
    instant("closed_at", nullable=True),
    Index(None, "case_id"),
    Index(
        "uq_moderation_reports_open",
        "reporter",
        "subject_kind",
        "subject_id",
        unique=True,
        postgresql_where=sql("closed_at IS NULL"),
    ),
)

moderation_strikes = Table(
    "moderation_strikes",
    metadata,
    id_column(),
    Column("user_id", Uuid, nullable=False),
    Column(
        "case_id",
        ForeignKey("moderation_cases.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
    ),
    enum_text("kind", StrikeKind),
    instant("at"),
    instant("voided_at", nullable=True),
    UniqueConstraint("case_id"),
    Index(None, "user_id", "at"),
)

on_violation(
    "uq_moderation_reports_open",
    lambda: AlreadyReported("You have reported this: it is being looked at."),
)

mappers.map_imperatively(JudgementRecord, moderation_judgements)
mappers.map_imperatively(
    ModerationCase, moderation_cases, version_id_col=moderation_cases.c.version
)
mappers.map_imperatively(Report, moderation_reports)
mappers.map_imperatively(Strike, moderation_strikes)


def waits_for_a_moderator(
    kind: SubjectKind, subject_id: ColumnElement[UUID]
) -> ColumnElement[bool]:
    """Whether a case of it is open."""
    return exists().where(
        moderation_cases.c.subject_kind == kind,
        moderation_cases.c.subject_id == subject_id,
        sql(_WAITING),
    )


class PostgresJudgements(PostgresRepository[JudgementRecord]):
    """See `application.ports.moderation.Judgements`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, JudgementRecord, kind="judgement")


class PostgresModerationCases(PostgresRepository[ModerationCase]):
    """See `application.ports.moderation.ModerationCases`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ModerationCase, kind="moderation case")

    async def waiting_for(self, kind: SubjectKind, subject_id: UUID) -> ModerationCase | None:
        return await self._one(
            select(ModerationCase)
            .where(
                moderation_cases.c.subject_kind == kind,
                moderation_cases.c.subject_id == subject_id,
                sql(_WAITING),
            )
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    async def holds(self, kind: SubjectKind, subject_id: UUID) -> bool:
        held = exists().where(
            moderation_cases.c.subject_kind == kind,
            moderation_cases.c.subject_id == subject_id,
            moderation_cases.c.hidden,
        )
        return bool(await self._session.scalar(select(held)))

    async def about_refused(
        self, owner_id: UUID, sha256s: Collection[str]
    ) -> Mapping[str, ModerationCase]:
        table = moderation_cases.c
        found = await self._many(
            select(ModerationCase)
            .where(table.owner_id == owner_id, table.refused_sha256.in_(list(sha256s)))
            .ext(distinct_on(table.refused_sha256))
            .order_by(table.refused_sha256, table.id.desc())
        )
        return {case.refused_sha256: case for case in found if case.refused_sha256 is not None}


class PostgresReports(PostgresRepository[Report]):
    """See `application.ports.moderation.Reports`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Report, kind="report")

    async def open_of(self, case_id: UUID) -> list[Report]:
        table = moderation_reports.c
        return await self._many(
            select(Report)
            .where(table.case_id == case_id, table.closed_at.is_(None))
            .order_by(table.id)
        )


_STRIKES_OF_USER = (
    select(Strike)
    .where(moderation_strikes.c.user_id == bindparam("user_id"))
    .order_by(moderation_strikes.c.at)
)


class PostgresStrikes(PostgresRepository[Strike]):
    """See `application.ports.moderation.Strikes`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Strike, kind="strike")

    async def of_user(self, user_id: UUID) -> Sequence[Strike]:
        return await self._many(_STRIKES_OF_USER, user_id=user_id)

    async def of_case(self, case_id: UUID) -> Strike | None:
        return await self._one(select(Strike).where(moderation_strikes.c.case_id == case_id))
