"""Sign and withdraw consent. A record is never changed but for its withdrawal."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.creators.profile import own_creator
from application.creators.tombstones import bury
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.creators.likeness_model import DeletionReason
from domain.identity.actor import Actor
from domain.licensing.consent import Consent, ConsentInvalid, ConsentUse
from domain.licensing.consent_texts import text_hash
from domain.shared.errors import NotFound

TextVersion = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]+$", examples=["2026-11"]),
]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class SignConsent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`text_sha256` is needed evidence for a text that the platform does not ship itself."""

    text_version: TextVersion
    uses: Annotated[list[ConsentUse], msgspec.Meta(min_length=1, max_length=20)]
    signer_name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    adult: bool
    language: Annotated[str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    text_sha256: Sha256 | None = None


class ConsentRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    text_version: str
    text_sha256: str | None
    language: str
    uses: list[ConsentUse]
    signer_name: str
    adult: bool
    signed_at: datetime
    withdrawn_at: datetime | None


async def sign_consent(
    creator_id: UUID,
    command: SignConsent,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> ConsentRecord:
    """Raises ConsentInvalid for a minor or a text other than the shipped one, NotFound."""
    if not command.adult:
        raise ConsentInvalid(
            "Only adults can consent.",
            fields={"adult": ["must be true: the signer is 18 or older"]},
        )
    shipped = text_hash(command.text_version)
    if shipped and command.text_sha256 not in (None, shipped):
        raise ConsentInvalid(
            "That is not the text of this version.",
            fields={"text_sha256": ["is not the hash of the text of this version"]},
        )
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        consent = Consent(
            id=ids.new(),
            creator_id=creator.id,
            text_version=command.text_version,
            text_hash=shipped or command.text_sha256,
            language=command.language,
            uses=frozenset(command.uses),
            signer_name=command.signer_name,
            adult=command.adult,
            signed_at=clock.now(),
            signed_by=actor.user_id,
        )
        uow.consents.add(consent)
        uow.audit.record(
            "consent.signed",
            actor=actor,
            on=("consent", consent.id),
            after={"creator_id": creator.id, "uses": sorted(consent.uses)},
        )
        await uow.commit()
    return record_of(consent)


async def withdraw_consent(
    creator_id: UUID, consent_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> ConsentRecord:
    """End a consent: nothing new is made or sold under it. When no consent to train is left, every
    version of the likeness model is deleted. Raises NotFound."""
    now = clock.now()
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        consent = await uow.consents.get(consent_id, lock=True)
        if consent.creator_id != creator.id:
            raise NotFound("consent", consent_id)
        consent.withdraw(at=now)
        await _end_models(creator.id, actor=actor, uow=uow, at=now)
        uow.audit.record(
            "consent.withdrawn",
            actor=actor,
            on=("consent", consent.id),
            after={"creator_id": creator.id, "withdrawn_at": consent.withdrawn_at},
        )
        await uow.commit()
    return record_of(consent)


async def _end_models(creator_id: UUID, *, actor: Actor, uow: UnitOfWork, at: datetime) -> None:
    consents = await uow.consents.of_creators([creator_id])
    if any(consent.covers(ConsentUse.TRAIN) for consent in consents):
        return
    for model in await uow.models.of_creator(creator_id, lock=True):
        bury(
            model,
            uow=uow,
            actor=actor,
            by=actor.user_id,
            reason=DeletionReason.CONSENT_WITHDRAWN,
            at=at,
        )


async def list_consents(creator_id: UUID, *, actor: Actor, uow: UnitOfWork) -> list[ConsentRecord]:
    async with uow:
        creator = await own_creator(creator_id, actor=actor, uow=uow)
        consents = await uow.consents.of_creators([creator.id])
    return [record_of(consent) for consent in consents]


def record_of(consent: Consent) -> ConsentRecord:
    return ConsentRecord(
        id=consent.id,
        text_version=consent.text_version,
        text_sha256=consent.text_hash,
        language=consent.language,
        uses=sorted(consent.uses),
        signer_name=consent.signer_name,
        adult=consent.adult,
        signed_at=consent.signed_at,
        withdrawn_at=consent.withdrawn_at,
    )
