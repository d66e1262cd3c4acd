"""A payee asks for its money.

To a bank: the amount is reserved by one conditional statement, so that of many who ask for the
same money one gets it; the outbox sends it. By a connected account: released earnings go there as
transfers, order by order; what already lies there can be had at once by an instant payout.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.eligibility import PayoutBlocked, Standing, standing_of, supported
from application.ledger.payees import own_payee
from application.ledger.payouts import SEND_PAYOUT, SendPayout, record_of
from application.ports.clock import Clock
from application.ports.idempotency import KeyReused
from application.ports.ids import Ids
from application.ports.payouts import PayoutRails, PayoutRecord
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.payee import Payee
from domain.ledger.payout import Payout, PayoutSpeed
from domain.ledger.payout_effects import payout_reserved
from domain.ledger.payout_rules import (
    Block,
    InsufficientAvailable,
    PayoutPolicy,
    payable_cents,
    too_small,
)
from domain.ledger.payout_settings import PayoutMethod
from domain.shared.errors import RuleRefused
from domain.shared.money import Currency, floor_to_quantum

MAX_CENTS = 10**12


class TransfersAreWhole(RuleRefused):
    """Transfers to a connected account go order by order: an amount cannot be chosen."""

    code = "transfers_are_whole"

    def __init__(self) -> None:
        super().__init__("Everything released is transferred: leave amount_cents out.")


class Withdraw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without `amount_cents` everything that is available."""

    currency: Annotated[str, msgspec.Meta(pattern="^[a-z]{3}$", examples=["usd"])] = "usd"
    amount_cents: Annotated[int, msgspec.Meta(ge=1, le=MAX_CENTS)] | None = None
    speed: PayoutSpeed = PayoutSpeed.STANDARD


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """`payout` is null where transfers bring the money to a connected account: they are under way
    within a minute."""

    method: PayoutMethod
    speed: PayoutSpeed
    currency: str
    amount_cents: int
    payout: PayoutRecord | None


async def withdraw(
    store_id: UUID | None,
    command: Withdraw,
    *,
    request_key: str,
    actor: Actor,
    uow: UnitOfWork,
    rails: PayoutRails,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
) -> Withdrawal:
    """Reserve and commit; what is then sent is told by the payout.

    Raises NotFound, CurrencyUnknown, PayoutBlocked, InsufficientAvailable, TransfersAreWhole,
    KeyReused, and Unavailable where a connected account has to be asked.
    """
    code = supported(command.currency)
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        known = await uow.payouts.by_request_key(payee.id, request_key)
        settings = await uow.payout_settings.of_payee(payee.id)
    if known is not None:
        return _again(known, command)
    there_cents: int | None = None
    if settings.method is PayoutMethod.CONNECT and command.speed is PayoutSpeed.INSTANT:
        there_cents = await _at_the_provider(payee, code, rails=rails)
    async with uow:
        payee = await uow.payees.get(payee.id)
        standing = await standing_of(payee, code, uow=uow, policy=policy)
        if standing.blocks:
            raise PayoutBlocked(standing.blocks)
        if standing.settings.method is PayoutMethod.CONNECT and there_cents is None:
            return await _by_transfers(standing, command, actor=actor, uow=uow, policy=policy)
        payout = _payout(
            standing,
            command,
            available_cents=payable_cents(standing.balance) if there_cents is None else there_cents,
            payout_id=ids.new(),
            request_key=request_key,
            policy=policy,
            clock=clock,
        )
        uow.payouts.add(payout)
        if payout.method is PayoutMethod.BANK:
            await uow.ledger.reserve_available(payout_reserved(payout, at=payout.created_at))
        uow.outbox.add(SEND_PAYOUT, SendPayout(payout_id=payout.id))
        uow.audit.record(
            "payout.requested",
            actor=actor,
            on=("payout", payout.id),
            after={
                "payee_id": payout.payee_id,
                "amount_cents": payout.amount_cents,
                "fee_cents": payout.fee_cents,
                "currency": payout.currency,
                "method": payout.method,
                "speed": payout.speed,
            },
        )
        await uow.commit()
    return _withdrawal(payout)


