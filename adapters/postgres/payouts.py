"""Payouts, bank accounts and what payees chose. They change under row locks.

The database asserts the arithmetic of a payout, that one was sent exactly when the provider has
named it, and that a payee has one automatic payout a day and currency, and one default account.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.columns import enum_text
from adapters.postgres.metadata import cents, id_column, instant, mappers, metadata, text
from adapters.postgres.repository import PostgresRepository
from domain.ledger.bank_account import BankAccount, BankAccountState, HolderName
from domain.ledger.payout import Payout, PayoutSpeed, PayoutState
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule, PayoutSettings
from domain.shared.money import Currency

payout_settings = Table(
    "payout_settings",
    metadata,
    Column("id", ForeignKey("payees.id"), primary_key=True),
    enum_text("method", PayoutMethod),
    enum_text("schedule", PayoutSchedule),
    Column("minimum_cents", Integer, nullable=True),
    instant("updated_at", nullable=True),
    Column("version", Integer, nullable=False),
    CheckConstraint("minimum_cents > 0", name="minimum_positive"),
    Index(
        "ix_payout_settings_by_day", "method", "id", postgresql_where=sql("schedule <> 'manual'")
    ),
)

bank_accounts = Table(
    "bank_accounts",
    metadata,
    id_column(),
    Column("payee_id", ForeignKey("payees.id"), nullable=False),
    text("provider_id"),
    text("bank_name", nullable=True),
    text("last4", CheckConstraint("last4 ~ '^[0-9]{4}$'", name="only_four_digits")),
    text("currency"),
    enum_text("state", BankAccountState),
    enum_text("holder_name", HolderName),
    Column("is_default", Boolean, nullable=False),
    Column(
        "attempts",
        Integer,
        CheckConstraint("0 <= attempts AND attempts <= 3", name="three_attempts"),
        nullable=False,
    ),
    instant("created_at"),
    instant("verified_at", nullable=True),
    instant("ended_at", nullable=True),
    UniqueConstraint("provider_id"),
    Index(None, "payee_id", "id"),
    Index(
        "uq_bank_accounts_default",
        "payee_id",
        unique=True,
        postgresql_where=sql("is_default"),
    ),
)

payouts = Table(
    "payouts",
    metadata,
    id_column(),
    Column("payee_id", ForeignKey("payees.id"), nullable=False),
    enum_text("method", PayoutMethod),
    enum_text("speed", PayoutSpeed),
    text("currency"),
    cents("amount_cents", CheckConstraint("amount_cents > 0", name="amount_positive")),
    cents("fee_cents", CheckConstraint("fee_cents >= 0", name="fee_not_negative")),
    cents("net_cents", CheckConstraint("net_cents > 0", name="net_positive")),
    text("destination"),
    Column("bank_account_id", ForeignKey("bank_accounts.id"), nullable=True),
    text("last4", nullable=True),
    Column("payout_day", Date, nullable=True),
    text("request_key", nullable=True),
    enum_text("state", PayoutState),
    Column("attempts", Integer, nullable=False),
    text("reason", nullable=True),
    text("provider_id", nullable=True),
    cents("provider_fee_cents"),
    instant("created_at"),
    instant("tried_at", nullable=True),
    instant("asked_at", nullable=True),
    instant("sent_at", nullable=True),
    instant("ended_at", nullable=True),
    instant("look_again_at", nullable=True),
    CheckConstraint(
        "net_cents = amount_cents - CASE WHEN method = 'bank' THEN fee_cents ELSE 0 END",
        name="net_is_the_rest",
    ),
    CheckConstraint(
        "state NOT IN ('sent', 'paid', 'returned') OR provider_id IS NOT NULL",
        name="sent_has_provider_id",
    ),
    CheckConstraint("look_again_at IS NULL OR state = 'paid'", name="looked_at_again_when_paid"),
    CheckConstraint(
        "(method = 'bank') = (bank_account_id IS NOT NULL)", name="banks_have_accounts"
    ),
    UniqueConstraint("payee_id", "request_key"),
    UniqueConstraint("provider_id"),
    Index(
        "uq_payouts_one_a_day",
        "payee_id",
        "currency",
        "payout_day",
        unique=True,
        postgresql_where=sql("payout_day IS NOT NULL"),
    ),
    Index(None, "payee_id", "id"),
    Index(None, "bank_account_id"),
    Index(
        "ix_payouts_silent",
        "asked_at",
        postgresql_where=sql("state IN ('sent', 'unknown')"),
    ),
    Index(
        "ix_payouts_look_again_at",
        "look_again_at",
        postgresql_where=sql("look_again_at IS NOT NULL"),
    ),
    Index(
        "ix_payouts_open",
        "created_at",
        postgresql_where=sql("state IN ('reserved', 'unknown', 'sent')"),
    ),
)

payout_days = Table(
    "payout_days",
    metadata,
    Column("day", Date, primary_key=True),
    instant("finished_at"),
    Column("payouts", Integer, nullable=False),
)

mappers.map_imperatively(PayoutSettings, payout_settings, version_id_col=payout_settings.c.version)
mappers.map_imperatively(BankAccount, bank_accounts)
mappers.map_imperatively(Payout, payouts)


class PostgresPayoutSettings(PostgresRepository[PayoutSettings]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, PayoutSettings, kind="payout settings")

    async def of_payee(self, payee_id: UUID, *, lock: bool = False) -> PayoutSettings:
        chosen = select(PayoutSettings).where(payout_settings.c.id == payee_id)
        if lock:
            chosen = chosen.with_for_update().execution_options(populate_existing=True)
        return await self._one(chosen) or PayoutSettings(id=payee_id)

    async def many(self, payee_ids: Collection[UUID]) -> Mapping[UUID, PayoutSettings]:
        found = await self._many(
            select(PayoutSettings)
            .where(payout_settings.c.id.in_(payee_ids))
            .order_by(payout_settings.c.id)
            .with_for_update(read=True)
            .execution_options(populate_existing=True)
        )
        return {settings.id: settings for settings in found}


class PostgresBankAccounts(PostgresRepository[BankAccount]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, BankAccount, kind="bank account")

    async def of_payee(self, payee_id: UUID) -> list[BankAccount]:
        return await self._many(
            select(BankAccount)
            .where(
                bank_accounts.c.payee_id == payee_id,
                bank_accounts.c.state != BankAccountState.REMOVED,
            )
            .order_by(bank_accounts.c.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    async def defaults(self, payee_ids: Collection[UUID]) -> Mapping[UUID, BankAccount]:
        found = await self._many(
            select(BankAccount).where(
                bank_accounts.c.payee_id.in_(payee_ids), bank_accounts.c.is_default
            )
        )
        return {account.payee_id: account for account in found}

    async def choose(self, chosen: BankAccount, *, among: Sequence[BankAccount]) -> None:
        """In two steps: for a moment in between there is no default, never two."""
        for account in among:
            account.is_default = False
        await self._session.flush()
        chosen.is_default = True


class PostgresPayouts(PostgresRepository[Payout]):
    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session, Payout, kind="payout")

    async def by_request_key(self, payee_id: UUID, request_key: str) -> Payout | None:
        return await self._one(
            select(Payout).where(
                payouts.c.payee_id == payee_id, payouts.c.request_key == request_key
            )
        )

    async def of_day(
        self, day: date, payee_ids: Collection[UUID]
    ) -> Collection[tuple[UUID, Currency]]:
        found = await self._session.execute(
            select(payouts.c.payee_id, payouts.c.currency).where(
                payouts.c.payout_day == day, payouts.c.payee_id.in_(payee_ids)
            )
        )
        return {(payee_id, Currency(code)) for payee_id, code in found}

    async def silent(self, *, before: datetime, limit: int) -> list[UUID]:
        found = await self._session.scalars(
            select(payouts.c.id)
            .where(sql("state IN ('sent', 'unknown')"), payouts.c.asked_at < before)
            .order_by(payouts.c.asked_at)
            .limit(limit)
        )
        return list(found.all())

    async def to_look_at_again(self, *, now: datetime, limit: int) -> list[UUID]:
        found = await self._session.scalars(
            select(payouts.c.id)
            .where(payouts.c.look_again_at <= now)
            .order_by(payouts.c.look_again_at)
            .limit(limit)
        )
        return list(found.all())
