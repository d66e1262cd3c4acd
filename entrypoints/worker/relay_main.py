"""The relay process."""

import asyncio

import uvloop

from application.messaging.retrying import RetryPolicy
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker.broker import QueueSender, open_broker
from entrypoints.worker.relay import Relay
from entrypoints.worker.signals import stop_on_signals
from entrypoints.worker.topics import topics


def run(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT."""
    configure_logging(json=settings.log_format == "json", level=settings.log_level, process="relay")
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    from entrypoints.bootstrap import open_ports

    stop = stop_on_signals(asyncio.get_running_loop())
    ports = await open_ports(settings)
    broker = open_broker(settings.redis_url)
    try:
        await Relay(
            topics=topics(ports),
            messages=ports.messages,
            sender=QueueSender(broker),
            listener=ports.wake_listener,
            clock=ports.clock,
            policy=RetryPolicy(max_attempts=settings.message_attempts),
        ).run(stop)
    finally:
        broker.close()
        await ports.aclose()
