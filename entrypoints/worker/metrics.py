"""What the worker tells Prometheus: outcomes and durations by topic."""

from prometheus_client import Counter, Histogram

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
