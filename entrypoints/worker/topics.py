"""Which handler takes which messages: the one table that relay and worker share."""

from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.topic import Topics


def topics(ports: WorkerPorts) -> Topics:
    """By name; the name of an inbox topic is its source."""
    return {}
