"""The part of the composition root that carries money to banks."""

from contextlib import AsyncExitStack

from adapters.flowpay.accounts import FlowPayAccounts
from adapters.flowpay.transfers import FlowPayTransfers
from adapters.flowpay.transport import FlowPayApi
from adapters.flowpay.webhooks import FlowPayWebhooks
from adapters.plaid.links import API_URL as PLAID_URL
from adapters.plaid.links import PlaidLinks
from adapters.stripe.client import StripeApi
from adapters.stripe.payouts import StripePayouts
from application.ports.payouts import (
    BankAccountProvider,
    BankLinks,
    PayoutBalance,
    PayoutRails,
    PayoutWebhooks,
)
from domain.ledger.payout_rules import PayoutPolicy
from domain.ledger.payout_settings import PayoutMethod
from entrypoints.providers import flowpay_access, plaid_access
from entrypoints.settings import Settings


def payout_policy(settings: Settings) -> PayoutPolicy:
    return PayoutPolicy(
        bank_payouts=bool(settings.bank_payouts),
        default_minimum_cents=settings.payout_minimum.general,
        minimums=settings.payout_minimum.by_currency,
        instant_fee_bps=settings.payout_instant_fee_bps,
        instant_fee_minimum_cents=settings.payout_instant_fee_minimum,
        blocked_by_dispute=not settings.payouts_during_disputes,
    )


def payout_providers(
    settings: Settings, stripe: StripeApi, closing: AsyncExitStack
) -> tuple[PayoutRails, PayoutBalance | None, BankAccountProvider, BankLinks, PayoutWebhooks]:
    """There is no balance to compare where bank payouts are off, nor at the sandbox, which starts
    with money that nobody has moved there."""
    access = flowpay_access(settings)
    api = FlowPayApi(api_key=access.api_key.reveal(), base_url=access.api_base)
    closing.push_async_callback(api.aclose)
    plaid = plaid_access(settings)
    links = PlaidLinks(
        client_id=plaid.client_id,
        secret=plaid.secret.reveal(),
        base_url=plaid.api_base or PLAID_URL,
    )
    closing.push_async_callback(links.aclose)
    transfers = FlowPayTransfers(api)
    balance = transfers if settings.bank_payouts and not access.sandboxed else None
    rails: PayoutRails = {
        PayoutMethod.BANK: transfers,
        PayoutMethod.CONNECT: StripePayouts(stripe),
    }
    webhooks = FlowPayWebhooks(secrets=[secret.reveal() for secret in access.webhook_secrets])
    return rails, balance, FlowPayAccounts(api), links, webhooks
