"""Stripe's way of saying no: an HTTP status and an `error` object with type, code and parameter."""

from typing import Any


class StripeProblem(Exception):
    """A refusal. `kept`: whether an idempotency key replays it (not for validation failures)."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
        facts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.kept = kept
        self.facts = facts or {}

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.kind, **self.facts}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeProblem:
    """A parameter that cannot be understood: refused before anything is executed."""
    return StripeProblem(message, param=param, code=code, kept=False)


def missing_parameter(param: str) -> StripeProblem:
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def no_such(kind: str, identifier: str, *, param: str = "id") -> StripeProblem:
    """404 for the object of the path; 400 for an object that a parameter refers to."""
    return StripeProblem(
        f"No such {kind}: '{identifier}'",
        status=404 if param == "id" else 400,
        code="resource_missing",
        param=param,
    )


def no_account_access(account: str) -> StripeProblem:
    return StripeProblem(
        f"The provided key does not have access to account '{account}' (or that account does not "
        "exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
        kept=False,
    )


def in_words(amount_cents: int, currency: str) -> str:
    """An amount the way Stripe's messages write it: $12.34, or 12.34 eur."""
    whole = f"{amount_cents / 100:.2f}"
    return f"${whole}" if currency == "usd" else f"{whole} {currency}"
