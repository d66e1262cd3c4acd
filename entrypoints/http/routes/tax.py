"""Tax profiles of payees, and the 1099 forms of administrators."""

from uuid import UUID

from litestar import Router, get, post, put
from litestar.params import FromPath, JSONBody

from application.reporting import tax_exports, tax_profiles
from application.reporting.tax_exports import Filed, FileForms
from application.reporting.tax_profiles import JudgeTaxProfile, PutTaxProfile, TaxProfileView
from domain.identity.actor import RoleRequired
from domain.identity.team import RankTooLow
from domain.reporting.tax_profile import TaxNumberRefused
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.parameters import TheClock, TheIds, TheTaxViews, TheUnitOfWork


@get("/creators/tax-profile", responses=errors(NotFound))
async def read_creator_tax_profile(actor: CurrentActor, uow: TheUnitOfWork) -> Data[TaxProfileView]:
    """What the caller, as a creator, told for the tax authorities."""
    payee_id = await tax_profiles.own_payee(actor=actor, uow=uow)
    return Data(await tax_profiles.show_profile(payee_id, actor=actor, uow=uow))


@put("/creators/tax-profile", responses=errors(NotFound, TaxNumberRefused))
async def put_creator_tax_profile(
    data: JSONBody[PutTaxProfile], actor: CurrentActor, uow: TheUnitOfWork, clock: TheClock
) -> Data[TaxProfileView]:
    """Tell, as a creator, what the tax authorities must know. Send the token of the service that
    keeps your tax number, never the number."""
    payee_id = await tax_profiles.own_payee(actor=actor, uow=uow)
    return Data(await tax_profiles.put_profile(payee_id, data, actor=actor, uow=uow, clock=clock))


@get("/stores/{store_id:uuid}/tax-profile", responses=errors(NotFound, RankTooLow))
async def read_store_tax_profile(
    store_id: FromPath[UUID], actor: CurrentActor, uow: TheUnitOfWork
) -> Data[TaxProfileView]:
    """What the store told for the tax authorities."""
    return Data(await tax_profiles.show_profile(store_id, actor=actor, uow=uow))


@put(
    "/stores/{store_id:uuid}/tax-profile", responses=errors(NotFound, RankTooLow, TaxNumberRefused)
)
async def put_store_tax_profile(
    store_id: FromPath[UUID],
    data: JSONBody[PutTaxProfile],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[TaxProfileView]:
    """Tell what the tax authorities must know of the store. Needs the owner."""
    return Data(await tax_profiles.put_profile(store_id, data, actor=actor, uow=uow, clock=clock))


@put("/admin/tax-profiles/{payee_id:uuid}", responses=errors(NotFound, RoleRequired))
async def judge_tax_profile(
    payee_id: FromPath[UUID],
    data: JSONBody[JudgeTaxProfile],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
) -> Data[TaxProfileView]:
    """Say whether name and tax number match, and whether tax must be withheld."""
    return Data(await tax_profiles.judge_profile(payee_id, data, actor=actor, uow=uow, clock=clock))


@post("/admin/tax-forms/filings", responses=errors(RoleRequired))
async def file_tax_forms(
    data: JSONBody[FileForms],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    tax_views: TheTaxViews,
    clock: TheClock,
    ids: TheIds,
) -> Data[Filed]:
    """Say that the forms of a year were filed as they are exported now. What changes later is
    marked as a correction."""
    return Data(
        await tax_exports.file_forms(
            data, actor=actor, uow=uow, views=tax_views, clock=clock, ids=ids
        )
    )


ROUTER = Router(
    "/api/v1",
    route_handlers=[
        read_creator_tax_profile,
        put_creator_tax_profile,
        read_store_tax_profile,
        put_store_tax_profile,
    ],
    tags=["Tax"],
)
ADMIN_ROUTER = Router(
    "/api/v1",
    route_handlers=[judge_tax_profile, file_tax_forms],
    tags=["Administration"],
)
