"""The worker process: threads that wait for queue messages, one event loop that does the work.

Dramatiq runs inside this process instead of its own command line, which forks and imports first:
it starts within a second, keeps one set of connections, and whatever cannot be opened stops the
start instead of being logged.
"""

import signal
import threading
from collections.abc import Awaitable, Callable
from multiprocessing.context import SpawnProcess
from typing import Any, cast

import structlog
import uvloop
from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.worker import Worker

from application.messaging.retrying import RetryPolicy
from entrypoints.logging import configure_logging
from entrypoints.settings import Settings
from entrypoints.worker.actors import declare_actors
from entrypoints.worker.broker import open_broker
from entrypoints.worker.dispatch import Dispatcher
from entrypoints.worker.ports import WorkerPorts
from entrypoints.worker.topic import QUEUES, Queue, Topics
from entrypoints.worker.topics import topics
from entrypoints.worker.watchdog import Watchdog

_log = structlog.get_logger("likeness.worker")
_IDLE_POLL_MS = 50
_DRAIN_S = 25


Opening = Callable[[], Awaitable[tuple[WorkerPorts, Topics]]]


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished first."""
    if settings.worker_processes == 1:
        _serve_alone(settings)
    else:
        _supervise(settings)


def _serve_alone(settings: Settings) -> None:
    from entrypoints.bootstrap import open_ports

    configure_logging(
        json=settings.log_format == "json", level=settings.log_level, process="worker"
    )

    async def opening() -> tuple[WorkerPorts, Topics]:
        ports = await open_ports(settings)
        return ports, topics(ports)

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve(settings, opening, stop=stop)


def serve(settings: Settings, opening: Opening, *, stop: threading.Event) -> None:
    """Open the ports on the worker's own loop and work until `stop` is set."""
    loop_thread = _start_loop()
    try:
        ports, table = loop_thread.run_coroutine(opening())
        try:
            with Watchdog(loop_thread.loop):
                _work(settings, ports, table, stop)
        finally:
            loop_thread.run_coroutine(ports.aclose())
    finally:
        set_event_loop_thread(None)
        loop_thread.stop()


def _work(settings: Settings, ports: WorkerPorts, table: Topics, stop: threading.Event) -> None:
    dispatcher = Dispatcher(
        topics=table,
        messages=ports.messages,
        clock=ports.clock,
        wake=ports.wake,
        policy=RetryPolicy(max_attempts=settings.message_attempts),
    )
    queues = cast("tuple[Queue, ...]", settings.worker_queues) or QUEUES
    broker = open_broker(settings.redis_url)
    declare_actors(broker, dispatcher.dispatch, queues=queues)
    worker = Worker(
        broker,
        queues=set(queues),
        worker_timeout=_IDLE_POLL_MS,
        worker_threads=settings.worker_threads,
    )
    worker.start()
    _log.info("worker ready", queues=list(queues), threads=settings.worker_threads)
    stop.wait()
    _log.info("worker draining")
    worker.stop(timeout=_DRAIN_S * 1000)
    broker.close()
    _log.info("worker stopped")


def _start_loop() -> Any:
    thread = cast("Any", EventLoopThread)(_log)
    thread.loop.close()
    thread.loop = uvloop.new_event_loop()
    thread.start(timeout=5.0)
    set_event_loop_thread(thread)
    return thread


def _supervise(settings: Settings) -> None:
    """Several workers; one that dies is replaced, and all are told to stop together."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    children: list[SpawnProcess] = []
    try:
        while not stopping.is_set():
            children = [child for child in children if child.is_alive()]
            while len(children) < settings.worker_processes:
                child = SpawnProcess(target=_serve_alone, args=(settings,))
                child.start()
                children.append(child)
            stopping.wait(1.0)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.join(_DRAIN_S + 5)
