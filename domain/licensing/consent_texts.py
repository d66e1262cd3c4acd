"""The consent texts that this platform ships, by version. A text once used is never edited."""

import hashlib

CONSENT_TEXTS: dict[str, str] = {
    "2026-11": (
        "I am at least 18 years old and the person whose likeness this is, or I have that "
        "person's written authority. I allow the platform to use the likeness for the uses that "
        "I tick, only within the licence terms that I publish. I can withdraw this consent at any "
        "time: nothing new is made or listed after that, and what was sold before stays sold."
    ),
}


def text_hash(version: str) -> str | None:
    """SHA-256 of a shipped text in hexadecimal; None for a text that the operator keeps."""
    text = CONSENT_TEXTS.get(version)
    return hashlib.sha256(text.encode()).hexdigest() if text is not None else None
