"""Whatever differs between the provider's books and ours is found, and named."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from adapters.postgres.invariants import PostgresInvariantChecks
from application.ledger.reconciliation import (
    AskReconciliation,
    DayInvalid,
    Explain,
    ask_reconciliation,
    explain_difference,
    plan_reconciliations,
)
from application.ports.errors import Unavailable
from application.ports.invariants import Invariant
from application.ports.provider_books import MovementPage, ProviderBooks
from domain.identity.actor import RoleRequired
from domain.ledger.reconciliation import AlreadyResolved, RunMovedOn
from tests.application.ordering.conftest import ADMIN, HOLD
from tests.application.reconciliation.conftest import SOON, Audit
from tests.application.trade import owner_of

PRICE = 2500
FEE = 103


async def test_a_whole_life_of_orders_leaves_no_difference(audit: Audit) -> None:
    shop = await audit.market()
    orders = [await audit.sell(shop, key=str(number)) for number in range(3)]
    await audit.refund(orders[0].order_id, 700)
    first_day = audit.today
    audit.clock.advance(HOLD)
    await audit.release()
    await audit.plan()
    await audit.send_transfers()
    refund_id = await audit.refund(orders[1].order_id)
    await audit.refund(orders[2].order_id, 1000)
    await audit.bank_returns(refund_id, orders[1].charge_id)
    audit.clock.advance(SOON)

    assert await audit.compare(first_day) == {}
    assert await audit.compare() == {}

    last, first = await audit.views.runs(before=None, limit=10)
    assert (first.their_count, first.our_count) == (7, 7)
    assert last.their_count == last.our_count >= 9
    assert (first.pending, last.pending) == (0, 0)


async def test_a_charge_that_was_never_booked(audit: Audit) -> None:
    shop = await audit.market()
    paid = await audit.pay(await audit.check_out(*shop.products))
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"charge_not_booked", "fee_not_booked"}
    one = found["charge_not_booked"]
    assert (one.source, one.our_id) == (paid.charge_id, paid.order_id)
    assert (one.our_cents, one.their_cents, one.difference_cents) == (None, PRICE, PRICE)
    assert one.sentence == (
        f"The charge {paid.charge_id} of $25.00 for our order {paid.order_id} is not in the books."
    )


async def test_a_charge_of_ours_that_they_do_not_know(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    audit.sandbox.control(f"stripe/movements/{paid.charge_id}/forget")
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"charge_unknown_there", "fee_unknown_there"}
    one = found["charge_unknown_there"]
    assert (one.our_cents, one.their_cents) == (PRICE, None)
    assert one.effect_key == f"sale:{paid.charge_id}"
    assert one.sentence == (
        f"The books have a charge {paid.charge_id} of $25.00 for our order {paid.order_id} "
        "that the provider lacks."
    )


async def test_a_charge_of_another_amount(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    audit.sandbox.control(f"stripe/movements/{paid.charge_id}", amount=2400)
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"charge_amount"}
    assert found["charge_amount"].difference_cents == -100
    assert found["charge_amount"].sentence.endswith(
        "is $25.00 in the books, $24.00 at the provider."
    )


async def test_a_fee_of_another_amount(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    audit.sandbox.control(f"stripe/movements/{paid.charge_id}", fee=250)
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"fee_amount"}
    one = found["fee_amount"]
    assert (one.our_cents, one.their_cents) == (-FEE, -250)
    assert one.sentence == (
        f"The processing fee {paid.charge_id} is -$1.03 in the books, -$2.50 at the provider."
    )


async def test_a_refund_made_in_the_dashboard(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    by_hand = await audit.world.api.client.v1.refunds.create_async(
        {"charge": paid.charge_id, "amount": 400}
    )
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"refund_not_booked"}
    assert found["refund_not_booked"].sentence == (
        f"The refund {by_hand.id} of -$4.00 was made at the provider by hand."
    )


async def test_a_refund_of_ours_that_is_missing_there(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    refund_id = await audit.refund(paid.order_id, 600)
    source = await audit.provider_id("refunds", refund_id)
    audit.sandbox.control(f"stripe/movements/{source}/forget")
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"refund_unknown_there"}
    assert found["refund_unknown_there"].our_id == refund_id
    assert found["refund_unknown_there"].our_cents == -600


async def test_a_transfer_that_was_made_twice(audit: Audit) -> None:
    await audit.sell(await audit.market())
    await audit.pay_out()
    source = await audit.provider_id("transfers")
    made = await audit.world.api.client.v1.transfers.retrieve_async(source)
    metadata = {name: made.metadata[name] for name in ("transfer_id", "order_id")}
    again = await audit.world.api.client.v1.transfers.create_async(
        {
            "amount": 50,
            "currency": "usd",
            "destination": str(made.destination),
            "metadata": metadata,
        }
    )
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"transfer_doubled"}
    one = found["transfer_doubled"]
    assert (one.source, str(one.our_id)) == (again.id, metadata["transfer_id"])
    assert one.sentence.endswith(f"twice beside {source}.")


async def test_a_transfer_of_ours_that_is_missing_there(audit: Audit) -> None:
    await audit.sell(await audit.market())
    await audit.pay_out()
    source = await audit.provider_id("transfers")
    audit.sandbox.control(f"stripe/movements/{source}/forget")
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"transfer_unknown_there"}
    assert found["transfer_unknown_there"].source == source


async def reversed_once(audit: Audit) -> str:
    """A transfer of which a refund asked something back; answers the provider's id of that."""
    paid = await audit.sell(await audit.market())
    await audit.pay_out()
    await audit.refund(paid.order_id, 200)
    audit.clock.advance(SOON)
    return await audit.provider_id("transfer_reversals")


