"""The words in which licence terms are written, beyond what may be made, sold and why."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class SubjectRight(StrEnum):
    """What of the person a use takes."""

    FACE = "face"
    BODY = "body"
    VOICE = "voice"
    NAME = "name"
    SIGNATURE = "signature"
    STYLE = "style"


class Topic(StrEnum):
    """What a likeness may be kept away from; `topics.py` has the words of each."""

    ALCOHOL = "alcohol"
    DRUGS = "drugs"
    FINANCE = "finance"
    GAMBLING = "gambling"
    HATE = "hate"
    HEALTH = "health"
    NUDITY = "nudity"
    POLITICS = "politics"
    RELIGION = "religion"
    TOBACCO = "tobacco"
    VIOLENCE = "violence"
    WEAPONS = "weapons"


class Approval(StrEnum):
    """When the creator's own word is needed besides the terms."""

    NONE = "none"
    FIRST_USE = "first_use"
    PER_PRODUCT = "per_product"
    PER_GENERATION = "per_generation"


class Exclusivity(StrEnum):
    """Who may sell beside the holder of a grant: everybody, the creator only, nobody."""

    NONE = "none"
    SOLE = "sole"
    EXCLUSIVE = "exclusive"


class Derivatives(StrEnum):
    """What may be made of what was made: anything the terms allow, what the creator approves,
    what is offered under these terms again, nothing."""

    ALLOWED = "allowed"
    APPROVAL = "approval"
    RECIPROCAL = "reciprocal"
    NONE = "none"


class Revocation(StrEnum):
    """Whether the creator may end the licence before its time."""

    NONE = "none"
    FOR_CAUSE = "for_cause"
    AT_WILL = "at_will"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How much may be made and sold at all; None is no limit.

    `units` counts pieces sold under the licence, `edition_size` pieces of one product,
    `revenue_cents` what buyers paid for them, in each currency for itself.
    """

    generations_per_day: int | None = None
    units: int | None = None
    edition_size: int | None = None
    revenue_cents: int | None = None


NO_QUOTAS = Quotas()


@dataclass(frozen=True, slots=True)
class Collaborator:
    """A party to the royalty, and its part in basis points."""

    creator_id: UUID
    bps: int
