"""Opening an account.

Anybody may take up the roles of fan, creator and store owner; an administrator is made by whoever
runs the machine, never over HTTP. That an address is free is decided by the database's constraint
at commit, so two people who register it at once cannot both succeed.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from application.identity.confidential import Confidential
from application.identity.sign_in import SignedIn, start_session
from application.ports.clock import Clock
from application.ports.identity import PasswordHasher
from application.ports.ids import Ids
from application.ports.secrets import Secrets
from application.ports.tokens import AccessTokens
from application.ports.unit_of_work import UnitOfWork
from domain.identity import email as email_rules
from domain.identity import password as password_rules
from domain.identity.actor import Role
from domain.identity.email import normalised_email
from domain.identity.password import acceptable_password
from domain.identity.session import Origin
from domain.identity.user import MAX_NAME_LENGTH, User, normalised_display_name

SelfAssignedRole = Literal["fan", "creator", "store_owner"]


class Register(Confidential, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `roles`, a fan."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=email_rules.MAX_LENGTH)]
    password: Annotated[
        str,
        msgspec.Meta(min_length=password_rules.MIN_LENGTH, max_length=password_rules.MAX_LENGTH),
    ]
    display_name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_LENGTH)]
    roles: frozenset[SelfAssignedRole] = frozenset()


class CreateAdmin(Confidential, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: str
    password: str
    display_name: str


async def register(
    command: Register,
    *,
    origin: Origin,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
    secrets: Secrets,
    hasher: PasswordHasher,
    tokens: AccessTokens,
) -> SignedIn:
    """Open an account and sign in. Raises EmailTaken, WeakPassword, InvalidEmail,
    InvalidDisplayName, or HashingBusy."""
    email, display_name, password = _checked(command)
    user = User.register(
        user_id=ids.new(),
        email=email,
        display_name=display_name,
        password_hash=await hasher.hash(password),
        roles=frozenset(map(Role, command.roles)),
        now=clock.now(),
    )
    async with uow:
        uow.users.add(user)
        signed_in = start_session(
            user, origin=origin, uow=uow, clock=clock, ids=ids, secrets=secrets, tokens=tokens
        )
        await uow.commit()
    return signed_in


async def create_admin(
    command: CreateAdmin, *, uow: UnitOfWork, clock: Clock, ids: Ids, hasher: PasswordHasher
) -> UUID:
    """Open an administrator's account, on the word of whoever holds the machine's settings.

    Answers the user's id. Raises as `register` does.
    """
    email, display_name, password = _checked(command)
    user = User(
        id=ids.new(),
        email=email,
        display_name=display_name,
        password_hash=await hasher.hash(password),
        roles=frozenset({Role.ADMIN}),
        created_at=clock.now(),
    )
    async with uow:
        uow.users.add(user)
        uow.audit.record(
            "user.made_administrator",
            actor="the command line",
            on=("user", user.id),
            after={"roles": sorted(user.roles)},
        )
        await uow.commit()
    return user.id


def _checked(command: Register | CreateAdmin) -> tuple[str, str, str]:
    email = normalised_email(command.email)
    display_name = normalised_display_name(command.display_name)
    password = acceptable_password(command.password, email=email, display_name=display_name)
    return email, display_name, password
