"""What creators are asked, and their answers; and the revocations of their licences."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text, json_of
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.licensing.approval import ApprovalRequest, ApprovalState
from domain.licensing.decision import Decision
from domain.licensing.revocation import (
    AlreadyRevoked,
    LicenceRevocation,
    RevocationCause,
    RevocationStep,
)
from domain.licensing.use import Use

approval_requests = Table(
    "approval_requests",
    metadata,
    id_column(),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("requester_id", ForeignKey("users.id"), nullable=False),
    text("subject"),
    Column("store_id", Uuid, nullable=True),
    Column("product_id", Uuid, nullable=True),
    Column("once", Boolean, nullable=False),
    Column("used_for", Uuid, nullable=True),
    json_of("use", Use),
    json_of("decision", Decision),
    Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
    Column("terms_version", Integer, nullable=False),
    enum_text("state", ApprovalState),
    text("reason"),
    instant("created_at"),
    instant("deadline"),
    instant("answered_at", nullable=True),
    Column("answered_by", Uuid, nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint(
        "(state IN ('approved', 'rejected')) = (answered_at IS NOT NULL)", name="answered"
    ),
    CheckConstraint("used_for IS NULL OR (once AND state = 'approved')", name="spent"),
    Index(None, "creator_id", "id"),
    Index(None, "creator_id", "subject", "id"),
    Index(None, "requester_id", "id"),
    Index(
        "uq_approval_requests_open",
        "creator_id",
        "subject",
        unique=True,
        postgresql_where=sql("state = 'pending'"),
    ),
    Index("ix_approval_requests_due", "deadline", postgresql_where=sql("state = 'pending'")),
)

licence_revocations = Table(
    "licence_revocations",
    metadata,
    id_column(),
    Column("creator_id", ForeignKey("creators.id"), nullable=False),
    Column("terms_id", ForeignKey("licence_terms.id"), nullable=False),
    Column("terms_version", Integer, nullable=False),
    enum_text("cause", RevocationCause),
    text("reason"),
    instant("declared_at"),
    Column("declared_by", Uuid, nullable=False),
    instant("effective_at"),
    enum_text("step", RevocationStep),
    Column("cursor", Uuid, nullable=True),
    Column("listings_frozen", Integer, nullable=False),
    Column("checkouts_closed", Integer, nullable=False),
    Column("copies_withdrawn", Integer, nullable=False),
    Column("refunds_asked", Integer, nullable=False),
    Column("weights_erased", Integer, nullable=False),
    instant("done_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("declared_at <= effective_at", name="not_in_retrospect"),
    CheckConstraint("(step = 'done') = (done_at IS NOT NULL)", name="done"),
    UniqueConstraint("creator_id", "terms_version"),
)

on_violation(
    "uq_licence_revocations_creator_id_terms_version",
    lambda: AlreadyRevoked("The licence in force is revoked already."),
)

mappers.map_imperatively(
    ApprovalRequest, approval_requests, version_id_col=approval_requests.c.version
)
mappers.map_imperatively(
    LicenceRevocation, licence_revocations, version_id_col=licence_revocations.c.version
)


class PostgresApprovals(PostgresRepository[ApprovalRequest]):
    """See `application.ports.licensing.Approvals`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, ApprovalRequest, kind="approval")

    async def latest(
        self, questions: Collection[tuple[UUID, str]]
    ) -> Mapping[tuple[UUID, str], ApprovalRequest]:
        if not questions:
            return {}
        question = (approval_requests.c.creator_id, approval_requests.c.subject)
        found = await self._many(
            select(ApprovalRequest)
            .where(tuple_(*question).in_(list(questions)))
            .ext(distinct_on(*question))
            .order_by(*question, approval_requests.c.id.desc())
        )
        return {(one.creator_id, one.subject): one for one in found}

    async def of_creator(
        self,
        creator_id: UUID,
        *,
        state: ApprovalState | None,
        now: datetime,
        before: UUID | None,
        limit: int,
    ) -> list[ApprovalRequest]:
        table = approval_requests.c
        found = select(ApprovalRequest).where(table.creator_id == creator_id)
        overdue = and_(table.state == ApprovalState.PENDING, table.deadline <= now)
        match state:
            case ApprovalState.PENDING:
                found = found.where(table.state == state, table.deadline > now)
            case ApprovalState.EXPIRED:
                found = found.where(or_(table.state == state, overdue))
            case ApprovalState.APPROVED | ApprovalState.REJECTED:
                found = found.where(table.state == state)
        return await self._page(found, before, limit)

    async def of_requester(
        self, requester_id: UUID, *, before: UUID | None, limit: int
    ) -> list[ApprovalRequest]:
        own = select(ApprovalRequest).where(approval_requests.c.requester_id == requester_id)
        return await self._page(own, before, limit)

    async def expire(self, *, now: datetime, limit: int) -> int:
        due = (
            select(approval_requests.c.id)
            .where(
                approval_requests.c.state == ApprovalState.PENDING,
                approval_requests.c.deadline <= now,
            )
            .order_by(approval_requests.c.deadline)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        done = await self._session.execute(
            update(approval_requests)
            .where(approval_requests.c.id.in_(due))
            .values(state=ApprovalState.EXPIRED, version=approval_requests.c.version + 1)
        )
        return int(done.rowcount)  # type: ignore[attr-defined]

    async def _page(
        self, statement: Select[ApprovalRequest], before: UUID | None, limit: int
    ) -> list[ApprovalRequest]:
        if before is not None:
            statement = statement.where(approval_requests.c.id < before)
        return await self._many(statement.order_by(approval_requests.c.id.desc()).limit(limit))


_OF_CREATORS = (
    select(LicenceRevocation)
    .where(licence_revocations.c.creator_id.in_(bindparam("ids", expanding=True)))
    .order_by(licence_revocations.c.id.desc())
)


class PostgresRevocations(PostgresRepository[LicenceRevocation]):
    """See `application.ports.licensing.Revocations`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, LicenceRevocation, kind="revocation")

    async def of_creators(self, creator_ids: Collection[UUID]) -> list[LicenceRevocation]:
        return await self._many(_OF_CREATORS, ids=list(creator_ids))
