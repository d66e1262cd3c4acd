"""What the signed-in user sees of their account, and the sessions they may end."""

from uuid import UUID

from application.ports.clock import Clock
from application.ports.identity import IdentityViews, Me, SessionSummary
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.identity.session import EndReason
from domain.shared.errors import NotFound


async def me(*, actor: Actor, views: IdentityViews) -> Me:
    return await views.me(actor.user_id)


async def my_sessions(*, actor: Actor, views: IdentityViews, clock: Clock) -> list[SessionSummary]:
    return await views.sessions(actor.user_id, current=actor.session_id, now=clock.now())


async def log_out(*, actor: Actor, uow: UnitOfWork, clock: Clock) -> None:
    """End the session that asks. An actor without a session has none to end."""
    if actor.session_id is not None:
        await _end(actor.session_id, EndReason.LOGGED_OUT, actor=actor, uow=uow, clock=clock)


async def end_session(session_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock) -> None:
    """End one of the actor's sessions, on this or another device. Raises NotFound."""
    await _end(session_id, EndReason.REVOKED, actor=actor, uow=uow, clock=clock)


async def _end(
    session_id: UUID, reason: EndReason, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    async with uow:
        session = await uow.sessions.get(session_id, lock=True)
        if session.user_id != actor.user_id:
            raise NotFound("session", session_id)
        session.end(reason, now=clock.now())
        await uow.commit()
