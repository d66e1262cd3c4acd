"""`likeness user …`: accounts that are made on the machine itself, by whoever runs it."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from application.identity import registration
from application.identity.registration import CreateAdmin
from application.ports.clock import Clock
from application.ports.identity import PasswordHasher
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork


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
