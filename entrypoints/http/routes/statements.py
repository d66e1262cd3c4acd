"""Statements of payees: every posting with its reason, as JSON, CSV or PDF."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from application.ports.documents import DocumentRenderer, DocumentTooLong
from application.ports.reporting import EntryKey, StatementViews
from application.reporting import statement_papers, statements
from application.reporting.spans import PeriodInvalid
from application.reporting.statements import Asked, PayeeStatement, StatementQuery
from domain.identity.team import RankTooLow
from domain.shared.errors import NotFound
from entrypoints.http.dependencies import CurrentActor
from entrypoints.http.envelope import CursorMeta, NextCursor
from entrypoints.http.errors import errors
from entrypoints.http.formats import (
    AS_FILES,
    MEDIA_TYPES,
    Accepted,
    AskedPaper,
    Paper,
    as_json,
    chosen,
    documented,
    downloaded,
    streamed,
)
from entrypoints.http.paging import PageCursor, PageLimit, read_cursor, write_cursor
from entrypoints.http.parameters import (
    CurrencyCode,
    TheClock,
    TheDocuments,
    TheStatementViews,
    TheUnitOfWork,
)

FirstDay = Annotated[
    date | None, QueryParameter(name="from", description="First day, in UTC; 2026-03-01.")
]
EndDay = Annotated[
    date | None,
    QueryParameter(name="to", description="The first day that is not included, in UTC."),
]


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Balances are of the whole period on every page."""

    data: PayeeStatement
    meta: CursorMeta


_RESPONSES = {
    200: documented(StatementPage),
    **errors(NotFound, PeriodInvalid, RankTooLow, DocumentTooLong),
}


@get("/creators/statements", opt=AS_FILES, responses=_RESPONSES)
async def read_creator_statement(
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    statement_views: TheStatementViews,
    documents: TheDocuments,
    since: FirstDay = None,
    until: EndDay = None,
    currency: CurrencyCode = None,
    asked_format: AskedPaper = None,
    accept: Accepted = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Response[Any] | Stream:
    """Everything that moved the caller's money as a creator, each with its reason; opening and
    closing balance by state."""
    query = StatementQuery(since=since, until=until, currency=currency)
    asked = await statements.ask_of_creator(
        query, actor=actor, uow=uow, views=statement_views, clock=clock
    )
    paper = chosen(asked_format, accept)
    return await _answer(asked, paper, statement_views, documents, limit=limit, cursor=cursor)


@get("/stores/{store_id:uuid}/statements", opt=AS_FILES, responses=_RESPONSES)
async def read_store_statement(
    store_id: FromPath[UUID],
    actor: CurrentActor,
    uow: TheUnitOfWork,
    clock: TheClock,
    statement_views: TheStatementViews,
    documents: TheDocuments,
    since: FirstDay = None,
    until: EndDay = None,
    currency: CurrencyCode = None,
    asked_format: AskedPaper = None,
    accept: Accepted = None,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
) -> Response[Any] | Stream:
    """Everything that moved the store's money, each with its reason; for those of its people who
    may see its money."""
    query = StatementQuery(since=since, until=until, currency=currency)
    asked = await statements.ask_of_store(
        store_id, query, actor=actor, uow=uow, views=statement_views, clock=clock
    )
    paper = chosen(asked_format, accept)
    return await _answer(asked, paper, statement_views, documents, limit=limit, cursor=cursor)


async def _answer(
    asked: Asked,
    paper: Paper,
    views: StatementViews,
    documents: DocumentRenderer,
    *,
    limit: int,
    cursor: str | None,
) -> Response[Any] | Stream:
    media_type, name = MEDIA_TYPES[paper], statement_papers.file_name(asked, paper)
    match paper:
        case Paper.CSV:
            content = statement_papers.statement_csv(asked, views=views)
            return streamed(content, media_type=media_type, name=name)
        case Paper.PDF:
            drawn = await statement_papers.statement_pdf(asked, views=views, documents=documents)
            return downloaded(drawn, media_type=media_type, name=name)
        case Paper.JSON:
            after = read_cursor(cursor, EntryKey)
            found = await statements.show_statement(
                asked, views=views, after=after, limit=limit + 1
            )
            more = len(found.entries) > limit
            shown = msgspec.structs.replace(found, entries=found.entries[:limit])
            key = write_cursor(shown.entries[-1].key) if more else None
            return as_json(StatementPage(data=shown, meta=CursorMeta(NextCursor(key))))


ROUTER = Router(
    "/api/v1", route_handlers=[read_creator_statement, read_store_statement], tags=["Statements"]
)
