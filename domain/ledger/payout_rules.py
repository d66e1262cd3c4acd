"""Who may be paid out now, how much at least, and what an instant payout costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.ledger.bank_account import BankAccount, BankAccountState, HolderName
from domain.ledger.earning import PayeeBalance
from domain.ledger.payee import Payee
from domain.ledger.payout import PayoutSpeed
from domain.ledger.payout_settings import PayoutMethod, PayoutSettings
from domain.shared.errors import RuleRefused
from domain.shared.money import BasisPoints, Currency, floor_to_quantum, rules_of


@dataclass(frozen=True, slots=True)
class PayoutPolicy:
    """The platform's rules. Amounts in minor units; `minimums` for currencies with their own."""

    bank_payouts: bool = True
    default_minimum_cents: int = 1000
    minimums: Mapping[str, int] = field(default_factory=dict)
    instant_fee_bps: int = 100
    instant_fee_minimum_cents: int = 50
    blocked_by_dispute: bool = True

    def minimum_cents(self, currency: str, settings: PayoutSettings) -> int:
        platform = self.minimums.get(currency, self.default_minimum_cents)
        return max(platform, settings.minimum_cents or 0)

    def fee_cents(self, amount_cents: int, currency: str, speed: PayoutSpeed) -> int:
        """What an instant payout costs the payee; a whole number of quanta, rounded up."""
        if speed is PayoutSpeed.STANDARD:
            return 0
        fee = max(
            BasisPoints(self.instant_fee_bps).of(amount_cents), self.instant_fee_minimum_cents
        )
        quantum = rules_of(currency).quantum
        return -(-fee // quantum) * quantum


@dataclass(frozen=True, slots=True)
class Block:
    """One reason why nothing is paid out now. `field` says what of, `limit` and `value` how far."""

    code: str
    message: str
    field: str
    limit: int | None = None
    value: int | None = None


def payable_cents(balance: PayeeBalance) -> int:
    """What may leave: the available balance, down to what banks can be sent."""
    return max(0, floor_to_quantum(balance.available_cents, balance.currency))


def blocks(
    *,
    payee: Payee,
    settings: PayoutSettings,
    balance: PayeeBalance,
    account: BankAccount | None,
    policy: PayoutPolicy,
) -> list[Block]:
    """Every reason against a payout of this balance, whatever its amount."""
    found = _of_balance(balance, policy)
    if settings.method is PayoutMethod.BANK:
        found += _of_bank(account, balance.currency, policy)
    elif not payee.can_be_paid:
        found.append(
            Block("payee_not_ready", "The account at the payment provider is not ready.", "payee")
        )
    return found


def too_small(amount_cents: int, minimum_cents: int) -> Block | None:
    if amount_cents >= minimum_cents:
        return None
    return Block(
        "below_minimum",
        "The amount is below the smallest payout.",
        "amount_cents",
        limit=minimum_cents,
        value=amount_cents,
    )


def _of_balance(balance: PayeeBalance, policy: PayoutPolicy) -> list[Block]:
    found = []
    if balance.available_cents < 0:
        found.append(
            Block(
                "negative_balance",
                "The balance is below zero: earnings to come fill it first.",
                "available_cents",
                limit=0,
                value=balance.available_cents,
            )
        )
    if policy.blocked_by_dispute and balance.disputed_cents > 0:
        found.append(
            Block(
                "dispute_open",
                "A payment is disputed: nothing is paid out until that ends.",
                "disputed_cents",
                limit=0,
                value=balance.disputed_cents,
            )
        )
    return found


def _of_bank(account: BankAccount | None, currency: Currency, policy: PayoutPolicy) -> list[Block]:
    if not policy.bank_payouts:
        return [Block("bank_payouts_off", "This platform pays no banks.", "method")]
    if account is None:
        return [Block("no_bank_account", "There is no bank account to pay to.", "bank_account")]
    found = []
    if account.state is BankAccountState.FLAGGED:
        message = "The last payout to this bank account came back: add another one."
        found.append(Block("bank_account_flagged", message, "bank_account"))
    elif account.state is not BankAccountState.VERIFIED:
        message = "The bank account is not verified."
        found.append(Block("bank_account_not_verified", message, "bank_account"))
    if account.holder_name in (HolderName.NEEDS_REVIEW, HolderName.REFUSED):
        message = "The account's holder has another name than the payee: somebody looks at it."
        found.append(Block("bank_account_name_in_review", message, "bank_account"))
    if account.currency != currency:
        message = f"The bank account takes {account.currency}, not {currency}."
        found.append(Block("bank_account_currency", message, "bank_account"))
    return found


class InsufficientAvailable(RuleRefused):
    """The payee has not that much available, or had it a moment ago."""

    code = "insufficient_available"

    def __init__(self) -> None:
        super().__init__("There is not that much available.")


class BankPayoutsOff(RuleRefused):
    """This installation has no provider for payouts to banks."""

    code = "bank_payouts_off"

    def __init__(self) -> None:
        super().__init__("This platform pays no banks: choose the method connect.")
