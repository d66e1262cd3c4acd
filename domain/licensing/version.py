"""A version of a creator's terms, as it is kept for ever."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.licensing.terms import LicenceTerms


@dataclass(eq=False, kw_only=True)
class TermsVersion:
    """`hash` is that of `terms`; versions of a creator count from 1."""

    id: UUID
    creator_id: UUID
    version: int
    hash: str
    terms: LicenceTerms
    created_at: datetime
    created_by: UUID
