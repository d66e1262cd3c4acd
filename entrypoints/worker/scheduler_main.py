"""The scheduler process."""

import asyncio

import uvloop

from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker.jobs import jobs
from entrypoints.worker.scheduler import Scheduler
from entrypoints.worker.signals import stop_on_signals


def run(settings: Settings) -> None:
    """Schedule, or wait to follow the process that does, until SIGTERM or SIGINT."""
    configure_logging(
        json=settings.log_format == "json", level=settings.log_level, process="scheduler"
    )
    uvloop.run(_main(settings))


async def _main(settings: Settings) -> None:
    from entrypoints.bootstrap import open_ports

    stop = stop_on_signals(asyncio.get_running_loop())
    ports = await open_ports(settings)
    try:
        await Scheduler(
            jobs(ports, settings),
            leadership=ports.leadership,
            runs=ports.job_runs,
            clock=ports.clock,
        ).run(stop)
    finally:
        await ports.aclose()
