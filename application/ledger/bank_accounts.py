"""The bank accounts that a payee is paid to: added by a token, proved, chosen, removed.

Numbers never reach us: the payee's browser gives them to the payout provider and us its token, or
the payee signs in to the bank (Plaid) and we pass that token on. We keep the last four digits.
"""

import hashlib
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.ledger.payees import own_payee
from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.ids import Ids
from application.ports.payouts import (
    WRONG_AMOUNTS,
    BankAccountProvider,
    BankLinks,
    LinkToken,
    ProviderBankAccount,
)
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor, Role
from domain.ledger.bank_account import (
    BankAccount,
    BankAccountState,
    HolderName,
    NotAwaitingVerification,
    VerificationLocked,
    compare_names,
)
from domain.ledger.payee import Payee, PayeeKind
from domain.ledger.payout_rules import BankPayoutsOff, PayoutPolicy
from domain.shared.errors import Conflict, NotFound, RuleRefused

CLOSE_BANK_ACCOUNT = "bank_accounts.close"
MOST_ACCOUNTS = 10

Token = Annotated[str, msgspec.Meta(min_length=4, max_length=300, pattern="^[A-Za-z0-9_-]+$")]
Deposit = Annotated[int, msgspec.Meta(ge=1, le=99)]


class BankTokenRefused(RuleRefused):
    """The provider does not take this token: it was used, has expired or never was one."""

    code = "bank_token_refused"

    def __init__(self) -> None:
        super().__init__("The provider does not take this token: start again.")


class WrongAmounts(RuleRefused):
    """These are not the two amounts that arrived; after three tries the account is locked."""

    code = "bank_account_wrong_amounts"

    def __init__(self, attempts_left: int) -> None:
        super().__init__("These are not the two amounts that arrived.", attempts_left=attempts_left)


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


class VerifyBankAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two amounts that arrived, in cents and in any order."""

    amounts_cents: tuple[Deposit, Deposit]


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
    return [_view(account) for account in found]


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
        raise WrongAmounts(_view(account).attempts_left) from error
    async with uow:
        account = await uow.bank_accounts.get(account_id, lock=True)
        account.verified(at=clock.now())
        _record("verified", account, actor=actor, uow=uow)
        await uow.commit()
    return _view(account)


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
        _record("made_default", chosen, actor=actor, uow=uow)
        await uow.commit()
    return _view(chosen)


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
        _record("removed", gone, actor=actor, uow=uow)
        await uow.commit()
    return _view(gone)


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
        _record("reviewed", account, actor=actor, uow=uow)
        await uow.commit()
    return _view(account)


async def close_bank_account(provider_id: str, *, provider: BankAccountProvider) -> None:
    """Raises Unavailable."""
    await provider.close_account(provider_id)


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
            return _view(known)
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
        _record("added", account, actor=actor, uow=uow)
        await uow.commit()
    return _view(account)


async def _names_of(payee: Payee, *, uow: UnitOfWork) -> list[str]:
    """What the payee goes by: its page's or store's name, and that of the person behind it."""
    if payee.kind is PayeeKind.STORE:
        store = await uow.stores.get(payee.id)
        return [store.name, (await uow.users.get(store.owner_id)).display_name]
    creator = await uow.creators.get(payee.id)
    return [creator.display_name, (await uow.users.get(creator.user_id)).display_name]


async def _own(
    store_id: UUID | None, account_id: UUID, *, actor: Actor, uow: UnitOfWork
) -> BankAccount:
    payee = await own_payee(store_id, actor=actor, uow=uow)
    account = await uow.bank_accounts.get(account_id, lock=True)
    if account.payee_id != payee.id or not account.is_there:
        raise NotFound("bank account", account_id)
    return account


def _record(done: str, account: BankAccount, *, actor: Actor, uow: UnitOfWork) -> None:
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


def _require_bank_payouts(policy: PayoutPolicy) -> None:
    if not policy.bank_payouts:
        raise BankPayoutsOff


def _key(payee_id: UUID, token: str) -> str:
    """The same token of the same payee is the same account, however often it is sent."""
    return f"account:{payee_id}:{hashlib.sha256(token.encode()).hexdigest()[:32]}"


def _view(account: BankAccount) -> BankAccountView:
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
