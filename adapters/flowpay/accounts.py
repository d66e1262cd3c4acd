"""Bank accounts at FlowPay. Their numbers are known there and nowhere else."""

import msgspec

from adapters.flowpay.transport import FlowPayApi
from application.ports.errors import Rejected
from application.ports.payouts import ProviderBankAccount

GONE = frozenset({"account_not_found", "account_closed", "status_404"})


class _Account(msgspec.Struct):
    id: str
    status: str
    last4: str
    currency: str
    bank_name: str | None = None
    holder_name: str | None = None


class _Nothing(msgspec.Struct):
    """An answer of which we read nothing."""


class FlowPayAccounts:
    """See `application.ports.payouts.BankAccountProvider`."""

    def __init__(self, api: FlowPayApi) -> None:
        self._api = api

    async def open_account(
        self, *, key: str, token: str | None = None, processor_token: str | None = None
    ) -> ProviderBankAccount:
        body = {"token": token} if token is not None else {"processor_token": processor_token}
        account = await self._api.tell("POST", "/v1/accounts", _Account, body=body, key=key)
        return ProviderBankAccount(
            provider_id=account.id,
            last4=account.last4[-4:],
            currency=account.currency.lower(),
            verified=account.status == "verified",
            bank_name=account.bank_name,
            holder=account.holder_name,
        )

    async def verify_account(self, provider_id: str, *, amounts_cents: tuple[int, int]) -> None:
        await self._api.tell(
            "POST",
            f"/v1/accounts/{provider_id}/verify",
            _Nothing,
            body={"amounts": list(amounts_cents)},
        )

    async def close_account(self, provider_id: str) -> None:
        try:
            await self._api.tell("DELETE", f"/v1/accounts/{provider_id}", _Nothing)
        except Rejected as error:
            if error.reason not in GONE:
                raise
