"""How an outside system can fail. There are three ways, and each asks for another answer.

`Unavailable`: nothing happened; try again, or another provider.
`Rejected`: it understood and said no; trying again the same way is pointless.
`OutcomeUnknown`: it may have happened; ask before doing anything else, never guess.
"""

from domain.shared.errors import LikenessError


class ProviderError(LikenessError):
    """A failure of an outside system, named by `provider`; the message holds no secret."""

    code = "provider_error"

    def __init__(self, message: str, *, provider: str, **facts: object) -> None:
        super().__init__(message, provider=provider, **facts)
        self.provider = provider


class Unavailable(ProviderError):
    """It did not take the request: refused connection, 429, 5xx. Nothing happened there."""

    code = "provider_unavailable"

    def __init__(self, message: str, *, provider: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, provider=provider)
        self.retry_after_s = retry_after_s


class Rejected(ProviderError):
    """It took the request and declined it; `reason` is the provider's own code."""

    code = "provider_rejected"

    def __init__(self, message: str, *, provider: str, reason: str) -> None:
        super().__init__(message, provider=provider, reason=reason)
        self.reason = reason


class OutcomeUnknown(ProviderError):
    """The request was sent and no answer came: it may have taken effect."""

    code = "provider_outcome_unknown"
