"""What the tax authorities must be told of a payee. The number itself is never kept here."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.shared.errors import Invalid

_NUMBER = re.compile(r"[\d\s.-]*")


class EntityType(StrEnum):
    INDIVIDUAL = "individual"
    SOLE_PROPRIETOR = "sole_proprietor"
    SINGLE_MEMBER_LLC = "single_member_llc"
    LLC = "llc"
    PARTNERSHIP = "partnership"
    C_CORPORATION = "c_corporation"
    S_CORPORATION = "s_corporation"
    TRUST = "trust"
    EXEMPT = "exempt"
    FOREIGN = "foreign"


class Certificate(StrEnum):
    """The form by which a payee has said who it is."""

    W9 = "w-9"
    W8BEN = "w-8ben"
    W8BEN_E = "w-8ben-e"
    W8ECI = "w-8eci"


class TinMatch(StrEnum):
    """Whether the authorities know number and name together."""

    UNCHECKED = "unchecked"
    MATCHED = "matched"
    MISMATCHED = "mismatched"


@dataclass(eq=False, kw_only=True)
class TaxProfile:
    """`tin_reference` is the token of a service that keeps the number; we never see it.

    `id` is the payee's. `state` is that of the United States, by two letters, or None abroad.
    """

    id: UUID
    legal_name: str
    entity_type: EntityType
    tin_reference: str | None
    tin_match: TinMatch = TinMatch.UNCHECKED
    address: str
    state: str | None
    country: str
    certificate: Certificate | None
    certified_on: date | None
    backup_withholding: bool = False
    updated_at: datetime
    version: int = 1

    @property
    def is_foreign(self) -> bool:
        """Foreign persons get no 1099: a W-8 says that they are none of the United States'."""
        return self.certificate is not None and self.certificate is not Certificate.W9

    def change_number(self, tin_reference: str | None) -> None:
        """Another number has to be matched again."""
        if tin_reference != self.tin_reference:
            self.tin_reference = tin_reference
            self.tin_match = TinMatch.UNCHECKED


@dataclass(eq=False, kw_only=True)
class TaxFiling:
    """What was filed of a payee, by its hash: what differs from it later is a correction."""

    id: UUID
    payee_id: UUID
    form: str
    box: str
    year: int
    content_hash: str
    gross_cents: int
    correction: bool
    filed_at: datetime


class TaxNumberRefused(Invalid):
    """A tax number itself was sent: only the token of the service that keeps it is taken."""

    code = "tax_number_refused"


def checked_reference(reference: str | None) -> str | None:
    """The reference itself. Raises TaxNumberRefused for what looks like a tax number."""
    if reference is not None and _NUMBER.fullmatch(reference):
        raise TaxNumberRefused(
            "Send the token of the service that keeps the number, never the number.",
            fields={"tin_reference": ["looks like a tax number"]},
        )
    return reference
