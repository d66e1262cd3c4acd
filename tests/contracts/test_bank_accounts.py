"""What every provider of bank accounts and links promises."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from application.ports.errors import Rejected, Unavailable
from application.ports.payouts import WRONG_AMOUNTS
from tests.contracts.payout_providers import Banks, banks_for


@pytest.fixture(params=["memory", "sandbox"])
async def banks(request: pytest.FixtureRequest) -> AsyncIterator[Banks]:
    async with banks_for(request) as found:
        yield found


async def test_a_token_opens_an_account_that_waits_for_its_deposits(banks: Banks) -> None:
    opened = await banks.accounts.open_account(
        key="k", token=banks.token(last4="4321", holder="Ada Lace")
    )

    assert (opened.last4, opened.verified, opened.holder) == ("4321", False, "Ada Lace")
    with pytest.raises(Rejected) as refusal:
        await banks.accounts.verify_account(opened.provider_id, amounts_cents=(1, 2))
    assert refusal.value.reason == WRONG_AMOUNTS
    await banks.accounts.verify_account(opened.provider_id, amounts_cents=(32, 45))


async def test_a_token_is_good_once_but_the_same_key_repeats_it(banks: Banks) -> None:
    token = banks.token()
    first = await banks.accounts.open_account(key="k", token=token)

    assert await banks.accounts.open_account(key="k", token=token) == first
    with pytest.raises(Rejected):
        await banks.accounts.open_account(key="other", token=token)


async def test_a_picked_account_is_verified_at_once(banks: Banks) -> None:
    public_token, account_id = banks.pick(last4="9876", holder="Ada Lace")

    token = await banks.links.processor_token(public_token=public_token, account_id=account_id)
    opened = await banks.accounts.open_account(key="k", processor_token=token)

    assert (opened.last4, opened.verified) == ("9876", True)


async def test_a_public_token_that_is_none_is_refused(banks: Banks) -> None:
    with pytest.raises(Rejected):
        await banks.links.processor_token(public_token="public-none", account_id="none")


async def test_another_account_than_the_picked_one_is_refused(banks: Banks) -> None:
    public_token, _ = banks.pick()

    with pytest.raises(Rejected):
        await banks.links.processor_token(public_token=public_token, account_id="another")


async def test_a_link_expires(banks: Banks) -> None:
    link = await banks.links.start(payee_id=uuid4())

    assert link.link_token.startswith("link-")
    assert link.expires_at.tzinfo is not None


async def test_a_closed_account_stays_closed_and_is_closed_again(banks: Banks) -> None:
    opened = await banks.accounts.open_account(key="k", token=banks.token())

    for _ in range(2):
        await banks.accounts.close_account(opened.provider_id)

    with pytest.raises(Rejected):
        await banks.accounts.verify_account(opened.provider_id, amounts_cents=(32, 45))


async def test_who_is_away_has_done_nothing(banks: Banks) -> None:
    token = banks.token()
    banks.away()

    with pytest.raises(Unavailable):
        await banks.accounts.open_account(key="k", token=token)
    with pytest.raises(Unavailable):
        await banks.links.start(payee_id=uuid4())
