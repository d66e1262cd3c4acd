"""What is shown to everybody, who likes it, and who has used it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Uuid,
    bindparam,
    delete,
    select,
    tuple_,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import INSTANT, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.studio.publication import Publication, PublicationState, WorkKind

PUBLISHED = "state = 'published'"
SEARCHED = "to_tsvector('simple', name || ' ' || description || ' ' || category)"

publications = Table(
    "publications",
    metadata,
    id_column(),
    enum_text("kind", WorkKind),
    Column("owner_id", Uuid, nullable=True),
    Column("creator_id", Uuid, nullable=True),
    text("name"),
    text("description"),
    text("category"),
    enum_text("state", PublicationState),
    instant("submitted_at"),
    instant("published_at", nullable=True),
    instant("decided_at", nullable=True),
    Column("decided_by", Uuid, nullable=True),
    text("reason", nullable=True),
    Column("favourites", BigInteger, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("search", TSVECTOR, Computed(SEARCHED, persisted=True)),
    CheckConstraint("favourites >= 0 AND uses >= 0", name="counts"),
    CheckConstraint("state <> 'published' OR published_at IS NOT NULL", name="published_at"),
    CheckConstraint("(state = 'rejected') = (reason IS NOT NULL)", name="reason_of_rejection"),
    Index("ix_publications_popular", "kind", "favourites", "id", postgresql_where=PUBLISHED),
    Index("ix_publications_new", "kind", "published_at", "id", postgresql_where=PUBLISHED),
    Index("ix_publications_used", "kind", "uses", "id", postgresql_where=PUBLISHED),
    Index("ix_publications_search", "search", postgresql_using="gin", postgresql_where=PUBLISHED),
    Index(
        "ix_publications_waiting",
        "submitted_at",
        "id",
        postgresql_where="state = 'in_review'",
    ),
)

favourites = Table(
    "favourites",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("publication_id", ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True),
    instant("created_at"),
    Index(None, "publication_id"),
    Index("ix_favourites_chosen", "user_id", "created_at", "publication_id"),
)

publication_uses = Table(
    "publication_uses",
    metadata,
    Column("day", Date, primary_key=True),
    Column("publication_id", ForeignKey("publications.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Index(None, "publication_id"),
)

mappers.map_imperatively(
    Publication,
    publications,
    version_id_col=publications.c.version,
    exclude_properties=["search"],
)

_ID, _USER = bindparam("id", type_=Uuid), bindparam("user_id", type_=Uuid)
# The count changes if and only if the row does: a second of the same finds nothing to do. The
# row of the publication is locked for the length of this statement and what is left of the
# transaction, which is the commit.
_FAVOUR = sql(
    """
    WITH added AS (
        INSERT INTO favourites (user_id, publication_id, created_at)
        SELECT :user_id, id, :at FROM publications WHERE id = :id AND state = 'published'
        ON CONFLICT DO NOTHING RETURNING publication_id)
    UPDATE publications SET favourites = favourites + 1 FROM added
    WHERE id = added.publication_id RETURNING id
    """
).bindparams(_ID, _USER, bindparam("at", type_=INSTANT))
_UNFAVOUR = sql(
    """
    WITH removed AS (
        DELETE FROM favourites WHERE user_id = :user_id AND publication_id = :id
        RETURNING publication_id)
    UPDATE publications SET favourites = favourites - 1 FROM removed
    WHERE id = removed.publication_id RETURNING id
    """
).bindparams(_ID, _USER)
_COUNT_USE = sql(
    """
    WITH added AS (
        INSERT INTO publication_uses (day, publication_id, user_id)
        SELECT :day, id, :user_id FROM publications WHERE id = :id AND state = 'published'
        ON CONFLICT DO NOTHING RETURNING publication_id)
    UPDATE publications SET uses = uses + 1 FROM added
    WHERE id = added.publication_id RETURNING id
    """
).bindparams(_ID, _USER, bindparam("day", type_=Date))


class PostgresPublications(PostgresRepository[Publication]):
    """See `application.ports.library.Publications`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Publication, kind="publication")

    async def find(self, work_id: UUID, *, lock: bool = False) -> Publication | None:
        statement = select(Publication).where(publications.c.id == work_id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return await self._one(statement)

    async def remove(self, publication: Publication) -> None:
        await self._session.delete(publication)

    async def is_favourite(self, work_id: UUID, user_id: UUID) -> bool:
        found = await self._session.scalar(
            select(favourites.c.user_id).where(
                favourites.c.user_id == user_id, favourites.c.publication_id == work_id
            )
        )
        return found is not None

    async def favour(self, work_id: UUID, user_id: UUID, *, at: datetime) -> bool:
        facts = {"id": work_id, "user_id": user_id, "at": at}
        return (await self._session.execute(_FAVOUR, facts)).first() is not None

    async def unfavour(self, work_id: UUID, user_id: UUID) -> bool:
        facts = {"id": work_id, "user_id": user_id}
        return (await self._session.execute(_UNFAVOUR, facts)).first() is not None

    async def count_use(self, work_id: UUID, user_id: UUID, *, day: date) -> bool:
        facts = {"id": work_id, "user_id": user_id, "day": day}
        return (await self._session.execute(_COUNT_USE, facts)).first() is not None

    async def forget_uses(self, *, before: date, limit: int) -> int:
        key = (
            publication_uses.c.day,
            publication_uses.c.publication_id,
            publication_uses.c.user_id,
        )
        old = select(*key).where(publication_uses.c.day < before).limit(limit)
        gone = await self._session.execute(
            delete(publication_uses).where(tuple_(*key).in_(old)).returning(key[0])
        )
        return len(gone.all())
