"""Prometheus metrics: rate, errors and duration per route, and a registry for everybody's gauges.

Labels are route templates and names from closed lists, never ids: a label's values are kept for
ever. With several worker processes set PROMETHEUS_MULTIPROC_DIR, and a scrape sees them all.
"""

import os
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REGISTRY = CollectorRegistry(auto_describe=True)

HTTP_REQUESTS = Counter(
    "http_requests_total",
    "Requests answered.",
    ("method", "route", "status"),
    registry=REGISTRY,
)
HTTP_DURATION = Histogram(
    "http_request_duration_seconds",
    "From the request's first byte to the answer's last.",
    ("method", "route"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
HTTP_IN_PROGRESS = Gauge(
    "http_requests_in_progress",
    "Requests under way.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
LIVE_CONNECTIONS = Gauge(
    "live_connections",
    "WebSockets open.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
RATE_LIMITS_SKIPPED = Counter(
    "rate_limits_skipped_total",
    "Requests let through because the counters could not be reached.",
    registry=REGISTRY,
)
LEDGER_BREACHES = Gauge(
    "ledger_breaches",
    "What the last proof of the recent, or of all books found wrong; all but 0 needs a person.",
    ("books",),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
LEDGER_UNPLACED = Counter(
    "ledger_unplaced_entries_total",
    "Entries that found no month made for them; they were moved to theirs afterwards.",
    registry=REGISTRY,
)

_requests = cache(HTTP_REQUESTS.labels)
_durations = cache(HTTP_DURATION.labels)

CONTENT_TYPE = CONTENT_TYPE_LATEST


def record_request(method: str, route: str, status: int, duration_s: float) -> None:
    """All three from closed lists, so that their counters can be kept at hand."""
    _requests(method, route, str(status)).inc()
    _durations(method, route).observe(duration_s)


def exposition() -> bytes:
    """All metrics in the text format of Prometheus."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    gathered = CollectorRegistry()
    MultiProcessCollector(gathered)  # type: ignore[no-untyped-call]
    return generate_latest(gathered)
