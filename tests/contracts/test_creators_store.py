"""What every store of creators, consents and licence terms promises."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import AlreadyExists, StaleVersion
from domain.creators.creator import AlreadyCreator, Creator, SlugTaken
from domain.identity.user import User
from domain.licensing.consent import ConsentUse
from domain.licensing.terms import MinimumPrice, ProductType
from domain.shared.errors import NotFound
from tests.builders import NOON, consent_of, creator_of, terms, terms_version_of, user
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

NOBODY = UUID(int=404)


async def a_creator(new_uow: NewUnitOfWork, **changes: object) -> Creator:
    owner = user()
    creator = creator_of(owner, **changes)
    await stored(new_uow, owner, creator)
    return creator


async def stored(new_uow: NewUnitOfWork, owner: User, creator: Creator) -> None:
    async with new_uow() as uow:
        uow.users.add(owner)
        uow.creators.add(creator)
        await uow.commit()


async def test_a_creator_is_found_by_id_by_user_and_among_many(new_uow: NewUnitOfWork) -> None:
    ada, grace = await a_creator(new_uow), await a_creator(new_uow)

    async with new_uow() as uow:
        by_id = await uow.creators.get(ada.id)
        assert fields_of(by_id) == fields_of(ada)
        assert await uow.creators.of_user(ada.user_id) is by_id
        many = await uow.creators.many([ada.id, grace.id, NOBODY])
        assert {creator.id for creator in many} == {ada.id, grace.id}


async def test_who_is_no_creator_is_not_found(new_uow: NewUnitOfWork) -> None:
    async with new_uow() as uow:
        assert await uow.creators.of_user(NOBODY) is None
        assert await uow.creators.many([]) == []
        with pytest.raises(NotFound):
            await uow.creators.get(NOBODY, lock=True)


async def test_two_creators_never_share_a_slug(new_uow: NewUnitOfWork) -> None:
    await a_creator(new_uow, slug="ada")

    with pytest.raises(SlugTaken):
        await a_creator(new_uow, slug="ada")


async def test_a_user_is_one_creator(new_uow: NewUnitOfWork) -> None:
    owner = user()
    await stored(new_uow, owner, creator_of(owner))

    with pytest.raises(AlreadyCreator):
        async with new_uow() as uow:
            uow.creators.add(creator_of(owner))
            await uow.commit()


async def test_every_change_makes_a_version(new_uow: NewUnitOfWork) -> None:
    creator = await a_creator(new_uow)
    for bio, version in (("one", 2), ("two", 3), ("two", 3)):
        async with new_uow() as uow:
            changed = await uow.creators.get(creator.id)
            changed.bio = bio
            await uow.commit()
        assert changed.version == version

    async with new_uow() as uow:
        stored = await uow.creators.get(creator.id)
    assert (stored.bio, stored.version) == ("two", 3)


async def test_of_two_who_change_the_same_version_the_later_is_refused(
    new_uow: NewUnitOfWork,
) -> None:
    creator = await a_creator(new_uow)

    async with new_uow() as slow:
        found = await slow.creators.get(creator.id)
        async with new_uow() as quick:
            (await quick.creators.get(creator.id)).bio = "quick"
            await quick.commit()
        found.bio = "slow"
        with pytest.raises(StaleVersion):
            await slow.commit()

    async with new_uow() as uow:
        assert (await uow.creators.get(creator.id)).bio == "quick"


async def test_what_was_only_looked_at_is_never_stale(new_uow: NewUnitOfWork) -> None:
    ada, grace = await a_creator(new_uow), await a_creator(new_uow)

    async with new_uow() as slow:
        await slow.creators.get(ada.id)
        async with new_uow() as quick:
            (await quick.creators.get(ada.id)).bio = "quick"
            await quick.commit()
        (await slow.creators.get(grace.id)).bio = "slow"
        await slow.commit()

    async with new_uow() as uow:
        assert (await uow.creators.get(ada.id)).bio == "quick"
        assert (await uow.creators.get(grace.id)).bio == "slow"


async def test_consents_of_creators_come_newest_first(new_uow: NewUnitOfWork) -> None:
    ada, grace = await a_creator(new_uow), await a_creator(new_uow)
    days = [timedelta(days=day) for day in range(3)]
    consents = [
        consent_of(creator, signed_at=NOON + day, uses=frozenset({ConsentUse.IMAGE}))
        for creator, day in zip((ada, grace, ada), days, strict=True)
    ]
    async with new_uow() as uow:
        for consent in consents:
            uow.consents.add(consent)
        await uow.commit()

    async with new_uow() as uow:
        of_both = await uow.consents.of_creators([ada.id, grace.id])
        assert [fields_of(consent) for consent in of_both] == [
            fields_of(consent) for consent in reversed(consents)
        ]
        assert [c.id for c in await uow.consents.of_creators([grace.id])] == [consents[1].id]
        assert await uow.consents.of_creators([]) == []


async def test_a_withdrawn_consent_stays_withdrawn(new_uow: NewUnitOfWork) -> None:
    consent = consent_of(await a_creator(new_uow))
    async with new_uow() as uow:
        uow.consents.add(consent)
        await uow.commit()
    async with new_uow() as uow:
        (await uow.consents.get(consent.id, lock=True)).withdraw(at=NOON)
        await uow.commit()

    async with new_uow() as uow:
        assert (await uow.consents.get(consent.id)).withdrawn_at == NOON
        with pytest.raises(NotFound):
            await uow.consents.get(NOBODY)


async def test_terms_are_read_as_they_were_published(new_uow: NewUnitOfWork) -> None:
    creator = await a_creator(new_uow)
    licence = terms(
        allowed_stores=frozenset({uuid4()}),
        denied_stores=frozenset({uuid4()}),
        valid_until=NOON + timedelta(days=30),
        blocked_keywords=("war", "peace"),
        min_prices=(MinimumPrice(900, ProductType.SHIRT, "usd"), MinimumPrice(500)),
    )
    version = terms_version_of(creator, licence)
    async with new_uow() as uow:
        uow.terms.add(version)
        (await uow.creators.get(creator.id)).terms_id = version.id
        await uow.commit()

    async with new_uow() as uow:
        stored = await uow.terms.get(version.id)
        assert fields_of(stored) == fields_of(version)
        assert stored.terms.hash == version.hash
        assert (await uow.creators.get(creator.id)).terms_id == version.id


async def test_terms_are_found_by_version_the_latest_and_among_many(
    new_uow: NewUnitOfWork,
) -> None:
    ada, grace = await a_creator(new_uow), await a_creator(new_uow)
    first, second = (terms_version_of(ada, version=number) for number in (1, 2))
    other = terms_version_of(grace)
    async with new_uow() as uow:
        for version in (second, first, other):
            uow.terms.add(version)
        await uow.commit()

    async with new_uow() as uow:
        latest = await uow.terms.latest(ada.id)
        assert latest is not None
        assert latest.id == second.id
        by_version = await uow.terms.by_version(ada.id, 1)
        assert by_version is not None
        assert by_version.id == first.id
        assert await uow.terms.by_version(grace.id, 2) is None
        assert await uow.terms.latest(NOBODY) is None
        many = await uow.terms.many([first.id, other.id, NOBODY])
        assert {version.id for version in many} == {first.id, other.id}


async def test_a_version_is_published_once(new_uow: NewUnitOfWork) -> None:
    creator = await a_creator(new_uow)
    async with new_uow() as uow:
        uow.terms.add(terms_version_of(creator))
        await uow.commit()

    with pytest.raises(AlreadyExists):
        async with new_uow() as uow:
            uow.terms.add(terms_version_of(creator))
            await uow.commit()
