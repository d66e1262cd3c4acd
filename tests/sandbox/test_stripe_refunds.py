"""Refunds and disputes: money back to the customer, asked for politely or not."""

import pytest
import stripe

from tests.sandbox.server import SDK_WARNING, Sandbox
from tests.sandbox.shopping import event_types, paid_charge, payable_account

OVERDRAFT_CENTS = 100_000
pytestmark = pytest.mark.filterwarnings(SDK_WARNING)


def test_refunds_stay_within_the_charge(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    client.v1.refunds.create({"charge": charge.id, "amount": 400})
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        client.v1.refunds.create({"charge": charge.id, "amount": 601})
    assert too_much.value.user_message == (
        "Refund amount ($6.01) is greater than unrefunded amount on charge ($6.00)"
    )
    assert client.v1.refunds.create({"charge": charge.id}).amount == 600
    with pytest.raises(stripe.InvalidRequestError) as already:
        client.v1.refunds.create({"charge": charge.id, "amount": 1})
    assert already.value.code == "charge_already_refunded"
    after = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (after.amount_refunded, after.refunded) == (1000, True)
    assert after.refunds is not None
    assert [refund.amount for refund in after.refunds.data] == [600, 400]


def test_a_refund_by_payment_intent_is_found_from_both_sides(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    intent = charge.payment_intent
    assert isinstance(intent, str)
    refund = client.v1.refunds.create({"payment_intent": intent, "metadata": {"refund": "r-1"}})
    assert (refund.charge, refund.status) == (charge.id, "succeeded")
    assert client.v1.refunds.list({"charge": charge.id}).data[0].id == refund.id
    assert client.v1.refunds.list({"payment_intent": intent}).data[0].id == refund.id
    assert event_types(client)[-2:] == ["refund.created", "charge.refunded"]


def test_the_processing_fee_is_not_returned(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    sandbox.control("stripe/balance", amount=1000)
    client.v1.refunds.create({"charge": charge.id})
    movements = client.v1.balance_transactions.list().data
    assert sum(each.net for each in movements) == 1000 - (29 + 30)
    assert [each.type for each in movements] == ["refund", "topup", "charge"]


def test_beyond_the_overdraft_a_refund_waits(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    sandbox.control("stripe/balance", amount=-941 - OVERDRAFT_CENTS)
    refund = client.v1.refunds.create({"charge": charge.id})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    sandbox.control("stripe/balance", amount=1000)
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert event_types(client)[-1] == "refund.updated"


def test_a_refund_that_the_bank_returns_may_be_made_again(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    refund = client.v1.refunds.create({"charge": charge.id})
    sandbox.control(f"stripe/refunds/{refund.id}/fail", code="lost_or_stolen_card")
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert event_types(client)[-2:] == ["refund.updated", "refund.failed"]
    assert client.v1.refunds.create({"charge": charge.id}).amount == 1000


def test_refunding_does_not_touch_transfers(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    account = payable_account(sandbox, client)
    charge = paid_charge(sandbox, client)
    transfer = client.v1.transfers.create(
        {
            "amount": 1000,
            "currency": "usd",
            "destination": account,
            "source_transaction": charge.id,
        }
    )
    client.v1.refunds.create({"charge": charge.id, "amount": 100})
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 0


def test_a_dispute_withdraws_amount_and_fee_at_once(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    sandbox.control(f"stripe/charges/{charge.id}/dispute")
    dispute = client.v1.disputes.list({"charge": charge.id}).data[0]
    assert (dispute.status, dispute.amount) == ("needs_response", 1000)
    assert [each.net for each in dispute.balance_transactions] == [-1000 - 1500]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_disputed"
    assert event_types(client)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("won", ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("lost", ["charge.dispute.closed"]),
    ],
)
def test_only_a_dispute_that_is_won_gives_the_amount_back(
    sandbox: Sandbox, client: stripe.StripeClient, outcome: str, events: list[str]
) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    dispute_id = sandbox.control(f"stripe/charges/{charge.id}/dispute")["id"]
    submitted = client.v1.disputes.update(
        dispute_id, {"evidence": {"product_description": "A print"}, "submit": True}
    )
    assert submitted.status == "under_review"
    sandbox.control(f"stripe/disputes/{dispute_id}/close", outcome=outcome)
    assert client.v1.disputes.retrieve(dispute_id).status == outcome
    assert event_types(client)[-len(events) :] == events


def test_the_books_of_a_dispute_that_was_won_show_both_movements(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client, amount_cents=1000)
    sandbox.control(f"stripe/charges/{charge.id}/dispute", outcome="won", fee_returned=True)
    dispute = client.v1.disputes.list({"charge": charge.id}).data[0]
    moved = [(each.amount, each.fee, each.net) for each in dispute.balance_transactions]
    assert moved == [(-1000, 1500, -2500), (1000, -1500, 2500)]
    found = client.v1.balance_transactions.list({"source": dispute.id}).data
    assert [each.reporting_category for each in found] == ["dispute_reversal", "dispute"]
    assert client.v1.refunds.create({"charge": charge.id}).status == "succeeded"


def test_evidence_may_be_staged_and_sent_later(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    dispute_id = sandbox.control(f"stripe/charges/{charge.id}/dispute")["id"]
    staged = client.v1.disputes.update(
        dispute_id, {"evidence": {"product_description": "A print"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    sent = client.v1.disputes.update(dispute_id, {"submit": True})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)


def test_after_the_deadline_a_dispute_is_past_due(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    dispute_id = sandbox.control(f"stripe/charges/{charge.id}/dispute")["id"]
    assert not client.v1.disputes.retrieve(dispute_id).evidence_details.past_due
    sandbox.advance(days=8)
    assert client.v1.disputes.retrieve(dispute_id).evidence_details.past_due
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(dispute_id, {"evidence": {"product_description": "A print"}})


def test_a_charge_is_found_by_its_transfer_group_and_its_open_dispute_decided(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    paid_charge(sandbox, client, payment_intent_data={"transfer_group": "order_1"})
    opened = sandbox.control("stripe/charges/order_1/dispute")
    decided = sandbox.control("stripe/charges/order_1/dispute", outcome="lost")
    assert (decided["id"], decided["status"]) == (opened["id"], "lost")
    again = sandbox.http.post(f"{sandbox.url}/control/stripe/charges/order_1/dispute", json={})
    assert again.status_code == 400


def test_a_transfer_may_be_reversed_in_the_dashboard(
    sandbox: Sandbox, client: stripe.StripeClient
) -> None:
    charge = paid_charge(sandbox, client)
    transfer = client.v1.transfers.create(
        {
            "amount": 600,
            "currency": "usd",
            "destination": payable_account(sandbox, client),
            "source_transaction": charge.id,
        }
    )
    sandbox.advance(days=3)
    sandbox.control(f"stripe/transfers/{transfer.id}/reverse", amount=200)
    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 200
