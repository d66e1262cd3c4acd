"""A payee's statement: every posting with its reason, and balances that add up.

Opening balance, postings and closing balance are told for each state of the money (pending,
available, reserved, disputed), and what was earned, refunded, disputed and paid adds up to what is
left. Who bought is never told: a sale is named by its order and line.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, store_for
from application.ports.clock import Clock
from application.ports.reporting import (
    AccountMovement,
    EntryKey,
    PayeeEntry,
    SoldLine,
    Span,
    StatementViews,
)
from application.ports.unit_of_work import UnitOfWork
from application.reporting.spans import span_of
from domain.identity.actor import Actor
from domain.ordering.split import LegKind, explain
from domain.reporting.reckoning import Reckoning, reckon
from domain.reporting.words import movement
from domain.shared.errors import NotFound

_BATCH = 500
_SALE = "sale"
_PAYABLE = "payable_"
STATES = ("pending", "available", "reserved", "disputed")


class StatementQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`since` is the first day, `until` the first that is not included (UTC)."""

    since: date | None = None
    until: date | None = None
    currency: str | None = None


class States(msgspec.Struct, frozen=True, kw_only=True):
    """A payee's money by state; `total_cents` is their sum."""

    pending_cents: int
    available_cents: int
    reserved_cents: int
    disputed_cents: int
    total_cents: int

    def by_state(self) -> dict[str, int]:
        return {state: getattr(self, f"{state}_cents") for state in STATES}


class KindTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What effects of one kind did to the payee's total; moves between states cancel out."""

    kind: str
    amount_cents: int


class StatementPart(msgspec.Struct, frozen=True, kw_only=True):
    """Of which line a sale's amount comes, and by which rule."""

    line_id: UUID
    title: str
    quantity: int
    kind: LegKind
    amount_cents: int
    reason: str


class StatementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A posting. `source` is the key of its effect in the books; `parts` of a sale sum to it."""

    transaction_id: UUID
    position: int
    posted_on: date
    occurred_at: datetime
    kind: str
    state: str
    amount_cents: int
    order_id: UUID | None
    source: str
    reason: str
    parts: list[StatementPart]

    @property
    def key(self) -> EntryKey:
        return EntryKey(self.posted_on, self.transaction_id, self.position)


class PayeeStatement(msgspec.Struct, frozen=True, kw_only=True):
    """`closing` is `opening` and `totals`, whatever page of `entries` is shown. In `reckoning`,
    opening + earned − refunded − disputed − paid − fees + other = balance."""

    payee_id: UUID
    currency: str
    since: date
    until: date
    opening: States
    closing: States
    totals: list[KindTotal]
    reckoning: Reckoning
    entries: list[StatementEntry]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question that was let in: whose statement, of which money, of which days."""

    payee_id: UUID
    name: str
    currency: str
    span: Span


async def ask_of_creator(
    query: StatementQuery, *, actor: Actor, uow: UnitOfWork, views: StatementViews, clock: Clock
) -> Asked:
    """The actor's own statement as a creator. Raises NotFound when the actor is none."""
    async with uow:
        creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    return await _asked(creator.id, creator.display_name, query, views=views, clock=clock)


async def ask_of_store(
    store_id: UUID,
    query: StatementQuery,
    *,
    actor: Actor,
    uow: UnitOfWork,
    views: StatementViews,
    clock: Clock,
) -> Asked:
    """For those who may see the store's money. Raises NotFound, RankTooLow."""
    async with uow:
        store = await store_for(store_id, StoreAct.MONEY, actor=actor, uow=uow)
    return await _asked(store.id, store.name, query, views=views, clock=clock)


