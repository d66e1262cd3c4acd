"""Who an account belongs to, and how often its deposits may be named."""

from uuid import UUID

import pytest

from domain.ledger.bank_account import (
    BankAccountState,
    HolderName,
    NotAwaitingVerification,
    NotReviewable,
    VerificationLocked,
    compare_names,
)
from tests.builders import NOON, bank_account_of

PAYEE = UUID(int=1)


@pytest.mark.parametrize(
    "holder", ["Ada Lace", "ADA LACE", "Lace, Ada", "Áda  Lace", "ada-lace", "The Shop"]
)
def test_a_name_is_the_same_whatever_its_order_case_and_accents(holder: str) -> None:
    assert compare_names(holder, ["Ada Lace", "The Shop"]) is HolderName.MATCHES


@pytest.mark.parametrize(
    "holder", ["Ada", "Ada B Lace", "Bob Lace", "", None, "...", "Ada Lace II"]
)
def test_another_name_is_looked_at(holder: str | None) -> None:
    assert compare_names(holder, ["Ada Lace"]) is HolderName.NEEDS_REVIEW


def test_nobodys_name_matches_nobody() -> None:
    assert compare_names("", ["", "!"]) is HolderName.NEEDS_REVIEW


def test_three_wrong_tries_lock_an_account() -> None:
    account = bank_account_of(PAYEE, state=BankAccountState.UNVERIFIED)
    for _ in range(3):
        assert account.state is BankAccountState.UNVERIFIED
        account.claim_attempt()
        account.named_wrongly()

    assert account.state is BankAccountState.LOCKED
    with pytest.raises(VerificationLocked):
        account.claim_attempt()


def test_a_fourth_try_side_by_side_is_none() -> None:
    account = bank_account_of(PAYEE, state=BankAccountState.UNVERIFIED)
    for _ in range(3):
        account.claim_attempt()

    with pytest.raises(VerificationLocked):
        account.claim_attempt()


def test_a_try_that_nobody_looked_at_is_given_back() -> None:
    account = bank_account_of(PAYEE, state=BankAccountState.UNVERIFIED)
    account.claim_attempt()
    account.give_attempt_back()

    assert account.attempts_left == 3


def test_what_is_verified_needs_no_deposits() -> None:
    with pytest.raises(NotAwaitingVerification):
        bank_account_of(PAYEE).claim_attempt()


def test_only_what_is_in_review_is_decided_about() -> None:
    account = bank_account_of(PAYEE, holder_name=HolderName.NEEDS_REVIEW)
    before = account.can_be_paid
    account.review(approved=True)
    assert (before, account.can_be_paid) == (False, True)

    with pytest.raises(NotReviewable):
        account.review(approved=False)


def test_what_was_removed_is_not_flagged() -> None:
    account = bank_account_of(PAYEE)
    account.remove(at=NOON)
    account.flag()

    assert account.state is BankAccountState.REMOVED
