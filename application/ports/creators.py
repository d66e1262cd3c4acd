"""Keeping creators, their consents and their licence terms."""

from typing import Protocol
from uuid import UUID

from application.ports.repository import Repository
from domain.creators.creator import Creator
from domain.licensing.consent import Consent
from domain.licensing.version import TermsVersion


class Creators(Repository[Creator], Protocol):
    async def of_user(self, user_id: UUID) -> Creator | None: ...


class Consents(Repository[Consent], Protocol):
    async def of_creator(self, creator_id: UUID) -> list[Consent]: ...


class TermsVersions(Repository[TermsVersion], Protocol):
    async def latest(self, creator_id: UUID) -> TermsVersion | None: ...
