"""Earnings, transfers and reversals. They are changed under row locks, so they need no version."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.arrays import Values, unnested
from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.payees import CAN_BE_PAID, payees
from adapters.postgres.repository import PostgresRepository
from application.ports.ledger import BalanceKey
from domain.ledger.earning import (
    Earning,
    EarningState,
    HeldEarning,
    Reversal,
    ReversalState,
    Transfer,
    TransferState,
)
from domain.shared.money import Currency

earnings = Table(
    "earnings",
    metadata,
    Column("order_id", ForeignKey("orders.id"), primary_key=True),
    Column("payee_id", ForeignKey("payees.id"), primary_key=True),
    text("currency"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    cents("returned_cents"),
    cents("disputed_cents", server_default="0"),
    cents("fee_cents", server_default="0"),
    enum_text("state", EarningState),
    instant("release_at"),
    instant("released_at", nullable=True),
    CheckConstraint("0 <= fee_cents AND fee_cents <= amount_cents", name="fee_within_amount"),
    CheckConstraint(
        "0 <= returned_cents AND returned_cents <= amount_cents", name="returned_within_amount"
    ),
    CheckConstraint(
        "0 <= disputed_cents AND returned_cents + disputed_cents <= amount_cents",
        name="disputed_within_amount",
    ),
    Index("ix_earnings_pending", "release_at", postgresql_where=sql("state = 'pending'")),
    Index("ix_earnings_released", "released_at", postgresql_where=sql("state = 'released'")),
    Index(None, "payee_id", "state"),
)

transfers = Table(
    "transfers",
    metadata,
    id_column(),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("payee_id", ForeignKey("payees.id"), nullable=False),
    text("account_id"),
    text("charge_id"),
    text("currency"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    cents("reversal_cents"),
    enum_text("state", TransferState),
    Column("attempt", Integer, nullable=False),
    text("provider_id", nullable=True),
    text("last_error", nullable=True),
    instant("created_at"),
    instant("sent_at", nullable=True),
    UniqueConstraint("order_id", "payee_id"),
    UniqueConstraint("provider_id"),
    CheckConstraint(
        "0 <= reversal_cents AND reversal_cents <= amount_cents", name="reversals_within_amount"
    ),
    CheckConstraint("(state = 'sent') = (provider_id IS NOT NULL)", name="sent_has_provider_id"),
    Index("ix_transfers_intended", "created_at", postgresql_where=sql("state = 'intended'")),
    Index(None, "payee_id", "id"),
)

reversals = Table(
    "transfer_reversals",
    metadata,
    id_column(),
    Column("transfer_id", ForeignKey("transfers.id"), nullable=False),
    Column("refund_id", ForeignKey("refunds.id"), nullable=True),
    Column(
        "dispute_id",
        # A dispute and what it asks back are written together, in any order.
        ForeignKey("disputes.id", deferrable=True, initially="DEFERRED"),
        nullable=True,
    ),
    Column("order_id", Uuid, nullable=False),
    Column("payee_id", Uuid, nullable=False),
    text("currency"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    enum_text("state", ReversalState),
    Column("attempt", Integer, nullable=False),
    text("provider_id", nullable=True),
    text("last_error", nullable=True),
    instant("created_at"),
    instant("done_at", nullable=True),
    UniqueConstraint("refund_id", "transfer_id"),
    UniqueConstraint("dispute_id", "transfer_id"),
    CheckConstraint("num_nonnulls(refund_id, dispute_id) = 1", name="one_cause"),
    UniqueConstraint("provider_id"),
    Index(None, "transfer_id"),
    Index("ix_transfer_reversals_intended", "payee_id", postgresql_where=sql("state = 'intended'")),
)

mappers.map_imperatively(Earning, earnings)
mappers.map_imperatively(Transfer, transfers)
mappers.map_imperatively(Reversal, reversals)

_NO_OPEN_REFUND = sql(
    "NOT EXISTS (SELECT 1 FROM refunds r "
    "WHERE r.order_id = earnings.order_id AND r.status = 'pending')"
)
# The earning's own figure is looked at again where the row was waited for; other tables are not.
_NO_OPEN_DISPUTE = sql(
    "earnings.disputed_cents = 0 AND NOT EXISTS (SELECT 1 FROM disputes d "
    "WHERE d.order_id = earnings.order_id AND d.is_open)"
)


async def insert_earnings(session: AsyncSession, new: Sequence[HeldEarning]) -> None:
    rows = unnested(
        "new",
        Values("order_id", Uuid(), [e.order_id for e in new]),
        Values("payee_id", Uuid(), [e.payee_id for e in new]),
        Values("currency", Text(), [e.currency for e in new]),
        Values("amount_cents", earnings.c.amount_cents.type, [e.amount_cents for e in new]),
        Values("release_at", earnings.c.release_at.type, [e.release_at for e in new]),
    )
    await session.execute(
        insert(earnings).from_select(
            [*(c.name for c in rows.c), "returned_cents", "state"],
            select(*rows.c, literal(0), literal(EarningState.PENDING, Text())),
        )
    )


class PostgresEarnings:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def due(self, *, now: datetime, limit: int) -> list[Earning]:
        return await self._locked(
            select(Earning)
            .where(earnings.c.state == EarningState.PENDING, earnings.c.release_at <= now)
            .where(_NO_OPEN_REFUND)
            .where(_NO_OPEN_DISPUTE)
            .order_by(earnings.c.release_at, earnings.c.order_id, earnings.c.payee_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def released(self, *, limit: int) -> list[Earning]:
        return await self._locked(
            select(Earning)
            .join(payees, payees.c.id == earnings.c.payee_id)
            .where(earnings.c.state == EarningState.RELEASED, CAN_BE_PAID)
            .where(_NO_OPEN_REFUND)
            .where(_NO_OPEN_DISPUTE)
            .order_by(earnings.c.released_at, earnings.c.order_id, earnings.c.payee_id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=earnings)
        )

    async def of_order(self, order_id: UUID) -> list[Earning]:
        return await self._locked(
            select(Earning)
            .where(earnings.c.order_id == order_id)
            .order_by(earnings.c.payee_id)
            .with_for_update()
        )

    async def let_go(self, payee_id: UUID, *, currency: Currency | None = None) -> int:
        return await self._turn(payee_id, EarningState.KEPT, EarningState.RELEASED, currency)

    async def keep(self, payee_id: UUID) -> int:
        return await self._turn(payee_id, EarningState.RELEASED, EarningState.KEPT, None)

    async def _turn(
        self, payee_id: UUID, old: EarningState, new: EarningState, currency: Currency | None
    ) -> int:
        chosen = (
            update(earnings)
            .where(earnings.c.payee_id == payee_id, earnings.c.state == old)
            .values(state=new)
            .returning(earnings.c.order_id)
        )
        if currency is not None:
            chosen = chosen.where(earnings.c.currency == currency)
        return len((await self._session.execute(chosen)).all())

    async def _locked(self, statement: Select[Earning]) -> list[Earning]:
        found = await self._session.scalars(statement.execution_options(populate_existing=True))
        return list(found.all())


class PostgresTransfers(PostgresRepository[Transfer]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Transfer, kind="transfer")

    async def of_order(self, order_id: UUID) -> list[Transfer]:
        return await self._many(
            select(Transfer)
            .where(transfers.c.order_id == order_id)
            .order_by(transfers.c.payee_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )


class PostgresReversals(PostgresRepository[Reversal]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Reversal, kind="reversal")

    async def awaited_cents(self, keys: Collection[BalanceKey]) -> Mapping[BalanceKey, int]:
        found = await self._session.execute(
            select(reversals.c.payee_id, reversals.c.currency, func.sum(reversals.c.amount_cents))
            .where(
                reversals.c.state == literal_column(f"'{ReversalState.INTENDED}'"),
                reversals.c.payee_id.in_({payee_id for payee_id, _ in keys}),
            )
            .group_by(reversals.c.payee_id, reversals.c.currency)
        )
        return {(payee_id, Currency(code)): int(cents) for payee_id, code, cents in found}
