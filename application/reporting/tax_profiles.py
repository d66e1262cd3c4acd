"""A payee tells what the tax authorities must know of it. Its tax number never comes to us.

The number is kept by a service that gives a token for it; only that token is taken. Whether it is
matched, and whether tax is withheld, an administrator says.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from application.identity.authority import StoreAct, payee_for
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.reporting.tax_profile import (
    Certificate,
    EntityType,
    TaxProfile,
    TinMatch,
    checked_reference,
)
from domain.shared.errors import NotFound

_Line = Annotated[str, Meta(min_length=1, max_length=200)]


class PutTaxProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tin_reference` is a token, never the number. `state` is there for the United States."""

    legal_name: _Line
    entity_type: EntityType
    address: Annotated[str, Meta(min_length=1, max_length=500)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    state: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    tin_reference: Annotated[str, Meta(min_length=4, max_length=200)] | None = None
    certificate: Certificate | None = None
    certified_on: date | None = None


class JudgeTaxProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    tin_match: TinMatch
    backup_withholding: bool


class TaxProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """`has_tin` instead of the reference: nobody needs to read it again."""

    payee_id: UUID
    legal_name: str
    entity_type: EntityType
    has_tin: bool
    tin_match: TinMatch
    address: str
    state: str | None
    country: str
    certificate: Certificate | None
    certified_on: date | None
    backup_withholding: bool
    updated_at: datetime


async def own_payee(*, actor: Actor, uow: UnitOfWork) -> UUID:
    """The payee that the actor is as a creator. Raises NotFound when the actor is none."""
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    return creator.id


async def show_profile(payee_id: UUID, *, actor: Actor, uow: UnitOfWork) -> TaxProfileView:
    """Raises NotFound, also when nothing was told yet, and RankTooLow."""
    async with uow:
        await payee_for(payee_id, StoreAct.MONEY, actor=actor, uow=uow)
        profile = await uow.tax_profiles.get(payee_id)
        return _view(profile)


async def put_profile(
    payee_id: UUID, command: PutTaxProfile, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> TaxProfileView:
    """Tell, or tell anew. Another number has to be matched again. Raises NotFound, RankTooLow,
    TaxNumberRefused."""
    reference = checked_reference(command.tin_reference)
    async with uow:
        await payee_for(payee_id, StoreAct.OWN, actor=actor, uow=uow)
        profile = await uow.tax_profiles.find(payee_id)
        if profile is None:
            profile = TaxProfile(
                id=payee_id,
                tin_reference=reference,
                updated_at=clock.now(),
                **_told(command),  # type: ignore[arg-type]
            )
            uow.tax_profiles.add(profile)
        else:
            profile.change_number(reference)
            profile.updated_at = clock.now()
            for name, value in _told(command).items():
                setattr(profile, name, value)
        uow.audit.record(
            "tax_profile.changed",
            actor=actor,
            on=("payee", payee_id),
            after={"entity_type": command.entity_type, "certificate": command.certificate},
        )
        view = _view(profile)
        await uow.commit()
        return view


async def judge_profile(
    payee_id: UUID, command: JudgeTaxProfile, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> TaxProfileView:
    """An administrator says whether number and name match, and whether tax is withheld."""
    actor.require(Role.ADMIN)
    async with uow:
        profile = await uow.tax_profiles.get(payee_id, lock=True)
        profile.tin_match = command.tin_match
        profile.backup_withholding = command.backup_withholding
        profile.updated_at = clock.now()
        uow.audit.record(
            "tax_profile.judged",
            actor=actor,
            on=("payee", payee_id),
            after={
                "tin_match": command.tin_match,
                "backup_withholding": command.backup_withholding,
            },
        )
        view = _view(profile)
        await uow.commit()
        return view


def _told(command: PutTaxProfile) -> dict[str, object]:
    told = msgspec.structs.asdict(command)
    del told["tin_reference"]
    return told


def _view(profile: TaxProfile) -> TaxProfileView:
    return TaxProfileView(
        payee_id=profile.id,
        legal_name=profile.legal_name,
        entity_type=profile.entity_type,
        has_tin=profile.tin_reference is not None,
        tin_match=profile.tin_match,
        address=profile.address,
        state=profile.state,
        country=profile.country,
        certificate=profile.certificate,
        certified_on=profile.certified_on,
        backup_withholding=profile.backup_withholding,
        updated_at=profile.updated_at,
    )
