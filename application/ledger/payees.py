"""Get a creator or a store ready to be paid, and follow its account.

The provider's account is opened outside any transaction, under a key of its own, so that asking
twice opens one. What the account may do is fetched, never believed from a returning browser, and
when it changes, listings of the payee are suspended or come back.
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from application.identity.authority import StoreAct, payee_for, store_for
from application.ports.clock import Clock
from application.ports.errors import Rejected
from application.ports.payments import AccountState, PayeeAccounts
from application.ports.unit_of_work import UnitOfWork
from domain.identity.actor import Actor
from domain.ledger.payee import Payee, PayeeStatus
from domain.shared.errors import NotFound

REFRESH_ACCOUNT = "payees.refresh_account"
ASK_UNREADY_EVERY = timedelta(hours=1)
ASK_READY_EVERY = timedelta(days=1)

BrowserUrl = Annotated[str, msgspec.Meta(min_length=8, max_length=2048, pattern="^https?://[^ ]+$")]


class RefreshAccount(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str


class StartOnboarding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    refresh_url: BrowserUrl
    return_url: BrowserUrl


class Onboarding(msgspec.Struct, frozen=True, kw_only=True):
    """`url` can be opened once, soon; ask again for another."""

    account_id: str
    url: str


class PayeeView(msgspec.Struct, frozen=True, kw_only=True):
    status: PayeeStatus
    account_id: str | None
    transfers_active: bool
    payouts_enabled: bool
    disabled_reason: str | None
    currently_due: list[str]
    past_due: list[str]


async def own_payee(store_id: UUID | None, *, actor: Actor, uow: UnitOfWork) -> Payee:
    """The payee behind a store, or behind the actor's own creator page. Raises NotFound."""
    if store_id is not None:
        await store_for(store_id, StoreAct.MONEY, actor=actor, uow=uow)
        return await uow.payees.get(store_id)
    creator = await uow.creators.of_user(actor.user_id)
    if creator is None:
        raise NotFound("creator")
    return await uow.payees.get(creator.id)


async def start_onboarding(
    payee_id: UUID,
    command: StartOnboarding,
    *,
    actor: Actor,
    uow: UnitOfWork,
    accounts: PayeeAccounts,
) -> Onboarding:
    """Open the payee's account unless it has one. Raises NotFound and provider errors."""
    async with uow:
        payee = await payee_for(payee_id, StoreAct.MONEY, actor=actor, uow=uow)
        account_id = payee.account_id
    if account_id is None:
        account_id = await accounts.open_account(payee_id=payee_id, email=None, country=None)
        async with uow:
            payee = await uow.payees.get(payee_id, lock=True)
            payee.account_id = account_id
            uow.audit.record(
                "payee.account_opened",
                actor=actor,
                on=("payee", payee.id),
                after={"account_id": account_id},
            )
            await uow.commit()
    url = await accounts.onboarding_link(
        account_id, refresh_url=command.refresh_url, return_url=command.return_url
    )
    return Onboarding(account_id=account_id, url=url)


async def show_payee(
    payee_id: UUID, *, actor: Actor, uow: UnitOfWork, accounts: PayeeAccounts, clock: Clock
) -> PayeeView:
    """What still stands between the payee and its money; asks the provider until it is active."""
    async with uow:
        payee = await payee_for(payee_id, StoreAct.MONEY, actor=actor, uow=uow)
    if payee.account_id is not None and not payee.can_be_paid:
        await refresh_account(payee.account_id, uow=uow, accounts=accounts, clock=clock)
        async with uow:
            payee = await uow.payees.get(payee_id)
    return PayeeView(
        status=payee.status,
        account_id=payee.account_id,
        transfers_active=payee.transfers_active,
        payouts_enabled=payee.payouts_enabled,
        disabled_reason=payee.disabled_reason,
        currently_due=list(payee.currently_due),
        past_due=list(payee.past_due),
    )


async def refresh_account(
    account_id: str, *, uow: UnitOfWork, accounts: PayeeAccounts, clock: Clock
) -> None:
    """Fetch what an account may do and act on it. An account that is not ours is ignored; one that
    the provider does not give us any more cannot be paid."""
    asked_at = clock.now()
    try:
        state = await accounts.account_state(account_id)
    except Rejected as error:
        state = AccountState(
            account_id=account_id,
            transfers_active=False,
            payouts_enabled=False,
            disabled_reason=error.reason,
        )
    async with uow:
        payee = await uow.payees.by_account(account_id)
        if payee is None or (payee.refreshed_at and payee.refreshed_at > asked_at):
            return
        _mirror(payee, state)
        payee.refreshed_at = asked_at
        if payee.can_be_paid:
            await uow.products.resume_payable(payee.id)
        else:
            await uow.products.suspend_unpayable(payee.id)
        await uow.commit()


async def sweep_accounts(
    *, uow: UnitOfWork, accounts: PayeeAccounts, clock: Clock, limit: int = 100
) -> int:
    """Ask about accounts of which nothing was heard for long: words of the provider get lost.

    Those that cannot be paid yet are asked about more often than the others. Answers how many
    were asked about. Raises Unavailable.
    """
    now = clock.now()
    async with uow:
        stale = await uow.payees.stale(
            unready_before=now - timedelta(hours=1),
            ready_before=now - timedelta(days=1),
            limit=limit,
        )
    for account_id in stale:
        await refresh_account(account_id, uow=uow, accounts=accounts, clock=clock)
    return len(stale)


def _mirror(payee: Payee, state: AccountState) -> None:
    payee.transfers_active = state.transfers_active
    payee.payouts_enabled = state.payouts_enabled
    payee.disabled_reason = state.disabled_reason
    payee.currently_due = state.currently_due
    payee.past_due = state.past_due
