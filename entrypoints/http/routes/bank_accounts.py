"""The bank accounts of creators and stores. No account's number ever comes this way."""

from uuid import UUID

from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from application.ledger import bank_account_opening, bank_account_proof, bank_accounts
from application.ledger.bank_account_opening import (
    AddBankAccount,
    BankTokenRefused,
    LinkBankAccount,
    TooManyAccounts,
)
from application.ledger.bank_account_proof import VerifyBankAccount, WrongAmounts
from application.ledger.bank_accounts import BankAccountView, ReviewBankAccount
from application.ports.payouts import LinkToken
from domain.identity.actor import RoleRequired
from domain.ledger.bank_account import (
    NotAwaitingVerification,
    NotReviewable,
    VerificationLocked,
)
from domain.ledger.payout_rules import BankPayoutsOff
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import (
    TheBankAccounts,
    TheBankLinks,
    TheClock,
    TheIds,
    ThePayoutPolicy,
    TheUnitOfWork,
)

CREATOR, STORE = "/creators/bank-accounts", "/stores/{store_id:uuid}/bank-accounts"
ONE = "/{account_id:uuid}"


@get([CREATOR, STORE], responses=errors(NotFound))
async def list_accounts(
    actor: CurrentActor, uow: TheUnitOfWork, store_id: FromPath[UUID | None] = None
) -> Data[list[BankAccountView]]:
    """The accounts in use, oldest first; payouts go to the default one."""
    return Data(await bank_accounts.list_bank_accounts(store_id, actor=actor, uow=uow))


@post(
    [CREATOR, STORE],
    opt=idempotent(),
    responses=errors(NotFound, BankPayoutsOff, BankTokenRefused, TooManyAccounts, 503),
)
async def add_account(
    data: JSONBody[AddBankAccount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    bank_accounts_provider: TheBankAccounts,
    payout_policy: ThePayoutPolicy,
    clock: TheClock,
    ids: TheIds,
    store_id: FromPath[UUID | None] = None,
) -> Data[BankAccountView]:
    """Add an account by the payout provider's token; two micro-deposits are on their way then."""
    return Data(
        await bank_account_opening.add_bank_account(
            store_id,
            data,
            actor=actor,
            uow=uow,
            provider=bank_accounts_provider,
            policy=payout_policy,
            clock=clock,
            ids=ids,
        )
    )


@post(
    [f"{CREATOR}/plaid/link", f"{STORE}/plaid/link"],
    responses=errors(NotFound, BankPayoutsOff, 503),
)
async def start_link(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    bank_links: TheBankLinks,
    payout_policy: ThePayoutPolicy,
    store_id: FromPath[UUID | None] = None,
) -> Data[LinkToken]:
    """A token that opens the page where the payee signs in to its bank."""
    return Data(
        await bank_account_opening.start_link(
            store_id, actor=actor, uow=uow, links=bank_links, policy=payout_policy
        )
    )


@post(
    [f"{CREATOR}/plaid/exchange", f"{STORE}/plaid/exchange"],
    opt=idempotent(),
    responses=errors(NotFound, BankPayoutsOff, BankTokenRefused, TooManyAccounts, 503),
)
async def link_account(
    data: JSONBody[LinkBankAccount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    bank_accounts_provider: TheBankAccounts,
    bank_links: TheBankLinks,
    payout_policy: ThePayoutPolicy,
    clock: TheClock,
    ids: TheIds,
    store_id: FromPath[UUID | None] = None,
) -> Data[BankAccountView]:
    """Add the account that was picked at the bank; it is verified at once."""
    return Data(
        await bank_account_opening.link_bank_account(
            store_id,
            data,
            actor=actor,
            uow=uow,
            provider=bank_accounts_provider,
            links=bank_links,
            policy=payout_policy,
            clock=clock,
            ids=ids,
        )
    )


@post(
    [f"{CREATOR}{ONE}/verify", f"{STORE}{ONE}/verify"],
    status_code=200,
    responses=errors(NotFound, WrongAmounts, VerificationLocked, NotAwaitingVerification, 503),
)
async def verify_account(
    account_id: FromPath[UUID],
    data: JSONBody[VerifyBankAccount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    bank_accounts_provider: TheBankAccounts,
    clock: TheClock,
    store_id: FromPath[UUID | None] = None,
) -> Data[BankAccountView]:
    """Name the two micro-deposits; there are three tries."""
    return Data(
        await bank_account_proof.verify_bank_account(
            store_id,
            account_id,
            data,
            actor=actor,
            uow=uow,
            provider=bank_accounts_provider,
            clock=clock,
        )
    )


@put([f"{CREATOR}{ONE}/default", f"{STORE}{ONE}/default"], responses=errors(NotFound))
async def make_default(
    account_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    store_id: FromPath[UUID | None] = None,
) -> Data[BankAccountView]:
    """Payouts from now on go to this account."""
    return Data(await bank_accounts.make_default(store_id, account_id, actor=actor, uow=uow))


@delete([f"{CREATOR}{ONE}", f"{STORE}{ONE}"], status_code=200, responses=errors(NotFound))
async def remove_account(
    account_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    store_id: FromPath[UUID | None] = None,
) -> Data[BankAccountView]:
    """Out of use at once; payouts that are under way to it go on."""
    return Data(
        await bank_accounts.remove_bank_account(
            store_id, account_id, actor=actor, uow=uow, clock=clock
        )
    )


@post(
    "/admin/bank-accounts/{account_id:uuid}/review",
    status_code=200,
    responses=errors(RoleRequired, NotFound, NotReviewable),
)
async def review_account(
    account_id: FromPath[UUID],
    data: JSONBody[ReviewBankAccount],
    actor: CurrentActor,
    uow: TheUnitOfWork,
) -> Data[BankAccountView]:
    """An administrator decides about an account whose holder has another name than the payee."""
    return Data(await bank_accounts.review_bank_account(account_id, data, actor=actor, uow=uow))


ROUTER = Router(
    "/api/v1",
    route_handlers=[
        list_accounts,
        add_account,
        start_link,
        link_account,
        verify_account,
        make_default,
        remove_account,
        review_account,
    ],
    tags=["Bank accounts"],
)
