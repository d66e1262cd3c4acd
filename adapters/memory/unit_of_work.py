"""A unit of work over dicts, for the tests of use cases."""

from collections import Counter
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.carts import (
    CART_KEYS,
    DISCOUNT_KEYS,
    MemoryCarts,
    MemoryDiscounts,
    use_key,
)
from adapters.memory.catalogue import STORE_KEYS, MemoryProducts, MemoryStores
from adapters.memory.creators import (
    CREATOR_KEYS,
    TERMS_KEYS,
    MemoryConsents,
    MemoryCreators,
    MemoryTermsVersions,
)
from adapters.memory.credits import (
    PLAN_SUBSCRIPTION_KEYS,
    Kept,
    MemoryCredits,
    MemoryPlanSubscriptions,
    MemoryStudioUse,
    hold_key,
)
from adapters.memory.exports import MemoryExports
from adapters.memory.identity import ONE_USER_PER_EMAIL, MemorySessions, MemoryUsers
from adapters.memory.ledger import (
    PAYEE_KEYS,
    REVERSAL_KEYS,
    TRANSFER_KEYS,
    WRITE_OFF_KEYS,
    Books,
    MemoryEarnings,
    MemoryLedger,
    MemoryPayees,
    MemoryReversals,
    MemoryTransfers,
    MemoryWriteOffs,
    earning_key,
)
from adapters.memory.library import CountedWorks, MemoryPresets, MemoryPublications
from adapters.memory.licence_usage import Counted, MemoryUsage
from adapters.memory.licensing import (
    APPROVAL_KEYS,
    REVOCATION_KEYS,
    MemoryApprovals,
    MemoryGrants,
    MemoryRevocations,
    MemorySold,
)
from adapters.memory.live import MemoryUserEvents
from adapters.memory.media import MemoryAssets
from adapters.memory.messages import MemoryParkedMessages, Parked
from adapters.memory.moderation import (
    CASE_KEYS,
    REPORT_KEYS,
    STRIKE_KEYS,
    MemoryModerationCases,
    MemoryReports,
    MemoryStrikes,
)
from adapters.memory.ordering import (
    DISPUTE_KEYS,
    INVOICE_KEYS,
    ORDER_KEYS,
    REFUND_KEYS,
    MemoryDisputes,
    MemoryInvoices,
    MemoryOrders,
    MemoryRefunds,
)
from adapters.memory.payouts import (
    BANK_ACCOUNT_KEYS,
    PAYOUT_KEYS,
    MemoryBankAccounts,
    MemoryPayouts,
    MemoryPayoutSettings,
)
from adapters.memory.platform_sales import (
    CHARGE_DISPUTE_KEYS,
    CHARGE_KEYS,
    CHARGE_REFUND_KEYS,
    CUSTOMER_KEYS,
    PLAN_CHECKOUT_KEYS,
    PURCHASE_KEYS,
    MemoryBillingCustomers,
    MemoryChargeDisputes,
    MemoryChargeRefunds,
    MemoryCreditPurchases,
    MemoryPlanCheckouts,
    MemoryPlatformCharges,
)
from adapters.memory.provenance import SIGNED_KEYS, MemorySignedCopies
from adapters.memory.reconciliation import (
    DIFFERENCE_KEYS,
    RUN_KEYS,
    MemoryDifferences,
    MemoryProviderMovements,
    MemoryReconciliationRuns,
)
from adapters.memory.repository import MemoryRepository, Table
from adapters.memory.studio import (
    ATTEMPT_KEYS,
    MODEL_KEYS,
    STEP_KEYS,
    LoggedEvent,
    MemoryAttempts,
    MemoryJobs,
    MemoryLikenessModels,
    MemorySteps,
)
from adapters.memory.tax import FILING_KEYS, MemoryTaxFilings, MemoryTaxProfiles
from adapters.memory.teams import (
    STAFF_KEYS,
    MemoryInvitations,
    MemoryStaffMembers,
    MemoryTeams,
)
from adapters.memory.turns import CIRCUIT_KEYS, MemoryCircuits, MemoryTurns
from adapters.memory.uploads import MemoryUploads
from application.messaging.auditing import Recorded
from application.ports.live import Told
from application.ports.media import CleanGrant
from domain.ledger.proof import Proof
from domain.ledger.reconciliation import Moved
from domain.licensing.record import DecisionRecord
from domain.moderation.record import JudgementRecord
from domain.ordering.discount import DiscountUse
from domain.studio.character import Character
from domain.studio.contested import Freeze
from domain.studio.credits import Hold
from domain.studio.generation import Generation
from domain.studio.project import Project
from domain.studio.template import Template


