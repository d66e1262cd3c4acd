"""Keeping projects, characters, templates and presets, and what of them is shown to everybody."""

from collections.abc import Collection
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.studio.character import Character, Gender
from domain.studio.preset import Camera, Preset
from domain.studio.project import Project
from domain.studio.publication import Publication, PublicationState, WorkKind
from domain.studio.template import Template

Projects = Repository[Project]
Characters = Repository[Character]
Templates = Repository[Template]


class Presets(Repository[Preset], Protocol):
    async def existing(self, preset_ids: Collection[UUID]) -> set[UUID]:
        """Tombstones too."""
        ...


class Publications(Repository[Publication], Protocol):
    """Favourites and uses are counted in the statement that keeps them: each once, whoever else
    does the same meanwhile."""

    async def find(self, work_id: UUID, *, lock: bool = False) -> Publication | None: ...

    async def remove(self, publication: Publication) -> None:
        """With who liked and used it."""
        ...

    async def is_favourite(self, work_id: UUID, user_id: UUID) -> bool: ...

    async def favour(self, work_id: UUID, user_id: UUID, *, at: datetime) -> bool:
        """Whether that is new; only what is published becomes a favourite."""
        ...

    async def unfavour(self, work_id: UUID, user_id: UUID) -> bool: ...

    async def count_use(self, work_id: UUID, user_id: UUID, *, day: date) -> bool:
        """Whether it is the user's first that day; of what is not published none is counted."""
        ...

    async def forget_uses(self, *, before: date, limit: int) -> int:
        """Who used what in days that are over; the counts stay."""
        ...


class CommunitySort(StrEnum):
    POPULAR = "popular"
    NEW = "new"
    MOST_USED = "most_used"


class PublishedBy(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's page, where they have one that is published."""

    slug: str
    display_name: str


class CommunityRow(msgspec.Struct, frozen=True, kw_only=True):
    """`creator_id` is whose likeness a character has. `favourite` is the caller's own word."""

    id: UUID
    kind: WorkKind
    name: str
    description: str
    category: str
    creator_id: UUID | None
    by: PublishedBy | None
    favourites: int
    uses: int
    favourite: bool
    thumbnail_key: str | None
    published_at: datetime


class ReviewedWork(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a decision. Administrators read the whole work where its owner does."""

    id: UUID
    kind: WorkKind
    name: str
    description: str
    category: str
    owner_id: UUID | None
    creator_id: UUID | None
    submitted_at: datetime


class ProjectRow(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    owner_id: UUID
    team_id: UUID | None
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    version: int


class OwnWork(msgspec.Struct, frozen=True, kw_only=True):
    """A line of one's own list."""

    id: UUID
    name: str
    description: str
    category: str
    state: PublicationState
    favourites: int
    uses: int
    created_at: datetime
    updated_at: datetime
    version: int


class CharacterRow(OwnWork, frozen=True, kw_only=True):
    gender: Gender
    age: int
    creator_id: UUID | None


class PresetRow(OwnWork, frozen=True, kw_only=True):
    camera: Camera
    motion: int
    duration_ms: int
    style: str
    motion_transfer: bool
    is_default: bool


class LibraryViews(Protocol):
    """Pages go backwards from `before`, the sort key of the last row shown."""

    async def projects(
        self, user_id: UUID, *, team_id: UUID | None, before: UUID | None, limit: int
    ) -> list[ProjectRow]:
        """The user's own and those of the user's teams, or those of one of the teams."""
        ...

    async def thumbnails(self, project_ids: Collection[UUID]) -> dict[UUID, str]:
        """The key of the newest picture that was made in each, where there is one."""
        ...

    async def templates(
        self, owner_id: UUID, *, before: UUID | None, limit: int
    ) -> list[OwnWork]: ...

    async def characters(
        self, owner_id: UUID, *, before: UUID | None, limit: int
    ) -> list[CharacterRow]: ...

    async def presets(
        self, owner_id: UUID | None, *, category: str | None, before: UUID | None, limit: int
    ) -> list[PresetRow]:
        """Those of an owner, or the platform's."""
        ...

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
        """What is published and has all the words, or words that begin with them."""
        ...

    async def favourites(
        self, user_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[tuple[datetime, CommunityRow]]:
        """Published ones, the last chosen first."""
        ...

    async def waiting(
        self, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[ReviewedWork]:
        """Those in review, the longest waiting first."""
        ...
