"""The bank reads one answer; what it is shown of the buyer is no more than it needs."""

import csv
import io
import zipfile
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from adapters.memory.storage import MemoryStorage
from adapters.postgres.dispute_views import PostgresDisputeViews
from adapters.postgres.order_views import PostgresOrderViews
from application.media.assets import read_asset
from application.ordering.dispute_evidence import (
    EvidenceEmpty,
    SubmitEvidence,
    send_evidence,
    submit_evidence,
)
from application.ordering.evidence_pack import evidence_pack
from application.ports.dispute_views import DisputeRecord
from application.ports.errors import OutcomeUnknown, Unavailable
from domain.identity.actor import Actor, Role
from domain.ordering.dispute import DisputeNotAnswerable, EvidenceState, EvidenceSubmitted
from domain.shared.errors import NotFound
from tests.application.ordering.conftest import ADMIN, Desk
from tests.builders import Market, actor

PARTS = [
    "summary.txt",
    "dispute.json",
    "order.json",
    "statement.json",
    "statement.csv",
    "refunds.json",
    "licence_decisions.json",
    "deliveries.csv",
]


async def answer(desk: Desk, dispute_id: UUID, words: str, *, by: Actor = ADMIN) -> DisputeRecord:
    return await submit_evidence(
        dispute_id,
        SubmitEvidence(uncategorized_text=words or None),
        actor=by,
        uow=desk.new_uow(),
        dispute_views=PostgresDisputeViews(desk.engine),
        clock=desk.clock,
    )


async def send(desk: Desk, dispute_id: UUID) -> None:
    await send_evidence(
        dispute_id, uow=desk.new_uow(), payments=desk.provider.payments, clock=desk.clock
    )


async def state_of(desk: Desk) -> tuple[object, ...]:
    found = await desk.rows("SELECT evidence_state, evidence_attempt FROM disputes")
    return found[0]


async def disputed(desk: Desk, shop: Market) -> tuple[str, UUID]:
    """The provider's name of a dispute, and ours."""
    said = desk.provider.payments.dispute(
        await desk.charge_of(await desk.buy(*shop.products, key=str(desk.ids.new())))
    )
    return said, await desk.hear(said)


def sent_to_bank(desk: Desk, said: str) -> str:
    """The bank begins to look when it has been answered."""
    return str(desk.provider.payments.dispute_said(said).status)


async def test_an_answer_is_committed_and_sent_once(desk: Desk) -> None:
    said, dispute_id = await disputed(desk, await desk.market())
    record = await answer(desk, dispute_id, "It was delivered.")
    assert record.evidence_state is EvidenceState.INTENDED
    assert await desk.rows(
        "SELECT count(*) FROM outbox_messages WHERE topic = 'payments.send_evidence'"
    ) == [(1,)]
    with pytest.raises(EvidenceSubmitted):
        await answer(desk, dispute_id, "Once more.")
    assert sent_to_bank(desk, said) == "needs_response"
    for _ in range(3):
        await send(desk, dispute_id)
    assert sent_to_bank(desk, said) == "under_review"
    assert await state_of(desk) == ("submitted", 1)
    with pytest.raises(EvidenceSubmitted):
        await answer(desk, dispute_id, "Once more.")


