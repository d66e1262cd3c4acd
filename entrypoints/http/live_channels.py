"""What clients call channels, and how long their tokens are believed."""

from collections.abc import Callable
from datetime import datetime
from time import monotonic
from uuid import UUID

from application.ports.live import (
    Channel,
    generations_channel,
    job_channel,
    orders_channel,
    uploads_channel,
)
from application.ports.tokens import AccessTokens
from domain.identity.actor import Actor
from domain.shared.errors import Invalid


class UnknownChannel(Invalid):
    """There is no such channel, or one connection has too many of them."""

    code = "channel_unknown"


def parse_channel(name: str, actor: Actor) -> Channel:
    """What a client's channel name means for `actor`. Raises UnknownChannel."""
    match name.split(":", 1):
        case ["generations"]:
            return generations_channel(actor.user_id)
        case ["orders"]:
            return orders_channel(actor.user_id)
        case ["uploads"]:
            return uploads_channel(actor.user_id)
        case ["job", text]:
            try:
                return job_channel(UUID(text))
            except ValueError:
                raise UnknownChannel("A job's id is a UUID.") from None
    raise UnknownChannel("Channels are job:{id}, generations, orders and uploads.")


def default_start(channel: Channel) -> int | None:
    """A job is told from its beginning, lists from now on, to who names no number."""
    return 0 if channel.kind == "job" else None


class Pass:
    """An access token, looked at again now and then while its bearer stays connected."""

    def __init__(
        self,
        token: str,
        *,
        tokens: AccessTokens,
        now: Callable[[], datetime],
        check_every_s: float,
    ) -> None:
        """Raises AccessTokenInvalid or AccessTokenExpired."""
        self._token = token
        self._tokens = tokens
        self._now = now
        self._every_s = check_every_s
        self.check()

    def check(self) -> None:
        """Raises AccessTokenExpired."""
        self.actor = self._tokens.verify(self._token, now=self._now())
        self._due_s = monotonic() + self._every_s

    def check_if_due(self) -> None:
        if monotonic() >= self._due_s:
            self.check()
