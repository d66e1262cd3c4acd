"""A payee proves that a bank account is its own: it names the two small deposits that arrived."""

from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.bank_accounts import BankAccountView, record_change, view_of
from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.payouts import (
    WRONG_AMOUNTS,
    BankAccountProvider,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.bank_account import (
    BankAccount,
    BankAccountState,
    NotAwaitingVerification,
    VerificationLocked,
)
from domain.shared.errors import NotFound, RuleRefused

Deposit = Annotated[int, msgspec.Meta(ge=1, le=99)]


class WrongAmounts(RuleRefused):
    """These are not the two amounts that arrived; after three tries the account is locked."""

    code = "bank_account_wrong_amounts"

    def __init__(self, attempts_left: int) -> None:
        super().__init__("These are not the two amounts that arrived.", attempts_left=attempts_left)


class VerifyBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two amounts that arrived, in cents and in any order."""

    amounts_cents: tuple[Deposit, Deposit]


async def verify_bank_account(
    store_id: UUID | None,
    account_id: UUID,
    command: VerifyBankAccount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    provider: BankAccountProvider,
    clock: Clock,
) -> BankAccountView:
    """Name the two micro-deposits. A try counts before it is made, so that many at once are three.

    Raises NotFound, NotAwaitingVerification, VerificationLocked, WrongAmounts, Unavailable.
    """
    async with uow:
        account = await _own(store_id, account_id, actor=actor, uow=uow)
        try:
            account.claim_attempt()
        finally:
            await uow.commit()
        provider_id = account.provider_id
    try:
        await provider.verify_account(provider_id, amounts_cents=command.amounts_cents)
    except (Unavailable, OutcomeUnknown):
        async with uow:
            (await uow.bank_accounts.get(account_id, lock=True)).give_attempt_back()
            await uow.commit()
        raise
    except Rejected as error:
        async with uow:
            account = await uow.bank_accounts.get(account_id, lock=True)
            account.named_wrongly()
            await uow.commit()
        if error.reason != WRONG_AMOUNTS:
            raise NotAwaitingVerification from error
        if account.state is BankAccountState.LOCKED:
            raise VerificationLocked from error
        raise WrongAmounts(view_of(account).attempts_left) from error
    async with uow:
        account = await uow.bank_accounts.get(account_id, lock=True)
        account.verified(at=clock.now())
        record_change("verified", account, actor=actor, uow=uow)
        await uow.commit()
    return view_of(account)


async def _own(
    store_id: UUID | None, account_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> BankAccount:
    payee = await own_payee(store_id, actor=actor, uow=uow)
    account = await uow.bank_accounts.get(account_id, lock=True)
    if account.payee_id != payee.id or not account.is_there:
        raise NotFound("bank account", account_id)
    return account
