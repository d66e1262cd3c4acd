"""What happens at once ends as if one had come after the other.

Each race is run in both serial orders first. Then many rounds start its two sides together, each
in its own unit of work; a round has to end with the books of one of the two. Two rounds are
forced: while a third transaction holds the balances, one side goes as far as it can, then the
other. So each side is once the one that waits.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from application.ledger.transfers import send_transfer
from application.ledger.write_offs import WriteOffDebt, write_off_debt
from domain.shared.errors import LikenessError
from tests.application.ordering.conftest import ADMIN, HOLD, Desk
from tests.builders import Market

ROUNDS = 12
LATE_MS = 40.0
STORM = 8
LATER = 1.6
"""When the rounds have not shown both orders, one side starts later and later until they have."""

Books = tuple[object, ...]


class Case(NamedTuple):
    """One order that two sides fight for. `asked` is the refund that was asked for before."""

    desk: Desk
    shop: Market
    order_id: UUID
    charge_id: str
    asked: UUID

    async def refund_is_told(self) -> None:
        await self.desk.send_refund(self.asked)

    async def refund_is_asked(self) -> None:
        await self.desk.ask_refund(self.order_id)

    async def bank_takes(self, amount_cents: int) -> None:
        said = self.desk.provider.payments.dispute(self.charge_id, amount_cents=amount_cents)
        await self.desk.hear(said)

    async def transfers_are_sent(self) -> None:
        for transfer_id in await self.of_order("transfers"):
            await send_transfer(
                transfer_id,
                uow=self.desk.new_uow(),
                payments=self.desk.provider.payments,
                clock=self.desk.clock,
            )

    async def reversals_are_sent(self) -> None:
        await self.desk.send_reversals()

    async def of_order(self, table: str) -> list[UUID]:
        rows = await self.desk.rows(
            f"SELECT id FROM {table} WHERE order_id = :id ORDER BY payee_id", id=self.order_id
        )
        return [UUID(str(row[0])) for row in rows]


Side = Callable[[Case], Awaitable[object]]


@dataclass(frozen=True)
class Race:
    one: Side
    other: Side
    due: bool = False
    released: bool = False
    planned: bool = False
    refunded_cents: int = 0
    """Asked for before the race, and not sent yet."""


async def release(case: Case) -> None:
    await case.desk.release()


async def plan(case: Case) -> None:
    await case.desk.plan()


async def write_off(case: Case) -> None:
    """Nobody owes anything here, which is known when the balance is held."""
    await write_off_debt(
        case.shop.store.id,
        WriteOffDebt(amount_cents=1, currency="usd", reason="a gift"),
        request_key="gift",
        actor=ADMIN,
        uow=case.desk.new_uow(),
        clock=case.desk.clock,
        ids=case.desk.ids,
    )


async def first_bank(case: Case) -> None:
    await case.bank_takes(1501)


async def second_bank(case: Case) -> None:
    await case.bank_takes(777)


RACES = {
    "a refund and a dispute": Race(Case.refund_is_told, first_bank, refunded_cents=777),
    "a refund and a dispute of what was transferred": Race(
        Case.refund_is_told, first_bank, planned=True, refunded_cents=777
    ),
    "asking for a refund and a dispute": Race(Case.refund_is_asked, first_bank),
    "asking for a refund and a release": Race(Case.refund_is_asked, release, due=True),
    "a refund and a release": Race(Case.refund_is_told, release, due=True, refunded_cents=777),
    "a dispute and a release": Race(first_bank, release, due=True),
    "asking for a refund and planning": Race(Case.refund_is_asked, plan, released=True),
    "a refund and planning": Race(Case.refund_is_told, plan, released=True, refunded_cents=777),
    "a refund and sending": Race(
        Case.refund_is_told, Case.transfers_are_sent, planned=True, refunded_cents=777
    ),
    "a dispute and planning": Race(first_bank, plan, released=True),
    "a dispute and sending": Race(first_bank, Case.transfers_are_sent, planned=True),
    "two disputes": Race(first_bank, second_bank),
    "two disputes of what was transferred": Race(first_bank, second_bank, planned=True),
    "a write-off and planning": Race(write_off, plan, released=True),
    "two who ask for everything": Race(Case.refund_is_asked, Case.refund_is_asked),
}


async def prepared(desk: Desk, race: Race) -> Case:
    """An order of its own payees, so that no round knows of another."""
    shop = await desk.market(prices_cents=(2500, 1999))
    order_id = await desk.buy(*shop.products, key=str(desk.ids.new()))
    if race.due or race.released or race.planned:
        desk.clock.advance(HOLD)
    if race.released or race.planned:
        await desk.release()
    if race.planned:
        await desk.plan()
    asked = order_id
    if race.refunded_cents:
        asked = (await desk.ask_refund(order_id, race.refunded_cents)).id
    return Case(desk, shop, order_id, await desk.charge_of(order_id), asked)


async def outcome(side: Side, case: Case) -> str:
    """What its caller is told; anything but a rule that refuses is a fault."""
    try:
        await side(case)
    except LikenessError as refusal:
        return refusal.code
    return "done"


async def in_a_row(desk: Desk, race: Race, *, swapped: bool) -> Books:
    case = await prepared(desk, race)
    if swapped:
        said = [await outcome(race.other, case), await outcome(race.one, case)][::-1]
    else:
        said = [await outcome(race.one, case), await outcome(race.other, case)]
    return await books_of(case, said)


async def at_once(desk: Desk, race: Race, *, chance: random.Random, late_ms: float) -> Books:
    case = await prepared(desk, race)
    late_s = chance.uniform(-late_ms, late_ms) / 1000

    async def started(side: Side, wait_s: float) -> str:
        await asyncio.sleep(max(0, wait_s))
        return await outcome(side, case)

    said = await asyncio.gather(started(race.one, late_s), started(race.other, -late_s))
    return await books_of(case, said)


async def forced(desk: Desk, race: Race, *, swapped: bool) -> Books:
    """Each side keeps all its locks but the last, which is held by somebody else."""
    case = await prepared(desk, race)
    async with desk.engine.connect() as holder:
        await hold_balances(holder, case.shop)
        sides = [race.other, race.one] if swapped else [race.one, race.other]
        tasks: list[asyncio.Task[str]] = []
        for side in sides:
            tasks.append(asyncio.create_task(outcome(side, case)))
            await _all_stand_still(desk, tasks)
        await holder.rollback()
    said = await asyncio.gather(*tasks)
    return await books_of(case, said[::-1] if swapped else said)


async def hold_balances(holder: AsyncConnection, shop: Market) -> None:
    await holder.execute(
        text("SELECT 1 FROM payee_balances WHERE payee_id = ANY(:ids) FOR UPDATE"),
        {"ids": [shop.creator.id, shop.store.id]},
    )


async def _all_stand_still(desk: Desk, tasks: Sequence[asyncio.Task[Any]]) -> None:
    async with asyncio.timeout(10):
        while True:
            running = sum(not task.done() for task in tasks)
            ((waiting,),) = await desk.rows(_WAITING)
            if waiting == running:
                return
            await asyncio.sleep(0.002)


_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def books_of(case: Case, said: Sequence[str]) -> Books:
    """Everything that a race may change of an order, with names for ids, and what was answered."""
    names = {case.shop.creator.id: "creator", case.shop.store.id: "store"}
    entries: dict[tuple[str, str, str], int] = defaultdict(int)
    for kind, account, payee_id, cents in await case.desk.rows(_ENTRIES, id=case.order_id):
        who = names[UUID(str(payee_id))] if payee_id else ""
        entries[str(kind), str(account), who] += int(str(cents))
    balances = {n: await case.desk.balance(i) for i, n in names.items()}
    states = []
    for query in _STATES:
        rows = await case.desk.rows(query, id=case.order_id)
        states.append(sorted(str([names.get(cell, cell) for cell in row]) for row in rows))  # type: ignore[call-overload]
    assert sum(entries.values()) == 0
    return (tuple(said), str(sorted(entries.items())), str(sorted(balances.items())), str(states))


_ENTRIES = """
    SELECT t.kind, e.account, e.payee_id, e.amount_cents
    FROM ledger_transactions t
    JOIN ledger_entries e ON e.posted_on = t.posted_on AND e.transaction_id = t.id
    WHERE t.order_id = :id
