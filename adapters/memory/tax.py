"""Tax profiles and filings in dicts, for the tests of use cases."""

from collections.abc import Sequence
from uuid import UUID

from adapters.memory.repository import MemoryRepository, UniqueKeys, already_exists
from domain.reporting.tax_profile import TaxFiling, TaxProfile

FILING_KEYS: UniqueKeys[TaxFiling] = {
    lambda f: None if f.correction else (f.payee_id, f.form, f.box, f.year): already_exists
}


class MemoryTaxProfiles(MemoryRepository[TaxProfile]):
    async def find(self, payee_id: UUID) -> TaxProfile | None:
        return self._peek(payee_id)


class MemoryTaxFilings(MemoryRepository[TaxFiling]):
    async def of_payees(
        self, payee_ids: Sequence[UUID], *, form: str, year: int
    ) -> list[TaxFiling]:
        found = self._where(lambda f: f.payee_id in payee_ids and (f.form, f.year) == (form, year))
        return sorted(found, key=lambda filing: filing.id)
