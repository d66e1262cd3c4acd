"""Give up what a payee owes. Only an administrator may, never more than is owed, and with a reason.

The balance is locked, so that what a payee earns meanwhile is not given away with it.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger import effects
from domain.ledger.write_off import WriteOff, require_owed
from domain.shared.money import Currency


class WriteOffDebt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    amount_cents: Annotated[int, msgspec.Meta(ge=1, le=99_999_999_999)]
    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$")]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class WriteOffView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    payee_id: UUID
    amount_cents: int
    currency: str
    reason: str
    written_off_by: UUID
    created_at: datetime


async def write_off_debt(
    payee_id: UUID,
    command: WriteOffDebt,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> WriteOffView:
    """Raises RoleRequired, NotFound, WriteOffTooLarge, KeyReused."""
    actor.require(Role.ADMIN)
    now, key = clock.now(), (payee_id, Currency(command.currency))
    async with uow:
        await uow.payees.get(payee_id, lock=True)
        if known := await uow.write_offs.by_request_key(payee_id, request_key):
            return _repeated(known, command)
        balance = (await uow.ledger.lock_balances([key]))[key]
        require_owed(command.amount_cents, available_cents=balance.available_cents)
        written = WriteOff(
            id=ids.new(),
            payee_id=payee_id,
            request_key=request_key,
            currency=balance.currency,
            amount_cents=command.amount_cents,
            reason=command.reason,
            written_off_by=actor.user_id,
            created_at=now,
        )
        uow.write_offs.add(written)
        uow.audit.record(
            "debt.written_off",
            actor=actor,
            on=("payee", payee_id),
            before={"available_cents": balance.available_cents},
            after={"amount_cents": written.amount_cents, "currency": written.currency},
        )
        await uow.ledger.post(
            [
                effects.write_off(
                    write_off_id=written.id,
                    payee_id=payee_id,
                    currency=written.currency,
                    amount_cents=written.amount_cents,
                    at=now,
                )
            ]
        )
        await uow.commit()
    return _view(written)


def _repeated(known: WriteOff, command: WriteOffDebt) -> WriteOffView:
    if (known.amount_cents, known.currency, known.reason) != (
        command.amount_cents,
        command.currency,
        command.reason,
    ):
        raise KeyReused
    return _view(known)


def _view(written: WriteOff) -> WriteOffView:
    return WriteOffView(
        id=written.id,
        payee_id=written.payee_id,
        amount_cents=written.amount_cents,
        currency=written.currency,
        reason=written.reason,
        written_off_by=written.written_off_by,
        created_at=written.created_at,
    )
