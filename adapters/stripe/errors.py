"""Stripe's failures in the three words of `application.ports.errors`.

Messages are ours: Stripe's may repeat what a person typed. The request id stays, for its support.
"""

import contextlib
from collections.abc import Iterator

import stripe

from adapters.stripe.transport import NoAnswer, NothingHappened
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable

PROVIDER = "stripe"


@contextlib.contextmanager
def in_our_words() -> Iterator[None]:
    """Raises Unavailable, Rejected or OutcomeUnknown for whatever the SDK raises inside."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translated(error) from None


def _translated(error: stripe.StripeError) -> ProviderError:
    request = f" (request {error.request_id})" if error.request_id else ""
    match error:
        case NoAnswer():
            return OutcomeUnknown(f"{error.user_message}", provider=PROVIDER)
        case NothingHappened():
            return Unavailable(f"{error.user_message}", provider=PROVIDER)
        case stripe.RateLimitError():
            return _unavailable(error, f"Stripe asks us to slow down{request}.")
        case stripe.AuthenticationError():
            return _unavailable(error, f"Stripe does not accept our key{request}.")
        case stripe.IdempotencyError():
            return Rejected(
                f"The key was used with other parameters{request}.",
                provider=PROVIDER,
                reason="idempotency_error",
            )
    if error.http_status is not None and error.http_status >= 500:
        return _unavailable(error, f"Stripe answered {error.http_status}{request}.")
    reason = _reason(error)
    if reason is None:
        return OutcomeUnknown(f"Stripe's answer makes no sense{request}.", provider=PROVIDER)
    return Rejected(f"Stripe declined: {reason}{request}.", provider=PROVIDER, reason=reason)


def _unavailable(error: stripe.StripeError, message: str) -> Unavailable:
    return Unavailable(message, provider=PROVIDER, retry_after_s=_retry_after_s(error))


def _reason(error: stripe.StripeError) -> str | None:
    """The code, or the type where Stripe gives none. The SDK fills `code` for some errors only."""
    body = error.error
    if body is None:
        return None
    return getattr(body, "code", None) or getattr(body, "type", None)


def _retry_after_s(error: stripe.StripeError) -> float | None:
    """The header may also be a date, which Stripe does not send."""
    value = (error.headers or {}).get("retry-after")
    try:
        return float(value) if value else None
    except ValueError:
        return None
