"""Send transfers and ask them back: intent, call, outcome, each in its own step.

Before a call that may have been made before, the provider is asked whether it was: an idempotency
key alone is forgotten after a day.
"""

from datetime import timedelta
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.messages import RetryLater
from application.ports.payments import Payments, ReversalRequest, TransferRequest
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.ledger.earning import ReversalState, TransferState

SEND_TRANSFER = "transfers.send"
SEND_REVERSAL = "transfers.reverse"
RETRY_REFUSED_AFTER = timedelta(hours=1)
RETRY_UNSENT_AFTER = timedelta(seconds=5)


class SendTransfer(msgspec.Struct, frozen=True, kw_only=True):
    transfer_id: UUID


class SendReversal(msgspec.Struct, frozen=True, kw_only=True):
    reversal_id: UUID


async def send_transfer(
    transfer_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock
) -> None:
    """Make a transfer and post that it was sent.

    A refusal leaves the money reserved and is tried again later under a new key: the usual
    causes, an account that lost its capability or a platform balance run dry, pass. Raises
    RetryLater, Unavailable, OutcomeUnknown.
    """
    async with uow:
        transfer = await uow.transfers.get(transfer_id)
    if transfer.state is TransferState.SENT:
        return
    provider_id = await payments.find_transfer(transfer_id=transfer.id, order_id=transfer.order_id)
    if provider_id is None:
        request = TransferRequest(
            transfer_id=transfer.id,
            order_id=transfer.order_id,
            destination_account_id=transfer.account_id,
            amount_cents=transfer.amount_cents,
            currency=transfer.currency,
            source_charge_id=transfer.charge_id,
            attempt=transfer.attempt,
        )
        try:
            provider_id = await payments.transfer(request)
        except Rejected as error:
            await _note_refusal(transfer_id, error, attempt=transfer.attempt, uow=uow)
            raise RetryLater(error.reason, delay=RETRY_REFUSED_AFTER) from error
    await _record_sent(transfer_id, provider_id, uow=uow, clock=clock)


async def _record_sent(
    transfer_id: UUID, provider_id: str, *, uow: UnitOfWork, clock: Clock
) -> None:
    now = clock.now()
    async with uow:
        transfer = await uow.transfers.get(transfer_id, lock=True)
        if transfer.state is TransferState.SENT:
            return
        transfer.state = TransferState.SENT
        transfer.provider_id = provider_id
        transfer.last_error = None
        transfer.sent_at = now
        await uow.ledger.post(
            [
                effects.transfer_sent(
                    order_id=transfer.order_id,
                    payee_id=transfer.payee_id,
                    currency=transfer.currency,
                    amount_cents=transfer.amount_cents,
                    at=now,
                )
            ]
        )
        await uow.commit()


async def _note_refusal(
    transfer_id: UUID, error: Rejected, *, attempt: int, uow: UnitOfWork
) -> None:
    async with uow:
        transfer = await uow.transfers.get(transfer_id, lock=True)
        if transfer.attempt == attempt:
            transfer.attempt += 1
            transfer.last_error = error.reason
            await uow.commit()


async def send_reversal(
    reversal_id: UUID, *, uow: UnitOfWork, payments: Payments, clock: Clock
) -> None:
    """Ask part of a transfer back and post what came.

    Where the payee's account cannot give it, the reversal is refused for good: the payee's
    available balance stays below zero and its next earnings fill it. Raises RetryLater while the
    transfer itself is on its way, Unavailable, OutcomeUnknown.
    """
    async with uow:
        reversal = await uow.reversals.get(reversal_id)
        transfer = await uow.transfers.get(reversal.transfer_id)
    if reversal.state is not ReversalState.INTENDED:
        return
    if transfer.provider_id is None:
        raise RetryLater("the transfer has not been sent yet", delay=RETRY_UNSENT_AFTER)
    try:
        provider_id = await payments.find_reversal(
            reversal_id=reversal.id, transfer_provider_id=transfer.provider_id
        ) or await payments.reverse_transfer(
            ReversalRequest(
                reversal_id=reversal.id,
                transfer_provider_id=transfer.provider_id,
                amount_cents=reversal.amount_cents,
                currency=reversal.currency,
                attempt=reversal.attempt,
            )
        )
    except Rejected as error:
        await _end_reversal(
            reversal_id, ReversalState.REFUSED, error=error.reason, uow=uow, clock=clock
        )
        return
    await _end_reversal(
        reversal_id, ReversalState.DONE, provider_id=provider_id, uow=uow, clock=clock
    )


async def _end_reversal(
    reversal_id: UUID,
    state: ReversalState,
    *,
    uow: UnitOfWork,
    clock: Clock,
    provider_id: str | None = None,
    error: str | None = None,
) -> None:
    now = clock.now()
    async with uow:
        reversal = await uow.reversals.get(reversal_id, lock=True)
        if reversal.state is not ReversalState.INTENDED:
            return
        reversal.state = state
        reversal.provider_id = provider_id
        reversal.last_error = error
        reversal.done_at = now
        if state is ReversalState.DONE:
            await uow.ledger.post(
                [
                    effects.transfer_reversed(
                        reversal_id=reversal.id,
                        order_id=reversal.order_id,
                        payee_id=reversal.payee_id,
                        currency=reversal.currency,
                        amount_cents=reversal.amount_cents,
                        at=now,
                    )
                ]
            )
        await uow.commit()
