"""`/control/stripe/…`: what happens at Stripe without anybody calling its API."""

from typing import Any, Literal

import msgspec
from litestar import Router, post
from litestar.params import FromPath, JSONBody

from entrypoints.sandbox.stripe import (
    accounts,
    disputes,
    events,
    payouts,
    refunds,
    reversals,
)
from entrypoints.sandbox.stripe.errors import no_such
from entrypoints.sandbox.stripe.operations import Call
from entrypoints.sandbox.stripe.store import PLATFORM, World, new_id
from entrypoints.sandbox.stripe.table import Object


class Review(msgspec.Struct):
    """The transfers capability after a review of the account."""

    transfers: Literal["active", "inactive", "pending"]
    disabled_reason: str | None = None
    currently_due: list[str] = []


class Movement(msgspec.Struct):
    """Money into (positive) or out of (negative) a balance; it may end below zero."""

    amount: int
    currency: str = "usd"


class Contest(msgspec.Struct):
    """With a verdict the charge's open dispute is decided; one is opened where there is none."""

    amount: int | None = None
    reason: str = "fraudulent"
    inquiry: bool = False
    outcome: Literal["open", "won", "lost"] = "open"
    fee_returned: bool = False


class Verdict(msgspec.Struct):
    """`warning_closed` ends an inquiry, the others a dispute."""

    outcome: Literal["won", "lost", "warning_closed"]
    fee_returned: bool = False


class TakenBack(msgspec.Struct):
    """How much of a transfer somebody reverses in the dashboard; None is all that is left."""

    amount: int | None = None


class Tampering(msgspec.Struct):
    """What a movement is said to have been, from now on; nothing else knows of it."""

    amount: int | None = None
    fee: int | None = None


class BankReturn(msgspec.Struct):
    """Why a bank sent money back, in Stripe's codes."""

    code: str = "account_closed"


class Arrival(msgspec.Struct):
    """Whether payouts are paid by themselves, after a moment."""

    automatic: bool


class Endpoints(msgspec.Struct):
    """Where events go from now on; what is left out stays as it is."""

    url: str | None = None
    connect_url: str | None = None