async def test_after_a_lost_answer_the_bank_is_not_answered_again(desk: Desk) -> None:
    """Not even when the provider has forgotten the key."""
    said, dispute_id = await disputed(desk, await desk.market())
    await answer(desk, dispute_id, "It was delivered.")
    desk.provider.calls.fail("submit_evidence", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        await send(desk, dispute_id)
    assert await state_of(desk) == ("intended", 1)
    assert sent_to_bank(desk, said) == "under_review"
    desk.provider.calls.recover()
    desk.clock.advance(timedelta(days=2))
    await send(desk, dispute_id)
    assert await state_of(desk) == ("submitted", 1)


async def test_an_absent_provider_leaves_the_intent(desk: Desk) -> None:
    said, dispute_id = await disputed(desk, await desk.market())
    await answer(desk, dispute_id, "It was delivered.")
    desk.provider.calls.fail("submit_evidence", "unavailable")
    with pytest.raises(Unavailable):
        await send(desk, dispute_id)
    assert await state_of(desk) == ("intended", 1)
    assert sent_to_bank(desk, said) == "needs_response"
    desk.provider.calls.recover()
    await send(desk, dispute_id)
    assert await state_of(desk) == ("submitted", 1)


async def test_what_was_refused_is_noted_and_may_be_sent_corrected(desk: Desk) -> None:
    said, dispute_id = await disputed(desk, await desk.market())
    await answer(desk, dispute_id, "It was delivered.")
    desk.clock.advance(timedelta(days=8))  # the message waited for longer than the bank does
    await send(desk, dispute_id)
    assert await state_of(desk) == ("refused", 2)
    assert (await desk.rows("SELECT evidence_error IS NOT NULL FROM disputes")) == [(True,)]
    with pytest.raises(DisputeNotAnswerable):
        await answer(desk, dispute_id, "Too late.")
    desk.clock.advance(-timedelta(days=8))
    await answer(desk, dispute_id, "Corrected.")
    await send(desk, dispute_id)
    assert await state_of(desk) == ("submitted", 2)
    assert sent_to_bank(desk, said) == "under_review"


async def test_what_is_decided_is_not_answered(desk: Desk) -> None:
    said, dispute_id = await disputed(desk, await desk.market())
    await desk.decide(said, "lost")
    with pytest.raises(DisputeNotAnswerable):
        await answer(desk, dispute_id, "But!")


async def test_only_who_sold_answers_and_says_something(desk: Desk) -> None:
    shop = await desk.market()
    _, dispute_id = await disputed(desk, shop)
    for stranger in (actor(Role.STORE_OWNER), actor(Role.CREATOR, user_id=shop.creator_user.id)):
        with pytest.raises(NotFound):
            await answer(desk, dispute_id, "It is not mine.", by=stranger)
    with pytest.raises(EvidenceEmpty):
        await answer(desk, dispute_id, "")
    seller = actor(Role.STORE_OWNER, user_id=shop.owner.id)
    assert (await answer(desk, dispute_id, "Mine.", by=seller)).evidence_state == "intended"


async def pack_of(desk: Desk, dispute_id: UUID, by: Actor = ADMIN) -> bytes:
    return await evidence_pack(
        dispute_id,
        actor=by,
        uow=desk.new_uow(),
        views=PostgresOrderViews(desk.engine),
        dispute_views=PostgresDisputeViews(desk.engine),
    )


async def look(desk: Desk, asset_id: UUID, who: Actor) -> None:
    """What `GET assets/{id}` does."""
    await read_asset(
        asset_id,
        actor=who,
        uow=desk.new_uow(),
        storage=MemoryStorage(clock=desk.clock),
        clock=desk.clock,
    )


async def bought(desk: Desk, shop: Market, buyer: Actor) -> UUID:
    """An order of one buyer, disputed; answers our name of the dispute."""
    checkout = await desk.check_out(*shop.products, buyer=buyer)
    assert await desk.settle(await desk.pay(checkout)) == {}
    said = desk.provider.payments.dispute(await desk.charge_of(checkout.order_id))
    return await desk.hear(said)


async def test_the_log_holds_who_bought_and_was_given_the_clean_copy(desk: Desk) -> None:
    shop, buyer = await desk.market(), actor(Role.FAN)
    await bought(desk, shop, buyer)
    asset_id = shop.products[0].asset_id
    await look(desk, asset_id, actor(Role.STORE_OWNER, user_id=shop.owner.id))
    with pytest.raises(NotFound):
        await look(desk, asset_id, actor(Role.FAN))
    assert await desk.rows("SELECT user_id FROM asset_accesses") == []
    for _ in range(2):
        await look(desk, asset_id, buyer)
        desk.clock.advance(timedelta(hours=1))
    noted = await desk.rows("SELECT asset_id, user_id FROM asset_accesses ORDER BY at")
    assert noted == [(asset_id, buyer.user_id)] * 2


async def test_the_pack_holds_its_parts_and_the_same_bytes_again(desk: Desk) -> None:
    shop, buyer = await desk.market(), actor(Role.FAN)
    dispute_id = await bought(desk, shop, buyer)
    before = desk.clock.now()
    await look(desk, shop.products[0].asset_id, buyer)
    packed = await pack_of(desk, dispute_id)
    assert packed == await pack_of(desk, dispute_id)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == PARTS
        parts = {name: archive.read(name).decode() for name in PARTS}
    dispute = msgspec.json.decode(parts["dispute.json"])
    assert (dispute["id"], dispute["contested_cents"]) == (str(dispute_id), 2500)
    assert [
        (row["asset"], row["at"]) for row in csv.DictReader(io.StringIO(parts["deliveries.csv"]))
    ] == [(str(shop.products[0].asset_id), before.isoformat())]
    (licence,) = msgspec.json.decode(parts["licence_decisions.json"])
    assert licence["terms_hash"] == shop.terms.hash
    assert "Contested: $25.00 USD" in parts["summary.txt"]
    assert "Deliveries of clean copies to the buyer: 1" in parts["summary.txt"]
    legs = list(csv.DictReader(io.StringIO(parts["statement.csv"])))
    assert sum(int(leg["amount_cents"]) for leg in legs) == 2500


async def test_the_pack_says_nothing_of_who_the_buyer_is(desk: Desk) -> None:
    shop, buyer = await desk.market(), actor(Role.FAN)
    dispute_id = await bought(desk, shop, buyer)
    await look(desk, shop.products[0].asset_id, buyer)
    for reader in (ADMIN, actor(Role.STORE_OWNER, user_id=shop.owner.id)):
        with zipfile.ZipFile(io.BytesIO(await pack_of(desk, dispute_id, reader))) as archive:
            everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert str(buyer.user_id) not in everything
        assert "@" not in everything
        assert not any(word in everything for word in ("ship_to", "buyer_id", "buyer_email"))


async def test_a_formula_in_a_title_stays_words(desk: Desk) -> None:
    shop = await desk.market()
    async with (uow := desk.new_uow()):
        product = await uow.products.get(shop.products[0].id)
        product.title = "=HYPERLINK(1)"
        await uow.commit()
    _, dispute_id = await disputed(desk, shop)
    with zipfile.ZipFile(io.BytesIO(await pack_of(desk, dispute_id))) as archive:
        rows = list(csv.reader(io.StringIO(archive.read("statement.csv").decode())))
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


async def test_the_pack_is_for_those_who_may_answer(desk: Desk) -> None:
    shop, buyer = await desk.market(), actor(Role.FAN)
    dispute_id = await bought(desk, shop, buyer)
    for other in (buyer, actor(Role.CREATOR, user_id=shop.creator_user.id)):
        with pytest.raises(NotFound):
            await pack_of(desk, dispute_id, other)
