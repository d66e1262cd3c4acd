"""What others have published: look through it, and remember what one likes."""

import asyncio
import re
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from application.media.delivery import shown_url
from application.ports.clock import Clock
from application.ports.library import CommunityRow, CommunitySort, LibraryViews, PublishedBy
from application.ports.storage import ObjectStorage
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.shared.errors import NotFound
from domain.studio.publication import WorkKind

MAX_WORDS = 10
_PURGE_BATCH = 5_000
_WORD = re.compile(r"\w+")


class CommunityWork(msgspec.Struct, frozen=True, kw_only=True):
    """`creator_id` is whose likeness a character has, `by` the page of who published it, where
    they have one. `favourite` is the caller's own word."""

    id: UUID
    kind: WorkKind
    name: str
    description: str
    category: str
    creator_id: UUID | None
    by: PublishedBy | None
    thumbnail_url: str | None
    favourites: int
    uses: int
    favourite: bool
    published_at: datetime


class FavouriteCount(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    favourite: bool
    favourites: int


async def browse_community(
    *,
    kind: WorkKind | None,
    sort: CommunitySort,
    q: str | None,
    visitor: Actor | None,
    before: tuple[int | datetime, UUID] | None,
    limit: int,
    views: LibraryViews,
    storage: ObjectStorage,
) -> list[CommunityWork]:
    """Everything that is published, or what of it has all words of `q`. A question without a word
    in it has no answers."""
    words = [] if q is None else _WORD.findall(q.casefold())[:MAX_WORDS]
    if q is not None and not words:
        return []
    found = await views.community(
        kind=kind,
        sort=sort,
        words=words,
        reader_id=visitor.user_id if visitor else None,
        before=before,
        limit=limit,
    )
    return await _linked(found, storage=storage)


async def own_favourites(
    *,
    actor: Actor,
    before: tuple[datetime, UUID] | None,
    limit: int,
    views: LibraryViews,
    storage: ObjectStorage,
) -> list[tuple[datetime, CommunityWork]]:
    """With when each was chosen, the last first; what is published no more is left out."""
    found = await views.favourites(actor.user_id, before=before, limit=limit)
    works = await _linked([row for _, row in found], storage=storage)
    return [(at, work) for (at, _), work in zip(found, works, strict=True)]


async def favour(work_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> FavouriteCount:
    """Twice is once. Raises NotFound for what is not published."""
    async with uow:
        await uow.publications.favour(work_id, actor.user_id, at=clock.now())
        publication = await uow.publications.find(work_id)
        if publication is None or not publication.is_published:
            raise NotFound("publication", work_id)
        await uow.commit()
    return FavouriteCount(id=work_id, favourite=True, favourites=publication.favourites)


async def unfavour(work_id: UUID, *, actor: Actor, uow: UnitOfWork) -> FavouriteCount:
    """Also of what is published no more. Raises NotFound for what never was."""
    async with uow:
        removed = await uow.publications.unfavour(work_id, actor.user_id)
        publication = await uow.publications.find(work_id)
        if publication is None or not (removed or publication.is_published):
            raise NotFound("publication", work_id)
        await uow.commit()
    return FavouriteCount(id=work_id, favourite=False, favourites=publication.favourites)


async def forget_old_uses(*, uow: UnitOfWork, clock: Clock) -> int:
    """Who used what is kept for as long as it keeps a use from being counted twice."""
    yesterday: date = (clock.now() - timedelta(days=1)).date()
    forgotten = 0
    while True:
        async with uow:
            gone = await uow.publications.forget_uses(before=yesterday, limit=_PURGE_BATCH)
            await uow.commit()
        forgotten += gone
        if gone < _PURGE_BATCH:
            return forgotten


async def _linked(rows: list[CommunityRow], *, storage: ObjectStorage) -> list[CommunityWork]:
    urls = await asyncio.gather(*(shown_url(row.thumbnail_key, storage=storage) for row in rows))
    return [
        CommunityWork(
            id=row.id,
            kind=row.kind,
            name=row.name,
            description=row.description,
            category=row.category,
            creator_id=row.creator_id,
            by=row.by,
            thumbnail_url=url,
            favourites=row.favourites,
            uses=row.uses,
            favourite=row.favourite,
            published_at=row.published_at,
        )
        for row, url in zip(rows, urls, strict=True)
    ]
