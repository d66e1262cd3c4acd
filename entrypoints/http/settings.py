"""What the HTTP door needs to know of its surroundings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often live connections do what, in seconds."""

    poll_s: float = 3.0
    """The records are asked while the feed is gone."""
    doubt_s: float = 15.0
    """The records are asked in any case."""
    tick_s: float = 0.5
    """Whether the feed is there is looked at."""
    heartbeat_s: float = 15.0
    """Something is sent at least that often."""
    send_within_s: float = 30.0
    """A client that takes nothing for so long is hung up on."""
    check_token_s: float = 10.0
    """So long a token is believed without looking at it again."""
    renew_within_s: float = 30.0
    """How long a connection waits for a new token when its own has expired."""
    connected_at_most_s: float = 3600.0
    """Then a client comes back, perhaps to another process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Durations are in seconds, sizes in bytes."""

    production: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    drain_s: int = 30
    """How long a stopping server waits for requests under way."""
    public_url: str = "http://127.0.0.1:8000"
    version: str = "0.1.0"
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) whose X-Forwarded-For is believed; nobody's by default."""
    rate_limits: bool = True
    max_body_bytes: int = 1_000_000
    """A route that takes uploads sets its own `request_max_body_size`."""
    idempotency_wait_s: float = 3.0
    """How long a duplicate waits for the first request's answer before it gets a 409."""
    metrics_token: str | None = None
    """Bearer token for GET /metrics. Without one the page is open, but hidden in production."""
    live: Pace = Pace()
