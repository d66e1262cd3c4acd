"""One log for all processes: JSON lines in production, readable lines in development.

What libraries log through the standard library takes the same way. A record carries ids and never
personal data: no bodies, no query strings, and of a database error only its class and SQLSTATE,
because its text quotes the values.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from json import dumps
from typing import Any, TextIO

import msgspec
import structlog

from application.messaging import correlation

Event = MutableMapping[str, Any]


def configure_logging(
    *, json: bool, level: str = "INFO", stream: TextIO | None = None, **facts: str
) -> None:
    """Send every record to `stream` (standard error by default). `facts` stand on every record."""
    output = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _request_named,
        _facts_added(facts),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if json
        else structlog.dev.ConsoleRenderer(colors=output.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.WriteLoggerFactory(output),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    _redirect_standard_library(output, level, shared, renderer)


def _redirect_standard_library(
    output: TextIO,
    level: str,
    shared: list[structlog.typing.Processor],
    renderer: structlog.typing.Processor,
) -> None:
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "botocore", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _to_json(event: Any, **_: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except (TypeError, ValueError):  # half a surrogate pair, or a key that is no text
        return dumps(event, default=str, skipkeys=True)


def _facts_added(facts: Mapping[str, str]) -> structlog.typing.Processor:
    def add(_logger: Any, _method: str, event: Event) -> Event:
        for name, value in facts.items():
            event.setdefault(name, value)
        return event

    return add


def _request_named(_logger: Any, _method: str, event: Event) -> Event:
    request_id = correlation.request_id.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def _describe_exception(_logger: Any, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = describe_exception(error)
    return event


def describe_exception(error: BaseException) -> str:
    """The traceback of `error` and its causes, without the text of database errors."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{frames}{_headline(current)}")
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    return "\nafter\n".join(reversed(parts))


def _headline(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is not None or hasattr(error, "statement") or name.startswith("asyncpg."):
        return f"{name} (SQLSTATE {sqlstate})"
    return f"{name}: {error}"
