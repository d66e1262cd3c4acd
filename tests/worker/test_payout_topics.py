"""The topics of payouts, from message to bank: what each body does, and what a failure becomes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

import msgspec
import pytest

from adapters.memory.payout_provider import MemoryPayoutWebhooks
from application.ledger.bank_accounts import CLOSE_BANK_ACCOUNT, CloseBankAccount
from application.ledger.daily_payouts import PAY_RELEASED, PayReleased
from application.ledger.payouts import (
    ASK_PAYOUT,
    SEND_PAYOUT,
    AskPayout,
    SendPayout,
    sweep_payouts,
)
from application.ports.errors import Unavailable
from application.ports.messages import Message, ParkMessage, RetryLater
from domain.ledger.payout import PayoutState
from domain.ledger.payout_settings import PayoutSchedule
from entrypoints.worker.topics import topics
from tests.application.ledger.paying import MemoryBank, paid_by_bank

if TYPE_CHECKING:
    from entrypoints.bootstrap import Ports


class PortsOf:
    """What the topics of payouts need; those of other areas are never asked here."""

    def __init__(self, world: MemoryBank) -> None:
        self.uow = world.new_uow
        self.clock, self.ids = world.clock, world.ids
        self.payout_rails, self.payout_policy = world.rails, world.policy
        self.payout_webhooks: MemoryPayoutWebhooks = world.webhooks
        self.bank_accounts_provider = world.accounts

    def __getattr__(self, name: str) -> None:
        return None


class Worker:
    """Takes a message of a topic as the dispatcher would."""

    def __init__(self, world: MemoryBank) -> None:
        self._world = world
        self.topics = topics(cast("Ports", PortsOf(world)))

    async def take(self, topic: str, body: object) -> Exception | None:
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        message = Message(
            id=uuid4(),
            box=self.topics[topic].box,
            topic=topic,
            payload=payload,
            attempts=1,
            created_at=self._world.clock.now(),
        )
        failures: Any = await self.topics[topic].handle([message])
        return cast("Exception | None", (failures or {}).get(message.id))

    async def empty(self) -> None:
        """All that waits in the outbox, once."""
        waiting, self._world.database.messages[:] = list(self._world.database.messages), []
        for message in waiting:
            assert await self.take(message.topic, message.body) is None


@pytest.fixture
def world() -> MemoryBank:
    return MemoryBank()


@pytest.fixture
def worker(world: MemoryBank) -> Worker:
    return Worker(world)


async def a_withdrawal(world: MemoryBank, cents: int = 4000) -> UUID:
    withdrawal = await (await paid_by_bank(world)).withdraw(cents)
    assert withdrawal.payout is not None
    return withdrawal.payout.id


async def test_a_withdrawal_is_sent_and_paid_by_messages_alone(
    world: MemoryBank, worker: Worker
) -> None:
    payout_id = await a_withdrawal(world)

    await worker.empty()
    assert (await world.payout(payout_id)).state is PayoutState.SENT

    world.bank.complete(payout_id)
    _, notice = world.webhooks.tell(payout_id)
    assert await worker.take("payout", notice) is None
    assert (await world.payout(payout_id)).state is PayoutState.PAID


async def test_a_payout_that_was_silent_is_asked_about(world: MemoryBank, worker: Worker) -> None:
    payout_id = await a_withdrawal(world)
    await worker.empty()
    world.bank.complete(payout_id)
    world.clock.advance(timedelta(hours=2))

    assert await sweep_payouts(uow=world.new_uow(), clock=world.clock) == 1
    assert [message.topic for message in world.database.messages] == [ASK_PAYOUT]
    await worker.empty()

    assert (await world.payout(payout_id)).state is PayoutState.PAID


async def test_what_is_released_becomes_the_days_payout(world: MemoryBank, worker: Worker) -> None:
    payee = await paid_by_bank(world, cents=7000)
    await payee.choose(schedule=PayoutSchedule.AUTOMATIC)

    assert await worker.take(PAY_RELEASED, PayReleased(payee_id=payee.id, currency="usd")) is None
    assert await worker.take(PAY_RELEASED, PayReleased(payee_id=payee.id, currency="usd")) is None

    assert [message.topic for message in world.database.messages] == [SEND_PAYOUT]
    assert (await payee.balance()).reserved_cents == 7000


async def test_an_account_that_was_removed_is_closed_at_the_provider(
    world: MemoryBank, worker: Worker
) -> None:
    assert await worker.take(CLOSE_BANK_ACCOUNT, CloseBankAccount(provider_id="ba_9")) is None

    assert world.accounts.closed == {"ba_9"}


@pytest.mark.parametrize(
    ("fault", "failure"), [("lost_answer", RetryLater), ("unavailable", Unavailable)]
)
async def test_a_payout_that_has_no_answer_is_tried_again_and_sent_once(
    world: MemoryBank, worker: Worker, fault: Any, failure: type[Exception]
) -> None:
    payout_id = await a_withdrawal(world)
    world.calls.fail("send", fault)

    assert isinstance(await worker.take(SEND_PAYOUT, SendPayout(payout_id=payout_id)), failure)

    world.calls.recover()
    assert await worker.take(SEND_PAYOUT, SendPayout(payout_id=payout_id)) is None
    assert len(world.bank.facts) == 1


async def test_one_that_cannot_be_asked_about_does_not_stop_the_others(
    world: MemoryBank, worker: Worker
) -> None:
    payout_id = await a_withdrawal(world)
    world.calls.fail("find", "unavailable")

    assert isinstance(await worker.take(ASK_PAYOUT, AskPayout(payout_id=payout_id)), Unavailable)


async def test_events_of_others_are_done_and_unreadable_ones_parked(
    world: MemoryBank, worker: Worker
) -> None:
    assert await worker.take("payout", world.webhooks.tell(uuid4())[1]) is None
    assert await worker.take("payout", world.webhooks.tell(None)[1]) is None
    assert isinstance(await worker.take("payout", b"["), ParkMessage)
