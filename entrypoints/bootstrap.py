"""The one composition root: settings in, a record of ports out. Read it in one sitting: what it
needs of one area is in the `bootstrap_…` module beside it.

Nothing is connected here; pools and clients connect when they are first used. Whoever opens the
ports closes them.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2.passwords import Argon2PasswordHasher
from adapters.arro3.tables import Arro3Tables
from adapters.dlib.faces import DlibFaces
from adapters.filesystem.links import SignedLinks
from adapters.jwt.access_tokens import JwtAccessTokens
from adapters.pillow.processor import PillowImages
from adapters.postgres.audit import PostgresAuditViews
from adapters.postgres.column_keys import PostgresColumnKeys
from adapters.postgres.comparison import PostgresComparison
from adapters.postgres.credits import PostgresCreditViews
from adapters.postgres.decision_views import PostgresDecisionViews
from adapters.postgres.dispute_views import PostgresDisputeViews
from adapters.postgres.engine import open_engine, sessions_of
from adapters.postgres.exports import PostgresExportViews
from adapters.postgres.idempotency import PostgresIdempotency
from adapters.postgres.identity import PostgresIdentityViews, PostgresSessionPurge
from adapters.postgres.invariants import PostgresInvariantChecks
from adapters.postgres.leadership import PostgresLeadership
from adapters.postgres.ledger_reading import PostgresBooksViews
from adapters.postgres.ledger_upkeep import PostgresLedgerUpkeep
from adapters.postgres.library_views import PostgresLibraryViews
from adapters.postgres.live_events import PostgresEventPurge
from adapters.postgres.live_records import PostgresLiveRecords
from adapters.postgres.media import PostgresAssetViews
from adapters.postgres.message_queue import PostgresMessageQueue
from adapters.postgres.message_views import PostgresMessageViews
from adapters.postgres.messages import PostgresInbox
from adapters.postgres.moderation_views import PostgresModerationViews
from adapters.postgres.order_views import PostgresOrderViews
from adapters.postgres.payout_views import PostgresPayoutDays, PostgresPayoutViews
from adapters.postgres.reconciliation_views import PostgresReconciliationViews
from adapters.postgres.reports import PostgresReportViews
from adapters.postgres.scheduler_runs import PostgresJobRuns
from adapters.postgres.statements import PostgresStatementViews
from adapters.postgres.studio_views import PostgresStudioViews
from adapters.postgres.sweeps import PostgresSweepCursors
from adapters.postgres.tax import PostgresTaxViews
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.uploads import PostgresUploadViews
from adapters.postgres.verification import PostgresLedgerViews
from adapters.postgres.views import (
    PostgresBalanceViews,
    PostgresCatalogueViews,
)
from adapters.redis.live import RedisLiveEvents, RedisLiveFeed, live_client
from adapters.redis.rate_limits import RedisRateLimits
from adapters.redis.wake import RedisWake, RedisWakeListener
from adapters.reportlab.renderer import ReportLabDocuments
from adapters.stripe.accounts import StripePayeeAccounts
from adapters.stripe.billing import StripeBilling
from adapters.stripe.books import StripeBooks
from adapters.stripe.payments import StripePayments
from adapters.system.clock import ShiftedClock, SystemClock
from adapters.system.ids import UuidV7Ids
from adapters.system.seals import HmacSeals
from adapters.system.secrets import SystemSecrets
from application.moderation.judging import Moderation
from application.ports.audit import AuditViews
from application.ports.billing import Billing
from application.ports.clock import Clock, ClockControl
from application.ports.column_keys import ColumnKeys
from application.ports.credentials import ContentCredentials
from application.ports.credits import CreditViews
from application.ports.decisions import DecisionViews
from application.ports.dispute_views import DisputeViews
from application.ports.documents import DocumentRenderer
from application.ports.engines import PromptEnhancer, ProviderWebhooks
from application.ports.faces import FaceDetector
from application.ports.idempotency import Idempotency
from application.ports.identity import IdentityViews, PasswordHasher, SessionPurge
from application.ports.ids import Ids
from application.ports.images import ImageProcessor
from application.ports.invariants import InvariantChecks
from application.ports.ledger_reading import BooksViews
from application.ports.ledger_upkeep import LedgerUpkeep
from application.ports.ledger_views import LedgerViews
from application.ports.library import LibraryViews
from application.ports.live import EventPurge, LiveEvents
from application.ports.media import AssetViews
from application.ports.messages import Inbox, MessageQueue, MessageViews, Wake, WakeListener
from application.ports.moderation import ModerationViews
from application.ports.multipart import PartReceiver
from application.ports.payments import PayeeAccounts, Payments, PaymentWebhooks
from application.ports.payouts import (
    BankAccountProvider,
    BankLinks,
    PayoutBalance,
    PayoutDays,
    PayoutRails,
    PayoutViews,
    PayoutWebhooks,
)
from application.ports.provider_books import ProviderBooks
from application.ports.rate_limits import RateLimits
from application.ports.reconciliation import Comparison, ReconciliationViews
from application.ports.reporting import StatementViews
from application.ports.reports import ReportViews
from application.ports.schedule import JobRuns, Leadership
from application.ports.seals import Seals
from application.ports.secrets import Secrets
from application.ports.storage import LinkVerifier, ObjectStorage
from application.ports.studio import StudioViews
from application.ports.sweeps import SweepCursors
from application.ports.tax import TaxViews
from application.ports.taxes import Taxes
from application.ports.tokens import AccessTokens
from application.ports.unit_of_work import UnitOfWork
from application.ports.uploads import UploadViews
from application.ports.video import VideoProcessor
from application.ports.views import BalanceViews, CatalogueViews, OrderViews
from application.reporting.exports import Books
from application.studio.news import Newsroom
from application.studio.workshop import Workshop
from domain.creators.training_set import TrainingPolicy
from domain.ledger.payout_rules import PayoutPolicy
from domain.ordering.fees import FeesBorneBy, FeeSchedule
from domain.ordering.invoice import Party
from entrypoints.bootstrap_credentials import content_credentials
from entrypoints.bootstrap_engines import provider_places, studio_engines, video_processor
from entrypoints.bootstrap_keys import use_settings_keys
from entrypoints.bootstrap_moderation import moderation_of
from entrypoints.bootstrap_payments import fees_of, stripe_api, stripe_webhooks, tax_provider
from entrypoints.bootstrap_payouts import payout_policy, payout_providers
from entrypoints.bootstrap_studio import (
    object_storage,
    part_receiver,
    remote_files,
    training_policy,
)
from entrypoints.settings import Settings

WEBHOOKS = "/api/v1/webhooks"
FILES = "/api/v1/files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything from outside that use cases, doors and workers may ask for, by its name.

    `uow` makes a new unit of work each time.
    """

    uow: Callable[[], UnitOfWork]
    clock: Clock
    ids: Ids
    secrets: Secrets
    seals: Seals
    fees: FeeSchedule
    hold: timedelta
    fees_borne_by: FeesBorneBy
    seller: Party
    password_hasher: PasswordHasher
    access_tokens: AccessTokens
    identity_views: IdentityViews
    session_purge: SessionPurge
    payments: Payments
    billing: Billing
    credit_views: CreditViews
    payee_accounts: PayeeAccounts
    payment_webhooks: PaymentWebhooks
    payout_policy: PayoutPolicy
    payout_rails: PayoutRails
    payout_webhooks: PayoutWebhooks
    payout_views: PayoutViews
    payout_days: PayoutDays
    bank_accounts_provider: BankAccountProvider
    bank_links: BankLinks
    taxes: Taxes
    address_required: bool
    provider_webhooks: Mapping[str, ProviderWebhooks]
    workshop: Workshop
    prompt_enhancer: PromptEnhancer | None
    videos: VideoProcessor
    storage: ObjectStorage
    file_links: LinkVerifier
    part_receiver: PartReceiver | None
    images: ImageProcessor
    faces: FaceDetector
    training_policy: TrainingPolicy
    moderation: Moderation
    moderation_views: ModerationViews
    credentials: ContentCredentials
    documents: DocumentRenderer
    asset_views: AssetViews
    upload_views: UploadViews
    studio_views: StudioViews
    library_views: LibraryViews
    order_views: OrderViews
    dispute_views: DisputeViews
    balance_views: BalanceViews
    statement_views: StatementViews
    report_views: ReportViews
    export_books: Books
    tax_views: TaxViews
    catalogue_views: CatalogueViews
    ledger_views: LedgerViews
    books_views: BooksViews
    ledger_upkeep: LedgerUpkeep
    column_keys: ColumnKeys
    invariant_checks: InvariantChecks
    sweep_cursors: SweepCursors
    provider_books: ProviderBooks
    comparison: Comparison
    payout_balance: PayoutBalance | None
    reconciliation_views: ReconciliationViews
    decision_views: DecisionViews
    live: LiveEvents
    newsroom: Newsroom
    event_purge: EventPurge
    idempotency: Idempotency
    rate_limits: RateLimits
    inbox: Inbox
    messages: MessageQueue
    message_views: MessageViews
    audit_views: AuditViews
    wake: Wake
    wake_listener: WakeListener
    leadership: Leadership
    job_runs: JobRuns
    health_checks: Mapping[str, Callable[[], Awaitable[object]]]
    clock_control: ClockControl | None
    closing: AsyncExitStack

    async def aclose(self) -> None:
        await self.closing.aclose()


