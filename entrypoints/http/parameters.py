"""Short names for the ports and parameters that many handlers ask for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from application.moderation.judging import Moderation
from application.ports.billing import Billing
from application.ports.clock import Clock
from application.ports.credentials import ContentCredentials
from application.ports.credits import CreditViews
from application.ports.decisions import DecisionViews
from application.ports.dispute_views import DisputeViews
from application.ports.documents import DocumentRenderer
from application.ports.engines import PromptEnhancer, ProviderWebhooks
from application.ports.faces import FaceDetector
from application.ports.ids import Ids
from application.ports.images import ImageProcessor
from application.ports.ledger_reading import BooksViews
from application.ports.library import LibraryViews
from application.ports.live import LiveEvents
from application.ports.media import AssetViews
from application.ports.messages import Inbox
from application.ports.multipart import PartReceiver
from application.ports.payments import PayeeAccounts, Payments
from application.ports.payouts import (
    BankAccountProvider,
    BankLinks,
    PayoutRails,
    PayoutViews,
    PayoutWebhooks,
)
from application.ports.reporting import StatementViews
from application.ports.reports import ReportViews
from application.ports.seals import Seals
from application.ports.storage import LinkVerifier, ObjectStorage
from application.ports.studio import StudioViews
from application.ports.tax import TaxViews
from application.ports.taxes import Taxes
from application.ports.unit_of_work import UnitOfWork
from application.ports.uploads import UploadViews
from application.ports.views import BalanceViews, CatalogueViews, OrderViews
from domain.creators.training_set import TrainingPolicy
from domain.ledger.payout_rules import PayoutPolicy
from domain.ordering.fees import FeeSchedule

TheUnitOfWork = NamedDependency[SkipValidation[UnitOfWork]]
TheClock = NamedDependency[SkipValidation[Clock]]
TheIds = NamedDependency[SkipValidation[Ids]]
ThePayments = NamedDependency[SkipValidation[Payments]]
TheBilling = NamedDependency[SkipValidation[Billing]]
TheCreditViews = NamedDependency[SkipValidation[CreditViews]]
ThePayeeAccounts = NamedDependency[SkipValidation[PayeeAccounts]]
ThePayoutPolicy = NamedDependency[SkipValidation[PayoutPolicy]]
ThePayoutRails = NamedDependency[SkipValidation[PayoutRails]]
ThePayoutViews = NamedDependency[SkipValidation[PayoutViews]]
ThePayoutWebhooks = NamedDependency[SkipValidation[PayoutWebhooks]]
TheBankAccounts = NamedDependency[SkipValidation[BankAccountProvider]]
TheBankLinks = NamedDependency[SkipValidation[BankLinks]]
TheDisputeViews = NamedDependency[SkipValidation[DisputeViews]]
TheOrderViews = NamedDependency[SkipValidation[OrderViews]]
TheBooksViews = NamedDependency[SkipValidation[BooksViews]]
TheBalanceViews = NamedDependency[SkipValidation[BalanceViews]]
TheStatementViews = NamedDependency[SkipValidation[StatementViews]]
TheReportViews = NamedDependency[SkipValidation[ReportViews]]
TheTaxViews = NamedDependency[SkipValidation[TaxViews]]
TheCatalogueViews = NamedDependency[SkipValidation[CatalogueViews]]
TheSeals = NamedDependency[SkipValidation[Seals]]
TheTaxes = NamedDependency[SkipValidation[Taxes]]
TheAddressRule = NamedDependency[SkipValidation[bool]]
"""`address_required: TheAddressRule`: whether tax makes it so."""
TheHold = NamedDependency[SkipValidation[timedelta]]
TheFees = NamedDependency[SkipValidation[FeeSchedule]]
TheStorage = NamedDependency[SkipValidation[ObjectStorage]]
TheFileLinks = NamedDependency[SkipValidation[LinkVerifier]]
ThePartReceiver = NamedDependency[SkipValidation[PartReceiver | None]]
TheDocuments = NamedDependency[SkipValidation[DocumentRenderer]]
TheCredentials = NamedDependency[SkipValidation[ContentCredentials]]
TheImages = NamedDependency[SkipValidation[ImageProcessor]]
TheFaces = NamedDependency[SkipValidation[FaceDetector]]
TheTrainingPolicy = NamedDependency[SkipValidation[TrainingPolicy]]
TheModeration = NamedDependency[SkipValidation[Moderation]]
TheAssetViews = NamedDependency[SkipValidation[AssetViews]]
TheUploadViews = NamedDependency[SkipValidation[UploadViews]]
TheDecisionViews = NamedDependency[SkipValidation[DecisionViews]]
TheStudioViews = NamedDependency[SkipValidation[StudioViews]]
ThePromptEnhancer = NamedDependency[SkipValidation[PromptEnhancer | None]]
TheLibraryViews = NamedDependency[SkipValidation[LibraryViews]]
TheLive = NamedDependency[SkipValidation[LiveEvents]]
TheInbox = NamedDependency[SkipValidation[Inbox]]
TheProviderWebhooks = NamedDependency[SkipValidation[Mapping[str, ProviderWebhooks]]]

CurrencyCode = Annotated[
    str | None, QueryParameter(pattern="^[a-z]{3}$", description="Three small letters: usd.")
]
"""`currency: CurrencyCode = None`"""
