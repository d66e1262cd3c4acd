"""The bank accounts that a payee is paid to: shown, chosen, reviewed, removed.

They come by `bank_account_opening` and are proved by `bank_account_proof`.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.payouts import (
    BankAccountProvider,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.bank_account import (
    BankAccount,
    BankAccountState,
    HolderName,
)
from domain.shared.errors import NotFound

CLOSE_BANK_ACCOUNT = "bank_accounts.close"


class ReviewBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    approved: bool


class CloseBankAccount(msgspec.Struct, frozen=True, kw_only=True):
    provider_id: str


class BankAccountView(msgspec.Struct, frozen=True, kw_only=True):
    """`can_be_paid`: verified, and held by somebody of the payee's name."""

    id: UUID
    bank_name: str | None
    last4: str
    currency: str
    state: BankAccountState
    holder_name: HolderName
    is_default: bool
    can_be_paid: bool
    attempts_left: int
    created_at: datetime


async def list_bank_accounts(
    store_id: UUID | None, *, actor: Actor, uow: UnitOfWork
) -> list[BankAccountView]:
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        found = await uow.bank_accounts.of_payee(payee.id)
    return [view_of(account) for account in found]


async def make_default(
    store_id: UUID | None, account_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> BankAccountView:
    """Payouts from now on go to this one. Raises NotFound."""
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        accounts = await uow.bank_accounts.of_payee(payee.id)
        chosen = next((account for account in accounts if account.id == account_id), None)
        if chosen is None:
            raise NotFound("bank account", account_id)
        await uow.bank_accounts.choose(chosen, among=accounts)
        record_change("made_default", chosen, actor=actor, uow=uow)
        await uow.commit()
    return view_of(chosen)


async def remove_bank_account(
    store_id: UUID | None, account_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> BankAccountView:
    """Out of use at once, closed at the provider soon. The oldest account that can be paid takes
    over where it was the default. Payouts under way to it go on. Raises NotFound."""
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
        accounts = await uow.bank_accounts.of_payee(payee.id)
        gone = next((account for account in accounts if account.id == account_id), None)
        if gone is None:
            raise NotFound("bank account", account_id)
        was_default = gone.is_default
        gone.remove(at=clock.now())
        heir = next((a for a in accounts if a is not gone and a.can_be_paid), None)
        if was_default and heir is not None:
            await uow.bank_accounts.choose(heir, among=accounts)
        uow.outbox.add(CLOSE_BANK_ACCOUNT, CloseBankAccount(provider_id=gone.provider_id))
        record_change("removed", gone, actor=actor, uow=uow)
        await uow.commit()
    return view_of(gone)


async def review_bank_account(
    account_id: UUID, command: ReviewBankAccount, *, actor: Actor, uow: UnitOfWork
) -> BankAccountView:
    """An administrator says whether an account of another name is the payee's.

    Raises RoleRequired, NotFound, NotReviewable.
    """
    actor.require(Role.ADMIN)
    async with uow:
        account = await uow.bank_accounts.get(account_id, lock=True)
        account.review(approved=command.approved)
        record_change("reviewed", account, actor=actor, uow=uow)
        await uow.commit()
    return view_of(account)


async def close_bank_account(provider_id: str, *, provider: BankAccountProvider) -> None:
    """Raises Unavailable."""
    await provider.close_account(provider_id)


def record_change(done: str, account: BankAccount, *, actor: Actor, uow: UnitOfWork) -> None:
    """Where money goes is the first thing that a thief changes: each change is in the log."""
    uow.audit.record(
        f"bank_account.{done}",
        actor=actor,
        on=("bank_account", account.id),
        after={
            "payee_id": account.payee_id,
            "state": account.state,
            "holder": account.holder_name,
            "is_default": account.is_default,
        },
    )


def view_of(account: BankAccount) -> BankAccountView:
    return BankAccountView(
        id=account.id,
        bank_name=account.bank_name,
        last4=account.last4,
        currency=account.currency,
        state=account.state,
        holder_name=account.holder_name,
        is_default=account.is_default,
        can_be_paid=account.can_be_paid,
        attempts_left=account.attempts_left,
        created_at=account.created_at,
    )
