"""What every payment provider tells of disputes, takes as an answer, and still refunds."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from application.ports.errors import OutcomeUnknown, Rejected, Unavailable
from application.ports.payments import (
    CapturedPayment,
    DisputeChanged,
    EvidenceRequest,
    ProviderRefund,
    RefundRequest,
)
from domain.shared.disputes import DisputeStatus
from tests.contracts.payment_providers import (
    PROVIDERS,
    Provider,
    Verdict,
    new_id,
    provider_for,
)

FEE_CENTS = 1500


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with provider_for(request) as provider:
        yield provider


async def snapshots(provider: Provider, dispute_id: str) -> set[DisputeChanged]:
    """All that was told of a dispute, without the day until which it may be answered."""
    return {
        msgspec.structs.replace(event, due_by=None)
        for event in await provider.told()
        if isinstance(event, DisputeChanged) and event.provider_id == dispute_id
    }


def said(
    paid: CapturedPayment, dispute_id: str, status: DisputeStatus, **money: int
) -> DisputeChanged:
    whole = DisputeChanged(
        provider_id=dispute_id,
        charge_id=paid.charge_id,
        amount_cents=paid.amount_cents,
        currency="usd",
        reason="fraudulent",
        status=status,
    )
    return msgspec.structs.replace(whole, **money)


def evidence_for(dispute_id: str) -> EvidenceRequest:
    return EvidenceRequest(
        dispute_id=new_id(),
        dispute_provider_id=dispute_id,
        fields={"product_description": "A print.", "uncategorized_text": "It was delivered."},
        attempt=1,
    )


async def give_back(provider: Provider, paid: CapturedPayment, cents: int) -> ProviderRefund:
    return await provider.payments.refund(
        RefundRequest(
            refund_id=new_id(),
            order_id=paid.order_id,
            charge_id=paid.charge_id,
            amount_cents=cents,
            currency="usd",
            attempt=1,
        )
    )


class TestSnapshots:
    async def test_a_dispute_tells_what_was_withdrawn_and_its_fee(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        dispute_id = await provider.contest(paid.charge_id)

        assert await snapshots(provider, dispute_id) == {
            said(paid, dispute_id, DisputeStatus.NEEDS_RESPONSE),
            said(
                paid,
                dispute_id,
                DisputeStatus.NEEDS_RESPONSE,
                withdrawn_cents=2500,
                fee_cents=FEE_CENTS,
            ),
        }

    async def test_it_says_until_when_it_may_be_answered(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        await provider.contest(paid.charge_id)

        days = {
            event.due_by and round((event.due_by - provider.now()) / timedelta(days=1))
            for event in await provider.told()
            if isinstance(event, DisputeChanged)
        }
        assert days == {7}

    async def test_a_part_of_a_charge_may_be_contested(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await give_back(provider, paid, 1000)
        part = await provider.contest(paid.charge_id, cents=700)

        assert said(
            paid,
            part,
            DisputeStatus.NEEDS_RESPONSE,
            amount_cents=700,
            withdrawn_cents=700,
            fee_cents=FEE_CENTS,
        ) in await snapshots(provider, part)

    async def test_what_was_refunded_is_not_contested(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await give_back(provider, paid, 1000)
        dispute_id = await provider.contest(paid.charge_id)

        assert {one.amount_cents for one in await snapshots(provider, dispute_id)} == {1500}

    @pytest.mark.parametrize("fee_returned", [False, True])
    async def test_a_won_dispute_tells_withdrawal_and_return_together(
        self, provider: Provider, fee_returned: bool
    ) -> None:
        """Each snapshot stands for itself, so that those before it may be lost."""
        paid = await provider.paid_order(cents=2500)
        dispute_id = await provider.contest(paid.charge_id)
        await provider.decide(dispute_id, "won", fee_returned=fee_returned)

        assert said(
            paid,
            dispute_id,
            DisputeStatus.WON,
            withdrawn_cents=2500,
            fee_cents=FEE_CENTS,
            reinstated_cents=2500,
            returned_fee_cents=FEE_CENTS if fee_returned else 0,
        ) in await snapshots(provider, dispute_id)

    async def test_a_lost_dispute_tells_what_is_gone(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        dispute_id = await provider.contest(paid.charge_id)
        await provider.decide(dispute_id, "lost")

        assert said(
            paid, dispute_id, DisputeStatus.LOST, withdrawn_cents=2500, fee_cents=FEE_CENTS
        ) in await snapshots(provider, dispute_id)

    async def test_an_inquiry_moves_nothing(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        dispute_id = await provider.inquire(paid.charge_id)
        await provider.close_inquiry(dispute_id)

        assert await snapshots(provider, dispute_id) == {
            said(paid, dispute_id, DisputeStatus.INQUIRY),
            said(paid, dispute_id, DisputeStatus.INQUIRY_CLOSED),
        }

    async def test_an_inquiry_may_become_a_dispute(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        dispute_id = await provider.inquire(paid.charge_id)
        await provider.escalate(dispute_id)
        await provider.decide(dispute_id, "lost")

        told = await snapshots(provider, dispute_id)
        taken = {"withdrawn_cents": 2500, "fee_cents": FEE_CENTS}
        assert said(paid, dispute_id, DisputeStatus.NEEDS_RESPONSE, **taken) in told
        assert said(paid, dispute_id, DisputeStatus.LOST, **taken) in told


class TestRefundsOfDisputedCharges:
    async def test_nothing_is_refunded_while_the_bank_holds_the_money(
        self, provider: Provider
    ) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.contest(paid.charge_id, cents=700)

        with pytest.raises(Rejected) as refusal:
            await give_back(provider, paid, 100)
        assert refusal.value.reason == "charge_disputed"

    async def test_after_a_win_all_of_it_may_be_refunded(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.decide(await provider.contest(paid.charge_id), "won")

        assert (await give_back(provider, paid, 2500)).status == "succeeded"

    async def test_what_was_lost_is_not_refunded_as_well(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.decide(await provider.contest(paid.charge_id, cents=700), "lost")

        with pytest.raises(Rejected):
            await give_back(provider, paid, 1801)
        assert (await give_back(provider, paid, 1800)).status == "succeeded"

    async def test_nothing_is_left_of_a_charge_that_was_lost(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.decide(await provider.contest(paid.charge_id), "lost")

        with pytest.raises(Rejected) as refusal:
            await give_back(provider, paid, 1)
        assert refusal.value.reason == "charge_disputed"

    async def test_an_inquiry_may_be_answered_by_a_refund(self, provider: Provider) -> None:
        paid = await provider.paid_order(cents=2500)
        await provider.inquire(paid.charge_id)

        assert (await give_back(provider, paid, 2500)).status == "succeeded"


class TestEvidence:
    async def test_evidence_arrives_once_however_often_it_is_sent(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        dispute_id = await provider.contest(paid.charge_id)
        request = evidence_for(dispute_id)

        assert not await arrived(provider, request)
        await provider.payments.submit_evidence(request)
        await provider.payments.submit_evidence(request)

        assert await arrived(provider, request)
        assert any(
            one.status is DisputeStatus.UNDER_REVIEW
            for one in await snapshots(provider, dispute_id)
        )

    async def test_evidence_whose_answer_was_lost_is_found(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        request = evidence_for(await provider.contest(paid.charge_id))
        await provider.fail("submit_evidence", "lost_answer")
        with pytest.raises(OutcomeUnknown):
            await provider.payments.submit_evidence(request)
        await provider.recover()

        assert await arrived(provider, request)
        await provider.payments.submit_evidence(request)

    async def test_evidence_that_was_not_taken_is_taken_by_the_next_try(
        self, provider: Provider
    ) -> None:
        paid = await provider.paid_order()
        request = evidence_for(await provider.contest(paid.charge_id))
        await provider.fail("submit_evidence", "unavailable")
        with pytest.raises(Unavailable):
            await provider.payments.submit_evidence(request)
        await provider.recover()

        assert not await arrived(provider, request)
        await provider.payments.submit_evidence(request)
        assert await arrived(provider, request)

    async def test_somebody_elses_answer_is_not_ours_and_the_bank_reads_no_second(
        self, provider: Provider
    ) -> None:
        paid = await provider.paid_order()
        dispute_id = await provider.contest(paid.charge_id)
        await provider.payments.submit_evidence(evidence_for(dispute_id))
        ours = evidence_for(dispute_id)

        assert not await arrived(provider, ours)
        with pytest.raises(Rejected):
            await provider.payments.submit_evidence(ours)

    async def test_late_evidence_is_refused(self, provider: Provider) -> None:
        paid = await provider.paid_order()
        request = evidence_for(await provider.contest(paid.charge_id))
        await provider.days_pass(8)

        with pytest.raises(Rejected):
            await provider.payments.submit_evidence(request)
        assert not await arrived(provider, request)

    @pytest.mark.parametrize("outcome", ["won", "lost"])
    async def test_a_dispute_that_is_decided_takes_no_evidence(
        self, provider: Provider, outcome: Verdict
    ) -> None:
        paid = await provider.paid_order()
        dispute_id = await provider.contest(paid.charge_id)
        await provider.decide(dispute_id, outcome)

        with pytest.raises(Rejected):
            await provider.payments.submit_evidence(evidence_for(dispute_id))

    async def test_an_inquiry_is_answered_and_the_dispute_after_it_again(
        self, provider: Provider
    ) -> None:
        paid = await provider.paid_order()
        dispute_id = await provider.inquire(paid.charge_id)
        await provider.payments.submit_evidence(evidence_for(dispute_id))
        with pytest.raises(Rejected):
            await provider.payments.submit_evidence(evidence_for(dispute_id))
        await provider.escalate(dispute_id)
        request = evidence_for(dispute_id)

        await provider.payments.submit_evidence(request)
        assert await arrived(provider, request)

    async def test_a_dispute_that_nobody_knows_is_refused(self, provider: Provider) -> None:
        request = evidence_for("dp_unheard_of")
        with pytest.raises(Rejected) as refusal:
            await provider.payments.submit_evidence(request)
        assert refusal.value.reason == "resource_missing"
        with pytest.raises(Rejected):
            await arrived(provider, request)


async def arrived(provider: Provider, request: EvidenceRequest) -> bool:
    return await provider.payments.evidence_submitted(
        dispute_id=request.dispute_id, dispute_provider_id=request.dispute_provider_id
    )
