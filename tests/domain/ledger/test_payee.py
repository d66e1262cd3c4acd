"""A payee is paid only while its account lets it be."""

from uuid import uuid4

import pytest

from domain.ledger.payee import Payee, PayeeKind, PayeeStatus
from tests.builders import ready_payee


def changed(**changes: object) -> Payee:
    payee = ready_payee(uuid4(), PayeeKind.STORE)
    for name, value in changes.items():
        setattr(payee, name, value)
    return payee


def test_a_ready_payee_can_be_paid() -> None:
    assert changed().can_be_paid
    assert changed().status is PayeeStatus.ACTIVE


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"transfers_active": False}, PayeeStatus.ONBOARDING),
        ({"payouts_enabled": False}, PayeeStatus.ONBOARDING),
        ({"disabled_reason": "requirements.past_due"}, PayeeStatus.RESTRICTED),
    ],
    ids=["no transfers", "no payouts", "disabled"],
)
def test_any_one_thing_missing_closes_the_gate(
    changes: dict[str, object], status: PayeeStatus
) -> None:
    assert not changed(**changes).can_be_paid
    assert changed(**changes).status is status


def test_a_payee_without_an_account_has_not_started() -> None:
    assert Payee(id=uuid4(), kind=PayeeKind.CREATOR).status is PayeeStatus.NOT_STARTED
