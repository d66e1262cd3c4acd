"""What screens show of projects, templates, characters and presets, and of the community."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    union_all,
)

from adapters.postgres.creators import creators
from adapters.postgres.library import (
    character_references,
    characters,
    presets,
    projects,
    templates,
)
from adapters.postgres.media import assets
from adapters.postgres.publications import PUBLISHED, favourites, publications
from adapters.postgres.studio import generations
from adapters.postgres.teams import team_members
from adapters.postgres.views import Reader
from application.ports.library import (
    CharacterRow,
    CommunityRow,
    CommunitySort,
    OwnWork,
    PresetRow,
    ProjectRow,
    PublishedBy,
    ReviewedWork,
)
from domain.media.asset import AssetState
from domain.studio.publication import PublicationState, WorkKind

_LIKED = favourites.alias("liked")
_SORTED_BY = {
    CommunitySort.POPULAR: publications.c.favourites,
    CommunitySort.NEW: publications.c.published_at,
    CommunitySort.MOST_USED: publications.c.uses,
}
# Said in SQL, not as a parameter: what is prepared once must see that a partial index fits.
_IS_PUBLISHED: ColumnElement[bool] = literal_column(f"publications.{PUBLISHED}")
_SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")
_IN_REVIEW: ColumnElement[bool] = literal_column("publications.state = 'in_review'")


class PostgresLibraryViews(Reader):
    """See `application.ports.library.LibraryViews`."""

    async def projects(
        self, user_id: UUID, *, team_id: UUID | None, before: UUID | None, limit: int
    ) -> list[ProjectRow]:
        mine = select(team_members.c.team_id).where(team_members.c.user_id == user_id)
        teams: ColumnElement[bool] = projects.c.team_id.in_(mine)
        if team_id is not None:
            teams = and_(teams, projects.c.team_id == team_id)
        wanted = [teams]
        if team_id is None:
            personal = and_(projects.c.team_id.is_(None), projects.c.owner_id == user_id)
            wanted.append(personal)
        columns = [projects.c[name] for name in ProjectRow.__struct_fields__]
        later = [projects.c.id < before] if before is not None else []
        parts = [
            select(*columns)
            .where(projects.c.deleted_at.is_(None), part, *later)
            .order_by(projects.c.id.desc())
            .limit(limit)
            .subquery()
            for part in wanted
        ]
        together = union_all(*(select(part) for part in parts)).subquery()
        page = select(together).order_by(together.c.id.desc()).limit(limit)
        return await self._all(page, ProjectRow)

    async def thumbnails(self, project_ids: Collection[UUID]) -> dict[UUID, str]:
        newest = (
            select(assets.c.thumbnail_key)
            .join(generations, generations.c.id == assets.c.generation_id)
            .where(
                generations.c.project_id == projects.c.id,
                generations.c.project_id.is_not(None),
                assets.c.generation_id.is_not(None),
                assets.c.state == AssetState.READY,
                assets.c.thumbnail_key.is_not(None),
            )
            .order_by(generations.c.created_at.desc(), generations.c.id.desc(), assets.c.id.desc())
            .limit(1)
            .lateral()
        )
        found = select(projects.c.id, newest.c.thumbnail_key).where(projects.c.id.in_(project_ids))
        rows = await self._rows(found.join(newest, literal(True))) if project_ids else []
        return {row["id"]: row["thumbnail_key"] for row in rows}

    async def templates(self, owner_id: UUID, *, before: UUID | None, limit: int) -> list[OwnWork]:
        return await self._all(_own(templates, owner_id, before=before, limit=limit), OwnWork)

    async def characters(
        self, owner_id: UUID, *, before: UUID | None, limit: int
    ) -> list[CharacterRow]:
        more = (characters.c.gender, characters.c.age, characters.c.creator_id)
        page = _own(characters, owner_id, *more, before=before, limit=limit)
        return await self._all(page, CharacterRow)

    async def presets(
        self, owner_id: UUID | None, *, category: str | None, before: UUID | None, limit: int
    ) -> list[PresetRow]:
        columns = [presets.c[name] for name in ("camera", "motion", "duration_ms", "style")]
        driven = presets.c.driving_asset_id.is_not(None).label("motion_transfer")
        shipped = presets.c.owner_id.is_(None).label("is_default")
        page = _own(presets, owner_id, *columns, driven, shipped, before=before, limit=limit)
        if category is not None:
            page = page.where(presets.c.category == category)
        return await self._all(page, PresetRow)

    async def community(
        self,
        *,
        kind: WorkKind | None,
        sort: CommunitySort,
        words: list[str],
        reader_id: UUID | None,
        before: tuple[int | datetime, UUID] | None,
        limit: int,
    ) -> list[CommunityRow]:
        key = _SORTED_BY[sort]
        found = _matching(words, key, kind) if words else _by_kind(kind, key, before, limit)
        later = [tuple_(found.c.key, found.c.id) < before] if words and before is not None else []
        page = (
            select(found.c.id, found.c.key)
            .where(*later)
            .order_by(found.c.key.desc(), found.c.id.desc())
            .limit(limit)
            .subquery()
        )
        shown = _shown(reader_id).join(page, page.c.id == publications.c.id)
        rows = await self._rows(shown.order_by(page.c.key.desc(), page.c.id.desc()))
        return [_community_row(row) for row in rows]

    async def favourites(
        self, user_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[tuple[datetime, CommunityRow]]:
        chosen = (favourites.c.created_at, favourites.c.publication_id)
        shown = (
            _shown(user_id)
            .add_columns(favourites.c.created_at.label("chosen_at"))
            .join(favourites, favourites.c.publication_id == publications.c.id)
            .where(favourites.c.user_id == user_id, _IS_PUBLISHED)
            .order_by(*(column.desc() for column in chosen))
            .limit(limit)
        )
        if before is not None:
            shown = shown.where(tuple_(*chosen) < before)
        return [(row.pop("chosen_at"), _community_row(row)) for row in await self._rows(shown)]

    async def waiting(
        self, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[ReviewedWork]:
        key = (publications.c.submitted_at, publications.c.id)
        found = (
            select(*(publications.c[name] for name in ReviewedWork.__struct_fields__))
            .where(_IN_REVIEW)
            .order_by(*key)
            .limit(limit)
        )
        if after is not None:
            found = found.where(tuple_(*key) > after)
        return await self._all(found, ReviewedWork)


def _own(
    table: Any, owner_id: UUID | None, *more: Any, before: UUID | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """A page of one owner's works; None is the platform."""
    names = ("id", "name", "description", "category", "created_at", "updated_at", "version")
    state = func.coalesce(publications.c.state, PublicationState.PRIVATE)
    page: Select[*tuple[Any, ...]] = (
        select(
            *(table.c[name] for name in names),
            state.label("state"),
            func.coalesce(publications.c.favourites, 0).label("favourites"),
            func.coalesce(publications.c.uses, 0).label("uses"),
            *more,
        )
        .outerjoin(publications, publications.c.id == table.c.id)
        .where(table.c.owner_id == owner_id, table.c.deleted_at.is_(None))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    return page if before is None else page.where(table.c.id < before)


def _by_kind(
    kind: WorkKind | None, key: Any, before: tuple[int | datetime, UUID] | None, limit: int
) -> Any:
    """A page of each kind by its own index; the first of them all are among these."""
    later = [tuple_(key, publications.c.id) < before] if before is not None else []
    parts = [
        select(publications.c.id, key.label("key"))
        .where(_IS_PUBLISHED, publications.c.kind == one, *later)
        .order_by(key.desc(), publications.c.id.desc())
        .limit(limit)
        .subquery()
        for one in ([kind] if kind is not None else WorkKind)
    ]
    return union_all(*(select(part) for part in parts)).subquery()


def _matching(words: list[str], key: Any, kind: WorkKind | None) -> Any:
    """What has the words, by the index of words, before anything is sorted: how rare a beginning
    of a word is cannot be guessed, and a scan in the order asked for could read everything."""
    query = " & ".join(f"'{word}':*" for word in words)
    of_kind = [publications.c.kind == kind] if kind is not None else []
    return (
        select(publications.c.id, key.label("key"))
        .where(
            _IS_PUBLISHED,
            publications.c.search.op("@@")(func.to_tsquery(_SIMPLE, query)),
            *of_kind,
        )
        .cte("matching")
        .prefix_with("MATERIALIZED")
    )


def _shown(reader_id: UUID | None) -> Select[*tuple[Any, ...]]:
    """Published works, with who published them and the picture of a character."""
    favourite: ColumnElement[bool] = literal(False)
    if reader_id is not None:
        favourite = exists().where(
            _LIKED.c.user_id == reader_id, _LIKED.c.publication_id == publications.c.id
        )
    picture = (
        select(assets.c.thumbnail_key)
        .join(character_references, character_references.c.asset_id == assets.c.id)
        .where(character_references.c.character_id == publications.c.id)
        .order_by(character_references.c.position)
        .limit(1)
        .scalar_subquery()
    )
    plain = (
        *("id", "kind", "name", "description", "category", "creator_id"),
        *("favourites", "uses", "published_at"),
    )
    return select(
        *(publications.c[name] for name in plain),
        favourite.label("favourite"),
        picture.label("thumbnail_key"),
        creators.c.slug,
        creators.c.display_name,
    ).outerjoin(creators, and_(creators.c.user_id == publications.c.owner_id, creators.c.published))


def _community_row(row: dict[str, Any]) -> CommunityRow:
    slug, display_name = row.pop("slug"), row.pop("display_name")
    by = PublishedBy(slug=slug, display_name=display_name) if slug is not None else None
    return CommunityRow(**row, by=by)
