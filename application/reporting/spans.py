"""The days that a report is about, in UTC."""

from datetime import UTC, date, datetime, time, timedelta

from application.ports.reporting import Span
from domain.shared.errors import Invalid

_BEGINNING = date(2000, 1, 1)


class PeriodInvalid(Invalid):
    """The period ends before it begins, or is no period that we know."""

    code = "period_invalid"


def span_of(since: date | None, until: date | None, *, now: datetime) -> Span:
    """From the start of `since` to the end of the day before `until`; without them, from the
    beginning, up to now. Raises PeriodInvalid."""
    start = _midnight(since or _BEGINNING)
    end = _midnight(until) if until else now + timedelta(microseconds=1)
    if end <= start:
        raise PeriodInvalid(
            "`to` must be after `from`: it is the first day that is not included.",
            fields={"to": ["must be after from"]},
        )
    return Span(start, end)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
