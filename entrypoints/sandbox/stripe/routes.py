"""Stripe's part of the sandbox, put together: API, pages, controls, and what it remembers."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from litestar import Request, Response, Router

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failures
from entrypoints.sandbox.part import part_options
from entrypoints.sandbox.stripe import (
    accounts,
    checkout,
    customers,
    disputes,
    invoices,
    payments,
    payouts,
    portal,
    prices,
    records,
    refunds,
    reversals,
    subscriptions,
    taxes,
    transfers,
)
from entrypoints.sandbox.stripe.api import PREFIX, create_api
from entrypoints.sandbox.stripe.control import create_stripe_control
from entrypoints.sandbox.stripe.errors import StripeProblem
from entrypoints.sandbox.stripe.idempotency import IdempotencyKeys
from entrypoints.sandbox.stripe.pages import create_pages
from entrypoints.sandbox.stripe.store import PLATFORM, World
from entrypoints.sandbox.stripe.table import Table

# Importing these modules registers their operations.
REGISTERED = (
    accounts,
    checkout,
    customers,
    disputes,
    invoices,
    payments,
    payouts,
    portal,
    prices,
    records,
    refunds,
    reversals,
    subscriptions,
    taxes,
    transfers,
)
LISTED = 200


@dataclass(frozen=True, slots=True)
class StripePart:
    """`time_passed` brings about what is due after the clock was moved."""

    router: Router
    control: Router
    time_passed: Callable[[], None]


def create_stripe(
    config: SandboxConfig, delivery: Delivery, failures: Failures, clock: SandboxClock
) -> StripePart:
    world = World(config, clock, delivery)
    keys = IdempotencyKeys(clock)

    def reset() -> None:
        world.clear()
        keys.clear()

    def time_passed() -> None:
        checkout.expire_overdue(world)
        refunds.fund_pending(world)
        disputes.mark_overdue(world)
        subscriptions.renew_due(world)

    router = Router(
        PREFIX,
        route_handlers=[
            create_api(world, keys, failures),
            *create_pages(world),
            *portal.create_portal_pages(world),
        ],
        opt=part_options(reset=reset, state=lambda: _describe(world)),
    )
    control = create_stripe_control(world)
    control.exception_handlers[StripeProblem] = _refuse
    return StripePart(router, control, time_passed)


def _refuse(_: Request[Any, Any, Any], problem: StripeProblem) -> Response[Any]:
    return Response(problem.body(), status_code=problem.status)


def _describe(world: World) -> dict[str, Any]:
    tables: dict[str, Table] = {
        "accounts": world.accounts,
        "sessions": world.sessions,
        "charges": world.charges,
        "refunds": world.refunds,
        "transfers": world.transfers,
        "reversals": world.reversals,
        "disputes": world.disputes,
        "customers": world.customers,
        "subscriptions": world.subscriptions,
        "invoices": world.invoices,
    }
    description: dict[str, Any] = {
        "counts": {name: len(table) for name, table in tables.items()},
        "balance": world.balances.as_object(PLATFORM, default_currency="usd"),
    }
    description["tax_reversed_cents"] = dict(world.tax_reversed_cents)
    description["counts"]["events"] = len(world.events)
    for name, table in tables.items():
        newest = table.newest_first(PLATFORM, index=("", None))
        description[name] = list(islice(newest, LISTED))
    description["events"] = [
        {"id": row["id"], "type": row["type"], "created": row["created"]}
        for row in islice(world.events.newest_first(PLATFORM, index=("", None)), LISTED)
    ]
    return description
