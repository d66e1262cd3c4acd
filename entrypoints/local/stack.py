"""What the stack of one checkout consists of, in the order in which it starts."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from entrypoints.local.child import Process
from entrypoints.local.ports import any_free_port, choose_port
from entrypoints.local.postgres import EmbeddedPostgres
from entrypoints.local.redis import EmbeddedRedis
from entrypoints.local.server import silent
from entrypoints.local.supervisor import Part, Stage, running_stack
from entrypoints.providers import needs_sandbox
from entrypoints.settings import Settings

_LIKENESS = (sys.executable, "-m", "entrypoints.cli.main")
_WEBHOOKS = "/api/v1/webhooks"


@dataclass(frozen=True, slots=True)
class Plan:
    """`settings` have every address filled in; `facts` are for other commands of the checkout."""

    settings: Settings
    stages: list[Stage]
    facts: dict[str, str]


def plan(settings: Settings, *, say: Callable[[str], None] = silent) -> Plan:
    """Embedded servers, the sandbox and ports where the settings name none. Raises `LocalError`."""
    servers: list[Part] = []
    if not settings.database_url:
        postgres = embedded_postgres(settings, say=say)
        servers.append(postgres)
        settings = dataclasses.replace(settings, database_url=postgres.url)
    if not settings.redis_url:
        redis = embedded_redis(settings, say=say)
        servers.append(redis)
        settings = dataclasses.replace(settings, redis_url=redis.url)
    port = choose_port(settings.host, settings.port, variable="LIKENESS_PORT")
    local_url = f"http://{_reachable(settings.host)}:{port}"
    settings = dataclasses.replace(settings, port=port, base_url=settings.base_url or local_url)
    world: list[Part] = []
    if needs_sandbox(settings) and not settings.sandbox_url:
        sandbox_port = any_free_port()
        settings = dataclasses.replace(settings, sandbox_url=f"http://127.0.0.1:{sandbox_port}")
        world.append(_sandbox(sandbox_port, local_url, clock_offset_s=_clock_offset_s(settings)))
    env = environment(settings)
    migrate = Process(name="migrate", argv=(*_LIKENESS, "migrate", "up"), env=env, restart=False)
    api = Process(name="api", argv=(*_LIKENESS, "api"), env=env, ready=f"{local_url}/health/ready")
    # The workers come last: they are not waited for, and would only take the API's time to start.
    workers = [
        Process(name=name, argv=(*_LIKENESS, name), env=env)
        for name in ("worker", "relay", "scheduler")
    ]
    stages: list[Stage] = [servers, [migrate], [*world, api], workers]
    facts = {"base_url": settings.base_url, "sandbox_url": settings.sandbox_url}
    return Plan(settings, stages, facts)


def embedded_postgres(
    settings: Settings, *, say: Callable[[str], None] = silent
) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.data_dir / "postgres", say=say)


def embedded_redis(settings: Settings, *, say: Callable[[str], None] = silent) -> EmbeddedRedis:
    return EmbeddedRedis(settings.data_dir / "redis", say=say)


@contextlib.contextmanager
def connected(settings: Settings, *, say: Callable[[str], None] = silent) -> Iterator[Settings]:
    """The settings with a database and a Redis behind them, embedded ones for as long as needed.

    If a stack of this checkout is up, its servers are used and stay up.
    """
    with contextlib.ExitStack() as servers:
        if not settings.database_url:
            postgres = servers.enter_context(embedded_postgres(settings, say=say))
            settings = dataclasses.replace(settings, database_url=postgres.url)
        if not settings.redis_url:
            redis = servers.enter_context(embedded_redis(settings, say=say))
            settings = dataclasses.replace(settings, redis_url=redis.url)
        stack = running_stack(settings.data_dir)
        yield dataclasses.replace(
            settings,
            base_url=settings.base_url or stack.get("base_url", ""),
            sandbox_url=settings.sandbox_url or stack.get("sandbox_url", ""),
        )


def _sandbox(port: int, api_url: str, *, clock_offset_s: int) -> Process:
    url = f"http://127.0.0.1:{port}"
    return Process(
        name="sandbox",
        argv=(
            *(sys.executable, "-m", "entrypoints.sandbox", "--port", str(port)),
            *("--stripe-webhook-url", f"{api_url}{_WEBHOOKS}/stripe"),
            *("--stripe-connect-webhook-url", f"{api_url}{_WEBHOOKS}/stripe-connect"),
            *("--flowpay-webhook-url", f"{api_url}{_WEBHOOKS}/payout"),
            *("--clock-offset-s", str(clock_offset_s)),
        ),
        ready=f"{url}/control/health",
    )


def _clock_offset_s(settings: Settings) -> int:
    """How far earlier runs have moved the stack's clock: a fresh sandbox has to start there."""
    if not settings.clock_control or not settings.clock_file.exists():
        return 0
    return int(float(settings.clock_file.read_text() or 0))


def environment(settings: Settings) -> dict[str, str]:
    """What a process must be told so that it loads these settings; it reads the rest itself."""
    return {
        "LIKENESS_DATA_DIR": str(settings.data_dir),
        "LIKENESS_DATABASE_URL": settings.database_url,
        "LIKENESS_REDIS_URL": settings.redis_url,
        "LIKENESS_PORT": str(settings.port),
        "LIKENESS_BASE_URL": settings.base_url,
        "LIKENESS_SANDBOX_URL": settings.sandbox_url,
        "LIKENESS_CLOCK_CONTROL": "on" if settings.clock_control else "off",
        **({} if settings.stripe_secret_key else {"LIKENESS_STRIPE_SECRET_KEY": ""}),
        **({} if settings.replicate_api_token else {"LIKENESS_REPLICATE_API_TOKEN": ""}),
        **({} if settings.fal_key else {"LIKENESS_FAL_KEY": ""}),
        **({} if settings.openai_api_key else {"LIKENESS_OPENAI_API_KEY": ""}),
        **({} if settings.openai_api_base else {"LIKENESS_OPENAI_API_BASE": ""}),
    }


def _reachable(host: str) -> str:
    """Where a program on this machine finds a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