async def show_statement(
    asked: Asked, *, views: StatementViews, after: EntryKey | None, limit: int
) -> PayeeStatement:
    """Balances of the whole period, and a page of its postings."""
    moved = await views.movements(asked.payee_id, currency=asked.currency, span=asked.span)
    found = await views.entries(
        asked.payee_id, currency=asked.currency, span=asked.span, after=after, limit=limit
    )
    opening = _states((m.account, m.before_cents) for m in moved)
    return PayeeStatement(
        payee_id=asked.payee_id,
        currency=asked.currency,
        since=asked.span.since,
        until=asked.span.until,
        opening=opening,
        closing=_states((m.account, m.before_cents + m.within_cents) for m in moved),
        totals=_totals(moved),
        reckoning=reckon(
            opening.by_state(),
            {(m.kind, m.account.removeprefix(_PAYABLE)): m.within_cents for m in moved},
        ),
        entries=await _told(asked, found, views=views),
    )


async def all_entries(
    asked: Asked, *, views: StatementViews
) -> AsyncIterator[Sequence[StatementEntry]]:
    """Every posting of the period, a bounded batch at a time."""
    after = None
    while found := await views.entries(
        asked.payee_id, currency=asked.currency, span=asked.span, after=after, limit=_BATCH
    ):
        yield await _told(asked, found, views=views)
        after = EntryKey(found[-1].posted_on, found[-1].transaction_id, found[-1].position)


async def _asked(
    payee_id: UUID, name: str, query: StatementQuery, *, views: StatementViews, clock: Clock
) -> Asked:
    span = span_of(query.since, query.until, now=clock.now())
    currency = query.currency or await views.currency_of(payee_id) or "usd"
    return Asked(payee_id=payee_id, name=name, currency=currency, span=span)


async def _told(
    asked: Asked, found: Sequence[PayeeEntry], *, views: StatementViews
) -> list[StatementEntry]:
    sales = {e.order_id for e in found if e.kind == _SALE and e.order_id is not None}
    parts: dict[UUID, list[StatementPart]] = {}
    for line in await views.sold(sales, payee_id=asked.payee_id):
        parts.setdefault(line.order_id, []).extend(_parts(line, asked))
    return [
        _entry(
            entry,
            parts.get(entry.order_id, []) if entry.kind == _SALE and entry.order_id else [],
        )
        for entry in found
    ]


def _entry(entry: PayeeEntry, parts: list[StatementPart]) -> StatementEntry:
    state = entry.account.removeprefix(_PAYABLE)
    order = str(entry.order_id) if entry.order_id else None
    said = [movement(entry.kind, state, order=order)]
    said += [f"{part.quantity} × {part.title}: {part.reason}" for part in parts]
    return StatementEntry(
        transaction_id=entry.transaction_id,
        position=entry.position,
        posted_on=entry.posted_on,
        occurred_at=entry.occurred_at,
        kind=entry.kind,
        state=state,
        amount_cents=entry.amount_cents,
        order_id=entry.order_id,
        source=entry.effect_key,
        reason="; ".join(said),
        parts=parts,
    )


def _parts(line: SoldLine, asked: Asked) -> list[StatementPart]:
    return [
        StatementPart(
            line_id=line.line_id,
            title=line.title,
            quantity=line.quantity,
            kind=leg.kind,
            amount_cents=leg.amount_cents,
            reason=explain(leg.kind, leg.reason, asked.currency),
        )
        for leg in line.legs
        if leg.payee_id == asked.payee_id
    ]


def _states(sums: Iterable[tuple[str, int]]) -> States:
    by_state = dict.fromkeys(STATES, 0)
    for account, amount_cents in sums:
        by_state[account.removeprefix(_PAYABLE)] += amount_cents
    return States(
        **{f"{state}_cents": amount for state, amount in by_state.items()},
        total_cents=sum(by_state.values()),
    )


def _totals(moved: Sequence[AccountMovement]) -> list[KindTotal]:
    by_kind: dict[str, int] = {}
    for each in moved:
        by_kind[each.kind] = by_kind.get(each.kind, 0) + each.within_cents
    return [
        KindTotal(kind=kind, amount_cents=amount)
        for kind, amount in sorted(by_kind.items())
        if amount
    ]