"""
_STATES = (
    "SELECT dispute_status, contested_cents FROM orders WHERE id = :id",
    """SELECT position, refunded_cents, returned_cents, disputed_cents, lost_cents
    FROM order_lines WHERE order_id = :id""",
    "SELECT payee_id, state, returned_cents, disputed_cents FROM earnings WHERE order_id = :id",
    "SELECT payee_id, state, amount_cents, reversal_cents FROM transfers WHERE order_id = :id",
    "SELECT payee_id, state, amount_cents FROM transfer_reversals WHERE order_id = :id",
    "SELECT status, amount_cents FROM refunds WHERE order_id = :id",
    "SELECT status, withdrawn_cents, lost_cents FROM disputes WHERE order_id = :id",
)


@pytest.mark.parametrize("name", RACES)
async def test_a_race_ends_like_one_of_both_orders(desk: Desk, name: str) -> None:
    race = RACES[name]
    orders = {await in_a_row(desk, race, swapped=swapped) for swapped in (False, True)}
    seen = {await forced(desk, race, swapped=swapped) for swapped in (False, True)}
    assert seen <= orders
    chance, late_ms = random.Random(name), LATE_MS
    for number in range(2 * ROUNDS):
        if number >= ROUNDS and seen == orders:
            break
        if number >= ROUNDS:
            late_ms *= LATER
        ended = await at_once(desk, race, chance=chance, late_ms=late_ms)
        assert ended in orders
        seen.add(ended)
    assert seen == orders
    await desk.check_books()


async def test_a_settlement_told_again_and_planning_do_not_stop_each_other(desk: Desk) -> None:
    """The one holds the order and wants the balances; the other holds these, and its transfer
    refers to the order."""
    shop = await desk.market()
    told = [await desk.pay(await desk.check_out(*shop.products, key=key)) for key in "ab"]
    await desk.settle(told[0])
    desk.clock.advance(HOLD)
    await desk.release()
    async with desk.engine.connect() as holder:
        await hold_balances(holder, shop)
        planning = asyncio.create_task(desk.plan())
        await _all_stand_still(desk, [planning])
        settling = asyncio.create_task(desk.settle(*told))
        await _all_stand_still(desk, [planning, settling])
        await holder.rollback()
    assert await planning == 2
    assert await settling == {}
    assert len(await desk.waiting("transfers")) == 2
    await desk.check_books()


async def test_everything_at_once_keeps_the_books(desk: Desk) -> None:
    """Many orders of the same payees: refunds, disputes and what moves their money on."""
    shop = await desk.market(prices_cents=(2500, 1999))
    chance = random.Random(0)
    orders = [await desk.buy(*shop.products, key=f"k{n}") for n in range(STORM)]
    cases = [Case(desk, shop, o, await desk.charge_of(o), o) for o in orders]
    desk.clock.advance(HOLD)

    async def shaken(side: Side, case: Case) -> str:
        await asyncio.sleep(chance.uniform(0, 0.8))
        return await outcome(side, case)

    async def refund(case: Case) -> None:
        await desk.send_refund((await desk.ask_refund(case.order_id, chance.randint(1, 900))).id)

    sides: list[Side] = [refund, refund, first_bank, second_bank, write_off]
    sides += [release, plan, Case.transfers_are_sent, Case.reversals_are_sent]
    await asyncio.gather(*(shaken(side, case) for case in cases for side in sides))
    await desk.check_books()
    for (said,) in await desk.rows("SELECT provider_id FROM disputes ORDER BY provider_id"):
        await desk.decide(str(said), chance.choice(["won", "lost"]))
    await desk.release()
    await desk.plan()
    await desk.send_transfers()
    await desk.send_reversals()
    await desk.check_books()
    assert {
        "payable_reserved",
        "payable_disputed",
        "payable_pending",
        "contested_funds",
    }.isdisjoint(await desk.trial_balance())
