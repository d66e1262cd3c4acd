"""Bank accounts come by a token of the payout provider, or by signing in to the bank.

Numbers never reach us: the payee's browser gives them to the payout provider and us its token, or
the payee signs in to the bank (Plaid) and we pass that token on. We keep the last four digits.
"""

import hashlib
from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.bank_accounts import BankAccountView, record_change, view_of
from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.ids import Ids
from application.ports.payouts import (
    BankAccountProvider,
    BankLinks,
    LinkToken,
    ProviderBankAccount,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.bank_account import (
    BankAccount,
    BankAccountState,
    compare_names,
)
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.payout_rules import BankPayoutsOff, PayoutPolicy
from domain.shared.errors import Conflict, RuleRefused

MOST_ACCOUNTS = 10

Token = Annotated[str, msgspec.Meta(min_length=4, max_length=300, pattern="^[A-Za-z0-9_-]+$")]


class BankTokenRefused(RuleRefused):
    """The provider does not take this token: it was used, has expired or never was one."""

    code = "bank_token_refused"

    def __init__(self) -> None:
        super().__init__("The provider does not take this token: start again.")


class TooManyAccounts(Conflict):
    """Remove an account before adding another."""

    code = "too_many_bank_accounts"

    def __init__(self) -> None:
        super().__init__(f"A payee has at most {MOST_ACCOUNTS} bank accounts.")


class AddBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`token` is what the payout provider gave the browser for the account's number."""

    token: Token


class LinkBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the link's page gave the browser, and the account picked there."""

    public_token: Token
    account_id: Token


async def add_bank_account(
    store_id: UUID | None,
    command: AddBankAccount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    provider: BankAccountProvider,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
) -> BankAccountView:
    """By a token of the payout provider; two micro-deposits are on their way then.

    Raises NotFound, BankPayoutsOff, BankTokenRefused, TooManyAccounts and provider errors.
    """
    _require_bank_payouts(policy)
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
    try:
        opened = await provider.open_account(key=_key(payee.id, command.token), token=command.token)
    except Rejected as error:
        raise BankTokenRefused from error
    return await _keep(payee.id, opened, actor=actor, uow=uow, clock=clock, ids=ids)


async def start_link(
    store_id: UUID | None,
    *,
    actor: Actor,
    uow: UnitOfWork,
    links: BankLinks,
    policy: PayoutPolicy,
) -> LinkToken:
    """Opens the page where the payee signs in to its bank. Raises BankPayoutsOff."""
    _require_bank_payouts(policy)
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
    return await links.start(payee_id=payee.id)


async def link_bank_account(
    store_id: UUID | None,
    command: LinkBankAccount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    provider: BankAccountProvider,
    links: BankLinks,
    policy: PayoutPolicy,
    clock: Clock,
    ids: Ids,
) -> BankAccountView:
    """By the bank's own word: verified at once.

    Raises NotFound, BankPayoutsOff, BankTokenRefused, TooManyAccounts and provider errors.
    """
    _require_bank_payouts(policy)
    async with uow:
        payee = await own_payee(store_id, actor=actor, uow=uow)
    try:
        token = await links.processor_token(
            public_token=command.public_token, account_id=command.account_id
        )
        opened = await provider.open_account(key=_key(payee.id, token), processor_token=token)
    except Rejected as error:
        raise BankTokenRefused from error
    return await _keep(payee.id, opened, actor=actor, uow=uow, clock=clock, ids=ids)


async def _keep(
    payee_id: UUID,
    opened: ProviderBankAccount,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    ids: Ids,
) -> BankAccountView:
    async with uow:
        payee = await uow.payees.get(payee_id, lock=True)
        accounts = await uow.bank_accounts.of_payee(payee_id)
        known = next((a for a in accounts if a.provider_id == opened.provider_id), None)
        if known is not None:
            return view_of(known)
        if len(accounts) >= MOST_ACCOUNTS:
            raise TooManyAccounts
        now = clock.now()
        account = BankAccount(
            id=ids.new(),
            payee_id=payee_id,
            provider_id=opened.provider_id,
            bank_name=opened.bank_name,
            last4=opened.last4,
            currency=opened.currency,
            state=BankAccountState.VERIFIED if opened.verified else BankAccountState.UNVERIFIED,
            holder_name=compare_names(opened.holder, await _names_of(payee, uow=uow)),
            is_default=not any(account.is_default for account in accounts),
            created_at=now,
            verified_at=now if opened.verified else None,
        )
        uow.bank_accounts.add(account)
        record_change("added", account, actor=actor, uow=uow)
        await uow.commit()
    return view_of(account)


async def _names_of(payee: Payee, *, uow: UnitOfWork) -> list[str]:
    """What the payee goes by: its page's or store's name, and that of the person behind it."""
    if payee.kind is PayeeKind.STORE:
        store = await uow.stores.get(payee.id)
        return [store.name, (await uow.users.get(store.owner_id)).display_name]
    creator = await uow.creators.get(payee.id)
    return [creator.display_name, (await uow.users.get(creator.user_id)).display_name]


def _require_bank_payouts(policy: PayoutPolicy) -> None:
    if not policy.bank_payouts:
        raise BankPayoutsOff


def _key(payee_id: UUID, token: str) -> str:
    """The same token of the same payee is the same account, however often it is sent."""
    return f"account:{payee_id}:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
