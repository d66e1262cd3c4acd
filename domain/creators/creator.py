"""A creator: a person with a likeness, a page, and terms under which others may use it."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.errors import Conflict, Invalid

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")
RESERVED_SLUGS = frozenset(
    {"admin", "api", "balance", "payouts", "profile", "public", "slug", "statements", "tiers"}
)


class AlreadyCreator(Conflict):
    """A user is at most one creator."""

    code = "already_creator"


class SlugTaken(Conflict):
    """Another page has this slug."""

    code = "slug_taken"


class SlugInvalid(Invalid):
    """The slug has the wrong form, or is a word of our own routes."""

    code = "slug_invalid"


def check_slug(slug: str) -> str:
    """3 to 40 of a-z, 0-9 and inner hyphens, and not a word of our own routes."""
    if not SLUG.fullmatch(slug):
        raise SlugInvalid(
            "The slug cannot be used.",
            fields={"slug": ["must be 3 to 40 of a-z, 0-9 and hyphens, a hyphen at neither end"]},
        )
    if slug in RESERVED_SLUGS:
        raise SlugInvalid("The slug cannot be used.", fields={"slug": ["is reserved"]})
    return slug


@dataclass(eq=False, kw_only=True)
class Creator:
    """`id` is also the id of the creator's payee. `terms_id` points at the terms in force."""

    id: UUID
    user_id: UUID
    slug: str
    display_name: str
    bio: str
    published: bool
    created_at: datetime
    terms_id: UUID | None = None
    version: int = 1
