"""A project: a folder of generations, of one person or of a team."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(eq=False, kw_only=True)
class Project:
    """`owner_id` made it. A team's project is the team's; should the team end, its owner's.

    A deleted one is a tombstone, for generations name it."""

    id: UUID
    owner_id: UUID
    team_id: UUID | None
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 1

    def delete(self, *, at: datetime) -> None:
        self.name = self.description = ""
        self.team_id, self.deleted_at = None, at
