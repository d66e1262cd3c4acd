"""From which amounts a tax form is due in the United States: data with its year and its source.

Amounts are in cents of US dollars. Confirm them with counsel before filing.
"""

from enum import StrEnum
from typing import NamedTuple


class TaxForm(StrEnum):
    K = "1099-k"
    MISC = "1099-misc"
    NEC = "1099-nec"


class Box(StrEnum):
    """The boxes that we report: gross payments, royalties, other income, compensation."""

    K_GROSS = "1a"
    MISC_ROYALTIES = "2"
    MISC_OTHER = "3"
    NEC_COMPENSATION = "1"


class Threshold(NamedTuple):
    """A form is due for `at_least_cents` or more and `at_least_count` payments or more.

    `from_year` is the first calendar year of payments; the latest one that has begun counts.
    `state` is None for the federal rule.
    """

    form: TaxForm
    box: Box
    state: str | None
    from_year: int
    at_least_cents: int
    at_least_count: int
    source: str

    def reached(self, gross_cents: int, count: int) -> bool:
        return gross_cents >= self.at_least_cents and count >= self.at_least_count


_DOLLAR = 100
_STATE_K = "state guidance on 1099-K as of 2025"


def _state(code: str, dollars: int, count: int = 1) -> Threshold:
    return Threshold(
        TaxForm.K, Box.K_GROSS, code, 2025, dollars * _DOLLAR, count, f"{code}: {_STATE_K}"
    )


THRESHOLDS: tuple[Threshold, ...] = (
    # More than 20,000 dollars and more than 200 payments: both are exclusive.
    Threshold(
        TaxForm.K,
        Box.K_GROSS,
        None,
        2025,
        20_000 * _DOLLAR + 1,
        201,
        "26 U.S.C. 6050W(e), as reinstated by Pub. L. 119-21, section 70432",
    ),
    *(_state(code, 600) for code in ("DC", "MA", "MD", "MT", "VA", "VT")),
    _state("NJ", 1_000),
    _state("IL", 1_000, count=4),
    _state("AR", 2_500),
    Threshold(
        TaxForm.MISC,
        Box.MISC_ROYALTIES,
        None,
        2000,
        10 * _DOLLAR,
        1,
        "26 U.S.C. 6050N(a)",
    ),
    Threshold(
        TaxForm.MISC, Box.MISC_OTHER, None, 2000, 600 * _DOLLAR, 1, "26 U.S.C. 6041(a), to 2025"
    ),
    Threshold(
        TaxForm.NEC,
        Box.NEC_COMPENSATION,
        None,
        2000,
        600 * _DOLLAR,
        1,
        "26 U.S.C. 6041A(a), to 2025",
    ),
    Threshold(
        TaxForm.MISC,
        Box.MISC_OTHER,
        None,
        2026,
        2_000 * _DOLLAR,
        1,
        "26 U.S.C. 6041(a), as amended by Pub. L. 119-21, section 70433; indexed from 2027",
    ),
    Threshold(
        TaxForm.NEC,
        Box.NEC_COMPENSATION,
        None,
        2026,
        2_000 * _DOLLAR,
        1,
        "26 U.S.C. 6041A(a), as amended by Pub. L. 119-21, section 70433; indexed from 2027",
    ),
)


def threshold_of(form: TaxForm, box: Box, *, year: int, state: str | None) -> Threshold | None:
    """The rule of a year, federal or of one state; None where there is none."""
    known = [
        rule
        for rule in THRESHOLDS
        if (rule.form, rule.box, rule.state) == (form, box, state) and rule.from_year <= year
    ]
    return max(known, key=lambda rule: rule.from_year, default=None)
