"""The families of errors that a rule may raise.

A concrete error stands beside the function that raises it, subclasses one family, fixes a stable
`code` and carries the facts as keyword arguments. Nothing here knows HTTP; one table in
`entrypoints/http/errors.py` maps families to statuses.
"""

from typing import ClassVar


class LikenessError(Exception):
    """Something the caller can understand: a stable `code`, a sentence, and the facts."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Invalid(LikenessError):
    """The input is malformed. `fields` maps a field to its messages."""

    code = "invalid"

    def __init__(self, message: str, *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message, **({"fields": fields} if fields else {}))


class Unauthenticated(LikenessError):
    """Nobody is signed in, or the proof of it does not hold."""

    code = "unauthenticated"


class NotAllowed(LikenessError):
    """The actor may see the object but not do this to it."""

    code = "not_allowed"


class NotFound(LikenessError):
    """There is no such object, or the actor may not know that there is."""

    code = "not_found"

    def __init__(self, kind: str, key: object = None) -> None:
        super().__init__(f"There is no such {kind}.", kind=kind)
        self.key = key


class Conflict(LikenessError):
    """The object's present state, or another object, stands in the way."""

    code = "conflict"


class Gone(LikenessError):
    """It existed and has expired."""

    code = "gone"


class RuleRefused(LikenessError):
    """Well-formed and permitted, but a rule of licensing or money says no."""

    code = "rule_refused"


class TooManyRequests(LikenessError):
    """Slow down; try again after `retry_after_s` seconds."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class TooLarge(LikenessError):
    """More bytes than this purpose takes."""

    code = "too_large"


class UnsupportedType(LikenessError):
    """Bytes of a kind that is not taken here, whatever they are called."""

    code = "unsupported_type"
