"""What runs again and again, and how often."""

from datetime import timedelta

from application.messaging.purging import purge_done_messages
from entrypoints.settings import Settings
from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.scheduler import Job


def jobs(ports: WorkerPorts, settings: Settings) -> list[Job]:
    retention = timedelta(days=settings.message_retention_days)
    return [
        Job(
            name="purge-messages",
            every=timedelta(hours=1),
            run=lambda: purge_done_messages(
                retention=retention, messages=ports.messages, clock=ports.clock
            ),
        ),
        Job(
            name="purge-idempotency-keys",
            every=timedelta(minutes=10),
            run=lambda: ports.idempotency.purge(now=ports.clock.now()),
        ),
    ]
