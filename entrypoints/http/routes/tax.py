"""Tax profiles of payees, and the 1099 forms of administrators."""

from typing import Annotated
from uuid import UUID

from litestar import Router, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from application.reporting import tax_exports, tax_profiles
from application.reporting.tax_exports import Filed, FileForms
from application.reporting.tax_profiles import JudgeTaxProfile, PutTaxProfile, TaxProfileView
from domain.identity.actor import RoleRequired
from domain.identity.team import RankTooLow
from domain.reporting.tax_profile import TaxNumberRefused
from domain.reporting.thresholds import TaxForm
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import Data
from entrypoints.http.errors import errors
from entrypoints.http.formats import streamed
from entrypoints.http.parameters import TheClock, TheIds, TheTaxViews, TheUnitOfWork

_Year = Annotated[
    int | None,
    QueryParameter(ge=2020, le=2100, description="Year of the payments; last year without it."),
]


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


@get(
    "/admin/tax-forms",
    responses={
        200: ResponseSpec(bytes, media_type="text/csv", description="One row for each payee."),
        **errors(RoleRequired),
    },
)
async def export_tax_forms(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    tax_views: TheTaxViews,
    clock: TheClock,
    form: FromQuery[TaxForm] = TaxForm.K,
    year: _Year = None,
) -> Stream:
    """The data of a year's 1099 forms as CSV: gross by month, whether a form is due and by which
    rule, and whether it differs from what was filed."""
    year = year or clock.now().year - 1
    content = tax_exports.tax_csv(form, year, actor=actor, uow=uow, views=tax_views)
    return streamed(content, media_type="text/csv", name=f"{form}-{year}.csv")


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
    route_handlers=[judge_tax_profile, export_tax_forms, file_tax_forms],
    tags=["Administration"],
)
