"""A character: the same person in many pictures, invented or with a creator's likeness."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Invalid, RuleRefused

ADULT_AGE = 18
MAX_REFERENCES = 4


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    NON_BINARY = "non_binary"
    UNSPECIFIED = "unspecified"


class CharacterUnderage(RuleRefused):
    """Characters are adults."""

    code = "character_underage"


class ReferencesRefused(Invalid):
    """The images named do not show a character."""

    code = "character_references_refused"


@dataclass(eq=False, kw_only=True)
class Reference:
    """An image that shows the character; `position` counts from 0."""

    character_id: UUID
    position: int
    asset_id: UUID


@dataclass(eq=False, kw_only=True)
class Character:
    """One with a `creator_id` has that creator's likeness, for good: whatever is made with it is
    made under the creator's licence, whoever the owner is.

    A deleted one is a tombstone, for generations name it."""

    id: UUID
    owner_id: UUID | None
    creator_id: UUID | None
    name: str
    description: str
    category: str
    gender: Gender
    age: int
    style: str
    references: list[Reference] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 1

    @property
    def asset_ids(self) -> list[UUID]:
        return [reference.asset_id for reference in self.references]

    def show(self, asset_ids: Sequence[UUID]) -> None:
        """From now on these images show the character. Raises ReferencesRefused."""
        check_references(asset_ids, creator_id=self.creator_id)
        if list(asset_ids) != self.asset_ids:
            self.references = [
                Reference(character_id=self.id, position=position, asset_id=asset_id)
                for position, asset_id in enumerate(asset_ids)
            ]

    def described(self, prompt: str) -> str:
        """The prompt, with who is to be seen before it and in which style after it."""
        words = [f"{self.age} year old", *_SEEN_AS[self.gender]]
        parts = (" ".join(words), prompt.strip(), self.style)
        return ", ".join(part for part in parts if part)

    def delete(self, *, at: datetime) -> None:
        self.name = self.description = self.category = self.style = ""
        self.gender, self.age = Gender.UNSPECIFIED, ADULT_AGE
        self.references, self.deleted_at = [], at


_SEEN_AS: dict[Gender, tuple[str, ...]] = {
    Gender.FEMALE: ("woman",),
    Gender.MALE: ("man",),
    Gender.NON_BINARY: ("non-binary", "person"),
    Gender.UNSPECIFIED: ("person",),
}


def check_age(age: int) -> None:
    """Raises CharacterUnderage."""
    if age < ADULT_AGE:
        raise CharacterUnderage(
            f"A character is at least {ADULT_AGE} years old.", least=ADULT_AGE, age=age
        )


def check_references(asset_ids: Sequence[UUID], *, creator_id: UUID | None) -> None:
    """One to four, none twice; a creator's likeness needs none. Raises ReferencesRefused."""
    problems = []
    if not asset_ids and creator_id is None:
        problems.append("must name at least one image")
    if len(asset_ids) > MAX_REFERENCES:
        problems.append(f"must name at most {MAX_REFERENCES} images")
    if len(set(asset_ids)) < len(asset_ids):
        problems.append("must not name an image twice")
    if problems:
        raise ReferencesRefused(
            "The images do not show a character.", fields={"asset_ids": problems}
        )
