"""The way to being paid, the same for creators and stores."""

from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from application.ledger import payees
from application.ledger.payees import Onboarding, PayeeView, StartOnboarding
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.parameters import (
    TheClock,
    ThePayeeAccounts,
    TheUnitOfWork,
)


@post(
    ["/creators/{payee_id:uuid}/payee/onboarding", "/stores/{payee_id:uuid}/payee/onboarding"],
    opt=idempotent(),
    responses=errors(NotFound, 502, 503),
)
async def start_onboarding(
    payee_id: FromPath[UUID],
    data: JSONBody[StartOnboarding],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
) -> Data[Onboarding]:
    """A link to where a creator or a store proves who it is, so that it can be paid."""
    return Data(
        await payees.start_onboarding(payee_id, data, actor=actor, uow=uow, accounts=payee_accounts)
    )


@get(
    ["/creators/{payee_id:uuid}/payee", "/stores/{payee_id:uuid}/payee"],
    responses=errors(NotFound, 502, 503),
)
async def read_payee(
    payee_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    payee_accounts: ThePayeeAccounts,
    clock: TheClock,
) -> Data[PayeeView]:
    """Whether a creator or a store can be paid, and what is still asked of it."""
    return Data(
        await payees.show_payee(
            payee_id, actor=actor, uow=uow, accounts=payee_accounts, clock=clock
        )
    )


ROUTER = Router("/api/v1", route_handlers=[start_onboarding, read_payee], tags=["Payees"])
