"""The sandbox as one ASGI application: a provider per path prefix, and `/control` beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar

from entrypoints.sandbox.clock import SandboxClock
from entrypoints.sandbox.config import SandboxConfig
from entrypoints.sandbox.control import create_control
from entrypoints.sandbox.delivery import Delivery
from entrypoints.sandbox.failures import Failures
from entrypoints.sandbox.fal.routes import create_router as create_fal
from entrypoints.sandbox.flowpay.routes import create_flowpay
from entrypoints.sandbox.flowpay.world import Holder
from entrypoints.sandbox.openai.routes import create_openai
from entrypoints.sandbox.plaid.routes import create_plaid
from entrypoints.sandbox.replicate.routes import create_router as create_replicate
from entrypoints.sandbox.stripe.routes import create_stripe

MAX_BODY_BYTES = 64 * 1024 * 1024


def create_app(config: SandboxConfig) -> Litestar:
    """A fresh world: nothing is kept outside the returned application."""
    clock = SandboxClock(offset_s=config.clock_offset_s)
    delivery = Delivery()
    failures = Failures()
    stripe = create_stripe(config, delivery, failures, clock)
    processor_tokens: dict[str, Holder] = {}
    flowpay, flowpay_control = create_flowpay(config, delivery, failures, processor_tokens)
    plaid, plaid_control = create_plaid(config, failures, processor_tokens)
    parts = {
        "stripe": stripe.router,
        "fal": create_fal(config, delivery, failures),
        "replicate": create_replicate(config, delivery, failures, clock),
        "openai": create_openai(config, failures),
        "flowpay": flowpay,
        "plaid": plaid,
    }
    control = create_control(
        parts,
        delivery=delivery,
        failures=failures,
        clock=clock,
        time_passed=stripe.time_passed,
    )

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield
        await delivery.close()

    return Litestar(
        route_handlers=[
            *parts.values(),
            control,
            stripe.control,
            flowpay_control,
            plaid_control,
        ],
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=None,
        request_max_body_size=MAX_BODY_BYTES,
    )
