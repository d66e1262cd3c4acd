"""`likeness webhooks …` and `likeness outbox …`: see what is stuck, and put it back to work."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, get_args
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table

from application.messaging.redrive import Redrive, Redriven, redrive
from application.ports.clock import Clock
from application.ports.messages import (
    Box,
    MessageRow,
    MessageViews,
    State,
    Wake,
)
from application.ports.unit_of_work import UnitOfWork
from entrypoints.cli.reach import with_ports


class MessagePorts(Protocol):
    """What these commands need of the record of ports."""

    @property
    def uow(self) -> Callable[[], UnitOfWork]: ...
    @property
    def message_views(self) -> MessageViews: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def wake(self) -> Wake: ...


async def redrive_parked(
    box: Box, *, ids: Sequence[UUID], all_parked: bool, topic: str | None, ports: MessagePorts
) -> Redriven:
    """Raises Invalid unless either some ids are named or all that are parked."""
    return await redrive(
        Redrive(box=box, ids=ids, all_parked=all_parked, topic=topic),
        actor="the command line",
        uow=ports.uow(),
        clock=ports.clock,
        wake=ports.wake,
    )


def _group(box: Box, name: str, help_text: str, topic_option: str) -> click.Group:
    @click.group(name=name, help=help_text)
    def group() -> None: ...

    @group.command(name="list")
    @click.option("--state", type=click.Choice(get_args(State)), help="Only those in this state.")
    @click.option(topic_option, "topic", help="Only these.")
    @click.option("--before", type=click.UUID, help="The last id of the page before.")
    @click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
    @click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
    def list_messages(
        state: State | None, topic: str | None, before: UUID | None, limit: int, as_json: bool
    ) -> None:
        """The newest first, without their payloads."""
        rows = with_ports(
            lambda ports: ports.message_views.page(
                box, state=state, topic=topic, before=before, limit=limit
            )
        )
        if as_json:
            for row in rows:
                click.echo(msgspec.json.encode(row))
        else:
            Console().print(_table(rows))

    @group.command(name="redrive")
    @click.argument("ids", nargs=-1, type=click.UUID)
    @click.option("--all-parked", is_flag=True, help="All that are parked.")
    @click.option(topic_option, "topic", help="With --all-parked: only these.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    def redrive_messages(
        ids: tuple[UUID, ...], all_parked: bool, topic: str | None, as_json: bool
    ) -> None:
        """Handle parked messages anew, as if they had never failed."""
        redriven = with_ports(
            lambda ports: redrive_parked(
                box, ids=ids, all_parked=all_parked, topic=topic, ports=ports
            )
        )
        if as_json:
            click.echo(msgspec.json.encode(redriven))
            return
        click.echo(f"{len(redriven.ids)} put back to work")
        for message_id in sorted(set(ids) - set(redriven.ids)):
            click.echo(f"{message_id} is not parked", err=True)

    return group


webhooks = _group("inbox", "webhooks", "Look at received webhooks, and redrive them.", "--source")
outbox = _group("outbox", "outbox", "Look at outgoing messages, and redrive them.", "--topic")


def _table(rows: Sequence[MessageRow]) -> Table:
    table = Table("id", "topic", "what", "state", "tries", "due", "last error")
    for row in rows:
        what = " ".join(part for part in (row.kind, row.external_id, row.key) if part)
        table.add_row(
            str(row.id),
            row.topic,
            what,
            row.state,
            str(row.attempts),
            _moment(row.due_at),
            row.last_error or "",
        )
    return table


def _moment(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S")
