"""Carts. What is in one is a value of its row: it is read and written as a whole."""

from uuid import UUID

from sqlalchemy import Boolean, Column, Index, Integer, Table, Uuid, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import json_of
from adapters.postgres.encrypted import encrypted_json
from adapters.postgres.metadata import id_column, instant, mappers, metadata
from adapters.postgres.repository import PostgresRepository
from domain.ordering.address import Address
from domain.ordering.cart import Cart, CartItem

carts = Table(
    "carts",
    metadata,
    id_column(),
    Column("user_id", Uuid, nullable=True),
    json_of("items", tuple[CartItem, ...]),
    json_of("codes", tuple[str, ...]),
    encrypted_json("ship_to", Address, nullable=True),
    Column("order_id", Uuid, nullable=True),
    Column("closed", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", Integer, nullable=False),
    Index(
        "uq_carts_open_of_user",
        "user_id",
        unique=True,
        postgresql_where=sql("user_id IS NOT NULL AND NOT closed"),
    ),
)

mappers.map_imperatively(Cart, carts, version_id_col=carts.c.version)


class PostgresCarts(PostgresRepository[Cart]):
    """See `application.ports.carts.Carts`."""

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Cart, kind="cart")

    async def of_user(self, user_id: UUID, *, lock: bool = False) -> Cart | None:
        found = select(Cart).where(carts.c.user_id == user_id, ~carts.c.closed)
        if lock:
            found = found.with_for_update().execution_options(populate_existing=True)
        return await self._one(found)

    async def close(self, cart: Cart) -> None:
        cart.closed = True
        await self._session.flush()
