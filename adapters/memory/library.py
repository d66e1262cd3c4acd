"""Projects, presets and publications in dicts, for the tests of use cases."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from adapters.memory.repository import MemoryRepository, Table
from domain.studio.preset import Preset
from domain.studio.publication import Publication


@dataclass
class CountedWorks:
    """Who likes what, and who has used what on which day."""

    favourites: set[tuple[UUID, UUID]] = field(default_factory=set)
    uses: set[tuple[date, UUID, UUID]] = field(default_factory=set)


class MemoryPresets(MemoryRepository[Preset]):
    async def existing(self, preset_ids: Collection[UUID]) -> set[UUID]:
        return {preset.id for preset in self._where(lambda preset: preset.id in preset_ids)}


class MemoryPublications(MemoryRepository[Publication]):
    """See `application.ports.library.Publications`. Counts change with the commit."""

    def __init__(self, table: Table[Publication], counted: CountedWorks) -> None:
        super().__init__(table)
        self._counted = counted
        self._favourites = set(counted.favourites)
        self._uses = set(counted.uses)

    async def find(self, work_id: UUID, *, lock: bool = False) -> Publication | None:
        return self._peek(work_id)

    async def remove(self, publication: Publication) -> None:
        self._delete(publication)
        gone = publication.id
        self._favourites = {key for key in self._favourites if key[0] != gone}
        self._uses = {key for key in self._uses if key[1] != gone}

    async def is_favourite(self, work_id: UUID, user_id: UUID) -> bool:
        return (work_id, user_id) in self._favourites

    async def favour(self, work_id: UUID, user_id: UUID, *, at: datetime) -> bool:
        publication, key = self._peek(work_id), (work_id, user_id)
        if publication is None or not publication.is_published or key in self._favourites:
            return False
        self._favourites.add(key)
        publication.favourites += 1
        return True

    async def unfavour(self, work_id: UUID, user_id: UUID) -> bool:
        publication, key = self._peek(work_id), (work_id, user_id)
        if publication is None or key not in self._favourites:
            return False
        self._favourites.remove(key)
        publication.favourites -= 1
        return True

    async def count_use(self, work_id: UUID, user_id: UUID, *, day: date) -> bool:
        publication, key = self._peek(work_id), (day, work_id, user_id)
        if publication is None or not publication.is_published or key in self._uses:
            return False
        self._uses.add(key)
        publication.uses += 1
        return True

    async def forget_uses(self, *, before: date, limit: int) -> int:
        old = sorted(key for key in self._uses if key[0] < before)[:limit]
        self._uses -= set(old)
        return len(old)

    def flush(self) -> None:
        super().flush()
        self._counted.favourites, self._counted.uses = self._favourites, self._uses
