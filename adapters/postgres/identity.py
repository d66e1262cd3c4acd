"""Users, their sessions and the refresh tokens of these."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    CursorResult,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    RowMapping,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    select,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.columns import enum_text
from adapters.postgres.errors import on_violation
from adapters.postgres.metadata import id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from application.ports.identity import EmailTaken, Me, SessionSummary, UserSummary
from domain.identity.actor import Role
from domain.identity.session import EndReason, RefreshToken, Session
from domain.identity.user import User
from domain.shared.errors import NotFound


class RoleSet(TypeDecorator[frozenset[Role]]):
    """A set of roles as a sorted array of their names."""

    impl = ARRAY(Text)
    cache_ok = True

    def process_bind_param(self, value: frozenset[Role] | None, dialect: Dialect) -> list[str]:
        return sorted(value or ())

    def process_result_value(self, value: Any, dialect: Dialect) -> frozenset[Role]:
        return frozenset(map(Role, value))


def _owned_by(target: str) -> ForeignKey:
    """Checked at commit, because rows added together are written in no particular order."""
    return ForeignKey(target, ondelete="CASCADE", deferrable=True, initially="DEFERRED")


users = Table(
    "users",
    metadata,
    id_column(),
    text("email"),
    text("display_name"),
    text("password_hash"),
    Column("roles", RoleSet(), nullable=False),
    instant("created_at"),
    UniqueConstraint("email"),
    CheckConstraint("email = lower(email)", name="email_normalised"),
    CheckConstraint(
        "roles <@ ARRAY['fan', 'creator', 'store_owner', 'admin'] AND cardinality(roles) > 0",
        name="roles_known",
    ),
)
on_violation("uq_users_email", EmailTaken)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    Column("user_id", _owned_by("users.id"), nullable=False),
    text("user_agent", nullable=True),
    text("address", nullable=True),
    instant("started_at"),
    instant("last_seen_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    enum_text("end_reason", EndReason, nullable=True),
    CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="end_has_reason"),
    Index(None, "user_id", "last_seen_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    id_column(),
    Column("session_id", _owned_by("sessions.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    instant("issued_at"),
    instant("expires_at"),
    instant("spent_at", nullable=True),
)

mappers.map_imperatively(User, users)
mappers.map_imperatively(Session, sessions)
mappers.map_imperatively(RefreshToken, refresh_tokens)


class PostgresUsers(PostgresRepository[User]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, User, kind="user")

    async def by_email(self, email: str) -> User | None:
        return await self._one(select(User).where(users.c.email == email))


class PostgresSessions(PostgresRepository[Session]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Session, kind="session")

    def add_token(self, token: RefreshToken) -> None:
        self._session.add(token)

    async def by_refresh_token(self, token_hash: bytes) -> tuple[Session, RefreshToken] | None:
        found = await self._session.execute(
            select(Session, RefreshToken)
            .join(refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
            .where(refresh_tokens.c.token_hash == token_hash)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        row = found.one_or_none()
        return None if row is None else (row[0], row[1])


_PURGE_TOKENS = """
    DELETE FROM refresh_tokens WHERE id IN (
        SELECT id FROM refresh_tokens WHERE expires_at <= :now
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
"""

_PURGE_SESSIONS = """
    DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at <= :now AND NOT EXISTS (
            SELECT FROM refresh_tokens WHERE refresh_tokens.session_id = sessions.id
        )
        LIMIT :limit FOR UPDATE SKIP LOCKED
    )
"""


class PostgresSessionPurge:
    """See `application.ports.identity.SessionPurge`."""

    def __init__(self, sessions_of: async_sessionmaker[AsyncSession]) -> None:
        self._sessions_of = sessions_of

    async def purge(self, *, now: datetime, limit: int) -> int:
        purged = 0
        for statement in (_PURGE_TOKENS, _PURGE_SESSIONS):
            async with self._sessions_of.begin() as session:
                result = await session.execute(sql(statement), {"now": now, "limit": limit})
                purged += cast("CursorResult[Any]", result).rowcount
        return purged


_LIVE_SESSIONS = """
    SELECT id, user_agent, address, started_at, last_seen_at, expires_at FROM sessions
    WHERE user_id = :user_id AND ended_at IS NULL AND expires_at > :now
    ORDER BY last_seen_at DESC, id DESC
"""

_ME = """
    SELECT id, email, display_name, roles,
        (SELECT creators.id FROM creators WHERE creators.user_id = users.id) AS creator_id,
        ARRAY(
            SELECT stores.id FROM stores WHERE stores.owner_id = users.id
            UNION
            SELECT stores.id FROM stores
            JOIN team_members ON team_members.team_id = stores.team_id
            WHERE team_members.user_id = users.id
            UNION
            SELECT store_id FROM store_staff WHERE store_staff.user_id = users.id
            ORDER BY 1
        ) AS store_ids,
        ARRAY(
            SELECT team_id FROM team_members WHERE team_members.user_id = users.id ORDER BY team_id
        ) AS team_ids
    FROM users WHERE id = :user_id
"""


class PostgresIdentityViews:
    """See `application.ports.identity.IdentityViews`."""

    def __init__(self, sessions_of: async_sessionmaker[AsyncSession]) -> None:
        self._sessions_of = sessions_of

    async def me(self, user_id: UUID) -> Me:
        rows = await self._rows(_ME, user_id=user_id)
        if not rows:
            raise NotFound("user", user_id)
        row = rows[0]
        return Me(
            user=UserSummary(
                id=row["id"],
                email=row["email"],
                display_name=row["display_name"],
                roles=[Role(role) for role in row["roles"]],
            ),
            creator_id=row["creator_id"],
            store_ids=row["store_ids"],
            team_ids=row["team_ids"],
        )

    async def sessions(
        self, user_id: UUID, *, current: UUID | None, now: datetime
    ) -> list[SessionSummary]:
        rows = await self._rows(_LIVE_SESSIONS, user_id=user_id, now=now)
        return [
            SessionSummary(
                id=row["id"],
                user_agent=row["user_agent"],
                address=row["address"],
                started_at=row["started_at"],
                last_seen_at=row["last_seen_at"],
                expires_at=row["expires_at"],
                current=row["id"] == current,
            )
            for row in rows
        ]

    async def _rows(self, statement: str, **parameters: object) -> list[RowMapping]:
        async with self._sessions_of() as session:
            result = await session.execute(sql(statement), parameters)
            return list(result.mappings())
