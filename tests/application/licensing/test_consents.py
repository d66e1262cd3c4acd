"""Consent is signed by adults, under a known text, and withdrawn once."""

from datetime import timedelta
from uuid import UUID

import pytest

from application.licensing.consents import SignConsent, list_consents, sign_consent
from domain.identity.actor import Role
from domain.licensing.consent import ConsentInvalid, ConsentUse
from domain.licensing.consent_texts import text_hash
from domain.shared.errors import NotFound
from tests.application.trade import Trade
from tests.builders import NOON, actor

CREATOR = Role.CREATOR


def command(**changes: object) -> SignConsent:
    values = {
        "text_version": "2026-11",
        "uses": [ConsentUse.IMAGE, ConsentUse.TRAIN],
        "signer_name": "Ada",
        "adult": True,
    }
    return SignConsent(**{**values, **changes})  # type: ignore[arg-type]


async def test_a_consent_keeps_what_was_signed_and_the_hash_of_its_text() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    record = await trade.sign(creator.id, ConsentUse.TRAIN, ConsentUse.IMAGE, who=ada)

    assert record.uses == [ConsentUse.IMAGE, ConsentUse.TRAIN]
    assert record.text_sha256 == text_hash("2026-11")
    assert (record.signed_at, record.withdrawn_at) == (NOON, None)
    assert await list_consents(creator.id, actor=ada, uow=trade.uow()) == [record]


@pytest.mark.parametrize(
    ("changes", "field"), [({"adult": False}, "adult"), ({"text_sha256": "0" * 64}, "text_sha256")]
)
async def test_a_minor_or_another_text_signs_nothing(
    changes: dict[str, object], field: str
) -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    with pytest.raises(ConsentInvalid) as refused:
        await sign_consent(
            creator.id,
            command(**changes),
            actor=ada,
            uow=trade.uow(),
            clock=trade.clock,
            ids=trade.ids,
        )

    assert list(refused.value.facts["fields"]) == [field]  # type: ignore[call-overload]
    assert await list_consents(creator.id, actor=ada, uow=trade.uow()) == []


async def test_a_text_that_is_not_shipped_is_known_by_the_hash_it_came_with() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)

    record = await sign_consent(
        creator.id,
        command(text_version="house-7", text_sha256="a" * 64),
        actor=ada,
        uow=trade.uow(),
        clock=trade.clock,
        ids=trade.ids,
    )

    assert record.text_sha256 == "a" * 64


async def test_withdrawing_twice_keeps_the_first_date() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)
    consent = await trade.sign(creator.id, ConsentUse.IMAGE, who=ada)

    await trade.withdraw(creator.id, consent.id, who=ada)
    trade.clock.advance(timedelta(days=1))
    again = await trade.withdraw(creator.id, consent.id, who=ada)

    assert again.withdrawn_at == NOON


async def test_consents_are_listed_newest_first() -> None:
    trade, ada = Trade(), actor(CREATOR)
    creator = await trade.become_creator(ada)
    first = await trade.sign(creator.id, ConsentUse.IMAGE, who=ada)
    trade.clock.advance(timedelta(seconds=1))
    second = await trade.sign(creator.id, ConsentUse.VIDEO, who=ada)

    listed = await list_consents(creator.id, actor=ada, uow=trade.uow())

    assert [record.id for record in listed] == [second.id, first.id]


async def test_nobody_signs_reads_or_withdraws_for_another() -> None:
    trade, ada, grace = Trade(), actor(CREATOR), actor(CREATOR)
    adas = await trade.become_creator(ada)
    graces = await trade.become_creator(grace, "grace")
    consent = await trade.sign(adas.id, ConsentUse.IMAGE, who=ada)

    with pytest.raises(NotFound):
        await trade.sign(adas.id, ConsentUse.IMAGE, who=grace)
    with pytest.raises(NotFound):
        await list_consents(adas.id, actor=grace, uow=trade.uow())
    with pytest.raises(NotFound):
        await trade.withdraw(graces.id, consent.id, who=grace)
    with pytest.raises(NotFound):
        await trade.withdraw(graces.id, UUID(int=404), who=grace)
    (record,) = await list_consents(adas.id, actor=ada, uow=trade.uow())
    assert record.withdrawn_at is None
