"""The days that a report is about, in UTC."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from application.ports.reporting import Span
from application.ports.reports import Period
from domain.shared.errors import Invalid

REPORT_DAYS_MAX = 366
_BEGINNING = date(2000, 1, 1)
_REPORT_DAYS = 30


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


def report_span(
    since: date | None, until: date | None, *, now: datetime, days_max: int = REPORT_DAYS_MAX
) -> Span:
    """A span of bounded length; without `since`, the last thirty days of it. Raises
    PeriodInvalid."""
    end = until or now.astimezone(UTC).date() + timedelta(days=1)
    start = since or date.fromordinal(max(1, end.toordinal() - _REPORT_DAYS))
    span = span_of(start, end, now=now)
    if (span.until - span.since).days > days_max:
        raise PeriodInvalid(
            f"A report covers at most {days_max} days.",
            fields={"from": [f"must be at most {days_max} days before to"]},
        )
    return span


def periods_of(span: Span, period: Period) -> list[date]:
    """The first day of each period within the span; of the first one, the first that is in it."""
    starts, day, end = [], span.since.toordinal(), span.until.toordinal()
    while day < end:
        start = date.fromordinal(day)
        starts.append(start)
        match period:
            case Period.DAY:
                day += 1
            case Period.WEEK:
                day += 7 - start.weekday()
            case Period.MONTH:
                day += monthrange(start.year, start.month)[1] - start.day + 1
    return starts


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
