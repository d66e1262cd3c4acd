"""How the played payment provider answers: once per idempotency key, and badly when told to."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar, cast

from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable

PROVIDER = "memory"
KEY_LIFETIME = timedelta(hours=24)

Fault = Literal["unavailable", "lost_answer"]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Kept:
    request: object
    outcome: object
    begun_at: datetime


def refused(message: str, *, reason: str = "invalid_request_error") -> Rejected:
    return Rejected(message, provider=PROVIDER, reason=reason)


class ProviderCalls:
    """Shared by the fakes that together play one provider. Operations are the ports' methods."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._faults: dict[str, Fault] = {}

    def fail(self, operation: str, fault: Fault) -> None:
        """From now on: `unavailable` does nothing, `lost_answer` acts and does not say so."""
        self._faults[operation] = fault

    def recover(self) -> None:
        self._faults.clear()

    def read(self, operation: str) -> None:
        if operation in self._faults:
            raise Unavailable("The provider is away.", provider=PROVIDER)

    def act(self, operation: str, act: Callable[[], Answer]) -> Answer:
        """For what knows by itself what it has done: nothing is kept here."""
        fault = self._faults.get(operation)
        if fault == "unavailable":
            raise Unavailable("The provider is away.", provider=PROVIDER)
        answer = act()
        if fault == "lost_answer":
            raise OutcomeUnknown("The answer was lost.", provider=PROVIDER)
        return answer

    def once(
        self, operation: str, *, key: str, request: object, act: Callable[[], Answer]
    ) -> Answer:
        """The first outcome of a key, refusals included, is its outcome for 24 hours."""
        fault = self._faults.get(operation)
        if fault == "unavailable":
            raise Unavailable("The provider is away.", provider=PROVIDER)
        kept = self._kept.get(key)
        now = self._clock.now()
        if kept is None or kept.begun_at + KEY_LIFETIME <= now:
            kept = self._kept[key] = _Kept(request, _outcome(act), now)
        elif kept.request != request:
            raise refused("The key was used for another request.", reason="idempotency_error")
        if fault == "lost_answer":
            raise OutcomeUnknown("The answer was lost.", provider=PROVIDER)
        if isinstance(kept.outcome, ProviderError):
            raise refused(kept.outcome.message, reason=str(kept.outcome.facts["reason"]))
        return cast("Answer", kept.outcome)


def _outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except Rejected as refusal:
        return refusal
