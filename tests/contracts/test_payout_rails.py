"""What every way to banks promises, over the fakes and over the sandbox by HTTP."""

from collections.abc import AsyncIterator
from typing import cast
from uuid import uuid4

import msgspec
import pytest

from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.payouts import PROVIDER_SHORT, PayoutBalance
from domain.ledger.payout import PayoutSpeed, PayoutWord
from tests.contracts.payout_providers import (
    RAILS,
    FlowPaySandbox,
    MemoryBanks,
    World,
    rail_world_for,
)
from tests.sandbox.server import SDK_WARNING

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


@pytest.fixture(params=RAILS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with rail_world_for(request) as found:
        yield found


@pytest.mark.parametrize("speed", PayoutSpeed)
async def test_a_payout_is_taken_and_known_by_both_names(world: World, speed: PayoutSpeed) -> None:
    destination = await world.destination()
    order = world.order(destination, speed=speed)

    fact = await world.rail.send(order)

    assert (fact.word, fact.amount_cents, fact.currency) == (PayoutWord.UNDER_WAY, 5000, "usd")
    assert fact.payout_id == order.payout_id
    assert await world.rail.find(order.payout_id, destination=destination) == fact
    assert await world.rail.state(fact.provider_id, destination=destination) == fact


async def test_sent_twice_is_sent_once(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)

    first, again = await world.rail.send(order), await world.rail.send(order)

    assert first.provider_id == again.provider_id


async def test_another_amount_under_the_same_id_is_not_sent(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    await world.rail.send(order)

    with pytest.raises((Rejected, OutcomeUnknown)):
        await world.rail.send(msgspec.structs.replace(order, amount_cents=6000))

    found = await world.rail.find(order.payout_id, destination=destination)
    assert found is not None
    assert found.amount_cents == 5000


async def test_a_completed_payout_says_so(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    fact = await world.rail.send(order)

    await world.complete(order.payout_id, fact.provider_id)

    state = await world.rail.state(fact.provider_id, destination=destination)
    assert state.word is PayoutWord.COMPLETED


async def test_a_failed_payout_says_why(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    fact = await world.rail.send(order)

    await world.fail(order.payout_id, fact.provider_id)

    state = await world.rail.state(fact.provider_id, destination=destination)
    assert (state.word, state.reason) == (PayoutWord.FAILED, "account_closed")


async def test_what_was_completed_can_still_come_back(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    fact = await world.rail.send(order)
    await world.complete(order.payout_id, fact.provider_id)

    await world.give_back(order.payout_id, fact.provider_id)

    state = await world.rail.state(fact.provider_id, destination=destination)
    assert state.word in (PayoutWord.RETURNED, PayoutWord.FAILED)


async def test_a_destination_that_cannot_be_paid_is_refused(world: World) -> None:
    order = world.order(await world.closed())

    with pytest.raises(Rejected):
        await world.rail.send(order)

    assert await world.rail.find(order.payout_id, destination=order.destination) is None


async def test_a_lost_answer_is_unknown_and_can_be_looked_up(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    await world.trouble("lost_answer")

    with pytest.raises(OutcomeUnknown):
        await world.rail.send(order)

    found = await world.rail.find(order.payout_id, destination=destination)
    assert found is not None
    assert found.amount_cents == 5000


async def test_an_absent_provider_has_done_nothing(world: World) -> None:
    destination = await world.destination()
    order = world.order(destination)
    await world.trouble("unavailable")

    with pytest.raises(Unavailable):
        await world.rail.send(order)

    assert await world.rail.find(order.payout_id, destination=destination) is None


async def test_nothing_is_found_of_what_was_never_sent(world: World) -> None:
    destination = await world.destination()

    assert await world.rail.find(uuid4(), destination=destination) is None


async def test_what_lies_there_for_the_payee(world: World) -> None:
    destination = await world.destination(cents=7000)

    found = await world.rail.available_cents(destination, currency="usd")

    assert found in (None, 7000)
    if found is not None:
        await world.rail.send(world.order(destination, cents=3000, speed=PayoutSpeed.INSTANT))
        assert await world.rail.available_cents(destination, currency="usd") == 4000
        with pytest.raises(Rejected, match=r"balance_insufficient|not that much"):
            await world.rail.send(world.order(destination, cents=5000))


async def test_it_answers(world: World) -> None:
    await world.rail.check()


@pytest.mark.parametrize("world", ["memory-bank", "flowpay"], indirect=True)
async def test_our_own_empty_balance_is_told_apart_and_can_be_tried_again(world: World) -> None:
    order = world.order(await world.destination())
    fund(world, 10)
    with pytest.raises(Rejected) as refusal:
        await world.rail.send(order)
    assert refusal.value.reason == PROVIDER_SHORT

    fund(world, 10_000)
    assert (await world.rail.send(order)).amount_cents == 5000


@pytest.mark.parametrize("world", ["memory-bank", "flowpay"], indirect=True)
@pytest.mark.parametrize(("speed", "cost"), [(PayoutSpeed.STANDARD, 0), (PayoutSpeed.INSTANT, 25)])
async def test_what_it_holds_for_us_goes_with_the_payout_and_comes_back_when_that_fails(
    world: World, speed: PayoutSpeed, cost: int
) -> None:
    destination = await world.destination()
    fund(world, 10_000)
    balance = cast("PayoutBalance", world.rail)

    first = await world.rail.send(world.order(destination, speed=speed))
    failing = world.order(destination, speed=speed)
    with pytest.raises(Rejected):
        await world.rail.send(msgspec.structs.replace(failing, amount_cents=9_000))
    assert await balance.held() == {"usd": 5_000 - cost}

    assert first.payout_id is not None
    await world.fail(first.payout_id, first.provider_id)
    assert await balance.held() == {"usd": 10_000}


def fund(world: World, cents: int) -> None:
    match world:
        case MemoryBanks():
            world.memory.funds_cents = cents
        case FlowPaySandbox():
            world.sandbox.control("flowpay/behaviour", funds=cents)
        case _:
            raise AssertionError("its balance is the payee's")
