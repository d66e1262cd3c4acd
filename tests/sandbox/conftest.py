"""One sandbox process for the session, emptied before each test."""

from collections.abc import Iterator

import pytest
import stripe

from tests.sandbox.server import Receiver, Sandbox, running_sandbox, stripe_client


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    with running_sandbox("--stripe-bank-debit-s", "0.05", "--stripe-payout-s", "0.05") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    sandbox_process.control("reset")
    return sandbox_process


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[stripe.StripeClient]:
    with stripe_client(sandbox) as connected:
        yield connected


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """An endpoint registered at the played Stripe: `/stripe`, and `/connect` for Connect events."""
    with Receiver() as endpoint:
        url = endpoint.url
        sandbox.control("stripe/endpoints", url=f"{url}/stripe", connect_url=f"{url}/connect")
        yield endpoint
        sandbox.drain()
