"""A small business of its own, served as every route of the API is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, MultipartBody, SkipValidation
from msgspec import Struct

from application.ports.clock import Clock
from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.ids import Ids
from domain.identity.actor import Actor
from domain.shared.errors import Conflict, Gone, NotFound, RuleRefused
from entrypoints.http.dependencies import CurrentActor, Visitor
from entrypoints.http.envelope import Data, NumberedPage, Page
from entrypoints.http.errors import errors
from entrypoints.http.idempotency import idempotent
from entrypoints.http.paging import (
    PageCursor,
    PageLimit,
    PageNumber,
    numbered_page,
    page_of,
    read_cursor,
)
from entrypoints.http.rate_limiting import limited


class PostcardFull(RuleRefused):
    """The text does not fit on the card."""

    code = "postcard_full"


class SendPostcard(Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    copies: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class Postcard(Struct, frozen=True):
    id: UUID
    text: str
    sent_at: datetime


class Postcards(Protocol):
    async def add(self, card: Postcard) -> None: ...

    async def find(self, card_id: UUID) -> Postcard: ...

    async def after(self, key: tuple[datetime, UUID] | None, *, limit: int) -> list[Postcard]: ...


@dataclass
class MemoryPostcards:
    cards: list[Postcard] = field(default_factory=list)

    async def add(self, card: Postcard) -> None:
        self.cards.append(card)

    async def find(self, card_id: UUID) -> Postcard:
        for card in self.cards:
            if card.id == card_id:
                return card
        raise NotFound("postcard", card_id)

    async def after(self, key: tuple[datetime, UUID] | None, *, limit: int) -> list[Postcard]:
        ordered = sorted(self.cards, key=lambda card: (card.sent_at, card.id))
        return [c for c in ordered if key is None or (c.sent_at, c.id) > key][:limit]


async def send_postcard(
    command: SendPostcard, *, actor: Actor, postcards: Postcards, clock: Clock, ids: Ids
) -> Postcard:
    if "too much" in command.text:
        raise PostcardFull("The text does not fit on the card.", actor=actor.user_id)
    card = Postcard(ids.new(), command.text, clock.now())
    await postcards.add(card)
    return card


@post("/", opt=idempotent(), responses=errors(PostcardFull), summary="Send a postcard")
async def send(
    data: JSONBody[SendPostcard],
    actor: CurrentActor,
    postcards: NamedDependency[SkipValidation[Postcards]],
    clock: NamedDependency[SkipValidation[Clock]],
    ids: NamedDependency[SkipValidation[Ids]],
) -> Data[Postcard]:
    """Every copy is posted on the same day."""
    return Data(await send_postcard(data, actor=actor, postcards=postcards, clock=clock, ids=ids))


@get("/{card_id:uuid}", summary="Read a postcard")
async def read(
    card_id: FromPath[UUID],
    visitor: Visitor,
    postcards: NamedDependency[SkipValidation[Postcards]],
) -> Data[Postcard]:
    return Data(await postcards.find(card_id))


@get("/", summary="List the postcards")
async def list_cards(
    postcards: NamedDependency[SkipValidation[Postcards]],
    cursor: PageCursor = None,
    limit: PageLimit = 20,
) -> Page[Postcard]:
    key = read_cursor(cursor, tuple[datetime, UUID])
    rows = await postcards.after(key, limit=limit + 1)
    return page_of(rows, limit=limit, key=lambda card: (card.sent_at, card.id))


@get("/counted", summary="List the postcards by page number")
async def list_counted(
    postcards: NamedDependency[SkipValidation[Postcards]],
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> NumberedPage[Postcard]:
    rows = await postcards.after(None, limit=10_000)
    shown = rows[(page - 1) * limit : page * limit]
    return numbered_page(shown, page=page, limit=limit, total=len(rows))


class Picture(Struct):
    file: UploadFile


@post("/picture", request_max_body_size=5_000_000, summary="Upload a picture")
async def upload(data: MultipartBody[Picture], actor: CurrentActor) -> Data[int]:
    return Data(len(await data.file.read()))


@post("/pay", opt=idempotent(required=True), status_code=200, summary="Pay")
async def pay(data: JSONBody[SendPostcard], actor: CurrentActor) -> Data[str]:
    return Data(f"paid for {data.text}")


class SignIn(Struct, frozen=True):
    email: str


@post("/login", opt=limited("login", account_field="email"), status_code=200)
async def login(data: JSONBody[SignIn]) -> Data[str]:
    return Data("welcome")


@get("/broken/{kind:str}", include_in_schema=False)
async def broken(kind: FromPath[str]) -> Data[None]:
    match kind:
        case "unavailable":
            raise Unavailable("psql: 10.0.0.7 refused", provider="stripe", retry_after_s=2.5)
        case "away":
            raise Unavailable("psql: 10.0.0.7 refused", provider="stripe")
        case "rejected":
            raise Rejected("sk_live_1 has no access", provider="stripe", reason="no_access")
        case "unknown":
            raise OutcomeUnknown("read timeout", provider="stripe")
        case "gone":
            raise Gone("The link has expired.")
        case "conflict":
            raise Conflict("It was changed meanwhile.")
    raise RuntimeError("the secret ingredient is love")


ROUTER = Router(
    "/api/v1/postcards",
    route_handlers=[send, read, list_cards, list_counted, upload, pay, login, broken],
    tags=["postcards"],
)