async def _at_the_provider(payee: Payee, code: Currency, *, rails: PayoutRails) -> int:
    if payee.account_id is None or not payee.can_be_paid:
        reason = "The account at the payment provider is not ready."
        raise PayoutBlocked([Block("payee_not_ready", reason, "payee")])
    found = await rails[PayoutMethod.CONNECT].available_cents(payee.account_id, currency=code)
    return floor_to_quantum(max(0, found or 0), code)


async def _by_transfers(
    standing: Standing, command: Withdraw, *, actor: Actor, uow: UnitOfWork, policy: PayoutPolicy
) -> Withdrawal:
    """Let kept earnings go: the next look for them, within a minute, makes transfers of them."""
    code = standing.balance.currency
    everything = payable_cents(standing.balance)
    if command.amount_cents not in (None, everything):
        raise TransfersAreWhole
    small = too_small(everything, policy.minimum_cents(code, standing.settings))
    if small is not None:
        raise PayoutBlocked([small])
    await uow.earnings.let_go(standing.payee.id, currency=code)
    uow.audit.record(
        "earnings.let_go",
        actor=actor,
        on=("payee", standing.payee.id),
        after={"amount_cents": everything, "currency": code},
    )
    await uow.commit()
    return Withdrawal(
        method=PayoutMethod.CONNECT,
        speed=command.speed,
        currency=code,
        amount_cents=everything,
        payout=None,
    )


def _payout(
    standing: Standing,
    command: Withdraw,
    *,
    available_cents: int,
    payout_id: UUID,
    request_key: str,
    policy: PayoutPolicy,
    clock: Clock,
) -> Payout:
    code, settings = standing.balance.currency, standing.settings
    amount_cents = available_cents if command.amount_cents is None else command.amount_cents
    fee_cents = policy.fee_cents(amount_cents, code, command.speed)
    reasons = _of_amount(amount_cents, fee_cents, code, policy.minimum_cents(code, settings))
    if reasons:
        raise PayoutBlocked(reasons)
    if amount_cents > available_cents:
        raise InsufficientAvailable
    to_bank = settings.method is PayoutMethod.BANK
    account = standing.account if to_bank else None
    return Payout(
        id=payout_id,
        payee_id=standing.payee.id,
        method=settings.method,
        speed=command.speed,
        currency=code,
        amount_cents=amount_cents,
        fee_cents=fee_cents,
        net_cents=amount_cents - fee_cents if to_bank else amount_cents,
        destination=account.provider_id if account else standing.payee.account_id or "",
        bank_account_id=account.id if account else None,
        last4=account.last4 if account else None,
        request_key=request_key,
        created_at=clock.now(),
    )


def _of_amount(
    amount_cents: int, fee_cents: int, code: Currency, minimum_cents: int
) -> list[Block]:
    small = too_small(amount_cents, minimum_cents)
    if small is not None:
        return [small]
    if floor_to_quantum(amount_cents, code) != amount_cents:
        message = f"Amounts of {code} that banks are sent end with a zero."
        return [Block("amount_not_sendable", message, "amount_cents", value=amount_cents)]
    if fee_cents >= amount_cents:
        message = "The fee would take all of it."
        return [
            Block("fee_takes_all", message, "amount_cents", limit=fee_cents, value=amount_cents)
        ]
    return []


def _again(known: Payout, command: Withdraw) -> Withdrawal:
    """The same wish under the same key is answered by the payout that it became."""
    same = (
        command.currency == known.currency
        and command.speed is known.speed
        and command.amount_cents in (None, known.amount_cents)
    )
    if not same:
        raise KeyReused
    return _withdrawal(known)


def _withdrawal(payout: Payout) -> Withdrawal:
    return Withdrawal(
        method=payout.method,
        speed=payout.speed,
        currency=payout.currency,
        amount_cents=payout.amount_cents,
        payout=record_of(payout),
    )
