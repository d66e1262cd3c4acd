"""What administrators do to the books: proofs that they asked for, debts that they wrote off."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, UniqueConstraint, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ledger.proof import Proof
from domain.ledger.write_off import WriteOff

ledger_verifications = Table(
    "ledger_verifications",
    metadata,
    id_column(),
    Column("requested_by", Uuid, nullable=False),
    instant("requested_at"),
    instant("finished_at", nullable=True),
    Column("report", JSONB(none_as_null=True), nullable=True),
    CheckConstraint("(finished_at IS NULL) = (report IS NULL)", name="finished"),
)

ledger_write_offs = Table(
    "ledger_write_offs",
    metadata,
    id_column(),
    Column("payee_id", ForeignKey("payees.id"), nullable=False),
    text("request_key"),
    text("currency"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    text("reason"),
    Column("written_off_by", Uuid, nullable=False),
    instant("created_at"),
    UniqueConstraint("payee_id", "request_key"),
)

mappers.map_imperatively(Proof, ledger_verifications)
mappers.map_imperatively(WriteOff, ledger_write_offs)


class PostgresProofs(PostgresRepository[Proof]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Proof, kind="proof of the books")


class PostgresWriteOffs(PostgresRepository[WriteOff]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, WriteOff, kind="write-off")

    async def by_request_key(self, payee_id: UUID, request_key: str) -> WriteOff | None:
        return await self._one(
            select(WriteOff).where(
                ledger_write_offs.c.payee_id == payee_id,
                ledger_write_offs.c.request_key == request_key,
            )
        )
