"""What a user reads of credits, and what an administrator changes by hand."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.credits import CreditViews, EntryRow, UseOfDay
from application.ports.unit_of_work import UnitOfWork
from application.studio.credits import allowance_of, open_wallet
from domain.identity.actor import Actor, Role
from domain.shared.errors import Invalid
from domain.studio.credits import Wallet, day_of, next_reset
from domain.studio.prices import NEWEST_TABLE, PRICE_TABLES, Unit
from domain.studio.purchases import PACKS

MAX_DAYS = 366


class SpanInvalid(Invalid):
    """A span ends before it begins, or is too long."""

    code = "span_invalid"


class CreditsView(msgspec.Struct, frozen=True, kw_only=True):
    """`balance` can be used now: `daily` of today's grant, which lapses at `next_reset`, and
    `bought`, which stays. `held` is what work under way may still cost; `frozen` was bought with
    money that a bank has taken back until it has decided whose it is."""

    balance: int
    daily: int
    bought: int
    held: int
    frozen: int
    daily_grant: int
    next_reset: datetime


class StepPriceView(msgspec.Struct, frozen=True, kw_only=True):
    """`credits` for every `each` units that were begun."""

    credits: int
    unit: Unit
    each: int


class PackView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    credits: int
    amount_cents: int
    currency: str


class PricesView(msgspec.Struct, frozen=True, kw_only=True):
    """What each type of step costs, and the packs of credits that are sold."""

    table_version: int
    steps: Mapping[str, StepPriceView]
    packs: Sequence[PackView]


class AdjustCredits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`credits` that do not lapse: given, or taken where below zero."""

    credits: Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


async def read_credits(*, actor: Actor, uow: UnitOfWork, clock: Clock) -> CreditsView:
    """The first who looks on a day gets that day's grant."""
    now = clock.now()
    async with uow:
        return await _shown(uow, actor.user_id, at=now)


async def list_entries(
    *, actor: Actor, before: int | None, limit: int, views: CreditViews
) -> Sequence[EntryRow]:
    return await views.entries(actor.user_id, before=before, limit=limit)


def read_prices() -> PricesView:
    table = PRICE_TABLES[NEWEST_TABLE]
    return PricesView(
        table_version=table.version,
        steps={
            step: StepPriceView(credits=price.credits, unit=price.unit, each=price.each)
            for step, price in table.steps.items()
        },
        packs=[
            PackView(
                name=pack.name,
                credits=pack.credits,
                amount_cents=pack.amount_cents,
                currency=pack.currency,
            )
            for pack in PACKS.values()
        ],
    )


async def read_use(
    *, actor: Actor, since: date | None, through: date | None, views: CreditViews, clock: Clock
) -> Sequence[UseOfDay]:
    """Each day on which something was used; the last thirty days unless asked otherwise. Raises
    SpanInvalid."""
    last = through or day_of(clock.now())
    if last < date.min + timedelta(days=MAX_DAYS):
        raise SpanInvalid("That was before all of this.", fields={"to": ["is too long ago"]})
    first = since or last - timedelta(days=29)
    if not timedelta(0) <= last - first < timedelta(days=MAX_DAYS):
        message = f"A span has 1 to {MAX_DAYS} days."
        raise SpanInvalid(message, fields={"from": ["does not fit `to`"]})
    return await views.use(actor.user_id, first=first, last=last)


async def adjust_credits(
    user_id: UUID, command: AdjustCredits, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> CreditsView:
    """Administrators. Raises RoleRequired, NotFound, CreditsExhausted."""
    actor.require(Role.ADMIN)
    now = clock.now()
    async with uow:
        await uow.users.get(user_id)
        wallet = await open_wallet(uow, user_id, now)
        before = wallet.bought
        wallet.adjust(command.credits, reason=command.reason, at=now)
        await uow.credits.save(wallet)
        uow.audit.record(
            "credits.adjusted",
            actor=actor,
            on=("user", user_id),
            before={"bought": before},
            after={"bought": wallet.bought, "reason": command.reason},
        )
        shown = await _shown(uow, user_id, at=now, wallet=wallet)
        await uow.commit()
    return shown


async def _shown(
    uow: UnitOfWork, user_id: UUID, *, at: datetime, wallet: Wallet | None = None
) -> CreditsView:
    allowed = await allowance_of(uow, user_id, at)
    if wallet is None:
        wallet = await open_wallet(uow, user_id, at)
        await uow.commit()
    return CreditsView(
        balance=wallet.balance,
        daily=wallet.daily,
        bought=wallet.bought,
        held=wallet.held,
        frozen=wallet.frozen,
        daily_grant=allowed.daily_credits,
        next_reset=next_reset(at),
    )
