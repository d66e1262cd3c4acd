"""Stripe's own signatures and events."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from adapters.stripe.webhooks import StripeWebhooks
from application.ports.payments import (
    AccountChanged,
    CapturedPayment,
    CheckoutEnded,
    DisputeChanged,
    FeeReported,
    Irrelevant,
    PaymentCaptured,
    PaymentEvent,
    ProviderRefund,
    RefundChanged,
)
from application.ports.webhooks import SignatureRefused
from domain.shared.disputes import DisputeStatus
from tests.adapters.stripe.scripted import Script, api_over
from tests.contracts.payment_providers import new_id

ORDER, REFUND = new_id(), new_id()
NOW_S = 1_800_000_000
BODY = b'{"id":"evt_1","object":"event","type":"charge.succeeded","data":{"object":{}}}'


def webhooks(*secrets: str, now_s: float = NOW_S) -> StripeWebhooks:
    return StripeWebhooks(
        api_over(Script([])),
        platform_secrets=secrets,
        connect_secrets=["whsec_connect"],
        now_s=lambda: now_s,
    )


def signed(body: bytes, secret: str, at: int = NOW_S) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return header


class TestSignatures:
    def test_while_a_secret_is_replaced_both_are_accepted(self) -> None:
        both = webhooks("whsec_new", "whsec_old")
        for secret in ("whsec_new", "whsec_old"):
            headers = {"stripe-signature": signed(BODY, secret)}
            assert both.verify(headers, BODY, endpoint="platform").external_id == "evt_1"
        with pytest.raises(SignatureRefused):
            both.verify(
                {"stripe-signature": signed(BODY, "whsec_older")}, BODY, endpoint="platform"
            )

    def test_a_header_with_the_signatures_of_two_secrets_is_accepted(self) -> None:
        header = signed(BODY, "whsec_other") + "," + signed(BODY, "whsec").split(",")[1]
        webhooks("whsec").verify({"stripe-signature": header}, BODY, endpoint="platform")

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "t=",
            "v1=ab",
            f"t={NOW_S}",
            f"t={NOW_S},v0=ab",
            f"t={NOW_S},v1=\u00e9",
            "t=\u0661,v1=ab",
            f"t={'9' * 5000},v1=ab",
        ],
    )
    def test_a_malformed_header_is_refused(self, header: str) -> None:
        with pytest.raises(SignatureRefused):
            webhooks("whsec").verify({"stripe-signature": header}, BODY, endpoint="platform")

    def test_a_signed_body_that_is_no_event_is_refused(self) -> None:
        headers = {"stripe-signature": signed(b"[]", "whsec")}
        with pytest.raises(SignatureRefused):
            webhooks("whsec").verify(headers, b"[]", endpoint="platform")

    def test_an_empty_secret_is_no_secret(self) -> None:
        with pytest.raises(ValueError, match="empty"):
            webhooks("")

    def test_without_a_secret_nothing_is_accepted(self) -> None:
        with pytest.raises(SignatureRefused):
            webhooks().verify({"stripe-signature": signed(BODY, "x")}, BODY, endpoint="platform")

    @given(body=st.text(), secret=st.text(st.characters(codec="ascii"), min_size=1))
    def test_the_sdk_and_we_agree(self, body: str, secret: str) -> None:
        if not secret.strip():
            return
        payload = json.dumps({"id": "evt_1", "type": "x", "note": body}).encode()
        header = signed(payload, secret, int(time.time()))
        assert stripe.WebhookSignature.verify_header(payload, header, secret, 300)
        ours = webhooks(secret, now_s=time.time())
        ours.verify({"Stripe-Signature": header}, payload, endpoint="platform")


def read(kind: str, subject: dict[str, Any]) -> PaymentEvent:
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": subject}}
    return webhooks("whsec").read(json.dumps(event).encode())


CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "object": "charge",
    "amount": 2500,
    "amount_captured": 2500,
    "balance_transaction": None,
    "captured": True,
    "currency": "usd",
    "metadata": {"order_id": str(ORDER)},
    "payment_intent": "pi_1",
}


class TestEvents:
    def test_a_charge_of_ours_is_a_captured_payment(self) -> None:
        assert read("charge.succeeded", CHARGE) == PaymentCaptured(
            captured=CapturedPayment(
                order_id=ORDER,
                payment_id="pi_1",
                charge_id="ch_1",
                amount_cents=2500,
                currency="usd",
            )
        )

    @pytest.mark.parametrize(
        "change",
        [
            {"metadata": {}},
            {"metadata": {"order_id": "4711"}},
            {"captured": False, "amount_captured": 0},
            {"payment_intent": None},
        ],
    )
    def test_charges_that_are_not_ours_or_not_captured_do_not_matter(
        self, change: dict[str, Any]
    ) -> None:
        event = read("charge.succeeded", CHARGE | change)
        assert event == Irrelevant(kind="charge.succeeded")

    def test_the_fee_is_reported_with_the_balance_transaction(self) -> None:
        booked = CHARGE | {"balance_transaction": "txn_1"}
        assert read("charge.updated", booked) == FeeReported(charge_id="ch_1")
        assert read("charge.updated", CHARGE) == Irrelevant(kind="charge.updated")
        foreign = booked | {"metadata": {}}
        assert read("charge.updated", foreign) == Irrelevant(kind="charge.updated")

    @pytest.mark.parametrize(
        ("kind", "ending"),
        [
            ("completed", "completed"),
            ("async_payment_succeeded", "payment_succeeded"),
            ("async_payment_failed", "payment_failed"),
            ("expired", "expired"),
        ],
    )
    def test_a_page_ends_in_four_ways(self, kind: str, ending: str) -> None:
        session = {"id": "cs_1", "metadata": {"order_id": str(ORDER)}}
        event = read(f"checkout.session.{kind}", session)

        assert isinstance(event, CheckoutEnded)
        assert (event.order_id, event.session_id, event.ending) == (ORDER, "cs_1", ending)

    def test_a_page_of_another_program_does_not_matter(self) -> None:
        event = read("checkout.session.completed", {"id": "cs_1", "metadata": None})
        assert event == Irrelevant(kind="checkout.session.completed")

    @pytest.mark.parametrize(
        "kind", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"]
    )
    def test_a_failed_refund_says_why(self, kind: str) -> None:
        refund = {
            "id": "re_1",
            "amount": 700,
            "charge": "ch_1",
            "status": "failed",
            "failure_reason": "lost_or_stolen_card",
            "metadata": {"refund_id": str(REFUND)},
        }
        assert read(kind, refund) == RefundChanged(
            charge_id="ch_1",
            refund=ProviderRefund(
                provider_id="re_1",
                refund_id=REFUND,
                status="failed",
                amount_cents=700,
                failure_reason="lost_or_stolen_card",
            ),
        )

    def test_a_refund_made_by_hand_at_stripe_is_told_without_our_id(self) -> None:
        refund = {"id": "re_1", "amount": 700, "charge": "ch_1", "status": "pending"}
        event = read("refund.created", refund)
        assert isinstance(event, RefundChanged)
        assert event.refund.refund_id is None

    def test_an_account_and_its_capabilities_change_the_account(self) -> None:
        changed = AccountChanged(account_id="acct_1")
        assert read("account.updated", {"id": "acct_1"}) == changed
        assert read("capability.updated", {"id": "transfers", "account": "acct_1"}) == changed

    def test_everything_else_does_not_matter(self) -> None:
        assert read("payout.paid", {"id": "po_1"}) == Irrelevant(kind="payout.paid")


DISPUTE: dict[str, Any] = {
    "id": "dp_1",
    "object": "dispute",
    "amount": 2500,
    "balance_transactions": [
        {"id": "txn_1", "amount": -2500, "currency": "usd", "fee": 1500, "net": -4000},
        {"id": "txn_2", "amount": 2500, "currency": "usd", "fee": -1500, "net": 4000},
    ],
    "charge": "ch_1",
    "currency": "usd",
    "evidence_details": {"due_by": 1_800_000_000, "submission_count": 0},
    "reason": "product_not_received",
    "status": "won",
}


class TestDisputes:
    @pytest.mark.parametrize(
        "kind", ["created", "updated", "closed", "funds_withdrawn", "funds_reinstated"]
    )
    def test_every_event_of_a_dispute_tells_all_of_it(self, kind: str) -> None:
        assert read(f"charge.dispute.{kind}", DISPUTE) == DisputeChanged(
            provider_id="dp_1",
            charge_id="ch_1",
            amount_cents=2500,
            currency="usd",
            reason="product_not_received",
            status=DisputeStatus.WON,
            withdrawn_cents=2500,
            fee_cents=1500,
            reinstated_cents=2500,
            returned_fee_cents=1500,
            due_by=datetime.fromtimestamp(1_800_000_000, UTC),
        )

    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [
            ("warning_needs_response", DisputeStatus.INQUIRY),
            ("warning_under_review", DisputeStatus.INQUIRY),
            ("warning_closed", DisputeStatus.INQUIRY_CLOSED),
            ("prevented", DisputeStatus.INQUIRY_CLOSED),
            ("needs_response", DisputeStatus.NEEDS_RESPONSE),
            ("under_review", DisputeStatus.UNDER_REVIEW),
            ("won", DisputeStatus.WON),
            ("lost", DisputeStatus.LOST),
            ("a_word_of_next_year", DisputeStatus.UNDER_REVIEW),
        ],
    )
    def test_every_status_has_a_word_and_a_new_one_holds_the_money(
        self, theirs: str, ours: DisputeStatus
    ) -> None:
        said = read("charge.dispute.updated", DISPUTE | {"status": theirs})
        assert isinstance(said, DisputeChanged)
        assert said.status is ours

    def test_a_dispute_without_movements_or_a_deadline_has_moved_nothing(self) -> None:
        bare = DISPUTE | {"balance_transactions": [], "evidence_details": {"due_by": None}}
        said = read("charge.dispute.created", bare)
        assert isinstance(said, DisputeChanged)
        assert (said.withdrawn_cents, said.fee_cents, said.due_by) == (0, 0, None)

    def test_what_moved_in_another_currency_is_not_read_as_ours(self) -> None:
        """Stripe converted it: its figures are no cents of the order."""
        moved = {"id": "txn_1", "amount": -2700, "currency": "eur", "fee": 1500}
        with pytest.raises(msgspec.DecodeError, match="eur"):
            read("charge.dispute.created", DISPUTE | {"balance_transactions": [moved]})
