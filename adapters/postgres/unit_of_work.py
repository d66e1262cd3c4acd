"""A unit of work over one SQLAlchemy session: one connection, one transaction."""

from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.approvals import PostgresApprovals, PostgresRevocations
from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.carts import PostgresCarts
from adapters.postgres.catalogue import PostgresProducts, PostgresStores
from adapters.postgres.charge_disputes import PostgresChargeDisputes
from adapters.postgres.creators import (
    PostgresConsents,
    PostgresCreators,
    PostgresTermsVersions,
)
from adapters.postgres.credits import PostgresCredits, PostgresStudioUse
from adapters.postgres.discounts import PostgresDiscounts
from adapters.postgres.disputes import PostgresDisputes
from adapters.postgres.earnings import PostgresEarnings, PostgresReversals, PostgresTransfers
from adapters.postgres.errors import translated
from adapters.postgres.export_store import PostgresExports
from adapters.postgres.grants import PostgresGrants
from adapters.postgres.identity import PostgresSessions, PostgresUsers
from adapters.postgres.invoices import PostgresInvoices
from adapters.postgres.jobs import PostgresAttempts, PostgresJobs, PostgresSteps
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.ledger_desk import PostgresProofs, PostgresWriteOffs
from adapters.postgres.library import (
    PostgresCharacters,
    PostgresPresets,
    PostgresProjects,
    PostgresTemplates,
)
from adapters.postgres.licence_sales import PostgresSold
from adapters.postgres.licence_usage import PostgresUsage
from adapters.postgres.live_events import PostgresUserEvents
from adapters.postgres.media import PostgresAssets
from adapters.postgres.message_queue import PostgresParkedMessages
from adapters.postgres.messages import PostgresOutbox
from adapters.postgres.moderation import (
    PostgresJudgements,
    PostgresModerationCases,
    PostgresReports,
    PostgresStrikes,
)
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.payees import PostgresPayees
from adapters.postgres.payouts import (
    PostgresBankAccounts,
    PostgresPayouts,
    PostgresPayoutSettings,
)
from adapters.postgres.plans import PostgresPlanSubscriptions
from adapters.postgres.platform_sales import (
    PostgresBillingCustomers,
    PostgresChargeRefunds,
    PostgresCreditPurchases,
    PostgresPlanCheckouts,
    PostgresPlatformCharges,
)
from adapters.postgres.provenance import PostgresSignedCopies
from adapters.postgres.publications import PostgresPublications
from adapters.postgres.reconciliation import (
    PostgresDifferences,
    PostgresProviderMovements,
    PostgresReconciliationRuns,
)
from adapters.postgres.refunds import PostgresRefunds
from adapters.postgres.studio import (
    PostgresDecisions,
    PostgresGenerations,
    PostgresLikenessModels,
)
from adapters.postgres.tax import PostgresTaxFilings, PostgresTaxProfiles
from adapters.postgres.teams import PostgresInvitations, PostgresStaffMembers, PostgresTeams
from adapters.postgres.turns import PostgresCircuits, PostgresTurns
from adapters.postgres.uploads import PostgresUploads
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.messages import Wake


class PostgresUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Clock,
        ids: Ids,
        wake: Wake | None = None,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._ids = ids
        self._wake = wake

    async def __aenter__(self) -> Self:
        self._session = self._sessions()
        self.users = PostgresUsers(self._session)
        self.sessions = PostgresSessions(self._session)
        self.teams = PostgresTeams(self._session)
        self.invitations = PostgresInvitations(self._session)
        self.staff = PostgresStaffMembers(self._session)
        self.assets = PostgresAssets(self._session)
        self.signed_copies = PostgresSignedCopies(self._session)
        self.uploads = PostgresUploads(self._session)
        self.creators = PostgresCreators(self._session)
        self.consents = PostgresConsents(self._session)
        self.terms = PostgresTermsVersions(self._session)
        self.usage = PostgresUsage(self._session)
        self.grants = PostgresGrants(self._session)
        self.approvals = PostgresApprovals(self._session)
        self.revocations = PostgresRevocations(self._session)
        self.sold = PostgresSold(self._session)
        self.stores = PostgresStores(self._session)
        self.products = PostgresProducts(self._session)
        self.carts = PostgresCarts(self._session)
        self.discounts = PostgresDiscounts(self._session)
        self.orders = PostgresOrders(self._session)
        self.refunds = PostgresRefunds(self._session)
        self.disputes = PostgresDisputes(self._session)
        self.invoices = PostgresInvoices(self._session)
        self.payees = PostgresPayees(self._session)
        self.ledger = PostgresLedger(self._session, ids=self._ids)
        self.earnings = PostgresEarnings(self._session)
        self.transfers = PostgresTransfers(self._session)
        self.reversals = PostgresReversals(self._session)
        self.reconciliations = PostgresReconciliationRuns(self._session)
        self.differences = PostgresDifferences(self._session)
        self.provider_movements = PostgresProviderMovements(self._session)
        self.write_offs = PostgresWriteOffs(self._session)
        self.proofs = PostgresProofs(self._session)
        self.payout_settings = PostgresPayoutSettings(self._session)
        self.bank_accounts = PostgresBankAccounts(self._session)
        self.payouts = PostgresPayouts(self._session)

        self.tax_profiles = PostgresTaxProfiles(self._session)
        self.tax_filings = PostgresTaxFilings(self._session)
        self.exports = PostgresExports(self._session)
        self.jobs = PostgresJobs(self._session)
        self.steps = PostgresSteps(self._session)
        self.attempts = PostgresAttempts(self._session)
        self.turns = PostgresTurns(self._session)
        self.circuits = PostgresCircuits(self._session)
        self.generations = PostgresGenerations(self._session)
        self.models = PostgresLikenessModels(self._session)
        self.decisions = PostgresDecisions(self._session)
        self.projects = PostgresProjects(self._session)
        self.characters = PostgresCharacters(self._session)
        self.templates = PostgresTemplates(self._session)
        self.presets = PostgresPresets(self._session)
        self.publications = PostgresPublications(self._session)
        self.credits = PostgresCredits(self._session)
        self.plan_subscriptions = PostgresPlanSubscriptions(self._session)
        self.studio_use = PostgresStudioUse(self._session)
        self.user_events = PostgresUserEvents(self._session)
        self.credit_purchases = PostgresCreditPurchases(self._session)
        self.platform_charges = PostgresPlatformCharges(self._session)
        self.charge_refunds = PostgresChargeRefunds(self._session)
        self.charge_disputes = PostgresChargeDisputes(self._session)
        self.billing_customers = PostgresBillingCustomers(self._session)
        self.plan_checkouts = PostgresPlanCheckouts(self._session)
        self.judgements = PostgresJudgements(self._session)
        self.moderation_cases = PostgresModerationCases(self._session)
        self.reports = PostgresReports(self._session)
        self.strikes = PostgresStrikes(self._session)
        self.outbox = PostgresOutbox(clock=self._clock, ids=self._ids)
        self.audit = PostgresAuditLog(clock=self._clock, ids=self._ids)
        self.parked = PostgresParkedMessages(self._session)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def commit(self) -> None:
        with translated():
            added = await self.outbox.flush(self._session)
            await self.audit.flush(self._session)
            await self._session.commit()
        if added and self._wake is not None:
            self._wake.wake()
