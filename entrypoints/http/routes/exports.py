"""Accounting exports, for administrators."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from litestar import Response, Router, get
from litestar.openapi import ResponseSpec
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from application.ports.documents import DocumentTooLong
from application.ports.exports import ExportKind
from application.reporting import exports
from application.reporting.exports import ExportQuery
from application.reporting.spans import PeriodInvalid
from domain.identity.actor import RoleRequired
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.errors import errors
from entrypoints.http.formats import downloaded, streamed
from entrypoints.http.parameters import TheClock, TheExportViews, TheTables


class Filed(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"


PARQUET_TYPE = "application/vnd.apache.parquet"
FiledFormat = Annotated[Filed, QueryParameter(name="format", description="`csv` or `parquet`.")]
FirstDay = Annotated[
    date | None, QueryParameter(name="from", description="First day, in UTC; 2026-03-01.")
]
EndDay = Annotated[
    date | None,
    QueryParameter(name="to", description="The first day that is not included, in UTC."),
]


@get(
    "/",
    opt={"files": (PARQUET_TYPE,)},
    responses={
        200: ResponseSpec(
            bytes, media_type="text/csv", description="CSV as it is read, or a Parquet file."
        ),
        **errors(RoleRequired, PeriodInvalid, DocumentTooLong),
    },
)
async def export(
    actor: CurrentActor,
    clock: TheClock,
    export_views: TheExportViews,
    tables: TheTables,
    kind: FromQuery[ExportKind] = ExportKind.ENTRIES,
    since: FirstDay = None,
    until: EndDay = None,
    filed: FiledFormat = Filed.CSV,
) -> Response[Any] | Stream:
    """The books of some days as rows, each with the ids by which it is found again. CSV may be of
    any length; a Parquet file has at most 100,000 rows."""
    asked = exports.ask(ExportQuery(kind=kind, since=since, until=until), actor=actor, clock=clock)
    match filed:
        case Filed.CSV:
            content = exports.export_csv(asked, views=export_views)
            return streamed(content, media_type="text/csv", name=asked.file_name("csv"))
        case Filed.PARQUET:
            file = await exports.export_parquet(asked, views=export_views, tables=tables)
            return downloaded(file, media_type=PARQUET_TYPE, name=asked.file_name("parquet"))


ROUTER = Router("/api/v1/admin/exports", route_handlers=[export], tags=["Administration"])
