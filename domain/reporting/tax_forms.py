"""What is reported of a payee for a year, and on which form.

Amounts are gross: before fees and refunds, by the day of payment, in US dollars. What is paid to
a payee through the payment network is reported on 1099-K, and on no other form. So 1099-MISC and
1099-NEC get what remains: payments that were made in another way.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.reporting.thresholds import Box, TaxForm, Threshold, threshold_of

MONTHS = 12
BACKUP_WITHHOLDING_BPS = 2400


class Nature(StrEnum):
    """What a payment was for: it decides the box."""

    SALE = "sale"
    ROYALTY = "royalty"
    SERVICE = "service"
    OTHER = "other"


_BOXES = {
    Nature.SALE: (TaxForm.MISC, Box.MISC_OTHER),
    Nature.ROYALTY: (TaxForm.MISC, Box.MISC_ROYALTIES),
    Nature.OTHER: (TaxForm.MISC, Box.MISC_OTHER),
    Nature.SERVICE: (TaxForm.NEC, Box.NEC_COMPENSATION),
}


class Payment(NamedTuple):
    """One payment to a payee. `gross_cents` is before fees and refunds, which are told beside it.

    `settled_by_network`: a card or another third-party network settled it, as it does for orders.
    `source` is the key of its effect in the books.
    """

    month: int
    gross_cents: int
    nature: Nature
    settled_by_network: bool
    source: str
    refunds_cents: int = 0
    fees_cents: int = 0
    tip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """One form of one payee and year. `due` names the rules that ask for it; empty, and it is
    kept for information only. `months` are the gross amounts from January to December."""

    payee_id: UUID
    form: TaxForm
    box: Box
    year: int
    state: str | None
    gross_cents: int
    count: int
    months: tuple[int, ...]
    tips_cents: int
    refunds_cents: int
    fees_cents: int
    withholding_cents: int
    due: tuple[Threshold, ...]
    sources: tuple[str, ...] = field(repr=False)

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is filed: another one than was filed needs a correction."""
        told = (
            self.payee_id,
            self.form,
            self.box,
            self.year,
            self.state,
            self.count,
            *self.months,
            self.tips_cents,
            self.withholding_cents,
        )
        return hashlib.sha256("|".join(map(str, told)).encode()).hexdigest()


def form_rows(
    payee_id: UUID,
    payments: Iterable[Payment],
    *,
    year: int,
    state: str | None,
    withheld: bool,
) -> list[FormRow]:
    """The forms of a payee. No payment is on two of them: their gross amounts add up to all.

    `state` is the payee's, by two letters; `withheld`: backup withholding applies to it.
    """
    groups: dict[tuple[TaxForm, Box], list[Payment]] = {}
    for payment in payments:
        place = (TaxForm.K, Box.K_GROSS) if payment.settled_by_network else _BOXES[payment.nature]
        groups.setdefault(place, []).append(payment)
    return [
        _row(payee_id, form, box, grouped, year=year, state=state, withheld=withheld)
        for (form, box), grouped in sorted(groups.items())
    ]


def _row(
    payee_id: UUID,
    form: TaxForm,
    box: Box,
    payments: Sequence[Payment],
    *,
    year: int,
    state: str | None,
    withheld: bool,
) -> FormRow:
    months = [0] * MONTHS
    for payment in payments:
        if payment.gross_cents <= 0:
            raise ValueError("a payment is more than nothing")
        months[payment.month - 1] += payment.gross_cents
    gross, count = sum(months), len(payments)
    places = (None, state) if state else (None,)
    rules = [threshold_of(form, box, year=year, state=place) for place in places]
    withholding = gross * BACKUP_WITHHOLDING_BPS // 10_000 if withheld else 0
    return FormRow(
        payee_id=payee_id,
        form=form,
        box=box,
        year=year,
        state=state,
        gross_cents=gross,
        count=count,
        months=tuple(months),
        tips_cents=sum(p.gross_cents for p in payments if p.tip),
        refunds_cents=sum(p.refunds_cents for p in payments),
        fees_cents=sum(p.fees_cents for p in payments),
        withholding_cents=withholding,
        due=tuple(rule for rule in rules if rule and rule.reached(gross, count)),
        sources=tuple(payment.source for payment in payments),
    )
