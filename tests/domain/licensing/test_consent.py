"""Terms say how a likeness may be used; without standing consent, no terms permit it."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.licensing.consent import Consent, ConsentMissing, ConsentUse, require_consent
from domain.licensing.consent_texts import CONSENT_TEXTS, text_hash
from tests.builders import NOON


def consent(*uses: ConsentUse, adult: bool = True, signed_days: int = 0) -> Consent:
    return Consent(
        id=uuid4(),
        creator_id=uuid4(),
        text_version="2026-11",
        text_hash=text_hash("2026-11"),
        language="en",
        uses=frozenset(uses),
        signer_name="A signer",
        adult=adult,
        signed_at=NOON + timedelta(days=signed_days),
        signed_by=uuid4(),
    )


def test_the_newest_consent_that_covers_the_use_counts() -> None:
    old, new = consent(ConsentUse.IMAGE), consent(ConsentUse.IMAGE, signed_days=1)
    other = consent(ConsentUse.VOICE, signed_days=2)
    assert require_consent([new, other, old], ConsentUse.IMAGE) is new


def test_nothing_is_implied() -> None:
    with pytest.raises(ConsentMissing) as refused:
        require_consent([consent(ConsentUse.IMAGE)], ConsentUse.MERCHANDISE)
    assert refused.value.facts == {"use": "merchandise"}


def test_consent_for_a_minor_covers_nothing() -> None:
    with pytest.raises(ConsentMissing):
        require_consent([consent(*ConsentUse, adult=False)], ConsentUse.IMAGE)


def test_withdrawal_ends_it_and_the_first_date_stays() -> None:
    given = consent(*ConsentUse)
    given.withdraw(at=NOON)
    given.withdraw(at=NOON + timedelta(days=1))
    assert given.withdrawn_at == NOON
    assert not any(given.covers(use) for use in ConsentUse)


@pytest.mark.parametrize("version", CONSENT_TEXTS)
def test_a_shipped_text_is_proved_by_its_hash(version: str) -> None:
    assert text_hash(version) == hashlib.sha256(CONSENT_TEXTS[version].encode()).hexdigest()


def test_the_operators_own_text_has_no_hash_here() -> None:
    assert text_hash("our-own-1") is None
