"""The wire protocol: keys, form parameters, errors, lists, expansion."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, STRIPE_KEY, Sandbox, addresses, stripe_client
from tests.sandbox.shopping import open_session, paid_charge, payable_account

pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


GOOD_TRANSFER = {"amount": 5, "currency": "usd", "destination": "acct_1"}


def test_a_wrong_key_is_refused(sandbox: Sandbox) -> None:
    with (
        stripe_client(sandbox, key="sk_test_other") as stranger,
        pytest.raises(stripe.AuthenticationError),
    ):
        stranger.v1.balance.retrieve()


def test_every_answer_names_its_request_and_version(client: stripe.StripeClient) -> None:
    answer = client.v1.balance.retrieve().last_response
    assert answer is not None
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == stripe.api_version


def test_an_unknown_address_is_a_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
        client.raw_request("get", "/v1/moonbeams")
    assert refused.value.http_status == 404


def test_a_missing_object_says_which(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.retrieve("ch_absent")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert refused.value.user_message == "No such charge: 'ch_absent'"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"currency": None}, "parameter_missing", "currency"),
        ({"amount": 5.5}, "parameter_invalid_integer", "amount"),
        ({"destination": ""}, "parameter_invalid_empty", "destination"),
        ({"transfer_goup": "order-1"}, "parameter_unknown", "transfer_goup"),
        ({"source_type": "gold"}, None, "source_type"),
    ],
)
def test_parameters_are_checked_against_the_api_description(
    client: stripe.StripeClient, change: dict[str, object], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.raw_request("post", "/v1/transfers", **(GOOD_TRANSFER | change))
    assert (refused.value.code, refused.value.param) == (code, param)


def test_nested_parameters_are_checked_too(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, payment_intent_data={"transfer_grp": "order-1"})
    assert refused.value.param == "payment_intent_data[transfer_grp]"


def test_lists_are_newest_first_and_continue_where_they_stopped(
    client: stripe.StripeClient,
) -> None:
    ids = [open_session(client).id for _ in range(5)]
    first = client.v1.checkout.sessions.list({"limit": 2})
    assert [session.id for session in first.data] == [ids[4], ids[3]]
    assert first.has_more
    everything = client.v1.checkout.sessions.list({"limit": 2}).auto_paging_iter()
    assert [session.id for session in everything] == ids[::-1]


def test_lists_filter_by_what_they_are_asked_for(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client, payment_intent_data={"transfer_group": "order-1"})
    paid_charge(sandbox, client, payment_intent_data={"transfer_group": "order-2"})
    found = client.v1.charges.list({"transfer_group": "order-1"})
    assert [each.id for each in found.data] == [charge.id]
    assert isinstance(charge.payment_intent, str)
    sessions = client.v1.checkout.sessions.list({"payment_intent": charge.payment_intent})
    assert len(sessions.data) == 1


def test_expansion_reaches_through_several_objects(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    session = open_session(client)
    sandbox.http.post(f"{session.url}/pay", data={"card": "4242424242424242"})
    paid = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "payment_intent.latest_charge.balance_transaction"]}
    )
    assert paid.line_items is not None
    assert paid.line_items.data[0].amount_total == 5000
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    transaction = intent.latest_charge.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction)
    assert (transaction.fee, transaction.net) == (175, 4825)


def test_lists_expand_their_rows_and_refuse_what_cannot_be_expanded(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    paid_charge(sandbox, client)
    listed = client.v1.charges.list({"expand": ["data.balance_transaction"]})
    assert isinstance(listed.data[0].balance_transaction, stripe.BalanceTransaction)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.charges.list({"expand": ["data.moon"]})


def test_metadata_is_merged_and_an_empty_value_removes_a_key(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client, payment_intent_data={"metadata": {"a": "1", "b": "2"}})
    changed = client.v1.charges.update(charge.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}


def test_accounts_do_not_see_each_others_objects(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.charges.retrieve(charge.id, options={"stripe_account": account})
    assert refused.value.code == "resource_missing"
    with pytest.raises(stripe.PermissionError) as forbidden:
        client.v1.balance.retrieve(options={"stripe_account": "acct_absent"})
    assert forbidden.value.error is not None
    assert forbidden.value.error.code == "account_invalid"


async def test_the_asynchronous_client_works_as_well(sandbox: Sandbox) -> None:
    http = stripe.HTTPXClient(timeout=10)
    client = stripe.StripeClient(STRIPE_KEY, base_addresses=addresses(sandbox), http_client=http)
    account = await client.v1.accounts.create_async({"country": "US"})
    assert (await client.v1.accounts.retrieve_async(account.id)).id == account.id
    await http.close_async()  # type: ignore[no-untyped-call]
