"""What may be done with a likeness right now rests on consent and on the terms in force."""

from uuid import UUID

import pytest

from application.licensing.standing import (
    LicenceRefused,
    NoLicence,
    standing_terms,
    standings,
)
from application.licensing.terms import PublishTerms
from domain.identity.actor import Role
from domain.licensing.consent import ConsentMissing, ConsentUse
from domain.licensing.terms import Capability, Purpose
from domain.licensing.use import Action, Use
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import NOON, actor


async def test_without_terms_nothing_is_licensed() -> None:
    trade = Trade()
    creator = await trade.become_creator(actor(Role.CREATOR))

    async with trade.uow() as uow:
        standing = await standing_terms(uow, creator.id)

    with pytest.raises(NoLicence):
        standing.terms_in_force()
    with pytest.raises(ConsentMissing):
        standing.require_consent(ConsentUse.IMAGE)


async def test_the_latest_terms_decide() -> None:
    trade, ada = Trade(), actor(Role.CREATOR)
    creator = await trade.become_creator(ada)
    use = Use(
        action=Action.GENERATE, at=NOON, capability=Capability.IMAGE, purpose=Purpose.PERSONAL
    )
    await trade.publish_terms(creator.id, PublishTerms(), who=ada)
    async with trade.uow() as uow:
        assert (await standing_terms(uow, creator.id)).require_allowed(use).allowed

    await trade.publish_terms(creator.id, PublishTerms(capabilities=[Capability.TRAIN]), who=ada)

    async with trade.uow() as uow:
        standing = await standing_terms(uow, creator.id)
    with pytest.raises(LicenceRefused) as refused:
        standing.require_allowed(use)
    assert [reason.code for reason in refused.value.decision.reasons] == ["capability_not_granted"]


async def test_a_withdrawn_consent_covers_nothing_but_another_may() -> None:
    trade, ada = Trade(), actor(Role.CREATOR)
    creator = await trade.become_creator(ada)
    both = await trade.sign(creator.id, ConsentUse.IMAGE, ConsentUse.TRAIN, who=ada)
    image = await trade.sign(creator.id, ConsentUse.IMAGE, who=ada)
    await trade.withdraw(creator.id, both.id, who=ada)

    async with trade.uow() as uow:
        standing = await standing_terms(uow, creator.id)

    assert standing.require_consent(ConsentUse.IMAGE).id == image.id
    with pytest.raises(ConsentMissing):
        standing.require_consent(ConsentUse.TRAIN)


async def test_many_are_asked_at_once_and_each_has_its_own() -> None:
    trade = Trade()
    first, second = await trade.market(), await trade.market()
    ids = [first.creator.id, second.creator.id, UUID(int=404)]

    async with trade.uow() as uow:
        found = await standings(uow, ids)
        with pytest.raises(NotFound):
            await standing_terms(uow, UUID(int=404))

    assert found.keys() == set(ids[:2])
    assert found[first.creator.id].terms_in_force().id == first.terms.id
    assert [consent.id for consent in found[second.creator.id].consents] == [second.consent.id]
