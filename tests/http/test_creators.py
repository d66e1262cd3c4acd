"""Becoming a creator, licensing, consent, and being paid, as clients see it."""

from uuid import uuid4

import pytest

from tests import builders
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

CREATORS = "/creators"
LICENCE = f"/creators/{estate.CREATOR}/licence-terms"
CONSENTS = f"/creators/{estate.CREATOR}/consents"
CONSENT = {
    "text_version": "2026-11",
    "uses": ["train", "image"],
    "signer_name": "Ada",
    "adult": True,
}
URLS = {"refresh_url": "https://shop.example/again", "return_url": "https://shop.example/back"}


async def test_somebody_becomes_a_creator_and_is_found(shop: Shop) -> None:
    page = {"slug": "ada-lace", "display_name": "Ada", "bio": "Draws."}
    made = data_of(await shop.post(CREATORS, page, by=shop.admin), 201)
    assert made["published"] is True

    found = data_of(await shop.get("/creators/ada-lace"))
    assert found == {"id": made["id"], **page}
    listed = data_of(await shop.get("/public/creators"))
    assert made["id"] in [creator["id"] for creator in listed]


async def test_what_is_left_out_of_a_change_stays(shop: Shop) -> None:
    changed = data_of(await shop.send("PUT", "/creators/profile", {"bio": "New."}, by=shop.owner))

    assert (changed["bio"], changed["display_name"]) == ("New.", "A creator")


async def test_an_unpublished_page_is_its_owners_alone(shop: Shop) -> None:
    await shop.send("PUT", "/creators/profile", {"published": False}, by=shop.owner)

    assert refusal(await shop.get(f"/creators/{estate.SLUG}")) == (404, "not_found")
    assert data_of(await shop.get("/creators/profile", by=shop.owner))["published"] is False


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        (estate.SLUG, (409, "slug_taken")),
        ("Ada", (400, "body_invalid")),
        ("profile", (400, "slug_invalid")),
    ],
)
async def test_a_slug_is_free_well_formed_and_not_reserved(
    shop: Shop, slug: str, expected: tuple[int, str]
) -> None:
    answer = await shop.post(CREATORS, {"slug": slug, "display_name": "A"}, by=shop.admin)
    assert refusal(answer) == expected

    asked = await shop.post("/creators/slug/validate", {"slug": slug})
    assert data_of(asked)["available"] is False
    assert data_of(asked)["problem"]


async def test_nobody_is_two_creators(shop: Shop) -> None:
    answer = await shop.post(CREATORS, {"slug": "second", "display_name": "A"}, by=shop.owner)
    assert refusal(answer) == (409, "already_creator")


async def test_a_misspelt_member_is_named_and_not_passed_over(shop: Shop) -> None:
    answer = await shop.post(LICENCE, {"royalty_bp": 500}, by=shop.owner)

    assert refusal(answer) == (400, "body_invalid")
    assert answer.json()["error"]["details"] == {"royalty_bp": ["is not taken here"]}


async def test_terms_are_versions_and_old_ones_stay(shop: Shop) -> None:
    wish = {"royalty_bps": 1500, "min_price_cents": 800, "blocked_keywords": ["casino"]}
    second = data_of(await shop.post(LICENCE, wish, by=shop.owner), 201)

    assert second["version"] == 2
    assert data_of(await shop.get(LICENCE)) == second
    first = data_of(await shop.get(f"{LICENCE}/1"))
    assert (first["version"], first["royalty_bps"]) == (1, 1000)
    assert refusal(await shop.get(f"{LICENCE}/3")) == (404, "not_found")


@pytest.mark.parametrize(
    "wish",
    [
        {"royalty_bps": 10_001},
        {"min_price_cents": -1},
        {"valid_from": "2026-05-01T00:00:00"},
        {"valid_from": "2027-01-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"},
        {"min_prices": [{"amount_cents": 100, "currency": "xxx"}]},
    ],
)
async def test_terms_that_cannot_stand_are_400(shop: Shop, wish: dict[str, object]) -> None:
    answer = await shop.post(LICENCE, wish, by=shop.owner)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]


