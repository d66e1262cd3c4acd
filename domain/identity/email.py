"""Email addresses: one spelling for each mailbox, so that a unique constraint can tell two apart.

The whole address is lower-cased. RFC 5321 would let a server tell `Ada@` from `ada@`; none in
use does, and people type both.
"""

import re

from domain.shared.errors import Invalid

MAX_LENGTH = 254
"""RFC 5321, section 4.5.3.1.3: a path is at most 256 octets, with its angle brackets."""

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


class InvalidEmail(Invalid):
    """It is not the address of a mailbox."""

    code = "invalid_email"

    def __init__(self) -> None:
        message = "This is not an email address."
        super().__init__(message, fields={"email": [message]})


def normalised_email(raw: str) -> str:
    """The one spelling of `raw`: ASCII, lower-case, the domain in its IDNA form.

    Accepts what a mailbox on the internet looks like: a dot-atom, an at sign, a domain of two
    labels or more. No quoted local parts, no address literals. Raises InvalidEmail.
    """
    local, at, domain = raw.strip().lower().rpartition("@")
    if not at or len(raw) > 2 * MAX_LENGTH:
        raise InvalidEmail
    domain = _ascii_domain(domain)
    if not (_LOCAL.fullmatch(local) and len(local) <= 64 and _is_host(domain)):
        raise InvalidEmail
    if len(local) + 1 + len(domain) > MAX_LENGTH:
        raise InvalidEmail
    return f"{local}@{domain}"


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise InvalidEmail from None


def _is_host(domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
