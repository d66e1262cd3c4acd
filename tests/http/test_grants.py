"""Grants, approvals and revocations over HTTP: what stores and creators see of them."""

from typing import Any
from uuid import UUID

import pytest

from application.ordering.revocations import carry_out_revocation
from domain.licensing.conditions import Approval, Collaborator, Quotas, Revocation
from tests import builders
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

CREATOR = f"/creators/{estate.CREATOR}"
PUBLISH = f"/products/{estate.DRAFT}/publish"
WISH = {"creator_id": str(estate.CREATOR), "prompt": "at a harbour"}


async def publish_terms(shop: Shop, *, creator_id: UUID = estate.CREATOR, **terms: object) -> None:
    async with (uow := shop.ports.uow()):
        creator = await uow.creators.get(creator_id)
        version = builders.terms_version_of(creator, builders.terms(**terms), version=2)
        uow.terms.add(version)
        creator.terms_id = version.id
        await uow.commit()


async def sell_elsewhere(shop: Shop) -> str:
    """The draft of a store that is not its creator's own."""
    async with (uow := shop.ports.uow()):
        (await uow.stores.get(estate.STORE)).owner_id = shop.other_store_owner.user_id
        await uow.commit()
    return PUBLISH


async def test_an_exclusive_grant_is_given_once_read_by_both_and_ended(shop: Shop) -> None:
    wish = {
        "store_id": str(estate.OTHER_STORE),
        "kind": "exclusive",
        "product_types": ["print"],
        "territories": ["DACH"],
    }
    grant = data_of(await shop.post(f"{CREATOR}/grants", wish, by=shop.owner), 201)
    assert grant["territories"] == ["AT", "CH", "DE"]
    overlapping = wish | {"kind": "sole", "territories": ["EU"]}
    answer = await shop.post(f"{CREATOR}/grants", overlapping, by=shop.owner)
    assert refusal(answer) == (409, "grant_overlaps")

    path = f"/grants/{grant['id']}"
    assert data_of(await shop.get(path, by=shop.other_store_owner)) == grant
    held = await shop.get(f"/stores/{estate.OTHER_STORE}/grants", by=shop.other_store_owner)
    assert data_of(held) == [grant]
    first = await shop.get(f"{CREATOR}/grants?limit=1", by=shop.owner)
    cursor = first.json()["meta"]["pagination"]["next_cursor"]
    rest = await shop.get(f"{CREATOR}/grants?cursor={cursor}", by=shop.owner)
    assert [data_of(first)[0]["id"], data_of(rest)[0]["id"]] == [grant["id"], str(estate.GRANT)]

    assert data_of(await shop.post(f"{path}/end", by=shop.owner))["ended_at"]
    assert refusal(await shop.post(f"{path}/end", by=shop.owner)) == (409, "grant_ended")
    data_of(await shop.post(f"{CREATOR}/grants", overlapping, by=shop.owner), 201)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"territories": ["XX"]}, (400, "grant_invalid")),
        ({"territories": ["x"]}, (400, "body_invalid")),
        ({"guarantee_cents": 1, "currency": "xxx"}, (400, "grant_invalid")),
        ({"valid_from": "2026-01-01T00:00:00"}, (400, "grant_invalid")),
        ({"kind": "some"}, (400, "body_invalid")),
    ],
)
async def test_what_cannot_be_a_grant(
    shop: Shop, wish: dict[str, object], expected: tuple[int, str]
) -> None:
    body = {"store_id": str(estate.STORE), **wish}
    assert refusal(await shop.post(f"{CREATOR}/grants", body, by=shop.owner)) == expected


def approval_in(answer: Any) -> str:
    assert refusal(answer) == (422, "approval_needed"), answer.text
    return str(answer.json()["error"]["details"]["approval_id"][0])


async def test_a_listing_waits_for_the_creator_s_word(shop: Shop) -> None:
    await publish_terms(shop, approval=Approval.PER_PRODUCT)
    publish, store_owner = await sell_elsewhere(shop), shop.other_store_owner

    approval_id = approval_in(await shop.post(publish, by=store_owner))
    assert approval_in(await shop.post(publish, by=store_owner)) == approval_id
    waiting = data_of(await shop.get(f"{CREATOR}/approvals?status=pending", by=shop.owner))
    assert approval_id in [one["id"] for one in waiting]
    (mine,) = data_of(await shop.get("/approvals", by=store_owner))
    assert (mine["id"], mine["state"]) == (approval_id, "pending")

    data_of(await shop.post(f"/approvals/{approval_id}/approve", {}, by=shop.owner))

    assert data_of(await shop.post(publish, by=store_owner))["status"] == "active"
    again = await shop.post(f"/approvals/{approval_id}/reject", {"reason": "No."}, by=shop.owner)
    assert refusal(again) == (409, "approval_answered")


async def test_a_generation_is_asked_for_word_for_word_and_once(shop: Shop) -> None:
    await publish_terms(shop, approval=Approval.PER_GENERATION)
    approval_id = approval_in(await shop.post("/generations", WISH, by=shop.fan, key="1"))
    data_of(await shop.post(f"/approvals/{approval_id}/approve", {}, by=shop.owner))

    other = WISH | {"prompt": "at sea"}
    assert approval_in(await shop.post("/generations", other, by=shop.fan, key="2")) != approval_id
    data_of(await shop.post("/generations", WISH, by=shop.fan, key="3"), 202)
    assert approval_in(await shop.post("/generations", WISH, by=shop.fan, key="4")) != approval_id


async def shown_together(shop: Shop, **others: object) -> None:
    """The owner's likeness shows another creator too, who has published these terms."""
    parties = (Collaborator(estate.CREATOR, 6000), Collaborator(estate.OTHER_CREATOR, 4000))
    await publish_terms(shop, approval=Approval.PER_GENERATION, collaborators=parties)
    await publish_terms(shop, creator_id=estate.OTHER_CREATOR, **others)


