"""Connected accounts: from creation over onboarding to being payable, and back."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox
from tests.sandbox.shopping import event_types, payable_account, unfinished_account

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def onboarding_url(client: stripe.StripeClient, account: str) -> str:
    link = client.v1.account_links.create(
        {
            "account": account,
            "type": "account_onboarding",
            "refresh_url": "https://shop.example.org/refresh",
            "return_url": "https://shop.example.org/return",
        }
    )
    return link.url


def test_a_new_account_says_what_is_still_due(client: stripe.StripeClient) -> None:
    account = client.v1.accounts.retrieve(unfinished_account(client))
    assert account.type == "express"
    assert account.capabilities is not None
    assert account.capabilities.transfers == "inactive"
    assert account.payouts_enabled is False
    assert account.requirements is not None
    assert "external_account" in (account.requirements.currently_due or [])
    assert account.requirements.disabled_reason == "requirements.past_due"


def test_losses_on_the_platform_need_fees_on_the_platform(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.accounts.create({"controller": {"losses": {"payments": "application"}}})
    assert refused.value.param == "controller[fees][payer]"


def test_completing_the_form_makes_the_account_payable(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    identifier = unfinished_account(client)
    url = onboarding_url(client, identifier)
    page = sandbox.http.get(url)
    assert "individual.last_name" in page.text
    answer = sandbox.http.post(f"{url}/complete")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "https://shop.example.org/return",
    )
    account = client.v1.accounts.retrieve(identifier)
    assert account.capabilities is not None
    assert account.capabilities.transfers == "active"
    assert account.payouts_enabled
    assert account.details_submitted
    assert account.requirements is not None
    assert account.requirements.currently_due == []
    assert event_types(client) == []
    assert event_types(client, stripe_account=identifier) == [
        "capability.updated",
        "account.updated",
    ]


def test_returning_is_not_completing(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    identifier = unfinished_account(client)
    answer = sandbox.http.post(f"{onboarding_url(client, identifier)}/leave")
    assert answer.headers["location"] == "https://shop.example.org/return"
    assert client.v1.accounts.retrieve(identifier).details_submitted is False


def test_a_link_works_once_and_not_for_long(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    account = unfinished_account(client)
    used = onboarding_url(client, account)
    assert sandbox.http.get(used).status_code == 200
    assert sandbox.http.get(used).headers["location"] == "https://shop.example.org/refresh"
    late = onboarding_url(client, account)
    sandbox.control("clock", advance_seconds=301)
    answer = sandbox.http.post(f"{late}/complete")
    assert answer.headers["location"] == "https://shop.example.org/refresh"


def test_stripe_may_take_the_capability_away_again(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    identifier = payable_account(sandbox, client)
    sandbox.control(
        f"stripe/accounts/{identifier}",
        transfers="inactive",
        disabled_reason="requirements.past_due",
        currently_due=["individual.verification.document"],
    )
    account = client.v1.accounts.retrieve(identifier)
    assert account.capabilities is not None
    assert (account.capabilities.transfers, account.payouts_enabled) == ("inactive", False)
    updates = client.v1.events.list(
        {"type": "account.updated"}, {"stripe_account": identifier}
    ).data
    assert updates[0].account == identifier
    assert updates[0].data.previous_attributes is not None
    assert updates[0].data.previous_attributes["payouts_enabled"] is True


def test_a_login_link_needs_an_express_account_that_is_set_up(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Express"):
        client.v1.accounts.login_links.create(client.v1.accounts.create({}).id)
    link = client.v1.accounts.login_links.create(payable_account(sandbox, client))
    assert "Express dashboard" in sandbox.http.get(link.url).text


def test_only_an_empty_account_can_be_deleted(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    sandbox.control(f"stripe/accounts/{account}/balance", amount=1)
    with pytest.raises(stripe.InvalidRequestError, match="balance is not zero"):
        client.v1.accounts.delete(account)
    sandbox.control(f"stripe/accounts/{account}/balance", amount=-1)
    assert client.v1.accounts.delete(account).deleted
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve(account)


def test_accounts_are_updated_in_place(client: stripe.StripeClient) -> None:
    account = unfinished_account(client)
    changed = client.v1.accounts.update(
        account, {"email": "new@example.org", "metadata": {"creator": "c-1"}}
    )
    assert (changed.email, changed.metadata and changed.metadata["creator"]) == (
        "new@example.org",
        "c-1",
    )