class AddedMessage(NamedTuple):
    topic: str
    body: msgspec.Struct
    due_at: datetime | None
    key: str | None


class MemoryOutbox:
    def __init__(self, committed: list[AddedMessage]) -> None:
        self._committed = committed
        self._added: list[AddedMessage] = []

    def add(
        self,
        topic: str,
        body: msgspec.Struct,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
    ) -> None:
        self._added.append(AddedMessage(topic, body, due_at, key))

    def flush(self) -> None:
        taken = {(m.topic, m.key) for m in self._committed if m.key is not None}
        for message in self._added:
            if (message.topic, message.key) not in taken:
                self._committed.append(message)
            if message.key is not None:
                taken.add((message.topic, message.key))
        self._added.clear()


class MemoryDatabase:
    """What several units of work share: the committed state. Contexts add their tables here."""

    def __init__(self) -> None:
        self.messages: list[AddedMessage] = []
        self.audit: list[Recorded] = []
        self.parked: list[Parked] = []
        self.provider_movements: dict[tuple[str, str], Moved] = {}
        self.tables: dict[str, Table[Any]] = {}
        self.asset_grants: set[CleanGrant] = set()
        self.asset_accesses: list[tuple[UUID, UUID, datetime]] = []
        self.reserved_bytes: Counter[UUID] = Counter()
        self.books = Books()
        self.counted = Counted()
        self.credits = Kept()
        self.job_events: list[LoggedEvent] = []
        self.user_events: list[Told] = []
        self.told_orders: dict[UUID, str] = {}
        self.counted_works = CountedWorks()

    def table(self, kind: str, **options: Any) -> Table[Any]:
        return self.tables.setdefault(kind, Table(kind, **options))


class MemoryUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        database, table = self._database, self._database.table
        self.outbox = MemoryOutbox(database.messages)
        self.audit = MemoryAuditLog(database.audit)
        self.parked = MemoryParkedMessages(database.parked)
        self.user_events = MemoryUserEvents(database.user_events)
        refresh_tokens = MemoryRepository(table("refresh token"))
        self.users = MemoryUsers(table("user", unique=ONE_USER_PER_EMAIL))
        self.sessions = MemorySessions(table("session"), tokens=refresh_tokens)
        self.assets = MemoryAssets(table("asset"), database.asset_grants, database.asset_accesses)
        self.signed_copies = MemorySignedCopies(table("signed copy", unique=SIGNED_KEYS))
        self.uploads = MemoryUploads(
            table("upload"), assets=table("asset"), reserved=database.reserved_bytes
        )
        self.creators = MemoryCreators(table("creator", unique=CREATOR_KEYS, versioned=True))
        self.consents = MemoryConsents(table("consent"))
        self.terms = MemoryTermsVersions(table("licence terms", unique=TERMS_KEYS))
        self.usage = MemoryUsage(database.counted)
        self.grants = MemoryGrants(table("grant", versioned=True))
        self.approvals = MemoryApprovals(table("approval", unique=APPROVAL_KEYS, versioned=True))
        self.revocations = MemoryRevocations(
            table("revocation", unique=REVOCATION_KEYS, versioned=True)
        )
        self.jobs = MemoryJobs(table("job", versioned=True), database.job_events)
        self.steps = MemorySteps(table("step", unique=STEP_KEYS))
        self.attempts = MemoryAttempts(table("attempt", unique=ATTEMPT_KEYS), jobs=self.jobs)
        self.circuits = MemoryCircuits(table("circuit", unique=CIRCUIT_KEYS))
        self.turns = MemoryTurns(
            table("turn", key=lambda one: one.user_id),
            jobs=self.jobs,
            steps=self.steps,
            attempts=self.attempts,
        )
        self.generations = MemoryRepository[Generation](table("generation"))
        self.models = MemoryLikenessModels(
            table("likeness model", unique=MODEL_KEYS),
            jobs=self.jobs,
            generations=self.generations,
        )
        self.decisions = MemoryRepository[DecisionRecord](table("decision"))
        self.projects = MemoryRepository[Project](table("project", versioned=True))
        self.characters = MemoryRepository[Character](table("character", versioned=True))
        self.templates = MemoryRepository[Template](table("template", versioned=True))
        self.presets = MemoryPresets(table("preset", versioned=True))
        self.publications = MemoryPublications(
            table("publication", versioned=True), database.counted_works
        )
        self.holds = MemoryRepository[Hold](table("hold", key=hold_key))
        self.freezes = MemoryRepository[Freeze](table("freeze", key=lambda one: one.dispute_id))
        self.credits = MemoryCredits(database.credits, self.holds, self.freezes, self.jobs)
        self.plan_subscriptions = MemoryPlanSubscriptions(
            table("subscription", unique=PLAN_SUBSCRIPTION_KEYS)
        )
        self.studio_use = MemoryStudioUse(database.credits)
        self.credit_purchases = MemoryCreditPurchases(table("purchase", unique=PURCHASE_KEYS))
        self.platform_charges = MemoryPlatformCharges(table("charge", unique=CHARGE_KEYS))
        self.charge_refunds = MemoryChargeRefunds(table("charge refund", unique=CHARGE_REFUND_KEYS))
        self.charge_disputes = MemoryChargeDisputes(
            table("charge dispute", unique=CHARGE_DISPUTE_KEYS)
        )
        self.billing_customers = MemoryBillingCustomers(table("customer", unique=CUSTOMER_KEYS))
        self.plan_checkouts = MemoryPlanCheckouts(table("checkout", unique=PLAN_CHECKOUT_KEYS))
        self.judgements = MemoryRepository[JudgementRecord](table("judgement"))
        self.moderation_cases = MemoryModerationCases(
            table("moderation case", unique=CASE_KEYS, versioned=True)
        )
        self.reports = MemoryReports(table("report", unique=REPORT_KEYS))
        self.strikes = MemoryStrikes(table("strike", unique=STRIKE_KEYS))
        self.payees = MemoryPayees(table("payee", unique=PAYEE_KEYS, versioned=True))
        self.tax_profiles = MemoryTaxProfiles(table("tax profile", versioned=True))
        self.tax_filings = MemoryTaxFilings(table("tax filing", unique=FILING_KEYS))
        self.exports = MemoryExports(table("export"))
        self.stores = MemoryStores(table("store", unique=STORE_KEYS, versioned=True))
        self.teams = MemoryTeams(table("team", versioned=True))
        self.invitations = MemoryInvitations(table("invitation"))
        self.staff = MemoryStaffMembers(
            table("staff member", unique=STAFF_KEYS), stores=self.stores, teams=self.teams
        )
        self.products = MemoryProducts(
            table("product", versioned=True),
            payees=self.payees,
            jobs=self.jobs,
            generations=self.generations,
            assets=self.assets,
        )
        self.refunds = MemoryRefunds(table("refund", unique=REFUND_KEYS))
        self.disputes = MemoryDisputes(table("dispute", unique=DISPUTE_KEYS))
        self.invoices = MemoryInvoices(table("invoice", unique=INVOICE_KEYS))
        self.earnings = MemoryEarnings(
            table("earning", key=earning_key),
            refunds=self.refunds,
            disputes=self.disputes,
            payees=self.payees,
        )
        self.carts = MemoryCarts(table("cart", unique=CART_KEYS, versioned=True))
        self.discount_uses = MemoryRepository[DiscountUse](table("discount use", key=use_key))
        self.discounts = MemoryDiscounts(
            table("discount", unique=DISCOUNT_KEYS, versioned=True), uses=self.discount_uses
        )
        self.orders = MemoryOrders(
            table("order", unique=ORDER_KEYS),
            products=self.products,
            earnings=self.earnings,
            assets=self.assets,
            told=database.told_orders,
        )
        self.sold = MemorySold(self.orders)
        self.transfers = MemoryTransfers(table("transfer", unique=TRANSFER_KEYS))
        self.reversals = MemoryReversals(table("reversal", unique=REVERSAL_KEYS))
        self.reconciliations = MemoryReconciliationRuns(table("reconciliation", unique=RUN_KEYS))
        self.differences = MemoryDifferences(table("difference", unique=DIFFERENCE_KEYS))
        self.provider_movements = MemoryProviderMovements(database.provider_movements)
        self.write_offs = MemoryWriteOffs(table("write-off", unique=WRITE_OFF_KEYS))
        self.proofs = MemoryRepository[Proof](table("proof of the books"))
        self.payout_settings = MemoryPayoutSettings(table("payout settings", versioned=True))
        self.bank_accounts = MemoryBankAccounts(table("bank account", unique=BANK_ACCOUNT_KEYS))
        self.payouts = MemoryPayouts(table("payout", unique=PAYOUT_KEYS))
        self.ledger = MemoryLedger(database.books)
        self._repositories: list[MemoryRepository[Any]] = [
            refresh_tokens,
            *(part for part in vars(self).values() if isinstance(part, MemoryRepository)),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self.outbox, self.audit, self.parked

    async def commit(self) -> None:
        for repository in self._repositories:
            repository.check()
        self.credits.check()
        for repository in self._repositories:
            repository.flush()
        self.ledger.flush()
        self.usage.flush()
        self.credits.flush()
        self.studio_use.flush()
        self.outbox.flush()
        self.audit.flush()
        self.parked.flush()
        self.user_events.flush()
        self.provider_movements.flush()
