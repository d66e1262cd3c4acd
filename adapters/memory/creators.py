"""Creators, consents and licence terms in dicts, for the tests of use cases."""

from collections.abc import Collection
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.creators.creator import AlreadyCreator, Creator, SlugTaken
from domain.licensing.consent import Consent
from domain.licensing.version import TermsVersion

CREATOR_KEYS: UniqueKeys[Creator] = {
    lambda creator: creator.slug: lambda: SlugTaken("The slug is taken."),
    lambda creator: creator.user_id: lambda: AlreadyCreator("You are a creator already."),
}
TERMS_KEYS: UniqueKeys[TermsVersion] = {
    lambda terms: (terms.creator_id, terms.version): already_exists
}


class MemoryCreators(MemoryRepository[Creator]):
    async def of_user(self, user_id: UUID) -> Creator | None:
        return next(self._where(lambda creator: creator.user_id == user_id), None)

    async def many(self, creator_ids: Collection[UUID]) -> list[Creator]:
        return list(self._where(lambda creator: creator.id in creator_ids))


class MemoryConsents(MemoryRepository[Consent]):
    async def of_creators(self, creator_ids: Collection[UUID]) -> list[Consent]:
        found = self._where(lambda consent: consent.creator_id in creator_ids)
        return sorted(found, key=lambda consent: (consent.signed_at, consent.id), reverse=True)


class MemoryTermsVersions(MemoryRepository[TermsVersion]):
    async def by_version(self, creator_id: UUID, version: int) -> TermsVersion | None:
        key = (creator_id, version)
        return next(self._where(lambda terms: (terms.creator_id, terms.version) == key), None)

    async def latest(self, creator_id: UUID) -> TermsVersion | None:
        found = self._where(lambda terms: terms.creator_id == creator_id)
        return max(found, key=lambda terms: terms.version, default=None)

    async def many(self, terms_ids: Collection[UUID]) -> list[TermsVersion]:
        return list(self._where(lambda terms: terms.id in terms_ids))