async def test_a_use_is_tried_out_and_every_reason_told(shop: Shop) -> None:
    wish = {"min_price_cents": 800, "blocked_keywords": ["casino"], "product_types": ["shirt"]}
    terms = data_of(await shop.post(LICENCE, wish, by=shop.owner), 201)
    use = {
        "action": "list",
        "capability": "image",
        "purpose": "commercial",
        "product_type": "postcard",
        "store_id": str(estate.STORE),
        "unit_price_cents": 500,
        "title": "Greetings from the casino",
    }

    decision = data_of(await shop.post(f"/licence-terms/{terms['id']}/evaluate", use, by=shop.fan))

    assert decision["outcome"] == "deny"
    assert {reason["field"] for reason in decision["reasons"]} == {
        "product_type",
        "price_cents",
        "title",
    }


async def test_consent_is_signed_listed_and_withdrawn(shop: Shop) -> None:
    signed = data_of(await shop.post(CONSENTS, CONSENT, by=shop.owner), 201)
    assert signed["withdrawn_at"] is None

    ended = data_of(await shop.send("DELETE", f"{CONSENTS}/{signed['id']}", by=shop.owner))
    assert ended["withdrawn_at"] is not None
    listed = data_of(await shop.get(CONSENTS, by=shop.owner))
    assert [consent["id"] for consent in listed] == [signed["id"], str(estate.CONSENT)]


async def test_a_minor_cannot_consent(shop: Shop) -> None:
    answer = await shop.post(CONSENTS, CONSENT | {"adult": False}, by=shop.owner)
    assert refusal(answer) == (400, "consent_invalid")
    assert list(answer.json()["error"]["details"]) == ["adult"]


async def test_a_consent_of_another_creator_is_not_there(shop: Shop) -> None:
    answer = await shop.send(
        "DELETE", f"/creators/{estate.OTHER_CREATOR}/consents/{estate.CONSENT}", by=shop.admin
    )
    assert refusal(answer) == (404, "not_found")


async def test_onboarding_opens_one_account_and_asks_what_is_missing(shop: Shop) -> None:
    path = f"/creators/{estate.OTHER_CREATOR}/payee"
    before = data_of(await shop.get(path, by=shop.other_creator))
    assert (before["status"], before["account_id"]) == ("not_started", None)

    first = data_of(await shop.post(f"{path}/onboarding", URLS, by=shop.other_creator), 201)
    again = data_of(await shop.post(f"{path}/onboarding", URLS, by=shop.other_creator), 201)
    assert first["account_id"] == again["account_id"]
    under_way = data_of(await shop.get(path, by=shop.other_creator))
    assert under_way["transfers_active"] is False

    assert shop.provider is not None
    shop.provider.accounts.complete_onboarding(first["account_id"])
    done = data_of(await shop.get(path, by=shop.other_creator))
    assert (done["status"], done["transfers_active"]) == ("active", True)


async def test_a_balance_is_in_one_currency(shop: Shop) -> None:
    balance = data_of(await shop.get("/creators/balance?currency=eur", by=shop.owner))
    assert (balance["available_cents"], balance["currency"]) == (0, "eur")

    wrong = await shop.get("/creators/balance?currency=EURO", by=shop.owner)
    assert refusal(wrong) == (400, "invalid")
    assert list(wrong.json()["error"]["details"]) == ["currency"]


async def test_what_is_not_there_is_404(shop: Shop) -> None:
    somebody = builders.actor()
    for path in (
        f"/creators/{uuid4()}/licence-terms",
        f"/creators/{uuid4()}/consents",
        f"/creators/{uuid4()}/payee",
        "/creators/nobody-has-this",
    ):
        assert refusal(await shop.get(path, by=somebody)) == (404, "not_found"), path
