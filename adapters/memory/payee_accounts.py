"""Payees' accounts at the played payment provider, and the money on them."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from adapters.memory.provider_calls import ProviderCalls, refused
from application.ports.clock import Clock
from application.ports.payments import AccountChanged, AccountState

FIRST_REQUIREMENTS = ("external_account", "individual.last_name", "tos_acceptance.date")

Movement = tuple[datetime, int]
"""When it becomes available, and how many cents."""


class MemoryPayeeAccounts:
    def __init__(
        self, clock: Clock, *, calls: ProviderCalls, webhooks: MemoryPaymentWebhooks
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._webhooks = webhooks
        self._states: dict[str, AccountState] = {}
        self._purses: defaultdict[tuple[str, str], list[Movement]] = defaultdict(list)
        self._links = 0

    async def open_account(self, *, payee_id: UUID, email: str | None, country: str | None) -> str:
        def act() -> str:
            account_id = f"acct_{len(self._states) + 1}"
            self._states[account_id] = AccountState(
                account_id=account_id,
                transfers_active=False,
                payouts_enabled=False,
                disabled_reason="requirements.past_due",
                currently_due=FIRST_REQUIREMENTS,
                past_due=FIRST_REQUIREMENTS,
            )
            return account_id

        key = f"payee:{payee_id}"
        return self._calls.once("open_account", key=key, request=(email, country), act=act)

    async def onboarding_link(self, account_id: str, *, refresh_url: str, return_url: str) -> str:
        self._calls.read("onboarding_link")
        self.require(account_id)
        self._links += 1
        return f"https://payments.invalid/onboarding/{account_id}/{self._links}"

    async def account_state(self, account_id: str) -> AccountState:
        self._calls.read("account_state")
        return self.require(account_id)

    # What happens at the provider.

    def complete_onboarding(self, account_id: str) -> None:
        self.require(account_id)
        self._change(
            AccountState(
                account_id=account_id,
                transfers_active=True,
                payouts_enabled=True,
                disabled_reason=None,
            )
        )

    def suspend(self, account_id: str, *, reason: str, due: tuple[str, ...] = ()) -> None:
        """A review takes the transfers capability away."""
        state = self.require(account_id)
        self._change(
            msgspec.structs.replace(
                state,
                transfers_active=False,
                payouts_enabled=False,
                disabled_reason=reason,
                currently_due=due,
            )
        )

    def require(self, account_id: str) -> AccountState:
        if account_id not in self._states:
            raise refused("There is no such account.", reason="account_invalid")
        return self._states[account_id]

    def move(
        self, account_id: str, *, amount_cents: int, currency: str, available_at: datetime
    ) -> None:
        self._purses[account_id, currency].append((available_at, amount_cents))

    def available_cents(self, account_id: str, *, currency: str) -> int:
        now = self._clock.now()
        movements = self._purses[account_id, currency]
        return sum(cents for at, cents in movements if at <= now)

    def _change(self, state: AccountState) -> None:
        self._states[state.account_id] = state
        self._webhooks.tell(AccountChanged(account_id=state.account_id), endpoint="connect")
