"""The statements that move messages from state to state, each built once for either box.

Literal states (not parameters) let the planner use the partial indexes in a cached plan.
"""

from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    Delete,
    Integer,
    Interval,
    Table,
    Text,
    Update,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    null,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeEngine

from adapters.postgres.arrays import array, unnested_parameters
from adapters.postgres.messages import TABLES
from adapters.postgres.metadata import INSTANT
from application.ports.messages import (
    Box,
    State,
)

_LEASE_OVER = "LeaseExpired: the worker was lost, or took longer than its topic allows"

_NOW = bindparam("now", type_=INSTANT)
SETBACK: dict[str, TypeEngine[Any]] = {
    "id": Uuid(),
    "state": Text(),
    "due_at": INSTANT,
    "counted": Boolean(),
    "error": Text(),
}


@cache
def take_due(box: Box) -> ReturningUpdate[Any]:
    table = TABLES[box]
    wanted = unnested_parameters("wanted", {"topic": Text(), "room": Integer()})
    other = table.alias("in_flight")
    in_flight = (
        select(func.count())
        .where(_in(other, "dispatched", "running"), other.c.topic == wanted.c.topic)
        .correlate(wanted)
        .scalar_subquery()
    )
    # LIMIT may look at the row beside which a lateral query runs, not at its own.
    topics = select(wanted.c.topic, func.greatest(wanted.c.room - in_flight, 0).label("room")).cte(
        "topics"
    )
    oldest = (
        select(table.c.id)
        .where(is_state(table, "pending"), table.c.topic == topics.c.topic, table.c.due_at <= _NOW)
        .order_by(table.c.due_at)
        .limit(topics.c.room)
        .with_for_update(skip_locked=True)
        .correlate(topics)
        .lateral("oldest")
    )
    due = (
        select(oldest.c.id)
        .select_from(topics.join(oldest, true()))
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    return (
        update(table)
        .where(table.c.id == due.c.id)
        .values(state="dispatched", lease_until=func.now() + _span("visibility"))
        .returning(table.c.id, table.c.topic, table.c.attempts)
    )


@cache
def put_back(box: Box) -> Update:
    table = TABLES[box]
    return (
        update(table)
        .where(_among(table), is_state(table, "dispatched"))
        .values(state="pending", lease_until=None)
    )


@cache
def claim(box: Box) -> ReturningUpdate[Any]:
    table = TABLES[box]
    return (
        update(table)
        .where(_among(table), is_state(table, "dispatched"), table.c.topic == bindparam("of_topic"))
        .values(
            state="running",
            lease_until=func.now() + _span("lease"),
            attempts=table.c.attempts + 1,
        )
        .returning(*message_columns(box), table.c.lease_until)
    )


@cache
def complete(box: Box) -> Update:
    table = TABLES[box]
    return (
        update(table)
        .where(_among(table), _held(table))
        .values(state="done", lease_until=None, finished_at=_NOW)
    )


@cache
def set_back(box: Box) -> Update:
    table = TABLES[box]
    given = unnested_parameters("given", SETBACK)
    return (
        update(table)
        .where(table.c.id == given.c.id, _held(table))
        .values(
            state=given.c.state,
            due_at=given.c.due_at,
            attempts=table.c.attempts - case((given.c.counted, 0), else_=1),
            last_error=given.c.error,
            lease_until=None,
            finished_at=case((given.c.state == "parked", _NOW), else_=null()),
        )
    )


@cache
def sweep(box: Box) -> ReturningUpdate[Any]:
    table = TABLES[box]
    running = is_state(table, "running")
    worn_out = and_(running, table.c.attempts >= bindparam("max_attempts", type_=Integer()))
    lost = (
        select(table.c.id)
        .where(_in(table, "dispatched", "running"), table.c.lease_until < func.now())
        .with_for_update(skip_locked=True)
        .limit(10_000)
        .cte("lost")
        .prefix_with("MATERIALIZED")
    )
    return (
        update(table)
        .where(table.c.id == lost.c.id)
        .values(
            state=case((worn_out, "parked"), else_="pending"),
            finished_at=case((worn_out, _NOW), else_=null()),
            last_error=case((running, _LEASE_OVER), else_=table.c.last_error),
            lease_until=None,
        )
        .returning(table.c.state)
    )


@cache
def purge(box: Box) -> Delete:
    table = TABLES[box]
    old = (
        select(table.c.id)
        .where(
            # Ids begin with their time, so the primary key finds the old end of the table.
            table.c.id < bindparam("first_id"),
            is_state(table, "done"),
            table.c.finished_at < bindparam("before"),
        )
        .order_by(table.c.id)
        .limit(bindparam("most", type_=Integer()))
    )
    return delete(table).where(table.c.id.in_(old))


def message_columns(box: Box) -> list[Column[Any]]:
    names = ["id", "topic", "payload", "attempts", "created_at", "request_id", "traceparent"]
    names += ["key"] if box == "outbox" else ["external_id", "kind"]
    return [TABLES[box].c[name] for name in names]


def is_state(table: Any, state: State) -> ColumnElement[bool]:
    return table.c.state == literal_column(f"'{state}'")  # type: ignore[no-any-return]


def _in(table: Any, *states: State) -> ColumnElement[bool]:
    return table.c.state.in_([literal_column(f"'{state}'") for state in states])  # type: ignore[no-any-return]


def _among(table: Table) -> ColumnElement[bool]:
    return table.c.id == any_(array("ids", Uuid()))


def _held(table: Table) -> ColumnElement[bool]:
    """Still ours: a claim is known by the end of its lease, which nobody else's shares."""
    return and_(is_state(table, "running"), table.c.lease_until == bindparam("held_until"))


def _span(name: str) -> BindParameter[timedelta]:
    return bindparam(name, type_=Interval())
