"""Take personal data and secrets out of what is kept for operators to read.

By the names of fields: what a field holds cannot be told from its value. Ids, amounts, states and
times stay, for they are what the reader came for. A name that is not known here is kept, so that a
new field of a provider shows; a list of names errs on the side of redacting.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

_WHOLE = frozenset(
    """
    account_holder account_number address birth_date birthday bank_name billing_details bsb city
    client_secret cookie customer_details customer_email description display_name dob email
    evidence fingerprint first_name from full_name given_name iban individual ip ip_address label
    last4 last_name legal_name line1 line2 maiden_name name note notes owner_name password
    payment_method_details phone postal_code prompt receipt_email receipt_url routing_number
    secret shipping_details signature signer_name sort_code ssn swift tax_id tax_name telephone
    tin to token user_agent username zip
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_ENDINGS = (
    *("_address", "_email", "_key", "_name", "_notes", "_number", "_password", "_phone"),
    *("_secret", "_signature", "_token", "_url"),
)
_WORD_ENDS = re.compile("(?<=[a-z])(?=[A-Z])")
_KEPT = frozenset({"order_number", "effect_key", "idempotency_key", "file_name"})


def redacted(value: Any) -> Any:
    """A copy of decoded JSON in which personal data and secrets are replaced, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _is_personal(str(key)) and _says_something(inner) else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def _is_personal(key: str) -> bool:
    name = _WORD_ENDS.sub("_", key).lower()
    return name not in _KEPT and (name in _WHOLE or name.endswith(_ENDINGS))


def _says_something(value: object) -> bool:
    """Nothing, and whether something is so, tell nobody who it is."""
    return value is not None and not isinstance(value, bool) and value not in ("", [], {})
