"""What tax forms are made of."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from application.ports.repository import Repository
from domain.reporting.tax_forms import Nature
from domain.reporting.tax_profile import TaxFiling, TaxProfile


class TaxProfiles(Repository[TaxProfile], Protocol):
    async def find(self, payee_id: UUID) -> TaxProfile | None: ...


class TaxFilings(Repository[TaxFiling], Protocol):
    async def of_payees(
        self, payee_ids: Sequence[UUID], *, form: str, year: int
    ) -> list[TaxFiling]:
        """Oldest first."""
        ...


class PayeePayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payee's part of one paid order. See `domain.reporting.tax_forms.Payment`."""

    payee_id: UUID
    month: int
    nature: Nature
    source: str
    gross_cents: int
    fees_cents: int
    refunds_cents: int


class TaxViews(Protocol):
    def payments(self, year: int) -> AsyncIterator[PayeePayment]:
        """Every payment of a year in US dollars, a payee's together."""
        ...
