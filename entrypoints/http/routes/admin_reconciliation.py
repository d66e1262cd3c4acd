"""For administrators: what differs between the payment provider's balance and the books."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from application.ledger import reconciliation
from application.ledger.invariants import show_invariants
from application.ledger.reconciliation import AskReconciliation, DayInvalid, Explain, RunView
from application.ports.invariants import CheckResult, InvariantChecks
from application.ports.reconciliation import DifferenceRecord, ReconciliationViews, RunRecord
from domain.identity.actor import RoleRequired
from domain.ledger.reconciliation import AlreadyResolved, DifferenceState
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data, Page
from entrypoints.http.errors import errors
from entrypoints.http.paging import PageCursor, PageLimit, page_of, read_cursor
from entrypoints.http.parameters import TheClock, TheIds, TheUnitOfWork

TheInvariantChecks = NamedDependency[SkipValidation[InvariantChecks]]
TheReconciliationViews = NamedDependency[SkipValidation[ReconciliationViews]]
InState = Annotated[
    DifferenceState | None, QueryParameter(name="state", description="Only those in this state.")
]


@post("/reconcile", status_code=202, responses=errors(RoleRequired, DayInvalid))
async def ask_reconciliation(
    data: JSONBody[AskReconciliation],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    ids: TheIds,
) -> Data[RunView]:
    """Compare a day, yesterday if none is named; a day that was compared is compared anew."""
    return Data(
        await reconciliation.ask_reconciliation(data, actor=actor, uow=uow, clock=clock, ids=ids)
    )


@get("/reconciliations", responses=errors(RoleRequired))
async def list_reconciliations(
    actor: CurrentActor,
    reconciliation_views: TheReconciliationViews,
    limit: PageLimit = 31,
    cursor: PageCursor = None,
) -> Page[RunRecord]:
    """The runs, one for each day, the latest day first."""
    found = await reconciliation.list_runs(
        before=read_cursor(cursor, date),
        limit=limit + 1,
        actor=actor,
        views=reconciliation_views,
    )
    return page_of(found, limit=limit, key=lambda run: run.day)


@get("/reconciliations/{run_id:uuid}/differences", responses=errors(RoleRequired, NotFound))
async def list_differences(
    run_id: FromPath[UUID],
    actor: CurrentActor,
    reconciliation_views: TheReconciliationViews,
    in_state: InState = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Page[DifferenceRecord]:
    """What a run saw first: both sides, what differs, and a sentence that names it."""
    found = await reconciliation.list_differences(
        run_id,
        state=in_state,
        after=read_cursor(cursor, UUID),
        limit=limit + 1,
        actor=actor,
        views=reconciliation_views,
    )
    return page_of(found, limit=limit, key=lambda one: one.id)


@post(
    "/differences/{difference_id:uuid}/explain",
    status_code=204,
    responses=errors(RoleRequired, NotFound, AlreadyResolved),
)
async def explain_difference(
    difference_id: FromPath[UUID],
    data: JSONBody[Explain],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> None:
    """Say why it is right as it is. The explanation holds until the amounts change."""
    await reconciliation.explain_difference(difference_id, data, actor=actor, uow=uow, clock=clock)


@get("/", responses=errors(RoleRequired))
async def read_invariants(
    actor: CurrentActor, invariant_checks: TheInvariantChecks
) -> Data[list[CheckResult]]:
    """What must hold, and what the last check, every quarter of an hour, found broken."""
    return Data(await show_invariants(actor=actor, checks=invariant_checks))


INVARIANTS_ROUTER = Router(
    "/api/v1/admin/invariants", route_handlers=[read_invariants], tags=["Administration"]
)
ROUTER = Router(
    "/api/v1/admin/ledger",
    route_handlers=[
        ask_reconciliation,
        list_reconciliations,
        list_differences,
        explain_difference,
    ],
    tags=["Administration"],
)
