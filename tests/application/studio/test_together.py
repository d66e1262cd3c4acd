"""Generations of several creators together: everybody's word, everybody's quota, at once."""

import asyncio
from collections import Counter as Tally
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from application.licensing.standing import LicenceRefused
from application.licensing.usage import LineClaim, claim_usage, free_usage
from application.ports.repository import AlreadyExists, StaleVersion
from application.studio.generations import AcceptedJob
from domain.identity.actor import Actor
from domain.licensing.approval import ApprovalAnswered, ApprovalNeeded, ApprovalState
from domain.licensing.conditions import Approval, Quotas
from domain.licensing.terms import Capability
from domain.licensing.usage import Counter, CounterKind, QuotaExhausted
from domain.shared.errors import LikenessError
from tests import builders
from tests.application.licensing.together import asked_in, name_together, say, waiting_of
from tests.application.studio.world import World
from tests.builders import USD, Market, terms

LIMIT = 10


@pytest.fixture
async def studio(studio: World) -> World:
    """Creators are asked by people who have an account."""
    studio.fan = await person(studio)
    return studio


async def person(world: World) -> Actor:
    someone = builders.user()
    async with world.uow() as uow:
        uow.users.add(someone)
        await uow.commit()
    return Actor(someone.id, frozenset())


async def partner(world: World, **conditions: object) -> Market:
    """Another creator, with a model of their own."""
    market = await builders.market(world.uow(), licence=terms(**conditions))
    await builders.generation(world.uow(), market)
    return market


async def refused(world: World) -> list[UUID]:
    with pytest.raises(ApprovalNeeded) as needed:
        await world.ask()
    return asked_in(needed.value)


async def test_a_generation_waits_for_everybody_and_uses_up_everybodys_yes(
    studio: World,
) -> None:
    grace = await partner(studio, approval=Approval.PER_GENERATION, approval_hours=1)
    alan = await partner(studio, approval=Approval.FIRST_USE)
    ada = studio.market
    await name_together(studio.uow, ada, grace, alan, approval=Approval.PER_GENERATION)
    everybody = (ada, grace, alan)

    assert len(await refused(studio)) == 3
    for market in everybody[:2]:
        (asked,) = await waiting_of(market, studio.uow, studio.clock)
        await say(market, asked.id, studio.uow, studio.clock)
        assert len(await refused(studio)) == 2 - everybody.index(market)
    (asked,) = await waiting_of(alan, studio.uow, studio.clock)
    await say(alan, asked.id, studio.uow, studio.clock)
    await studio.ask()

    anew = await refused(studio)
    assert len(anew) == 2, "the first use is good for what follows, the others are spent"
    assert len(await waiting_of(alan, studio.uow, studio.clock)) == 1


async def test_who_asks_has_said_yes_for_themselves_only(studio: World) -> None:
    grace = await partner(studio, approval=Approval.PER_GENERATION)
    await name_together(studio.uow, studio.market, grace, approval=Approval.PER_GENERATION)
    studio.fan = studio.owner
    (request,) = await refused(studio)
    await say(grace, request, studio.uow, studio.clock)
    await studio.ask()

    studio.fan = Actor(grace.creator.user_id, frozenset())
    (request,) = await refused(studio)
    await say(studio.market, request, studio.uow, studio.clock)
    await studio.ask()


async def test_of_one_wish_sent_many_times_at_once_one_is_made(studio: World) -> None:
    grace = await partner(studio, approval=Approval.PER_GENERATION)
    await name_together(studio.uow, studio.market, grace, approval=Approval.PER_GENERATION)
    await refused(studio)
    for market in (studio.market, grace):
        (asked,) = await waiting_of(market, studio.uow, studio.clock)
        await say(market, asked.id, studio.uow, studio.clock)

    answers = await asyncio.gather(*(studio.ask() for _ in range(8)), return_exceptions=True)

    told = Tally(type(answer) for answer in answers)
    assert told[AcceptedJob] == 1, told
    assert set(told) <= {
        AcceptedJob,
        ApprovalAnswered,
        ApprovalNeeded,
        AlreadyExists,
        StaleVersion,
    }, told
    for market in (studio.market, grace):
        asked_for = await waiting_of(market, studio.uow, studio.clock)
        given = [one for one in asked_for if one.state is ApprovalState.APPROVED]
        assert len(given) == 1


