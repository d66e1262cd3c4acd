"""Access tokens: short-lived proof of who is acting, checked without asking the database."""

from datetime import datetime
from typing import Protocol

from domain.identity.actor import Actor
from domain.shared.errors import Unauthenticated


class AccessTokenInvalid(Unauthenticated):
    """It is not a token of ours: malformed, forged, for another audience, or of an unknown key."""

    code = "access_token_invalid"

    def __init__(self) -> None:
        super().__init__("The access token is not valid.")


class AccessTokenExpired(Unauthenticated):
    """It was ours; refresh the session and try again."""

    code = "access_token_expired"

    def __init__(self) -> None:
        super().__init__("The access token has expired: refresh it.")


class AccessTokens(Protocol):
    """A token lives out its time even when its session ends earlier, hence the short lifetime."""

    def issue(self, actor: Actor, *, now: datetime) -> tuple[str, int]:
        """A token that vouches for `actor`, and its lifetime in seconds."""
        ...

    def verify(self, token: str, *, now: datetime) -> Actor:
        """The actor it vouches for. Raises AccessTokenInvalid or AccessTokenExpired."""
        ...
