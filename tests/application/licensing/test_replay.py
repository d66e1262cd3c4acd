"""A kept decision, taken again, is the same; what was tampered with is found."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.memory.system import ManualClock
from adapters.postgres.creators import licence_terms
from adapters.postgres.decision_views import PostgresDecisionViews
from adapters.postgres.engine import sessions_of
from adapters.postgres.ordering import order_lines
from adapters.postgres.studio import licence_decisions
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.ids import UuidV7Ids
from application.licensing.decisions import Decided, record_decisions
from application.licensing.replay import ReplayReport, replay_decisions
from domain.licensing.conditions import Approval, Quotas
from domain.licensing.decision import Decision, Outcome
from domain.licensing.evaluate import evaluate_under
from domain.licensing.joint import joint
from domain.licensing.record import DecisionPoint
from domain.licensing.shared import Party, common_part, evaluate_shared
from domain.licensing.use import Action, Price, Usage
from tests.builders import NOON, Market, actor, market, order_of, terms
from tests.domain.licensing.uses import use


class World:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.sessions = sessions_of(engine)
        self.views = PostgresDecisionViews(self.sessions, engine, batch=2)

    def uow(self) -> PostgresUnitOfWork:
        return PostgresUnitOfWork(self.sessions, clock=ManualClock(NOON), ids=UuidV7Ids())

    async def keep(self, shop: Market, *decided: Decided) -> None:
        async with self.uow() as uow:
            record_decisions(decided, actor=actor(), uow=uow, ids=UuidV7Ids(), at=NOON)
            await uow.commit()

    async def alter(self, table: object, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(update(table).values(**values))  # type: ignore[arg-type]

    async def replay(self) -> ReplayReport:
        return await replay_decisions(self.views)


@pytest.fixture
async def world(clean_database: str) -> AsyncIterator[World]:
    engine = create_async_engine(clean_database)
    yield World(engine)
    await engine.dispose()


def decisions(shop: Market) -> list[Decided]:
    """Of each kind of use and outcome, with everything that a use can say."""
    uses = [
        use(Action.TRAIN),
        use(Action.GENERATE, texts=(("prompt", "a war, at dawn"),)),
        use(Action.LIST, price=Price(2500, 100, "usd"), territories=frozenset({"DE", "US"})),
        use(quantity=3, usage=Usage(units_sold=9), territories=frozenset({"FR"}), approved=True),
        use(creator_name="Ada", derivative=True, revoked_from=NOON, sublicence_depth=1),
    ]
    return [
        Decided(
            point=DecisionPoint.DISCOUNT,
            subject_id=uuid4(),
            terms=shop.terms,
            use=each,
            decision=evaluate_under(shop.terms.terms, sublicence, each),
            sublicence=sublicence,
        )
        for each in uses
        for sublicence in (None, terms(territories_included=frozenset({"DE"})))
    ]


LICENCE = terms(
    blocked_keywords=("war",), quotas=Quotas(units=10), territories_excluded=frozenset({"EU"})
)


async def test_every_kind_of_decision_is_the_same_again(world: World) -> None:
    shop = await market(world.uow(), licence=LICENCE)
    await world.keep(shop, *decisions(shop))

    report = await world.replay()

    assert (report.replayed, report.differences, report.same) == (10, [], True)


async def test_a_decision_on_several_is_the_same_again(world: World) -> None:
    shop = await market(world.uow(), licence=LICENCE)
    parties = (
        Party(
            creator_id=uuid4(),
            terms=terms(approval=Approval.PER_PRODUCT, quotas=Quotas(units=3)),
            approved=True,
            usage=Usage(units_sold=2),
        ),
        Party(creator_id=uuid4(), terms=terms(approval=Approval.FIRST_USE)),
    )
    beside = joint(*(common_part(party.terms) for party in parties), at=NOON)
    proposed = use(usage=Usage(units_sold=0), territories=frozenset({"US"}))
    decision = evaluate_shared(shop.terms.terms, beside, parties, proposed)
    assert decision.outcome is Outcome.NEEDS_APPROVAL
    decided = Decided(
        point=DecisionPoint.LISTING,
        subject_id=uuid4(),
        terms=shop.terms,
        use=proposed,
        decision=decision,
        sublicence=beside,
        parties=parties,
    )
    await world.keep(shop, decided)
    assert (await world.replay()).same

    await world.alter(licence_decisions, parties=parties[:1])
    report = await world.replay()
    assert [each.fault for each in report.differences] == ["decided_otherwise"]


async def test_terms_that_were_altered_are_found(world: World) -> None:
    shop = await market(world.uow(), licence=LICENCE)
    await world.keep(shop, decisions(shop)[0])
    await world.alter(licence_terms, terms=replace(LICENCE, royalty_bps=1))

    report = await world.replay()

    assert [each.fault for each in report.differences] == ["terms_altered"]
    assert not report.same


async def test_a_decision_that_was_altered_is_found(world: World) -> None:
    shop = await market(world.uow(), licence=LICENCE)
    await world.keep(shop, *decisions(shop)[:3])
    await world.alter(licence_decisions, decision=Decision(Outcome.NEEDS_APPROVAL, ()))

    report = await world.replay()

    assert {each.fault for each in report.differences} == {"decided_otherwise"}
    assert report.difference_count == 3


async def test_what_an_order_froze_is_what_was_decided(world: World) -> None:
    shop = await market(world.uow())
    order = order_of(shop.products, at=NOON)
    async with (uow := world.uow()):
        uow.orders.add(order)
        await uow.commit()
    (line,) = order.lines
    judged = use()
    decided = Decided(
        point=DecisionPoint.CHECKOUT,
        subject_id=line.id,
        terms=shop.terms,
        use=judged,
        decision=evaluate_under(shop.terms.terms, None, judged),
    )
    await world.keep(shop, decided)
    assert (await world.replay()).same

    await world.alter(order_lines, decision=Decision(Outcome.DENY, ()))

    report = await world.replay()
    assert [(d.fault, d.point) for d in report.differences] == [
        ("frozen_otherwise", DecisionPoint.CHECKOUT)
    ]


async def test_a_creators_decisions_come_newest_first_in_pages(world: World) -> None:
    shop, other = await market(world.uow()), await market(world.uow())
    await world.keep(shop, *decisions(shop)[:3])
    await world.keep(other, *decisions(other)[:1])

    first = await world.views.of_creator(shop.creator.id, before=None, limit=2)
    last = first[-1]
    rest = await world.views.of_creator(shop.creator.id, before=(last.decided_at, last.id), limit=5)

    ids = [record.id for record in (*first, *rest)]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
