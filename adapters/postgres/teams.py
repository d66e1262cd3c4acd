"""Teams, their invitations, and the staff of stores."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    Uuid,
    bindparam,
    delete,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import relationship, selectinload

from adapters.postgres.catalogue import stores
from adapters.postgres.columns import enum_text
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from application.ports.teams import StoreRole
from domain.identity.team import (
    AlreadyMember,
    Invitation,
    Member,
    StaffMember,
    Team,
    TeamRole,
)
from domain.shared.errors import NotFound

teams = Table(
    "teams",
    metadata,
    id_column(),
    text("name"),
    instant("created_at"),
    Column("version", Integer, nullable=False),
)

team_members = Table(
    "team_members",
    metadata,
    id_column(),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    enum_text("role", TeamRole),
    instant("joined_at"),
    UniqueConstraint("team_id", "user_id"),
    Index(None, "user_id"),
)

team_invitations = Table(
    "team_invitations",
    metadata,
    id_column(),
    Column("team_id", ForeignKey("teams.id", ondelete="CASCADE"), nullable=False),
    text("email"),
    enum_text("role", TeamRole),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("invited_by", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    instant("created_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    Index(None, "team_id"),
    Index(None, "invited_by"),
)

store_staff = Table(
    "store_staff",
    metadata,
    id_column(),
    Column("store_id", ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    enum_text("role", TeamRole),
    instant("added_at"),
    UniqueConstraint("store_id", "user_id"),
    CheckConstraint("role <> 'owner'", name="staff_do_not_own"),
    Index(None, "user_id"),
)

for _constraint in ("uq_team_members_team_id_user_id", "uq_store_staff_store_id_user_id"):
    on_violation(_constraint, lambda: AlreadyMember("That person is a member already."))

mappers.map_imperatively(Member, team_members)
mappers.map_imperatively(
    Team,
    teams,
    version_id_col=teams.c.version,
    properties={
        "members": relationship(
            Member, lazy="raise", order_by=team_members.c.joined_at, cascade="all, delete-orphan"
        )
    },
)
mappers.map_imperatively(Invitation, team_invitations)
mappers.map_imperatively(StaffMember, store_staff)


class PostgresTeams(PostgresRepository[Team]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Team, kind="team")

    async def get(self, aggregate_id: UUID, *, lock: bool = False) -> Team:
        statement = (
            select(Team)
            .where(teams.c.id == aggregate_id)
            .options(selectinload(Team.members))  # type: ignore[arg-type]
            .execution_options(populate_existing=lock)
        )
        team = await self._one(statement.with_for_update() if lock else statement)
        if team is None:
            raise NotFound("team", aggregate_id)
        return team

    async def of_user(self, user_id: UUID) -> list[Team]:
        return await self._many(
            select(Team)
            .where(
                teams.c.id.in_(
                    select(team_members.c.team_id).where(team_members.c.user_id == user_id)
                )
            )
            .order_by(teams.c.id)
            .options(selectinload(Team.members))  # type: ignore[arg-type]
        )

    async def delete(self, team: Team) -> None:
        await self._session.delete(team)


class PostgresInvitations(PostgresRepository[Invitation]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Invitation, kind="invitation")

    async def by_token(self, token_hash: bytes) -> Invitation | None:
        return await self._one(
            select(Invitation)
            .where(team_invitations.c.token_hash == token_hash)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    async def open_of_team(self, team_id: UUID, *, now: datetime) -> list[Invitation]:
        return await self._many(
            select(Invitation)
            .where(
                team_invitations.c.team_id == team_id,
                team_invitations.c.ended_at.is_(None),
                team_invitations.c.expires_at > now,
            )
            .order_by(team_invitations.c.id)
        )


_USER: BindParameter[UUID] = bindparam("user_id", type_=Uuid())
_ROLES = union_all(
    select(stores.c.id.label("store_id"), literal(TeamRole.OWNER.value).label("role")).where(
        stores.c.owner_id == _USER
    ),
    select(stores.c.id, team_members.c.role.cast(literal("").type))
    .join(team_members, team_members.c.team_id == stores.c.team_id)
    .where(team_members.c.user_id == _USER),
    select(store_staff.c.store_id, store_staff.c.role.cast(literal("").type)).where(
        store_staff.c.user_id == _USER
    ),
).subquery()


class PostgresStaffMembers(PostgresRepository[StaffMember]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, StaffMember, kind="staff member")

    async def of_store(self, store_id: UUID) -> list[StaffMember]:
        return await self._many(
            select(StaffMember)
            .where(store_staff.c.store_id == store_id)
            .order_by(store_staff.c.added_at, store_staff.c.id)
        )

    async def remove(self, member: StaffMember) -> None:
        await self._session.execute(delete(store_staff).where(store_staff.c.id == member.id))
        self._session.expunge(member)

    async def roles(
        self, user_id: UUID, *, among: Collection[UUID] | None = None
    ) -> Sequence[StoreRole]:
        statement = select(_ROLES.c.store_id, _ROLES.c.role).order_by(_ROLES.c.store_id)
        if among is not None:
            statement = statement.where(_ROLES.c.store_id.in_(among))
        found = await self._session.execute(statement, {"user_id": user_id})
        return [StoreRole(store_id, TeamRole(role)) for store_id, role in found]