def create_stripe_control(world: World) -> Router:
    @post("/accounts/{account_id:str}", status_code=200)
    async def review(account_id: FromPath[str], data: JSONBody[Review]) -> Object:
        account = world.accounts.get(PLATFORM, account_id)
        accounts.set_transfers(
            world,
            account,
            status=data.transfers,
            disabled_reason=data.disabled_reason,
            due=data.currently_due,
        )
        return account

    @post("/accounts/{account_id:str}/complete_onboarding", status_code=200)
    async def onboard(account_id: FromPath[str]) -> Object:
        account = world.accounts.get(PLATFORM, account_id)
        accounts.complete_onboarding(world, account)
        return account

    @post("/accounts/{account_id:str}/balance", status_code=200)
    async def move(account_id: FromPath[str], data: JSONBody[Movement]) -> Object:
        account = world.accounts.get(PLATFORM, account_id)
        _move(world, account_id, data)
        currency = account["default_currency"]
        return world.balances.as_object(account_id, default_currency=currency)

    @post("/balance", status_code=200)
    async def move_platform(data: JSONBody[Movement]) -> Object:
        _move(world, PLATFORM, data)
        refunds.fund_pending(world)
        return world.balances.as_object(PLATFORM, default_currency="usd")

    @post("/charges/{charge_id:str}/dispute", status_code=200)
    async def contest(charge_id: FromPath[str], data: JSONBody[Contest]) -> Object:
        charge = _charge_called(world, charge_id)
        if data.outcome != "open":
            return disputes.bring_about(
                world,
                charge,
                outcome=data.outcome,
                amount_cents=data.amount,
                reason=data.reason,
                fee_returned=data.fee_returned,
            )
        return disputes.open_dispute(
            world, charge, amount_cents=data.amount, reason=data.reason, inquiry=data.inquiry
        )

    @post("/disputes/{dispute_id:str}/escalate", status_code=200)
    async def escalate(dispute_id: FromPath[str]) -> Object:
        return disputes.escalate(world, world.disputes.get(PLATFORM, dispute_id))

    @post("/disputes/{dispute_id:str}/close", status_code=200)
    async def close(dispute_id: FromPath[str], data: JSONBody[Verdict]) -> Object:
        dispute = world.disputes.get(PLATFORM, dispute_id)
        return disputes.close_dispute(
            world, dispute, outcome=data.outcome, fee_returned=data.fee_returned
        )

    @post("/transfers/{transfer_id:str}/reverse", status_code=200)
    async def take_back(transfer_id: FromPath[str], data: JSONBody[TakenBack]) -> Object:
        asked = {} if data.amount is None else {"amount": data.amount}
        return reversals.create_reversal(world, Call(PLATFORM, (transfer_id,), asked))

    @post("/endpoints", status_code=200)
    async def endpoints(data: JSONBody[Endpoints]) -> dict[str, Any]:
        if data.url is not None:
            world.webhook_url = data.url
        if data.connect_url is not None:
            world.connect_webhook_url = data.connect_url
        return {"url": world.webhook_url, "connect_url": world.connect_webhook_url}

    @post("/events/{event_id:str}/resend", status_code=200)
    async def resend(event_id: FromPath[str]) -> dict[str, str]:
        events.resend(world, event_id)
        return {"id": event_id}

    @post("/payouts/{payout_id:str}/fail", status_code=200)
    async def fail(payout_id: FromPath[str], data: JSONBody[BankReturn]) -> Object:
        payout = world.payouts.peek(payout_id)
        if payout is None:
            raise no_such("payout", payout_id)
        return payouts.fail_payout(world, payout, code=data.code)

    @post("/payouts/{payout_id:str}/pay", status_code=200)
    async def pay_out(payout_id: FromPath[str]) -> Object:
        payout = world.payouts.peek(payout_id)
        if payout is None:
            raise no_such("payout", payout_id)
        return payouts.pay(world, payout)

    @post("/payouts", status_code=200)
    async def arrival(data: JSONBody[Arrival]) -> Arrival:
        world.payouts_arrive = data.automatic
        return data

    @post("/refunds/{refund_id:str}/fail", status_code=200)
    async def fail_refund(refund_id: FromPath[str], data: JSONBody[BankReturn]) -> Object:
        refund = world.refunds.get(PLATFORM, refund_id)
        return refunds.fail_refund(world, refund, reason=data.code)

    @post("/movements/{source_id:str}", status_code=200)
    async def tamper(source_id: FromPath[str], data: JSONBody[Tampering]) -> list[Object]:
        rows = _movements_of(world, source_id)
        for row in rows:
            row["amount"] = row["amount"] if data.amount is None else data.amount
            row["fee"] = row["fee"] if data.fee is None else data.fee
            row["net"] = row["amount"] - row["fee"]
        return rows

    @post("/movements/{source_id:str}/forget", status_code=200)
    async def forget(source_id: FromPath[str]) -> list[Object]:
        rows = _movements_of(world, source_id)
        for row in rows:
            world.transactions.remove(row["id"])
        return rows

    handlers = [
        tamper,
        forget,
        fail_refund,
        fail,
        pay_out,
        arrival,
        review,
        onboard,
        move,
        move_platform,
        contest,
        escalate,
        take_back,
        close,
        endpoints,
        resend,
    ]
    return Router("/control/stripe", route_handlers=handlers)


def _charge_called(world: World, name: str) -> Object:
    """By its id, or by its transfer group: the one that was paid."""
    in_group = world.charges.newest_first(PLATFORM, index=("transfer_group", name))
    paid = next((charge for charge in in_group if charge["status"] == "succeeded"), None)
    return paid or world.charges.get(PLATFORM, name)


def _movements_of(world: World, source_id: str) -> list[Object]:
    rows = list(world.transactions.newest_first(PLATFORM, index=("source", source_id)))
    if not rows:
        raise no_such("balance transaction", source_id)
    return rows


def _move(world: World, account: str, movement: Movement) -> None:
    world.balances.post(
        account,
        identifier=new_id("txn"),
        kind="topup" if movement.amount > 0 else "payout",
        amount_cents=movement.amount,
        currency=movement.currency,
        source=None,
    )
