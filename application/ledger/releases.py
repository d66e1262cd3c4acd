"""End holds and plan transfers: two set-based steps that a scheduler repeats.

Release: an earning whose hold is over and whose order has no open refund becomes available.
Plan: what is available of it, after debts, is reserved for one transfer per order and payee, and
the outbox sends it. Money that a reversal under way asks back is no debt until it is refused:
netting it as well would take it twice. Each step is one transaction per batch.
"""

from application.ledger.daily_payouts import PAY_RELEASED, PayReleased
from application.ledger.transfers import SEND_TRANSFER, SendTransfer
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import BalanceKey
from application.ports.unit_of_work import UnitOfWork
from domain.ledger import effects
from domain.ledger.earning import EarningState, Transfer, transferable_cents
from domain.shared.money import floor_to_quantum

BATCH = 500


async def release_due_earnings(*, uow: UnitOfWork, clock: Clock, limit: int = BATCH) -> int:
    """Make due earnings available; answers how many were released. Call again while it is full."""
    now = clock.now()
    async with uow:
        due = await uow.earnings.due(now=now, limit=limit)
        chosen = await uow.payout_settings.many({earning.payee_id for earning in due})
        postings = []
        to_pay: set[BalanceKey] = set()
        for earning in due:
            wish = chosen.get(earning.payee_id)
            keep = wish is not None and not wish.transfers_on_release
            amount_cents = earning.release(at=now, keep=keep)
            if amount_cents and wish is not None and wish.pays_bank_on_release:
                to_pay.add((earning.payee_id, earning.currency))
            if amount_cents:
                postings.append(
                    effects.release(
                        order_id=earning.order_id,
                        payee_id=earning.payee_id,
                        currency=earning.currency,
                        amount_cents=amount_cents,
                        at=now,
                    )
                )
        await uow.ledger.post(postings)
        for payee_id, currency in sorted(to_pay):
            uow.outbox.add(PAY_RELEASED, PayReleased(payee_id=payee_id, currency=currency))
        await uow.commit()
    return len(due)


async def plan_transfers(*, uow: UnitOfWork, clock: Clock, ids: Ids, limit: int = BATCH) -> int:
    """Reserve released earnings for transfers; answers how many earnings were looked at."""
    now = clock.now()
    async with uow:
        released = await uow.earnings.released(limit=limit)
        keys = {(earning.payee_id, earning.currency) for earning in released}
        balances = await uow.ledger.lock_balances(keys)
        awaited = await uow.reversals.awaited_cents(keys)
        available = {key: balances[key].available_cents + awaited.get(key, 0) for key in keys}
        accounts = {
            payee.id: payee.account_id
            for payee in await uow.payees.many({payee_id for payee_id, _ in keys})
        }
        charges = await uow.orders.charges({earning.order_id for earning in released})
        postings = []
        for earning in released:
            key = (earning.payee_id, earning.currency)
            account_id = accounts[earning.payee_id]
            amount_cents = floor_to_quantum(
                transferable_cents(earned_cents=earning.net_cents, available_cents=available[key]),
                earning.currency,
            )
            if amount_cents == 0 or account_id is None:
                earning.state = EarningState.SETTLED
                continue
            available[key] -= amount_cents
            earning.state = EarningState.TRANSFERRING
            transfer = Transfer(
                id=ids.new(),
                order_id=earning.order_id,
                payee_id=earning.payee_id,
                account_id=account_id,
                charge_id=charges[earning.order_id],
                currency=earning.currency,
                amount_cents=amount_cents,
                created_at=now,
            )
            uow.transfers.add(transfer)
            uow.outbox.add(SEND_TRANSFER, SendTransfer(transfer_id=transfer.id))
            postings.append(
                effects.reserve(
                    order_id=earning.order_id,
                    payee_id=earning.payee_id,
                    currency=earning.currency,
                    amount_cents=amount_cents,
                    at=now,
                )
            )
        await uow.ledger.post(postings)
        await uow.commit()
    return len(released)
