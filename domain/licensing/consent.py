"""A person's signed word that a likeness may be used, and its withdrawal.

Consent stands beside the licence: terms say how, consent says that. Without standing consent
for a use, no terms permit it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Invalid, RuleRefused


class ConsentUse(StrEnum):
    """What is consented to, one by one; nothing is implied."""

    TRAIN = "train"
    IMAGE = "image"
    VIDEO = "video"
    TALKING_AVATAR = "talking_avatar"
    VOICE = "voice"
    MODEL_3D = "model_3d"
    MERCHANDISE = "merchandise"


class ConsentInvalid(Invalid):
    """The signer is not an adult, or the text is not the one of that version."""

    code = "consent_invalid"


class ConsentMissing(RuleRefused):
    """No standing consent covers the use."""

    code = "consent_missing"


@dataclass(eq=False, kw_only=True)
class Consent:
    """One signature. `text_hash` is the SHA-256 of the text that was shown, in hexadecimal."""

    id: UUID
    creator_id: UUID
    text_version: str
    text_hash: str | None
    language: str
    uses: frozenset[ConsentUse]
    signer_name: str
    adult: bool
    signed_at: datetime
    signed_by: UUID
    withdrawn_at: datetime | None = None

    def withdraw(self, *, at: datetime) -> None:
        """End the consent; withdrawing twice keeps the first date."""
        if self.withdrawn_at is None:
            self.withdrawn_at = at

    def covers(self, use: ConsentUse) -> bool:
        return self.withdrawn_at is None and self.adult and use in self.uses


def require_consent(consents: "list[Consent]", use: ConsentUse) -> Consent:
    """The newest standing consent that covers `use`. Raises ConsentMissing."""
    standing = [consent for consent in consents if consent.covers(use)]
    if not standing:
        raise ConsentMissing(f"No standing consent covers {use}.", use=str(use))
    return max(standing, key=lambda consent: consent.signed_at)
