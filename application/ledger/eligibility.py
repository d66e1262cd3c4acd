"""What stands between a payee and a payout: asked before one, and told to whoever wonders."""

from collections.abc import Sequence

import msgspec

from application.ports.unit_of_work import UnitOfWork
from domain.ledger.bank_account import BankAccount
from domain.ledger.earning import PayeeBalance
from domain.ledger.payee import Payee
from domain.ledger.payout import PayoutSpeed
from domain.ledger.payout_rules import Block, PayoutPolicy, blocks, payable_cents, too_small
from domain.ledger.payout_settings import PayoutMethod, PayoutSchedule, PayoutSettings
from domain.shared.errors import Invalid, RuleRefused
from domain.shared.money import Currency, currency


class PayoutBlocked(RuleRefused):
    """Nothing is paid out now; `reasons` has every reason."""

    code = "payout_blocked"

    def __init__(self, reasons: Sequence[Block]) -> None:
        super().__init__(" ".join(reason.message for reason in reasons), reasons=list(reasons))


class CurrencyUnknown(Invalid):
    """There are no payouts in this currency."""

    code = "currency_unknown"

    def __init__(self) -> None:
        super().__init__(
            "There are no payouts in this currency.", fields={"currency": ["is not supported"]}
        )


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """One reason: which `field` has what `value`, against which `limit`."""

    code: str
    message: str
    field: str
    limit: int | None
    value: int | None


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """`payable_cents` is what a payout of everything would take; `instant_fee_cents` what it would
    cost to have it at once."""

    eligible: bool
    method: PayoutMethod
    schedule: PayoutSchedule
    currency: str
    available_cents: int
    payable_cents: int
    minimum_cents: int
    instant_fee_cents: int
    reasons: list[BlockView]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All that a payout is decided by, as one transaction sees it."""

    payee: Payee
    settings: PayoutSettings
    balance: PayeeBalance
    account: BankAccount | None
    blocks: list[Block]


def supported(code: str) -> Currency:
    """Raises CurrencyUnknown."""
    try:
        return currency(code)
    except ValueError:
        raise CurrencyUnknown from None


async def standing_of(
    payee: Payee, code: Currency, *, uow: UnitOfWork, policy: PayoutPolicy
) -> Standing:
    """Holds the settings against change and locks the balance."""
    chosen = await uow.payout_settings.many([payee.id])
    settings = chosen.get(payee.id) or PayoutSettings(id=payee.id)
    account = (await uow.bank_accounts.defaults([payee.id])).get(payee.id)
    balance = (await uow.ledger.lock_balances([(payee.id, code)]))[payee.id, code]
    return Standing(
        payee=payee,
        settings=settings,
        balance=balance,
        account=account,
        blocks=blocks(
            payee=payee, settings=settings, balance=balance, account=account, policy=policy
        ),
    )


def eligibility_of(standing: Standing, *, policy: PayoutPolicy) -> Eligibility:
    code = standing.balance.currency
    payable = payable_cents(standing.balance)
    minimum = policy.minimum_cents(code, standing.settings)
    small = too_small(payable, minimum)
    reasons = [*standing.blocks, *([small] if small else [])]
    return Eligibility(
        eligible=not reasons,
        method=standing.settings.method,
        schedule=standing.settings.schedule,
        currency=code,
        available_cents=standing.balance.available_cents,
        payable_cents=payable,
        minimum_cents=minimum,
        instant_fee_cents=policy.fee_cents(payable, code, PayoutSpeed.INSTANT),
        reasons=[
            BlockView(
                code=reason.code,
                message=reason.message,
                field=reason.field,
                limit=reason.limit,
                value=reason.value,
            )
            for reason in reasons
        ],
    )