async def test_a_reversal_missing_there(audit: Audit) -> None:
    source = await reversed_once(audit)
    audit.sandbox.control(f"stripe/movements/{source}/forget")

    found = await audit.compare()

    assert found.keys() == {"reversal_unknown_there"}


async def test_a_reversal_missing_here(audit: Audit) -> None:
    source = await reversed_once(audit)
    rows = await audit.rows(
        "SELECT id FROM transfer_reversals WHERE provider_id = :source", source=source
    )
    await audit.unpost(f"reversal:{rows[0][0]}")

    found = await audit.compare()

    assert found.keys() == {"reversal_not_booked"}
    assert found["reversal_not_booked"].source == source


async def test_an_adjustment_that_nobody_knows(audit: Audit) -> None:
    await audit.world.fund(amount_cents=900)
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"adjustment_not_booked"}
    assert found["adjustment_not_booked"].their_cents == 900


async def test_the_operators_own_withdrawal_is_noted_and_alarms_nobody(audit: Audit) -> None:
    await audit.world.fund(amount_cents=-300)
    audit.clock.advance(SOON)

    await audit.compare()
    found = await audit.compare()

    assert found.keys() == {"payout_withdrawn"}
    noted = found["payout_withdrawn"]
    assert (noted.state, noted.their_cents) == ("noted", -300)
    assert noted.sentence == f"$3.00 went to the operator's own bank: withdrawal {noted.source}."
    [run] = await audit.views.runs(before=None, limit=10)
    assert run.differences == 0
    assert (
        await PostgresInvariantChecks(audit.engine).violations(
            Invariant.PROVIDER_AGREES, now=audit.clock.now()
        )
        == []
    )


async def test_money_withdrawn_for_a_dispute_that_was_not_booked(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    dispute = audit.sandbox.control(f"stripe/charges/{paid.charge_id}/dispute")
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"dispute_not_booked"}
    assert found["dispute_not_booked"].source == dispute["id"]
    assert found["dispute_not_booked"].their_cents is not None
    assert found["dispute_not_booked"].their_cents < -PRICE


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_dispute_that_was_booked_and_decided_is_no_difference(
    audit: Audit, outcome: str
) -> None:
    paid = await audit.sell(await audit.market())
    dispute = audit.sandbox.control(f"stripe/charges/{paid.charge_id}/dispute")
    await audit.hear_disputes()
    audit.clock.advance(SOON)
    assert await audit.compare() == {}

    audit.sandbox.control(f"stripe/disputes/{dispute['id']}/close", outcome=outcome)
    await audit.hear_disputes()
    audit.clock.advance(SOON)
    assert await audit.compare() == {}


async def test_what_is_too_young_is_pending_and_not_a_difference(audit: Audit) -> None:
    shop = await audit.market()
    paid = await audit.pay(await audit.check_out(*shop.products))

    assert await audit.compare() == {}
    [run] = await audit.views.runs(before=None, limit=10)
    assert run.pending == 2

    assert await audit.settle(paid) == {}
    await audit.book_fee(paid.charge_id)
    audit.clock.advance(SOON)
    assert await audit.compare() == {}
    [run] = await audit.views.runs(before=None, limit=10)
    assert (run.pending, run.attempt) == (0, 2)


async def test_midnight_between_both_sides_is_no_difference(audit: Audit) -> None:
    shop = await audit.market()
    audit.clock.advance(timedelta(hours=11, minutes=58))
    yesterday = audit.today
    paid = await audit.pay(await audit.check_out(*shop.products))
    audit.clock.advance(timedelta(minutes=10))
    assert await audit.settle(paid) == {}
    await audit.book_fee(paid.charge_id)
    assert audit.today != yesterday
    audit.clock.advance(SOON)

    assert await audit.compare() == {}
    assert await audit.compare(yesterday) == {}


