"""Payees' connected accounts: Express accounts that only receive transfers.

The platform answers for losses, and therefore must pay the fees (Stripe Connect, "controller").
"""

from uuid import UUID

import stripe
from stripe.params import AccountCreateParams

from adapters.stripe.client import StripeApi
from adapters.stripe.errors import in_our_words
from adapters.stripe.metadata import PAYEE_ID
from application.ports.payments import AccountState


class StripePayeeAccounts:
    def __init__(self, api: StripeApi) -> None:
        self._client = api.client

    async def open_account(self, *, payee_id: UUID, email: str | None, country: str | None) -> str:
        parameters: AccountCreateParams = {
            "controller": {
                "losses": {"payments": "application"},
                "fees": {"payer": "application"},
                "stripe_dashboard": {"type": "express"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {PAYEE_ID: str(payee_id)},
        }
        if email:
            parameters["email"] = email
        if country:
            parameters["country"] = country
        with in_our_words():
            account = await self._client.v1.accounts.create_async(
                parameters, {"idempotency_key": f"payee:{payee_id}"}
            )
        return account.id

    async def onboarding_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        with in_our_words():
            link = await self._client.v1.account_links.create_async(
                {
                    "account": account_id,
                    "type": "account_onboarding",
                    "refresh_url": refresh_url,
                    "return_url": return_url,
                }
            )
        return link.url

    async def account_state(self, account_id: str) -> AccountState:
        with in_our_words():
            account = await self._client.v1.accounts.retrieve_async(account_id)
        return _state(account)


def _state(account: stripe.Account) -> AccountState:
    capabilities = account.capabilities
    requirements = account.requirements
    return AccountState(
        account_id=account.id,
        transfers_active=getattr(capabilities, "transfers", None) == "active",
        payouts_enabled=bool(account.payouts_enabled),
        disabled_reason=getattr(requirements, "disabled_reason", None),
        currently_due=tuple(getattr(requirements, "currently_due", None) or ()),
        past_due=tuple(getattr(requirements, "past_due", None) or ()),
    )
