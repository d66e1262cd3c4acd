"""`likeness user …`: accounts that are made on the machine itself, by whoever runs it."""

import sys
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import click

from application.identity import registration
from application.identity.registration import CreateAdmin
from application.ports.clock import Clock
from application.ports.identity import PasswordHasher
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from entrypoints.cli.reach import with_ports


class AccountPorts(Protocol):
    """What these commands need of the record of ports."""

    @property
    def uow(self) -> Callable[[], UnitOfWork]: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def password_hasher(self) -> PasswordHasher: ...


async def create_admin(
    email: str, *, display_name: str, password: str, ports: AccountPorts
) -> UUID:
    """Open an administrator's account and answer its id.

    The password comes from a prompt or from standard input, never from an argument: those show in
    the list of processes. Raises EmailTaken, WeakPassword, InvalidEmail, InvalidDisplayName.
    """
    return await registration.create_admin(
        CreateAdmin(email=email, password=password, display_name=display_name),
        uow=ports.uow(),
        clock=ports.clock,
        ids=ports.ids,
        hasher=ports.password_hasher,
    )


@click.group()
def user() -> None:
    """Make accounts that nobody can register over HTTP."""


@user.command("create-admin")
@click.argument("email")
@click.option("--display-name", default="Administrator", show_default=True)
def create_admin_command(email: str, display_name: str) -> None:
    """Open an administrator's account for EMAIL.

    Asks for the password without showing it, or reads it from a pipe:
    `likeness user create-admin root@example.com < password-file`.
    """
    password = _password()
    user_id = with_ports(
        lambda ports: create_admin(email, display_name=display_name, password=password, ports=ports)
    )
    click.echo(f"{email} is an administrator now, with the id {user_id}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
