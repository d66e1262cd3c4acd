"""What operators read of messages and audit entries is free of personal data and secrets."""

from application.messaging.redaction import REDACTED, redacted


def test_what_identifies_a_person_is_redacted_at_any_depth() -> None:
    payload = {
        "id": "evt_1",
        "data": {
            "object": {
                "id": "ch_1",
                "amount": 2500,
                "billing_details": {"email": "ada@example.com", "name": "Ada"},
                "receipt_url": "https://pay.example/receipt",
                "destinations": [{"last4": "4242", "currency": "usd"}],
                "metadata": {"order_id": "01900000"},
            }
        },
    }

    assert redacted(payload) == {
        "id": "evt_1",
        "data": {
            "object": {
                "id": "ch_1",
                "amount": 2500,
                "billing_details": REDACTED,
                "receipt_url": REDACTED,
                "destinations": [{"last4": REDACTED, "currency": "usd"}],
                "metadata": {"order_id": "01900000"},
            }
        },
    }


def test_secrets_and_contacts_are_known_by_their_endings() -> None:
    found = redacted(
        {"webhook_secret": "s", "contactEmail": "e", "support_phone": "1", "api_key": "k", "tax": 3}
    )

    assert [key for key in found if found[key] != REDACTED] == ["tax"]


def test_what_says_nothing_about_anybody_stays() -> None:
    facts: dict[str, object] = {
        "email": None,
        "name": "",
        "password": True,
        "effect_key": "sale:ch_1",
        "phone": [],
    }

    assert redacted(facts) == facts
