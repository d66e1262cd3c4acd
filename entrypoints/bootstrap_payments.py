"""The part of the composition root that takes money: Stripe, fees and tax."""

from contextlib import AsyncExitStack

from adapters.stripe.client import StripeApi
from adapters.stripe.taxes import StripeTaxes
from adapters.stripe.webhooks import StripeWebhooks
from adapters.tax_table.taxes import TableTaxes
from application.ports.taxes import Taxes
from domain.ordering.fees import FeeRate, FeeSchedule, SaleKind, fee_schedule
from entrypoints.providers import stripe_access
from entrypoints.settings import Settings, SettingsError


def stripe_api(settings: Settings, closing: AsyncExitStack) -> StripeApi:
    access = stripe_access(settings)
    api = StripeApi(secret_key=access.secret_key.reveal(), base_url=access.api_base)
    closing.push_async_callback(api.close)
    return api


def stripe_webhooks(settings: Settings, api: StripeApi) -> StripeWebhooks:
    access = stripe_access(settings)
    return StripeWebhooks(
        api,
        platform_secrets=[secret.reveal() for secret in access.webhook_secrets],
        connect_secrets=[secret.reveal() for secret in access.connect_webhook_secrets],
    )


def tax_provider(settings: Settings, api: StripeApi) -> Taxes:
    """Raises SettingsError for a registration without a rate."""
    if settings.tax_provider == "stripe":
        return StripeTaxes(api)
    try:
        return TableTaxes(settings.tax_registrations)
    except ValueError as error:
        raise SettingsError([f"LIKENESS_TAX_REGISTRATIONS: {error}."]) from None


def fees_of(settings: Settings) -> FeeSchedule:
    return fee_schedule({kind: FeeRate(getattr(settings, f"fee_{kind}_bps")) for kind in SaleKind})