async def test_everybody_who_is_shown_is_asked_and_answers_for_themselves(shop: Shop) -> None:
    await shown_together(shop, approval=Approval.PER_GENERATION, approval_hours=1)
    needed = await shop.post("/generations", WISH, by=shop.fan, key="1")
    assert refusal(needed) == (422, "approval_needed")
    requests = needed.json()["error"]["details"]["approval_id"]
    assert len(requests) == len(set(needed.json()["error"]["details"]["deadline"])) == 2

    asked = {
        who: data_of(await shop.get(f"/creators/{creator_id}/approvals?status=pending", by=by))
        for who, creator_id, by in (
            ("owner", estate.CREATOR, shop.owner),
            ("other", estate.OTHER_CREATOR, shop.other_creator),
        )
    }
    (mine,) = (one["id"] for one in asked["owner"] if one["id"] in requests)
    (theirs,) = (one["id"] for one in asked["other"])
    assert {mine, theirs} == set(requests)

    path = f"/approvals/{theirs}/approve"
    assert refusal(await shop.post(path, {}, by=shop.owner))[0] == 404
    data_of(await shop.post(path, {}, by=shop.other_creator))
    assert approval_in(await shop.post("/generations", WISH, by=shop.fan, key="2")) == mine
    data_of(await shop.post(f"/approvals/{mine}/approve", {}, by=shop.owner))
    data_of(await shop.post("/generations", WISH, by=shop.fan, key="3"), 202)


async def test_who_is_shown_with_the_creator_has_a_quota_too(shop: Shop) -> None:
    await shown_together(shop, quotas=Quotas(generations_per_day=1))
    data_of(await shop.post("/generations", WISH, by=shop.owner, key="1"), 202)
    answer = await shop.post("/generations", WISH, by=shop.owner, key="2")
    assert refusal(answer) == (422, "licence_refused")
    (reason,) = answer.json()["error"]["reasons"]
    assert reason["field"] == f"parties.{estate.OTHER_CREATOR}.generations_today"


async def test_a_first_use_opens_the_way_for_one_person(shop: Shop) -> None:
    await publish_terms(shop, approval=Approval.FIRST_USE)
    approval_id = approval_in(await shop.post("/generations", WISH, by=shop.fan, key="1"))
    data_of(await shop.post(f"/approvals/{approval_id}/approve", {}, by=shop.owner))
    for key in ("2", "3"):
        data_of(await shop.post("/generations", WISH, by=shop.fan, key=key), 202)
    approval_in(await shop.post("/generations", WISH, by=shop.other_creator, key="4"))


async def test_no_more_is_generated_in_a_day_than_the_licence_allows(shop: Shop) -> None:
    await publish_terms(shop, quotas=Quotas(generations_per_day=2))
    for key in ("1", "2"):
        data_of(await shop.post("/generations", WISH, by=shop.fan, key=key), 202)
    answer = await shop.post("/generations", WISH, by=shop.fan, key="3")
    assert refusal(answer) == (422, "licence_refused")
    (reason,) = answer.json()["error"]["reasons"]
    assert reason["code"] == "daily_generations_used_up"


async def test_a_revoked_licence_stops_everything_new_and_tells_how_far_it_is(shop: Shop) -> None:
    await publish_terms(shop, revocation=Revocation.AT_WILL)
    for cause in ("because", ""):
        answer = await shop.post(f"{CREATOR}/revocations", {"cause": cause}, by=shop.owner)
        assert refusal(answer) == (400, "body_invalid")
    body = {"cause": "at_will", "reason": "A change of mind."}
    revoked = data_of(await shop.post(f"{CREATOR}/revocations", body, by=shop.owner), 201)
    assert revoked["step"] == "listings"

    answer = await shop.post("/generations", WISH, by=shop.fan, key="1")
    assert refusal(answer) == (422, "licence_refused")
    assert refusal(await shop.post(PUBLISH, by=shop.owner)) == (422, "listing_refused")

    ports = shop.ports
    async with (uow := ports.uow()):
        (known,) = await uow.revocations.of_creators([estate.CREATOR])
    for _ in range(4):
        await carry_out_revocation(known.id, uow=ports.uow(), clock=ports.clock, ids=ports.ids)
    (done,) = data_of(await shop.get(f"{CREATOR}/revocations", by=shop.owner))
    assert (done["step"], done["listings_frozen"], done["weights_erased"]) == ("done", 1, 1)
    assert done["checkouts_closed"] == 1
    listing = await shop.get(f"/catalogue/products/{estate.PRODUCT}")
    assert refusal(listing) == (404, "not_found")
    training = await shop.get(f"{CREATOR}/models/{estate.MODEL}", by=shop.owner)
    assert (data_of(training)["status"], data_of(training)["in_force"]) == ("deleted", False)
    assert "models/" not in training.text


async def test_for_safety_buyers_are_refunded_on_postgres_as_well(shop: Shop) -> None:
    revoked = data_of(
        await shop.post(f"{CREATOR}/revocations", {"cause": "safety"}, by=shop.owner), 201
    )
    assert revoked["effective_at"] == revoked["declared_at"]
    ports = shop.ports
    async with (uow := ports.uow()):
        (known,) = await uow.revocations.of_creators([estate.CREATOR])
        assert await uow.sold.paid(estate.CREATOR, up_to_version=1, after=None, limit=5) == [
            estate.ORDER
        ]
        assert (
            await uow.sold.paid(estate.CREATOR, up_to_version=1, after=estate.ORDER, limit=5) == []
        )
        assert known.step == "listings"
