"""Idempotency keys: the first answer to a key is the answer, for 24 hours.

A replay says so in `Idempotent-Replayed`; other parameters under the same key are an error; a call
that is still running makes the second one wait for its caller (409).
"""

import hashlib
from dataclasses import dataclass

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.stripe.errors import StripeProblem, invalid

LIFETIME_S = 24 * 3600
MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(slots=True)
class _Entry:
    fingerprint: bytes
    begun_at: int
    answer: Answer | None = None


class IdempotencyKeys:
    """Keys belong to the account that the call acts for."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}

    def begin(self, account: str, key: str, *, request: bytes) -> Answer | None:
        """Claim the key, or answer what it answered before."""
        if len(key) > MAX_KEY_LENGTH:
            raise invalid(f"Idempotency keys can be at most {MAX_KEY_LENGTH} characters long.")
        fingerprint = hashlib.sha256(request).digest()
        entry = self._entries.get((account, key))
        now = self._clock.now()
        if entry is None or entry.begun_at + LIFETIME_S <= now:
            self._entries[account, key] = _Entry(fingerprint, now)
            return None
        if entry.fingerprint != fingerprint:
            raise StripeProblem(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
                kept=False,
            )
        if entry.answer is None:
            raise StripeProblem(
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going "
                f"through): {key}. Please try again later.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
                kept=False,
            )
        return entry.answer

    def finish(self, account: str, key: str, answer: Answer | None) -> None:
        """Keep the answer, or give the key back because nothing was executed."""
        if answer is None:
            self._entries.pop((account, key), None)
        elif entry := self._entries.get((account, key)):
            entry.answer = answer

    def clear(self) -> None:
        self._entries.clear()
