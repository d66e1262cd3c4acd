"""What every provider of payees' accounts promises: nobody is payable before it says so."""

from collections.abc import AsyncIterator

import pytest

from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from tests.contracts.payment_providers import PROVIDERS, Provider, new_id, provider_for


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_for(request) as provider:
        yield provider


async def test_a_payee_has_one_account_however_often_it_is_opened(provider: Provider) -> None:
    payee_id = new_id()

    async def open_account() -> str:
        return await provider.accounts.open_account(
            payee_id=payee_id, email="payee@shop.test", country="US"
        )

    assert await open_account() == await open_account()


async def test_a_new_account_cannot_be_paid_and_says_what_is_missing(provider: Provider) -> None:
    account_id = await provider.accounts.open_account(payee_id=new_id(), email=None, country=None)
    state = await provider.accounts.account_state(account_id)

    assert state.account_id == account_id
    assert not state.transfers_active
    assert not state.payouts_enabled
    assert state.disabled_reason
    assert state.currently_due
    assert state.past_due


async def test_an_account_is_payable_once_onboarding_is_complete(provider: Provider) -> None:
    state = await provider.accounts.account_state(await provider.payee())

    assert state.transfers_active
    assert state.payouts_enabled
    assert state.disabled_reason is None
    assert state.currently_due == state.past_due == ()


async def test_every_onboarding_link_is_a_new_one(provider: Provider) -> None:
    account_id = await provider.accounts.open_account(payee_id=new_id(), email=None, country=None)

    async def link() -> str:
        return await provider.accounts.onboarding_link(
            account_id,
            refresh_url="https://shop.test/payouts/again",
            return_url="https://shop.test/payouts",
        )

    first, second = await link(), await link()
    assert first.startswith("http")
    assert first != second
    assert not (await provider.accounts.account_state(account_id)).transfers_active


async def test_an_account_that_is_not_ours_is_refused(provider: Provider) -> None:
    with pytest.raises(Rejected) as refusal:
        await provider.accounts.account_state("acct_unheard_of")
    assert refusal.value.reason == "account_invalid"


async def test_opening_again_after_a_lost_answer_finds_the_same_account(provider: Provider) -> None:
    payee_id = new_id()
    await provider.fail("open_account", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await provider.accounts.open_account(payee_id=payee_id, email=None, country=None)
    await provider.recover()

    opened = await provider.accounts.open_account(payee_id=payee_id, email=None, country=None)
    assert (
        await provider.accounts.open_account(payee_id=payee_id, email=None, country=None) == opened
    )


async def test_a_provider_that_is_away_can_be_asked_again(provider: Provider) -> None:
    account_id = await provider.payee()
    await provider.fail("account_state", "unavailable")
    with pytest.raises(Unavailable):
        await provider.accounts.account_state(account_id)
    await provider.recover()

    assert (await provider.accounts.account_state(account_id)).transfers_active
