"""What the played FlowPay remembers: accounts, transfers, keys, and the money it holds for us.

An account whose number ends with 0001 fails every transfer to it, one ending with 0002 returns them
after they were completed. The micro-deposits are always 32 and 45 cents.
"""

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec

from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.standard_webhooks import sign

Object = dict[str, Any]
MICRO_DEPOSITS = (32, 45)
INSTANT_FEE_CENTS = 25
CLOSED, RETURNING = "0001", "0002"
ENDED = frozenset({"completed", "failed", "returned"})


class Problem(Exception):
    """A refusal as FlowPay words it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}


@dataclass(frozen=True, slots=True)
class Holder:
    """What a token stands for. `linked`: the bank has vouched for it."""

    last4: str
    name: str
    currency: str = "usd"
    linked: bool = False


class FlowPay:
    def __init__(
        self, config: SandboxConfig, delivery: Delivery, processor_tokens: dict[str, Holder]
    ) -> None:
        self._config = config
        self._delivery = delivery
        self._processor_tokens = processor_tokens
        self.clear()

    def clear(self) -> None:
        self.url = self._config.flowpay_webhook_url
        self.automatic = True
        self.tokens: dict[str, Holder] = {}
        self.accounts: dict[str, Object] = {}
        self.transfers: dict[str, Object] = {}
        self.funds: Counter[str] = Counter({"usd": self._config.flowpay_funds_cents})
        self._keys: dict[str, tuple[bytes, Object | None]] = {}

    # Keys are kept for good. A refusal binds its key to the body, and is judged anew.

    def replay(self, operation: str, key: str, body: bytes) -> Object | None:
        fingerprint = hashlib.sha256(body).digest()
        known = self._keys.setdefault(f"{operation} {key}", (fingerprint, None))
        if known[0] != fingerprint:
            raise Problem(409, "idempotency_conflict", "This key was used with another body.")
        return known[1]

    def keep(self, operation: str, key: str, answer: Object) -> None:
        fingerprint, _ = self._keys[f"{operation} {key}"]
        self._keys[f"{operation} {key}"] = (fingerprint, answer)

    def tokenise(self, holder: Holder) -> str:
        token = f"btok_{secrets.token_hex(12)}"
        self.tokens[token] = holder
        return token

    def open_account(self, *, token: str | None, processor_token: str | None) -> Object:
        if token is not None:
            holder = self.tokens.pop(token, None)
        else:
            holder = self._processor_tokens.pop(processor_token or "", None)
        if holder is None:
            raise Problem(422, "token_invalid", "There is no such token.")
        account: Object = {
            "id": f"ba_{secrets.token_hex(8)}",
            "status": "verified" if holder.linked else "unverified",
            "bank_name": "Sandbox Bank",
            "last4": holder.last4,
            "holder_name": holder.name,
            "currency": holder.currency,
        }
        self.accounts[account["id"]] = account
        return account

    def verify(self, account_id: str, amounts: list[int]) -> Object:
        account = self.account(account_id)
        if account["status"] == "unverified":
            if sorted(amounts) != sorted(MICRO_DEPOSITS):
                raise Problem(422, "amounts_mismatch", "These are not the amounts.")
            account["status"] = "verified"
        return account

    def close(self, account_id: str) -> None:
        self.account(account_id)["status"] = "closed"

    def account(self, account_id: str) -> Object:
        found = self.accounts.get(account_id)
        if found is None or found["status"] == "closed":
            raise Problem(404, "account_not_found", "There is no such account.")
        return found

    def transfer(self, given: "TransferBody") -> Object:
        account = self.accounts.get(given.destination.account_id)
        if account is None or account["status"] == "closed":
            raise Problem(422, "account_closed", "The account is closed.")
        if account["status"] != "verified":
            raise Problem(422, "account_unverified", "The account is not verified.")
        fee = INSTANT_FEE_CENTS if given.speed == "instant" else 0
        if given.amount + fee > self.funds[given.currency]:
            raise Problem(402, "insufficient_funds", "Your balance does not cover this transfer.")
        self.funds[given.currency] -= given.amount + fee
        made: Object = {
            "id": f"ft_{secrets.token_hex(12)}",
            "status": "pending",
            "amount": given.amount,
            "currency": given.currency,
            "fee": fee,
            "destination": {"account_id": given.destination.account_id},
            "speed": given.speed,
            "reference": given.reference,
            "metadata": given.metadata,
            "failure_code": None,
        }
        self.transfers[made["id"]] = made
        self._delivery.later(self._config.flowpay_transfer_s, lambda: self._arrive(made))
        return made

    def find(self, transfer_id: str) -> Object:
        if transfer_id not in self.transfers:
            raise Problem(404, "transfer_not_found", "There is no such transfer.")
        return self.transfers[transfer_id]

    def by_reference(self, reference: str) -> list[Object]:
        return [one for one in self.transfers.values() if one["reference"] == reference]

    # What happens at the bank.

    def _arrive(self, transfer: Object) -> None:
        if not self.automatic or transfer["status"] in ENDED:
            return
        last4 = self.accounts[transfer["destination"]["account_id"]]["last4"]
        if last4 == CLOSED:
            self.fail(transfer, code="account_closed")
            return
        self.complete(transfer)
        if last4 == RETURNING:
            self._delivery.later(
                self._config.flowpay_transfer_s,
                lambda: self.give_back(transfer, code="account_closed"),
            )

    def complete(self, transfer: Object) -> None:
        self._end(transfer, "completed", after=("pending", "processing"))

    def fail(self, transfer: Object, *, code: str) -> None:
        self._end(transfer, "failed", after=("pending", "processing"), code=code)
        self.funds[transfer["currency"]] += transfer["amount"] + transfer["fee"]

    def give_back(self, transfer: Object, *, code: str) -> None:
        self._end(transfer, "returned", after=("completed",), code=code)
        self.funds[transfer["currency"]] += transfer["amount"]

    def _end(
        self, transfer: Object, status: str, *, after: tuple[str, ...], code: str | None = None
    ) -> None:
        if transfer["status"] not in after:
            raise Problem(409, "transfer_state", f"The transfer is {transfer['status']}.")
        transfer |= {"status": status, "failure_code": code}
        kind = f"transfer.{status}"
        body = msgspec.json.encode({"type": kind, "data": transfer})
        message_id = f"msg_{secrets.token_hex(12)}"
        secret = self._config.flowpay_webhook_secret
        self._delivery.send(
            self.url,
            body,
            lambda at: sign(secret, message_id, at, body),
            channel="flowpay",
            label=kind,
        )

    def state(self) -> Object:
        return {
            "funds": dict(self.funds),
            "accounts": list(self.accounts.values()),
            "transfers": list(self.transfers.values())[-200:],
        }


class Destination(msgspec.Struct):
    account_id: str


class TransferBody(msgspec.Struct, forbid_unknown_fields=True):
    amount: int
    currency: str
    destination: Destination
    speed: str
    reference: str = ""
    metadata: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError("amount must be positive")
        if self.speed not in ("instant", "standard"):
            raise ValueError("speed must be instant or standard")
