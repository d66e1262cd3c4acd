"""The days that a report is about, in UTC."""

from datetime import UTC, date, datetime, time, timedelta

from application.ports.reporting import Span
from domain.shared.errors import Invalid

_BEGINNING = date(2000, 1, 1)


class PeriodInvalid(Invalid):
    """The period ends before it begins, or is no period that we know."""

    code = "period_invalid"


def span_of(since: date | None, until: date | None, *, now: datetime) -> Span:
    """From `since` to the day before `until`; without them, from the beginning, with today.
    Raises PeriodInvalid."""
    start = since or _BEGINNING
    end = until or now.astimezone(UTC).date() + timedelta(days=1)
    if end <= start:
        raise PeriodInvalid(
            "`to` must be after `from`: it is the first day that is not included.",
            fields={"to": ["must be after from"]},
        )
    return Span(start, end)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
