"""What ties a message to the request that caused it, through HTTP → outbox → worker → provider.

The doors set these for the task at hand; the outbox and the inbox store them with each message,
and the worker sets them again around its handler.
"""

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""A W3C trace context, as in the header of that name."""
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
"""Of the request under way, for the audit log; messages do not carry it."""
