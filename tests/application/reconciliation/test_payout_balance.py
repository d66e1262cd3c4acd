"""What lies at the payout provider is what the books say that lies there."""

from uuid import UUID

import pytest

from adapters.flowpay.accounts import FlowPayAccounts
from application.ledger.funding import fund_payouts
from application.ledger.payouts import ask_payout, send_payout
from application.ports.messages import RetryLater
from domain.ledger.payee import PayeeKind
from domain.ledger.payout import PayoutSpeed
from domain.ledger.payout_effects import payout_reserved
from domain.ledger.posting import Account, Entry, Transaction
from tests.application.reconciliation.conftest import SOON, Audit
from tests.builders import USD, bank_account_of, payout_of, ready_payee
from tests.contracts.payout_providers import tokenise


async def test_a_withdrawal_that_funded_the_payout_provider_is_booked_under_its_id(
    audit: Audit,
) -> None:
    await audit.world.fund(amount_cents=-300)
    audit.bank_holds(300)
    audit.clock.advance(SOON)
    found = await audit.compare()
    assert found.keys() == {"payout_withdrawn", "payout_balance_amount"}
    assert found["payout_balance_amount"].sentence == (
        "The payout provider holds $3.00 for us, the books say $0.00."
    )

    await fund(audit, 300, reference=found["payout_withdrawn"].source)
    audit.clock.advance(SOON)

    assert await audit.compare() == {}
    assert await audit.rows("SELECT DISTINCT state FROM reconciliation_differences") == [
        ("resolved",)
    ]


async def fund(audit: Audit, cents: int, *, reference: str) -> None:
    await fund_payouts(
        reference=reference,
        amount_cents=cents,
        currency="usd",
        uow=audit.new_uow(),
        clock=audit.clock,
    )


async def moved_there(audit: Audit, cents: int) -> None:
    """From the payment provider to the payout provider, and booked under the payout's id."""
    await audit.world.fund(amount_cents=-cents)
    audit.bank_holds(cents)
    now = audit.clock.now()
    sources = [
        one.source
        async for page in audit.world.books.movements(since=now - SOON, until=now + SOON)
        for one in page.moved
    ]
    await fund(audit, cents, reference=sources[0])


async def a_payout(audit: Audit, cents: int, *, speed: PayoutSpeed = PayoutSpeed.STANDARD) -> UUID:
    """Of a store with enough on its balance, to a bank account that takes it."""
    audit.sandbox.control("flowpay/behaviour", automatic=False)
    token = tokenise(audit.sandbox)
    accounts = FlowPayAccounts(audit.bank_api)
    opened = await accounts.open_account(key=token, token=token)
    await accounts.verify_account(opened.provider_id, amounts_cents=(32, 45))
    payee = ready_payee(audit.ids.new(), PayeeKind.STORE, account_id=f"acct_{opened.provider_id}")
    account = bank_account_of(
        payee.id, provider_id=opened.provider_id, created_at=audit.clock.now()
    )
    payout = payout_of(
        account, amount_cents=cents, net_cents=cents, speed=speed, created_at=audit.clock.now()
    )
    earned = Entry(Account.PAYABLE_AVAILABLE, payee.id, cents)
    given = Entry(Account.PROMOTIONS, None, -cents)
    async with (uow := audit.new_uow()):
        uow.payees.add(payee)
        await uow.commit()
    async with (uow := audit.new_uow()):
        uow.bank_accounts.add(account)
        await uow.commit()
    async with (uow := audit.new_uow()):
        uow.payouts.add(payout)
        gift = Transaction(f"gift:{payout.id}", "gift", USD, (earned, given), audit.clock.now())
        await uow.ledger.post([gift])
        await uow.ledger.post([payout_reserved(payout, at=audit.clock.now())])
        await uow.commit()
    await send_payout(payout.id, uow=audit.new_uow(), rails=audit.rails, clock=audit.clock)
    return payout.id


@pytest.mark.parametrize("speed", PayoutSpeed)
@pytest.mark.parametrize("ending", ["", "complete", "fail", "return"])
async def test_what_lies_at_the_payout_provider_agrees_with_the_books_all_along(
    audit: Audit, ending: str, speed: PayoutSpeed
) -> None:
    await moved_there(audit, 10_000)
    payout_id = await a_payout(audit, 4_000, speed=speed)
    [(provider_id,)] = await audit.rows("SELECT provider_id FROM payouts")
    for step in ["complete", "return"] if ending == "return" else [ending] * bool(ending):
        body = {} if step == "complete" else {"code": "account_closed"}
        audit.sandbox.control(f"flowpay/transfers/{provider_id}/{step}", **body)
        await ask_payout(payout_id, uow=audit.new_uow(), rails=audit.rails, clock=audit.clock)
    audit.clock.advance(SOON)

    assert await audit.compare() == {}

    audit.bank_holds(1)
    assert (await audit.compare()).keys() == {"payout_balance_amount"}


async def test_money_that_left_the_payout_provider_unknown_to_the_books(audit: Audit) -> None:
    await moved_there(audit, 1_000)
    audit.bank_holds(900)
    audit.clock.advance(SOON)

    found = await audit.compare()

    assert found.keys() == {"payout_balance_amount"}
    assert found["payout_balance_amount"].difference_cents == -100
    audit.bank_holds(1_000)
    assert await audit.compare() == {}


async def test_a_payout_of_unknown_outcome_puts_the_comparison_off(audit: Audit) -> None:
    await moved_there(audit, 10_000)
    audit.sandbox.control(
        "failures",
        provider="flowpay",
        kind="timeout_after_acceptance",
        operation="POST /v1/transfers",
        times=1,
    )
    with pytest.raises(RetryLater):
        await a_payout(audit, 4_000)
    audit.clock.advance(SOON)

    assert await audit.compare() == {}

    [run] = await audit.views.runs(before=None, limit=10)
    assert run.pending == 1