async def test_a_difference_is_kept_once_and_resolved_when_both_sides_agree(audit: Audit) -> None:
    shop = await audit.market()
    paid = await audit.pay(await audit.check_out(*shop.products))
    audit.clock.advance(SOON)
    before = await audit.compare()
    again = await audit.compare()
    assert {one.id for one in again.values()} == {one.id for one in before.values()}

    assert await audit.settle(paid) == {}
    await audit.book_fee(paid.charge_id)
    audit.clock.advance(SOON)
    assert await audit.compare() == {}
    rows = await audit.rows("SELECT state, resolved_at IS NOT NULL FROM reconciliation_differences")
    assert rows == [("resolved", True)] * 2
    with pytest.raises(AlreadyResolved):
        await explain(audit, before["charge_not_booked"].id)


async def explain(audit: Audit, difference_id: object) -> None:
    await explain_difference(
        difference_id,  # type: ignore[arg-type]
        Explain(explanation="Our own money, moved to the bank."),
        actor=ADMIN,
        uow=audit.new_uow(),
        clock=audit.clock,
    )


async def test_an_explanation_stays_until_the_amounts_change(audit: Audit) -> None:
    paid = await audit.sell(await audit.market())
    audit.sandbox.control(f"stripe/movements/{paid.charge_id}", fee=250)
    audit.clock.advance(SOON)
    found = await audit.compare()

    await explain(audit, found["fee_amount"].id)
    await audit.compare()
    [row] = await audit.rows("SELECT state, explanation FROM reconciliation_differences")
    assert row == ("explained", "Our own money, moved to the bank.")
    [entry] = await audit.rows(
        "SELECT act, actor_id FROM audit_entries WHERE object_kind = 'difference'"
    )
    assert entry == ("difference.explained", ADMIN.user_id)

    await audit.tamper("UPDATE provider_movements SET amount_cents = -251 WHERE movement = 'fee'")
    await audit.compare()
    assert await audit.rows("SELECT state FROM reconciliation_differences") == [("open",)]


class Interrupted(ProviderBooks):
    """Breaks down after its first page, and again after every other."""

    def __init__(self, books: ProviderBooks) -> None:
        self._books = books
        self.pages = 0

    async def movements(
        self, *, since: datetime, until: datetime, after: str | None = None
    ) -> AsyncIterator[MovementPage]:
        async for page in self._books.movements(since=since, until=until, after=after):
            self.pages += 1
            yield page
            raise Unavailable("It broke down.", provider="stripe")


async def test_a_run_goes_on_where_it_broke_down(audit: Audit) -> None:
    for cents in range(1, 251):
        await audit.world.fund(amount_cents=cents)
    audit.clock.advance(SOON)
    run = await audit.ask()
    books = Interrupted(audit.world.books)

    for _ in range(3):
        with pytest.raises(Unavailable):
            await audit.go_on(run.day, books=books)
    await audit.go_on(run.day, books=books)

    assert books.pages == 3
    [done] = await audit.views.runs(before=None, limit=10)
    assert (done.phase, done.their_count, done.differences) == ("done", 250, 250)


async def test_two_that_continue_one_run_do_not_count_twice(audit: Audit) -> None:
    await audit.world.fund(amount_cents=900)
    audit.clock.advance(SOON)
    run = await audit.ask()

    class Overtaken(ProviderBooks):
        async def movements(
            self, *, since: datetime, until: datetime, after: str | None = None
        ) -> AsyncIterator[MovementPage]:
            await audit.go_on(run.day)
            async for page in audit.world.books.movements(since=since, until=until, after=after):
                yield page

    with pytest.raises(RunMovedOn):
        await audit.go_on(run.day, books=Overtaken())

    [done] = await audit.views.runs(before=None, limit=10)
    assert (done.their_count, done.differences) == (1, 1)


async def test_each_day_that_is_over_is_planned_once(audit: Audit) -> None:
    async def plan() -> int:
        return await plan_reconciliations(uow=audit.new_uow(), clock=audit.clock, ids=audit.ids)

    assert await plan() == 1
    assert await plan() == 0
    await audit.go_on(audit.today - timedelta(days=1))
    assert await plan() == 0
    audit.clock.advance(timedelta(days=3))
    assert await plan() == 3
    rows = await audit.rows("SELECT key FROM outbox_messages WHERE topic = 'ledger.reconcile_day'")
    assert len(rows) == 4


async def test_a_day_compared_before_its_end_is_planned_again(audit: Audit) -> None:
    await audit.compare()
    audit.clock.advance(timedelta(days=1))

    planned = await plan_reconciliations(uow=audit.new_uow(), clock=audit.clock, ids=audit.ids)

    assert planned == 1


async def test_only_administrators_ask_and_only_for_days_that_have_begun(audit: Audit) -> None:
    shop = await audit.market()

    async def ask(command: AskReconciliation, actor: object) -> None:
        await ask_reconciliation(
            command,
            actor=actor,  # type: ignore[arg-type]
            uow=audit.new_uow(),
            clock=audit.clock,
            ids=audit.ids,
        )

    with pytest.raises(RoleRequired):
        await ask(AskReconciliation(), owner_of(shop))
    with pytest.raises(DayInvalid):
        await ask(AskReconciliation(day=audit.today + timedelta(days=1)), ADMIN)
