"""What a call is taken to have done, told from everything that happened on the way."""

import logging
import traceback

import httpx
import pytest

from adapters.stripe.accounts import StripePayeeAccounts
from adapters.stripe.payments import StripePayments
from application.ports.errors import OutcomeUnknown, ProviderError, Rejected, Unavailable
from application.ports.payments import TransferRequest
from tests.adapters.stripe.scripted import Script, Step, api_over, ok, refusal
from tests.contracts.conftest import Sandbox
from tests.contracts.payment_providers import new_id, stripe_over

REFUSED = httpx.ConnectError("refused")
TIMED_OUT = httpx.ReadTimeout("silence")
CUT = httpx.RemoteProtocolError("cut")


def a_transfer() -> TransferRequest:
    return TransferRequest(
        transfer_id=new_id(),
        order_id=new_id(),
        destination_account_id="acct_1",
        amount_cents=100,
        currency="usd",
        source_charge_id="ch_1",
        attempt=1,
    )


async def transfer(*steps: Step, retries: int = 2) -> tuple[str | ProviderError, Script]:
    script = Script(steps)
    api = api_over(script, retries=retries)
    try:
        return await StripePayments(api).transfer(a_transfer()), script
    except ProviderError as error:
        return error, script
    finally:
        await api.close()


@pytest.mark.parametrize("steps", [(TIMED_OUT, ok()), (CUT, ok()), (refusal(409), ok())])
async def test_a_lost_answer_is_asked_for_again_under_the_same_key(steps: tuple[Step, ...]) -> None:
    outcome, script = await transfer(*steps)

    assert outcome == "tr_1"
    assert len(script.requests) == 2
    assert len(script.keys) == 1


@pytest.mark.parametrize(
    "steps",
    [
        (TIMED_OUT, TIMED_OUT, TIMED_OUT),
        (CUT, REFUSED, REFUSED),
        (TIMED_OUT, refusal(429, code="rate_limit")),
        (TIMED_OUT, refusal(503), refusal(503)),
        (TIMED_OUT, refusal(401)),
        (refusal(409), refusal(409), refusal(409, code="idempotency_key_in_use")),
        (refusal(500), refusal(500), refusal(500)),
        (refusal(500, headers={"stripe-should-retry": "false"}),),
        (refusal(502), refusal(502), REFUSED),
        (httpx.Response(200, content=b"<html>a proxy's page</html>"),),
    ],
)
async def test_what_may_have_happened_stays_unknown(steps: tuple[Step, ...]) -> None:
    """Once one try may have arrived, only an answer to the same key settles it."""
    outcome, _ = await transfer(*steps)
    assert isinstance(outcome, OutcomeUnknown)


@pytest.mark.parametrize(
    "steps",
    [
        (REFUSED, REFUSED, REFUSED),
        (httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy"), REFUSED),
        (REFUSED, refusal(429, code="rate_limit")),
        (refusal(503), refusal(503), refusal(503)),
        (refusal(401),),
    ],
)
async def test_what_stripe_did_not_take_can_be_tried_again(steps: tuple[Step, ...]) -> None:
    outcome, _ = await transfer(*steps)
    assert isinstance(outcome, Unavailable)


async def test_a_refusal_after_a_lost_answer_is_the_answer() -> None:
    outcome, _ = await transfer(TIMED_OUT, refusal(400, code="balance_insufficient"))

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "balance_insufficient"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refusal(402, code="card_declined", kind="card_error"), "card_declined"),
        (refusal(400, code="balance_insufficient"), "balance_insufficient"),
        (refusal(403, code="account_invalid"), "account_invalid"),
        (refusal(404, code="resource_missing"), "resource_missing"),
        (refusal(400), "invalid_request_error"),
        (refusal(400, kind="idempotency_error"), "idempotency_error"),
    ],
)
async def test_a_refusal_names_stripes_code_and_is_not_repeated(
    answer: httpx.Response, reason: str
) -> None:
    outcome, script = await transfer(answer)

    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason
    assert len(script.requests) == 1


async def test_slowing_down_says_for_how_long() -> None:
    outcome, script = await transfer(refusal(429, headers={"retry-after": "7"}))

    assert isinstance(outcome, Unavailable)
    assert outcome.retry_after_s == 7
    assert len(script.requests) == 1


@pytest.mark.parametrize("step", [TIMED_OUT, CUT, refusal(500)])
async def test_a_read_without_an_answer_has_no_unknown_outcome(step: Step) -> None:
    api = api_over(Script([step]), retries=0)
    with pytest.raises(Unavailable):
        await StripePayments(api).check()
    await api.close()


async def test_nothing_of_what_a_person_typed_or_of_our_key_is_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome, _ = await transfer(
        refusal(400, code="email_invalid", message="Invalid: someone@example.org")
    )

    assert isinstance(outcome, Rejected)
    shown = "".join(traceback.format_exception(outcome)) + caplog.text
    assert "someone@example.org" not in shown
    assert "sk_test_scripted" not in shown
    assert "req_1" in outcome.message


class TestOverSockets:
    async def test_a_cut_connection_is_healed_by_the_next_try(self, sandbox: Sandbox) -> None:
        account = await self._open(sandbox, kind="timeout_after_acceptance")
        assert sandbox.state()["stripe"]["counts"]["accounts"] == 1
        assert account.startswith("acct_")

    async def test_a_slow_answer_is_healed_once_it_is_kept(self, sandbox: Sandbox) -> None:
        await self._open(sandbox, kind="latency", latency_ms=300)
        assert sandbox.state()["stripe"]["counts"]["accounts"] == 1

    async def test_a_closed_port_is_unavailable(self) -> None:
        with httpx.Client() as unused:
            api = stripe_over(Sandbox("http://127.0.0.1:9", unused), retries=1)
        with pytest.raises(Unavailable):
            await StripePayments(api).check()
        await api.close()

    async def _open(self, sandbox: Sandbox, *, kind: str, latency_ms: int = 0) -> str:
        sandbox.control(
            "failures",
            provider="stripe",
            kind=kind,
            operation="POST /v1/accounts",
            times=1,
            latency_ms=latency_ms,
        )
        api = stripe_over(sandbox, retries=60, timeout_s=0.2)
        try:
            return await StripePayeeAccounts(api).open_account(
                payee_id=new_id(), email=None, country=None
            )
        finally:
            await api.close()
