"""What becomes of a message whose handler failed.

It is tried again after an exponentially growing, fully jittered delay, and parked for a person
after `max_attempts`. "Not yet" does not count as a failure, unless the message has been told so
for longer than `patience`.
"""

import random
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import PurePath

import msgspec

from application.ports.errors import Rejected, Unavailable
from application.ports.messages import Message, ParkMessage, RetryLater, Setback
from domain.shared.errors import LikenessError

_ERROR_CHARACTERS = 500


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Eight attempts span one to two and a half hours with these defaults."""

    max_attempts: int = 8
    first_delay: timedelta = timedelta(seconds=5)
    growth: float = 4.0
    longest_delay: timedelta = timedelta(hours=1)
    patience: timedelta = timedelta(days=3)

    def delay_before(self, attempt: int, *, jitter: Callable[[], float]) -> timedelta:
        """The wait after the `attempt`-th failure; `jitter` answers a number from 0 to 1."""
        ceiling = min(
            self.first_delay.total_seconds() * self.growth ** (attempt - 1),
            self.longest_delay.total_seconds(),
        )
        return timedelta(seconds=ceiling * jitter())


def setback_of(
    message: Message,
    error: Exception,
    *,
    policy: RetryPolicy,
    now: datetime,
    jitter: Callable[[], float] = random.random,
) -> Setback:
    """Decide how `message`, tried `message.attempts` times by now, goes on after `error`."""
    text = described(error)
    if isinstance(error, ParkMessage | Rejected):
        return _parked(message, text, now)
    if isinstance(error, RetryLater) and now - message.created_at < policy.patience:
        return _pending(message, text, now + error.delay, counted=False)
    if message.attempts >= policy.max_attempts:
        return _parked(message, text, now)
    delay = policy.delay_before(message.attempts, jitter=jitter)
    if isinstance(error, RetryLater):
        delay = max(delay, error.delay)
    if isinstance(error, Unavailable) and error.retry_after_s is not None:
        asked = timedelta(seconds=max(error.retry_after_s, 0.0))
        delay = max(delay, min(asked, policy.longest_delay))
    return _pending(message, text, now + delay, counted=True)


def given_back(message: Message, *, now: datetime, reason: str) -> Setback:
    """For a message that nobody has tried: due again at once, as if it had not been claimed."""
    return _pending(message, reason, now, counted=False)


def described(error: Exception) -> str:
    """Class and message of our own errors; class and place of others.

    A foreign message may quote what it choked on: a statement's parameters, a key, an address.
    """
    name = type(error).__name__
    if isinstance(error, LikenessError | RetryLater | ParkMessage):
        return f"{name}: {error}"[:_ERROR_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return name
    last = frames[-1]
    return f"{name} in {last.name} ({PurePath(last.filename).name}:{last.lineno})"


def _pending(message: Message, text: str, due_at: datetime, *, counted: bool) -> Setback:
    return Setback(id=message.id, state="pending", due_at=due_at, counted=counted, error=text)


def _parked(message: Message, text: str, now: datetime) -> Setback:
    return Setback(id=message.id, state="parked", due_at=now, counted=True, error=text)
