"""One transaction: what a use case reads and writes, committed once or not at all.

    async with uow:
        creator = await uow.creators.get(command.creator_id, lock=True)
        ...
        await uow.commit()

Leaving the block without `commit()` rolls back. A unit of work may be entered again afterwards,
never while it is open.
"""

from types import TracebackType
from typing import Protocol, Self

from application.ports.audit import AuditLog
from application.ports.carts import Carts, Discounts
from application.ports.catalogue import Products, Stores
from application.ports.creators import Consents, Creators, TermsVersions
from application.ports.credits import (
    BillingCustomers,
    ChargeDisputes,
    ChargeRefunds,
    CreditPurchases,
    Credits,
    PlanCheckouts,
    PlanSubscriptions,
    PlatformCharges,
    StudioUse,
)
from application.ports.exports import Exports
from application.ports.identity import Sessions, Users
from application.ports.ledger import (
    Earnings,
    Ledger,
    Payees,
    Proofs,
    Reversals,
    Transfers,
    WriteOffs,
)
from application.ports.library import (
    Characters,
    Presets,
    Projects,
    Publications,
    Templates,
)
from application.ports.licensing import Approvals, Grants, Revocations, Sold, Usage
from application.ports.live import UserEvents
from application.ports.media import Assets
from application.ports.messages import Outbox, ParkedMessages
from application.ports.moderation import Judgements, ModerationCases, Reports, Strikes
from application.ports.ordering import Disputes, Invoices, Orders, Refunds
from application.ports.payouts import AllPayoutSettings, BankAccounts, Payouts
from application.ports.provenance import SignedCopies
from application.ports.reconciliation import Differences, ProviderMovements, ReconciliationRuns
from application.ports.studio import (
    Attempts,
    Circuits,
    Decisions,
    Generations,
    Jobs,
    LikenessModels,
    Steps,
    Turns,
)
from application.ports.tax import TaxFilings, TaxProfiles
from application.ports.teams import Invitations, StaffMembers, Teams
from application.ports.uploads import Uploads


class UnitOfWork(Protocol):
    @property
    def outbox(self) -> Outbox: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def user_events(self) -> UserEvents: ...

    @property
    def parked(self) -> ParkedMessages: ...

    @property
    def creators(self) -> Creators: ...

    @property
    def consents(self) -> Consents: ...

    @property
    def terms(self) -> TermsVersions: ...

    @property
    def usage(self) -> Usage: ...

    @property
    def grants(self) -> Grants: ...

    @property
    def approvals(self) -> Approvals: ...

    @property
    def revocations(self) -> Revocations: ...

    @property
    def sold(self) -> Sold: ...

    @property
    def stores(self) -> Stores: ...

    @property
    def products(self) -> Products: ...

    @property
    def carts(self) -> Carts: ...

    @property
    def discounts(self) -> Discounts: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def disputes(self) -> Disputes: ...

    @property
    def invoices(self) -> Invoices: ...

    @property
    def payees(self) -> Payees: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def earnings(self) -> Earnings: ...

    @property
    def transfers(self) -> Transfers: ...

    @property
    def reversals(self) -> Reversals: ...

    @property
    def reconciliations(self) -> ReconciliationRuns: ...

    @property
    def differences(self) -> Differences: ...

    @property
    def provider_movements(self) -> ProviderMovements: ...

    @property
    def write_offs(self) -> WriteOffs: ...

    @property
    def proofs(self) -> Proofs: ...

    @property
    def payout_settings(self) -> AllPayoutSettings: ...

    @property
    def bank_accounts(self) -> BankAccounts: ...

    @property
    def payouts(self) -> Payouts: ...

    @property
    def tax_profiles(self) -> TaxProfiles: ...

    @property
    def tax_filings(self) -> TaxFilings: ...

    @property
    def exports(self) -> Exports: ...

    @property
    def users(self) -> Users: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def teams(self) -> Teams: ...

    @property
    def invitations(self) -> Invitations: ...

    @property
    def staff(self) -> StaffMembers: ...

    @property
    def uploads(self) -> Uploads: ...
    @property
    def assets(self) -> Assets: ...

    @property
    def signed_copies(self) -> SignedCopies: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def steps(self) -> Steps: ...

    @property
    def attempts(self) -> Attempts: ...

    @property
    def turns(self) -> Turns: ...

    @property
    def circuits(self) -> Circuits: ...

    @property
    def generations(self) -> Generations: ...

    @property
    def models(self) -> LikenessModels: ...

    @property
    def decisions(self) -> Decisions: ...

    @property
    def projects(self) -> Projects: ...

    @property
    def characters(self) -> Characters: ...

    @property
    def templates(self) -> Templates: ...

    @property
    def presets(self) -> Presets: ...

    @property
    def publications(self) -> Publications: ...

    @property
    def credits(self) -> Credits: ...

    @property
    def plan_subscriptions(self) -> PlanSubscriptions: ...

    @property
    def studio_use(self) -> StudioUse: ...

    @property
    def credit_purchases(self) -> CreditPurchases: ...

    @property
    def platform_charges(self) -> PlatformCharges: ...

    @property
    def charge_refunds(self) -> ChargeRefunds: ...

    @property
    def charge_disputes(self) -> ChargeDisputes: ...

    @property
    def billing_customers(self) -> BillingCustomers: ...

    @property
    def plan_checkouts(self) -> PlanCheckouts: ...

    @property
    def judgements(self) -> Judgements: ...

    @property
    def moderation_cases(self) -> ModerationCases: ...

    @property
    def reports(self) -> Reports: ...

    @property
    def strikes(self) -> Strikes: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def commit(self) -> None:
        """Make it so. Raises the domain's error for a violated constraint, or StaleVersion."""
        ...
