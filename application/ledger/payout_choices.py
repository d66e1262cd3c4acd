"""How a payee wants its money, and whether it could have it now."""

from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.eligibility import Eligibility, eligibility_of, standing_of, supported
from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.payout_rules import BankPayoutsOff, PayoutPolicy
from domain.ledger.payout_settings import (
    MinimumTooSmall,
    PayoutMethod,
    PayoutSchedule,
    PayoutSettings,
)


class ChoosePayouts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`minimum_cents` null is the platform's smallest payout."""

    method: PayoutMethod
    schedule: PayoutSchedule
    minimum_cents: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] | None = None


class PayoutChoice(msgspec.Struct, frozen=True, kw_only=True):
    """`minimum_cents` null is the platform's, which is told by the eligibility."""

    method: PayoutMethod
    schedule: PayoutSchedule
    minimum_cents: int | None


async def show_choice(store_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> PayoutChoice:
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        return _view(await uow.payout_settings.of_payee(payee.id))


async def choose(
    store_id: UUID | None,
    command: ChoosePayouts,
    *,
    actor: Actor,
    uow: UnitOfWork,
    policy: PayoutPolicy,
    clock: Clock,
) -> PayoutChoice:
    """Change how a payee is paid from now on.

    Released earnings that no transfer has taken yet follow: with `connect` and `automatic` they go
    out by themselves, otherwise they are kept until asked for. Raises NotFound, BankPayoutsOff,
    MinimumTooSmall.
    """
    if command.method is PayoutMethod.BANK and not policy.bank_payouts:
        raise BankPayoutsOff
    if command.minimum_cents is not None and command.minimum_cents < policy.default_minimum_cents:
        raise MinimumTooSmall(
            "The platform pays nothing smaller.", minimum_cents=policy.default_minimum_cents
        )
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        settings = await uow.payout_settings.of_payee(payee.id, lock=True)
        if settings.updated_at is None:
            uow.payout_settings.add(settings)
        before = _facts(settings)
        settings.method = command.method
        settings.schedule = command.schedule
        settings.minimum_cents = command.minimum_cents
        settings.updated_at = clock.now()
        if settings.transfers_on_release:
            await uow.earnings.let_go(payee.id)
        else:
            await uow.earnings.keep(payee.id)
        uow.audit.record(
            "payout_settings.changed",
            actor=actor,
            on=("payee", payee.id),
            before=before,
            after=_facts(settings),
        )
        await uow.commit()
    return _view(settings)


async def show_eligibility(
    store_id: UUID | None,
    *,
    currency: str,
    actor: Actor,
    uow: UnitOfWork,
    policy: PayoutPolicy,
) -> Eligibility:
    """Raises NotFound, CurrencyUnknown."""
    code = supported(currency)
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        standing = await standing_of(payee, code, uow=uow, policy=policy)
    return eligibility_of(standing, policy=policy)


def _facts(settings: PayoutSettings) -> dict[str, object]:
    return msgspec.structs.asdict(_view(settings))


def _view(settings: PayoutSettings) -> PayoutChoice:
    return PayoutChoice(
        method=settings.method, schedule=settings.schedule, minimum_cents=settings.minimum_cents
    )
