"""What is looked up whenever Prometheus asks: depth and age of the messages that wait, and what
the last check of the invariants found."""

from prometheus_client import Gauge

from application.ports.clock import Clock
from application.ports.credentials import ContentCredentials
from application.ports.errors import Unavailable
from application.ports.invariants import Invariant, InvariantChecks
from application.ports.messages import MessageViews
from application.ports.moderation import ModerationViews
from domain.moderation.judgement import Category
from entrypoints.metrics import REGISTRY

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

INVARIANT_BREACHES = Gauge(
    "invariant_breaches",
    "What the last check of an invariant found; anything but 0 needs a person.",
    ("name",),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
INVARIANT_OLDEST = Gauge(
    "invariant_oldest_breach_seconds",
    "How long the oldest breach of an invariant had lasted when it was found.",
    ("name",),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
INVARIANTS_CHECKED = Gauge(
    "invariants_checked_timestamp_seconds",
    "When the invariants were last checked.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
BOOKS_PROVED = Gauge(
    "books_proved_timestamp_seconds",
    "When all books were last proved.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

CERTIFICATE_EXPIRES = Gauge(
    "credentials_certificate_expires_timestamp_seconds",
    "When the certificate that signs content credentials expires; 0 when there is none.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)

MODERATION_WAITING = Gauge(
    "moderation_waiting",
    "Cases that wait for a moderator.",
    ("category",),
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
MODERATION_OLDEST = Gauge(
    "moderation_oldest_seconds",
    "How long the oldest of them has waited.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
MODERATION_HARD_BLOCKS = Gauge(
    "moderation_hard_blocks",
    "Texts that asked for what may never be, ever; when it grows, a person looks.",
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


async def refresh_invariant_gauges(checks: InvariantChecks) -> None:
    """One query; the results are those that the scheduler kept."""
    for result in await checks.latest():
        INVARIANT_BREACHES.labels(str(result.name)).set(result.count)
        INVARIANT_OLDEST.labels(str(result.name)).set(result.oldest_age_s or 0)
        nightly = result.name is Invariant.BOOKS_PROVED
        (BOOKS_PROVED if nightly else INVARIANTS_CHECKED).set(result.checked_at.timestamp())


async def refresh_certificate_gauge(credentials: ContentCredentials) -> None:
    """The certificate is read once in each process; a new one is taken when it starts again."""
    try:
        CERTIFICATE_EXPIRES.set((await credentials.certificate()).not_after)
    except Unavailable:
        CERTIFICATE_EXPIRES.set(0)


async def refresh_moderation_gauges(views: ModerationViews, *, clock: Clock) -> None:
    """Two queries; categories of which nothing waits go back to zero."""
    depth = await views.depth(now=clock.now())
    for category in Category:
        MODERATION_WAITING.labels(str(category)).set(depth.waiting.get(str(category), 0))
    MODERATION_OLDEST.set(depth.oldest_age_s)
    MODERATION_HARD_BLOCKS.set(depth.hard_blocks)
