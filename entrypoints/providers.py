"""Where the outside world is: real providers, or the sandbox for those whose keys are missing.

The same adapters speak to both; only addresses and keys differ. The sandbox's own keys are public:
they are the defaults of `entrypoints.sandbox`, visibly no secrets.
"""

from dataclasses import dataclass

from entrypoints.settings import Settings
from entrypoints.settings_values import Secret

NOWHERE = "https://payouts.invalid"
"""For a provider that is never asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccess:
    """`api_base` None is Stripe's own."""

    secret_key: Secret
    webhook_secrets: tuple[Secret, ...]
    connect_webhook_secrets: tuple[Secret, ...]
    api_base: str | None
    sandboxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateAccess:
    """`api_base` None is Replicate's own."""

    api_token: Secret
    webhook_secret: Secret
    api_base: str | None
    sandboxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FalAccess:
    """`api_base` and `jwks_url` None are fal's own; only webhooks for `user_id` are believed."""

    key: Secret
    user_id: str
    api_base: str | None
    jwks_url: str | None
    sandboxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiAccess:
    """`api_base` None is OpenAI's own. A server of one's own may ask for no key."""

    api_key: Secret
    api_base: str | None
    sandboxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPayAccess:
    """Where bank payouts are off, `api_base` leads nowhere and no webhook is believed."""

    api_key: Secret
    webhook_secrets: tuple[Secret, ...]
    api_base: str
    sandboxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaidAccess:
    """`api_base` None is Plaid's own."""

    client_id: str
    secret: Secret
    api_base: str | None
    sandboxed: bool


def stripe_access(settings: Settings) -> StripeAccess:
    if settings.stripe_secret_key:
        return StripeAccess(
            secret_key=settings.stripe_secret_key,
            webhook_secrets=settings.stripe_webhook_secret,
            connect_webhook_secrets=settings.stripe_connect_webhook_secret,
            api_base=settings.stripe_api_base or None,
            sandboxed=False,
        )
    return StripeAccess(
        secret_key=Secret("sk_test_sandbox"),
        webhook_secrets=(Secret("whsec_sandbox"),),
        connect_webhook_secrets=(Secret("whsec_sandbox_connect"),),
        api_base=f"{settings.sandbox_url}/stripe",
        sandboxed=True,
    )


def replicate_access(settings: Settings) -> ReplicateAccess | None:
    """None when another image provider is there and this one is not."""
    if settings.replicate_api_token and settings.replicate_webhook_secret:
        return ReplicateAccess(
            api_token=settings.replicate_api_token,
            webhook_secret=settings.replicate_webhook_secret,
            api_base=settings.replicate_api_base or None,
            sandboxed=False,
        )
    if settings.fal_key:
        return None
    return ReplicateAccess(
        api_token=Secret("r8_sandbox"),
        webhook_secret=Secret("whsec_c2FuZGJveC1yZXBsaWNhdGUtc2VjcmV0"),
        api_base=f"{settings.sandbox_url}/replicate",
        sandboxed=True,
    )


def fal_access(settings: Settings) -> FalAccess | None:
    """None when another image provider is there and this one is not."""
    if settings.fal_key:
        return FalAccess(
            key=settings.fal_key,
            user_id=settings.fal_user_id,
            api_base=settings.fal_api_base or None,
            jwks_url=settings.fal_jwks_url or None,
            sandboxed=False,
        )
    if settings.replicate_api_token:
        return None
    return FalAccess(
        key=Secret("sandbox:fal"),
        user_id="sandbox-user",
        api_base=f"{settings.sandbox_url}/fal",
        jwks_url=f"{settings.sandbox_url}/fal/.well-known/jwks.json",
        sandboxed=True,
    )


def openai_access(settings: Settings) -> OpenAiAccess | None:
    """None where there is neither a key, nor an address, nor a sandbox."""
    if settings.openai_api_key or settings.openai_api_base:
        return OpenAiAccess(
            api_key=settings.openai_api_key or Secret("none"),
            api_base=settings.openai_api_base or None,
            sandboxed=False,
        )
    if not settings.sandbox_url or settings.is_production:
        return None
    return OpenAiAccess(
        api_key=Secret("sk-sandbox"), api_base=f"{settings.sandbox_url}/openai/v1", sandboxed=True
    )


def flowpay_access(settings: Settings) -> FlowPayAccess:
    if settings.flowpay_api_key:
        return FlowPayAccess(
            api_key=settings.flowpay_api_key,
            webhook_secrets=settings.flowpay_webhook_secret,
            api_base=settings.flowpay_api_base,
            sandboxed=False,
        )
    if not settings.bank_payouts:
        return FlowPayAccess(
            api_key=Secret("none"), webhook_secrets=(), api_base=NOWHERE, sandboxed=False
        )
    return FlowPayAccess(
        api_key=Secret("fp_test_sandbox"),
        webhook_secrets=(Secret("whsec_c2FuZGJveC1mbG93cGF5LXNlY3JldA=="),),
        api_base=f"{settings.sandbox_url}/flowpay",
        sandboxed=True,
    )


def plaid_access(settings: Settings) -> PlaidAccess:
    if settings.plaid_secret:
        return PlaidAccess(
            client_id=settings.plaid_client_id,
            secret=settings.plaid_secret,
            api_base=settings.plaid_api_base or None,
            sandboxed=False,
        )
    return PlaidAccess(
        client_id="sandbox",
        secret=Secret("plaid_sandbox"),
        api_base=f"{settings.sandbox_url}/plaid" if settings.bank_payouts else NOWHERE,
        sandboxed=bool(settings.bank_payouts),
    )


def needs_sandbox(settings: Settings) -> bool:
    """Whether any provider has to be played; never in production."""
    return not settings.is_production and not (
        settings.stripe_secret_key
        and (settings.replicate_api_token or settings.fal_key)
        and (not settings.bank_payouts or (settings.flowpay_api_key and settings.plaid_secret))
    )