async def test_quotas_of_two_who_show_each_other_are_never_exceeded_and_never_lock_up(
    studio: World,
) -> None:
    """Each is the lead of half of what is made and sold, so that both orders of locking are
    wished for at once."""
    quotas = Quotas(generations_per_day=LIMIT, units=LIMIT)
    ada, grace = studio.market, await partner(studio)
    await name_together(studio.uow, ada, grace, quotas=quotas)
    await name_together(studio.uow, grace, ada, quotas=replace(quotas, units=LIMIT + 5))

    async def buy(lead: Market, other: Market) -> UUID:
        order_id, line = uuid4(), _line(lead, other)
        async with studio.uow() as uow:
            await claim_usage(order_id, [line], uow=uow, at=studio.clock.now())
            await uow.commit()
        return order_id

    async def ask(lead: Market) -> None:
        await studio.ask(creator_id=lead.creator.id, prompt=f"{uuid4()}")

    pairs = [(ada, grace), (grace, ada)]
    bought = [buy(*pairs[number % 2]) for number in range(3 * LIMIT)]
    asked = [ask(pairs[number % 2][0]) for number in range(2 * LIMIT)]
    answers = await asyncio.wait_for(
        asyncio.gather(*bought, *asked, return_exceptions=True), timeout=60
    )

    orders = [answer for answer in answers if isinstance(answer, UUID)]
    made = [answer for answer in answers if answer is None]
    assert (len(orders), len(made)) == (LIMIT, LIMIT)
    others = [one for one in answers if isinstance(one, BaseException)]
    assert {type(one) for one in others} <= {QuotaExhausted, LicenceRefused}
    assert all(isinstance(one, LikenessError) for one in others)
    assert await _counted(studio, ada) == await _counted(studio, grace) == (LIMIT, LIMIT)

    async def give_back(order_id: UUID) -> None:
        async with studio.uow() as uow:
            await free_usage(order_id, uow=uow)
            await uow.commit()

    await asyncio.gather(*(give_back(order_id) for order_id in (*orders, *orders)))
    assert await _counted(studio, ada) == await _counted(studio, grace) == (0, LIMIT)


async def _counted(studio: World, market: Market) -> tuple[int, int]:
    units = Counter(market.creator.id, CounterKind.UNITS)
    day = Counter(market.creator.id, CounterKind.GENERATIONS, studio.clock.now().date().isoformat())
    async with studio.uow() as uow:
        found = await uow.usage.values([units, day])
    return found[units], found[day]


def _line(lead: Market, other: Market) -> LineClaim:
    return LineClaim(
        line_id=uuid4(),
        product_id=lead.products[0].id,
        store_id=lead.store.id,
        terms=lead.terms,
        quantity=1,
        base_cents=2500,
        currency=USD,
        parties=(other.terms,),
    )


async def test_training_is_judged_by_the_terms_of_all_whom_the_set_shows(world: World) -> None:
    grace = await builders.market(
        world.uow(), licence=terms(capabilities=frozenset({Capability.IMAGE}))
    )
    await name_together(world.uow, world.market, grace)

    with pytest.raises(LicenceRefused) as denied:
        await world.train()

    (reason,) = denied.value.decision.reasons
    assert (reason.code, reason.limit) == ("capability_not_granted", "image")


# Which model is used.


async def test_the_newest_model_that_the_terms_name_is_used(studio: World) -> None:
    async with studio.uow() as uow:
        first = await uow.models.in_force(studio.market.creator.id)
        assert first is not None
    await studio.with_model()
    async with studio.uow() as uow:
        newest = await uow.models.in_force(studio.market.creator.id)
        assert newest is not None
    assert newest.id != first.id

    assert await _model_of(studio, await studio.ask()) == newest.id
    await name_together(studio.uow, studio.market, models=frozenset({str(first.id)}))
    assert await _model_of(studio, await studio.ask(prompt="at sea")) == first.id


async def test_terms_that_name_no_model_that_is_ready_say_so(studio: World) -> None:
    grace = await partner(studio, models=frozenset({str(uuid4())}))
    await name_together(studio.uow, studio.market, grace)
    with pytest.raises(LicenceRefused) as denied:
        await studio.ask()
    assert [reason.code for reason in denied.value.decision.reasons] == ["model_not_allowed"]


async def _model_of(studio: World, accepted: AcceptedJob) -> UUID | None:
    async with studio.uow() as uow:
        return (await uow.generations.get(accepted.id)).model_id


async def test_a_stranger_s_wish_is_a_question_of_its_own(studio: World) -> None:
    grace = await partner(studio, approval=Approval.PER_GENERATION)
    await name_together(studio.uow, studio.market, grace)
    (mine,) = await refused(studio)
    studio.fan = await person(studio)
    (theirs,) = await refused(studio)
    assert mine != theirs
