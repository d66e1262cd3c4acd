"""What people show to everybody: templates, characters and presets that somebody has looked at.

A publication is a copy of what can be searched, and has the id of the work that it shows. What was
reviewed is what is shown: whoever changes the work takes it back, and publishes it again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.shared.errors import Conflict


class WorkKind(StrEnum):
    TEMPLATE = "template"
    CHARACTER = "character"
    PRESET = "preset"


class PublicationState(StrEnum):
    """`private` is also what never had a publication; `held` is what the moderators have taken from
    sight."""

    PRIVATE = "private"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    REJECTED = "rejected"
    HELD = "held"


class NotInReview(Conflict):
    """Somebody has decided already, or its owner has taken it back."""

    code = "not_in_review"


class Work(Protocol):
    """What a publication copies."""

    id: UUID
    owner_id: UUID | None
    name: str
    description: str
    category: str


@dataclass(eq=False, kw_only=True)
class Publication:
    """`favourites` and `uses` are counted by the database: one for each person, and one for each
    person and day. `published_at` is the first time, so that nothing gets to the top of the new
    by being published again."""

    id: UUID
    kind: WorkKind
    owner_id: UUID | None
    creator_id: UUID | None
    name: str
    description: str
    category: str
    state: PublicationState = PublicationState.PRIVATE
    submitted_at: datetime
    published_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    reason: str | None = None
    favourites: int = 0
    uses: int = 0
    version: int = 1

    @property
    def is_published(self) -> bool:
        return self.state is PublicationState.PUBLISHED

    def copy(self, work: Work) -> None:
        self.name, self.description, self.category = work.name, work.description, work.category

    def submit(self, work: Work, *, at: datetime) -> None:
        """Ask for a review; what waits for one, or is published, stays as it is."""
        if self.state in {PublicationState.PRIVATE, PublicationState.REJECTED}:
            self.copy(work)
            self.state, self.submitted_at, self.reason = PublicationState.IN_REVIEW, at, None

    def withdraw(self) -> None:
        if self.state is not PublicationState.REJECTED:
            self.state = PublicationState.PRIVATE

    def hold(self) -> None:
        """Shown no more, until the moderators agree; what waits for its review waits no more."""
        if self.state is PublicationState.PUBLISHED:
            self.state = PublicationState.HELD
        elif self.state is PublicationState.IN_REVIEW:
            self.state = PublicationState.PRIVATE

    def restore(self) -> None:
        """Shown again, unless its owner has taken it back meanwhile."""
        if self.state is PublicationState.HELD:
            self.state = PublicationState.PUBLISHED

    def approve(self, *, by: UUID | None, at: datetime) -> None:
        """Raises NotInReview."""
        if self.state is not PublicationState.IN_REVIEW:
            raise NotInReview("It does not wait for a review.", state=str(self.state))
        self.state = PublicationState.PUBLISHED
        self.published_at = self.published_at or at
        self.decided_at, self.decided_by = at, by

    def reject(self, reason: str, *, by: UUID, at: datetime) -> None:
        """Also of what is published: it is shown no more. Raises NotInReview."""
        if self.state not in {PublicationState.IN_REVIEW, PublicationState.PUBLISHED}:
            raise NotInReview("It does not wait for a review.", state=str(self.state))
        self.state, self.reason = PublicationState.REJECTED, reason
        self.decided_at, self.decided_by = at, by


def publication_of(
    work: Work, kind: WorkKind, *, creator_id: UUID | None, at: datetime
) -> Publication:
    return Publication(
        id=work.id,
        kind=kind,
        owner_id=work.owner_id,
        creator_id=creator_id,
        name=work.name,
        description=work.description,
        category=work.category,
        submitted_at=at,
    )