def build_ports(settings: Settings) -> Ports:
    """Wire the adapters that `settings` ask for."""
    closing = AsyncExitStack()
    clock = ShiftedClock(settings.clock_file) if settings.clock_control else SystemClock()
    ids = UuidV7Ids()
    engine = open_engine(settings.database_url, pool_size=settings.database_pool_size)
    closing.push_async_callback(engine.dispose)
    sessions = sessions_of(engine)
    redis = live_client(settings.redis_url)
    listening: Redis = Redis.from_url(settings.redis_url, socket_connect_timeout=2)
    closing.push_async_callback(redis.aclose)
    closing.push_async_callback(listening.aclose)
    wake = RedisWake(redis)
    closing.push_async_callback(wake.aclose)
    live, live_feed = RedisLiveEvents(redis), RedisLiveFeed(listening)
    closing.push_async_callback(live_feed.close)
    tax_views = PostgresTaxViews(engine)
    new_uow = partial(PostgresUnitOfWork, sessions, clock=clock, ids=ids, wake=wake)
    secret_keys = [key.reveal() for key in settings.secret_keys]
    use_settings_keys(settings)
    links = SignedLinks(
        base_url=settings.base_url + FILES,
        secrets=[key.encode() for key in secret_keys],
        clock=clock,
    )
    storage = object_storage(settings, links, closing)
    images = PillowImages()
    closing.callback(images.close)
    moderation = moderation_of(settings, closing, clock=clock, ids=ids)
    credentials = content_credentials(settings)
    closing.callback(credentials.close)
    documents = ReportLabDocuments()
    closing.callback(documents.close)
    hasher = Argon2PasswordHasher()
    closing.callback(hasher.close)
    api = stripe_api(settings, closing)
    rails, payout_balance, bank_accounts, bank_links, payout_webhooks = payout_providers(
        settings, api, closing
    )
    engines, provider_webhooks, prompt_enhancer = studio_engines(settings, closing)
    videos = video_processor(settings)
    return Ports(
        uow=new_uow,
        clock=clock,
        ids=ids,
        secrets=SystemSecrets(),
        seals=HmacSeals([key.encode() for key in secret_keys]),
        fees=fees_of(settings),
        hold=timedelta(days=settings.hold_days),
        fees_borne_by=settings.processing_fees_borne_by,
        seller=Party(
            name=settings.seller_name,
            address=settings.seller_address,
            tax_id=settings.seller_tax_id or None,
        ),
        password_hasher=hasher,
        access_tokens=JwtAccessTokens(secret_keys),
        identity_views=PostgresIdentityViews(sessions),
        session_purge=PostgresSessionPurge(sessions),
        payments=StripePayments(api),
        billing=StripeBilling(api, automatic_tax=settings.tax_provider == "stripe"),
        credit_views=PostgresCreditViews(engine),
        payee_accounts=StripePayeeAccounts(api),
        payment_webhooks=stripe_webhooks(settings, api),
        payout_policy=payout_policy(settings),
        payout_rails=rails,
        payout_webhooks=payout_webhooks,
        payout_views=PostgresPayoutViews(engine),
        payout_days=PostgresPayoutDays(engine),
        bank_accounts_provider=bank_accounts,
        bank_links=bank_links,
        taxes=tax_provider(settings, api),
        address_required=settings.collects_tax,
        provider_webhooks=provider_webhooks,
        workshop=Workshop(
            new_uow=new_uow,
            clock=clock,
            ids=ids,
            storage=storage,
            images=images,
            moderation=moderation,
            credentials=credentials,
            videos=videos,
            remote_files=remote_files(settings, closing),
            live=live,
            engines=engines,
            limits=provider_places(settings),
            webhook_base_url=settings.base_url + WEBHOOKS,
        ),
        prompt_enhancer=prompt_enhancer,
        videos=videos,
        storage=storage,
        file_links=links,
        part_receiver=part_receiver(storage),
        images=images,
        faces=DlibFaces(),
        training_policy=training_policy(settings),
        moderation=moderation,
        moderation_views=PostgresModerationViews(engine),
        credentials=credentials,
        documents=documents,
        asset_views=PostgresAssetViews(sessions),
        upload_views=PostgresUploadViews(sessions),
        studio_views=PostgresStudioViews(sessions),
        library_views=PostgresLibraryViews(engine),
        order_views=PostgresOrderViews(engine),
        dispute_views=PostgresDisputeViews(engine),
        balance_views=PostgresBalanceViews(engine),
        statement_views=PostgresStatementViews(engine),
        report_views=PostgresReportViews(engine),
        export_books=Books(
            new_uow=new_uow,
            views=PostgresExportViews(engine),
            tax_views=tax_views,
            tables=Arro3Tables(),
        ),
        tax_views=tax_views,
        catalogue_views=PostgresCatalogueViews(engine),
        ledger_views=PostgresLedgerViews(engine),
        books_views=PostgresBooksViews(engine),
        ledger_upkeep=PostgresLedgerUpkeep(engine),
        column_keys=PostgresColumnKeys(engine),
        invariant_checks=PostgresInvariantChecks(engine),
        sweep_cursors=PostgresSweepCursors(engine),
        provider_books=StripeBooks(api),
        comparison=PostgresComparison(engine),
        payout_balance=payout_balance,
        reconciliation_views=PostgresReconciliationViews(engine),
        decision_views=PostgresDecisionViews(sessions, engine),
        live=live,
        newsroom=Newsroom(feed=live_feed, records=PostgresLiveRecords(sessions), storage=storage),
        event_purge=PostgresEventPurge(sessions),
        idempotency=PostgresIdempotency(engine),
        rate_limits=RedisRateLimits(redis, clock=SystemClock()),
        inbox=PostgresInbox(engine, clock=clock, ids=ids, wake=wake),
        messages=PostgresMessageQueue(engine),
        message_views=PostgresMessageViews(engine),
        audit_views=PostgresAuditViews(engine),
        wake=wake,
        wake_listener=RedisWakeListener(listening),
        leadership=PostgresLeadership(
            settings.database_direct_url or settings.database_url, name="scheduler"
        ),
        job_runs=PostgresJobRuns(engine),
        health_checks={"database": partial(_database_answers, engine)},
        clock_control=clock if isinstance(clock, ShiftedClock) else None,
        closing=closing,
    )


async def open_ports(settings: Settings) -> Ports:
    """`build_ports` within the loop that will use them."""
    return build_ports(settings)


async def _database_answers(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
