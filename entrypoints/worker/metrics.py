"""What the queue tells Prometheus: outcomes and durations by topic, depth and age of what waits."""

from prometheus_client import Counter, Gauge, Histogram

from application.ports.clock import Clock
from application.ports.messages import MessageViews
from entrypoints.metrics import REGISTRY

HANDLED = Counter(
    "messages_handled_total",
    "Messages by what became of them: done, retried, later, parked.",
    ("topic", "outcome"),
    registry=REGISTRY,
)
HANDLING = Histogram(
    "message_handling_seconds",
    "Duration of a batch in its handler.",
    ("topic",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
RELAYED = Counter(
    "messages_relayed_total", "Messages handed to the queue.", ("topic",), registry=REGISTRY
)
SWEPT = Counter(
    "messages_swept_total",
    "Messages whose queue or worker was lost: returned, or parked.",
    ("box", "outcome"),
    registry=REGISTRY,
)
WAITING = Gauge(
    "messages_waiting",
    "Unfinished messages.",
    ("box", "topic", "state"),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OLDEST_AGE = Gauge(
    "messages_oldest_age_seconds",
    "How long the oldest unfinished message is overdue.",
    ("box", "topic", "state"),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

_shown: set[tuple[str, str, str]] = set()


async def refresh_queue_gauges(views: MessageViews, *, clock: Clock) -> None:
    """One query; called by whoever answers a scrape. What waits no more goes back to zero."""
    depths = {
        (depth.box, depth.topic, str(depth.state)): depth
        for depth in await views.depths(now=clock.now())
    }
    for labels in _shown - depths.keys():
        WAITING.labels(*labels).set(0)
        OLDEST_AGE.labels(*labels).set(0)
    for labels, depth in depths.items():
        WAITING.labels(*labels).set(depth.count)
        OLDEST_AGE.labels(*labels).set(depth.oldest_age_s)
    _shown.update(depths)
