"""Keeping creators, their consents and their licence terms."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.creators.creator import Creator
from domain.licensing.consent import Consent
from domain.licensing.version import TermsVersion


class Creators(Repository[Creator], Protocol):
    async def of_user(self, user_id: UUID) -> Creator | None: ...

    async def many(self, creator_ids: Collection[UUID]) -> list[Creator]: ...


class Consents(Repository[Consent], Protocol):
    async def of_creators(self, creator_ids: Collection[UUID]) -> list[Consent]:
        """Newest first."""
        ...


class TermsVersions(Repository[TermsVersion], Protocol):
    async def by_version(self, creator_id: UUID, version: int) -> TermsVersion | None: ...

    async def latest(self, creator_id: UUID) -> TermsVersion | None: ...

    async def many(self, terms_ids: Collection[UUID]) -> list[TermsVersion]: ...
