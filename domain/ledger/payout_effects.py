"""The effects of payouts on the books, each with its key and its entries.

Money of a bank payout goes from the payee's available balance by way of `payable_reserved` and
`payouts_in_transit` to `payout_clearing`, where the provider holds ours. A payout of a connected
account moves money that has left the books with its transfer: only its fee is posted.
"""

from datetime import datetime
from typing import assert_never

from domain.ledger.payout import Payout, PayoutStep
from domain.ledger.payout_settings import PayoutMethod
from domain.ledger.posting import Account, Entry, Transaction
from domain.shared.money import Currency


def payout_reserved(payout: Payout, *, at: datetime) -> Transaction:
    """Available money is set aside for a payout. `payout_reserve:{payout}`."""
    return _posting(
        payout,
        "payout_reserve",
        Entry(Account.PAYABLE_AVAILABLE, payout.payee_id, -payout.amount_cents),
        Entry(Account.PAYABLE_RESERVED, payout.payee_id, payout.amount_cents),
        at=at,
    )


def payout_declined(payout: Payout, *, at: datetime) -> list[Transaction]:
    """The provider took nothing: what was reserved is available again. `payout_failed:{payout}`."""
    if payout.method is PayoutMethod.CONNECT:
        return []
    return [
        _posting(
            payout,
            "payout_failed",
            Entry(Account.PAYABLE_RESERVED, payout.payee_id, -payout.amount_cents),
            Entry(Account.PAYABLE_AVAILABLE, payout.payee_id, payout.amount_cents),
            at=at,
        )
    ]


def payout_step(payout: Payout, step: PayoutStep, *, at: datetime) -> list[Transaction]:
    """What one step of a payout that the provider has taken posts."""
    match payout.method:
        case PayoutMethod.BANK:
            return _bank_step(payout, step, at=at)
        case PayoutMethod.CONNECT:
            return _connect_step(payout, step, at=at)
        case _:
            assert_never(payout.method)


def payout_cost(payout: Payout, *, at: datetime) -> Transaction:
    """The provider keeps its fee of what lies with it; the platform bears it.
    `payout_cost:{payout}`."""
    return _posting(
        payout,
        "payout_cost",
        Entry(Account.PROCESSING_FEES, None, -payout.provider_fee_cents),
        Entry(Account.PAYOUT_CLEARING, None, payout.provider_fee_cents),
        at=at,
    )


def payouts_funded(
    *, reference: str, currency: Currency, amount_cents: int, at: datetime
) -> Transaction:
    """Money was moved from the payment provider to the payout provider.
    `payouts_funded:{reference}`."""
    entries = (
        Entry(Account.STRIPE_CLEARING, None, amount_cents),
        Entry(Account.PAYOUT_CLEARING, None, -amount_cents),
    )
    return Transaction(f"payouts_funded:{reference}", "payouts_funded", currency, entries, at)


def _bank_step(payout: Payout, step: PayoutStep, *, at: datetime) -> list[Transaction]:
    """`payout:{payout}`, `payout_fee:{payout}`, `payout_paid:{payout}`, `payout_failed:{payout}`,
    `payout_returned:{payout}`. A fee of a payout that failed is given back, of one that came back
    it is not: the provider has carried it."""
    net, fee = payout.net_cents, payout.fee_cents
    match step:
        case PayoutStep.SENT:
            sent = _posting(
                payout,
                "payout",
                Entry(Account.PAYABLE_RESERVED, payout.payee_id, -net),
                Entry(Account.PAYOUTS_IN_TRANSIT, None, net),
                at=at,
            )
            return [sent, *_fee(payout, Account.PAYABLE_RESERVED, at=at)]
        case PayoutStep.PAID:
            paid = _posting(
                payout,
                "payout_paid",
                Entry(Account.PAYOUTS_IN_TRANSIT, None, -net),
                Entry(Account.PAYOUT_CLEARING, None, net),
                at=at,
            )
            return [paid, *([payout_cost(payout, at=at)] if payout.provider_fee_cents else [])]
        case PayoutStep.FAILED:
            entries = [Entry(Account.PAYOUTS_IN_TRANSIT, None, -net)]
            if fee:
                entries.append(Entry(Account.PLATFORM_REVENUE, None, -fee))
            entries.append(Entry(Account.PAYABLE_AVAILABLE, payout.payee_id, net + fee))
            return [_posting(payout, "payout_failed", *entries, at=at)]
        case PayoutStep.RETURNED:
            return [
                _posting(
                    payout,
                    "payout_returned",
                    Entry(Account.PAYOUT_CLEARING, None, -net),
                    Entry(Account.PAYABLE_AVAILABLE, payout.payee_id, net),
                    at=at,
                )
            ]
        case _:
            assert_never(step)


def _connect_step(payout: Payout, step: PayoutStep, *, at: datetime) -> list[Transaction]:
    match step:
        case PayoutStep.SENT:
            return _fee(payout, Account.PAYABLE_AVAILABLE, at=at)
        case PayoutStep.FAILED if payout.fee_cents:
            return [
                _posting(
                    payout,
                    "payout_failed",
                    Entry(Account.PLATFORM_REVENUE, None, -payout.fee_cents),
                    Entry(Account.PAYABLE_AVAILABLE, payout.payee_id, payout.fee_cents),
                    at=at,
                )
            ]
        case _:
            return []


def _fee(payout: Payout, source: Account, *, at: datetime) -> list[Transaction]:
    """The platform's fee for an instant payout. `payout_fee:{payout}`."""
    if not payout.fee_cents:
        return []
    return [
        _posting(
            payout,
            "payout_fee",
            Entry(source, payout.payee_id, -payout.fee_cents),
            Entry(Account.PLATFORM_REVENUE, None, payout.fee_cents),
            at=at,
        )
    ]


def _posting(payout: Payout, kind: str, *entries: Entry, at: datetime) -> Transaction:
    return Transaction(f"{kind}:{payout.id}", kind, payout.currency, entries, at)
