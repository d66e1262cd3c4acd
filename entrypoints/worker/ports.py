"""What the machinery of worker, relay and scheduler needs of the ports; handlers need more."""

from typing import Protocol

from application.ports.clock import Clock
from application.ports.idempotency import Idempotency
from application.ports.messages import MessageQueue, Wake, WakeListener
from application.ports.schedule import JobRuns, Leadership


class WorkerPorts(Protocol):
    @property
    def clock(self) -> Clock: ...

    @property
    def messages(self) -> MessageQueue: ...

    @property
    def wake(self) -> Wake: ...

    @property
    def wake_listener(self) -> WakeListener: ...

    @property
    def leadership(self) -> Leadership: ...

    @property
    def job_runs(self) -> JobRuns: ...

    @property
    def idempotency(self) -> Idempotency: ...

    async def aclose(self) -> None: ...
