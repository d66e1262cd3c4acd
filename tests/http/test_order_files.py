"""The files of an order, as its buyer and a guest have them, and nobody else."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ordering.completion import complete_orders
from application.ordering.refund_outcomes import send_refund
from domain.identity.actor import Actor, Role
from tests.http import estate
from tests.http.shop import API, Shop, data_of, refusal
from tests.http.test_orders import cart

CLEAN = b"\x89PNG the clean copy"


class Buyer:
    """Who placed an order: the fan, or a guest who has nothing but the order's token."""

    def __init__(self, shop: Shop, page: dict[str, Any], *, guest: bool) -> None:
        self.shop, self.order_id = shop, page["order_id"]
        self.headers = {"Order-Token": page["order_token"]} if guest else shop.as_(shop.fan)

    async def files(self) -> Any:
        path = f"{API}/orders/{self.order_id}/files"
        return data_of(await self.shop.http.get(path, headers=self.headers))

    async def asset(self, asset_id: object) -> Any:
        return await self.shop.http.get(f"{API}/assets/{asset_id}", headers=self.headers)


async def place(shop: Shop, *, guest: bool, quantity: int = 2) -> tuple[Buyer, dict[str, Any]]:
    wanted = cart((estate.PRODUCT, quantity)) | ({"email": "guest@example.org"} if guest else {})
    by = None if guest else shop.fan
    page = data_of(await shop.post("/checkout", wanted, by=by, key=str(uuid4())), 201)
    return Buyer(shop, page, guest=guest), page


async def bought(shop: Shop, *, guest: bool) -> Buyer:
    buyer, page = await place(shop, guest=guest)
    captured = await shop.pay(page["session_id"])
    ports = shop.ports
    await complete_orders([captured], uow=ports.uow(), clock=ports.clock, hold=ports.hold)
    async with (uow := ports.uow()):
        picture = await uow.assets.get(estate.PICTURE)
    await ports.storage.put(picture.clean_key, CLEAN, content_type="image/png")
    return buyer


async def refund(shop: Shop, order_id: str, body: dict[str, object]) -> None:
    asked = await shop.post(f"/orders/{order_id}/refunds", body, by=shop.owner, key=str(uuid4()))
    ports = shop.ports
    await send_refund(
        UUID(data_of(asked, 201)["id"]),
        uow=ports.uow(),
        payments=ports.payments,
        clock=ports.clock,
        ids=ports.ids,
    )


@pytest.mark.parametrize("guest", [False, True])
async def test_a_buyer_lists_and_downloads_what_was_bought(shop: Shop, guest: bool) -> None:
    buyer = await bought(shop, guest=guest)

    [listed] = await buyer.files()

    assert (listed["asset_id"], listed["available"]) == (str(estate.PICTURE), True)
    assert listed["title"]
    assert len(listed["line_ids"]) == 1
    assert "preview" in listed["preview_url"]
    seen = data_of(await buyer.asset(listed["asset_id"]))
    served = await shop.http.get(seen["clean_url"])
    assert (served.status_code, served.content) == (200, CLEAN)
    assert served.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("guest", [False, True])
async def test_an_order_that_is_not_paid_has_no_files_yet(shop: Shop, guest: bool) -> None:
    buyer, page = await place(shop, guest=guest)
    answer = await shop.http.get(f"{API}/orders/{page['order_id']}/files", headers=buyer.headers)
    assert refusal(answer) == (409, "order_not_paid")
    assert refusal(await buyer.asset(estate.PICTURE)) == (404, "not_found")


async def test_a_guests_token_opens_its_own_order_and_its_own_images(shop: Shop) -> None:
    mine, other = await bought(shop, guest=True), await bought(shop, guest=False)

    path = f"{API}/orders/{other.order_id}/files"
    assert refusal(await shop.http.get(path, headers=mine.headers)) == (404, "not_found")
    assert refusal(await mine.asset(estate.SCENE)) == (404, "not_found")
    gone = await shop.http.delete(f"{API}/assets/{estate.PICTURE}", headers=mine.headers)
    assert gone.status_code == 401
    forged = {"Order-Token": mine.headers["Order-Token"][:-2] + "xx"}
    assert (
        await shop.http.get(f"{API}/assets/{estate.PICTURE}", headers=forged)
    ).status_code == 401


@pytest.mark.parametrize("guest", [False, True])
async def test_what_is_paid_back_in_full_is_not_there_any_more(shop: Shop, guest: bool) -> None:
    """Two at $25.00: after one of them the copy stays, after both it goes."""
    buyer = await bought(shop, guest=guest)

    await refund(shop, buyer.order_id, {"amount_cents": 2500})
    assert [file["available"] for file in await buyer.files()] == [True]
    await refund(shop, buyer.order_id, {})

    [file] = await buyer.files()
    assert (file["available"], file["preview_url"]) == (False, None)
    assert refusal(await buyer.asset(estate.PICTURE)) == (404, "not_found")


async def test_another_order_of_the_same_image_keeps_its_right(shop: Shop) -> None:
    first, second = await bought(shop, guest=False), await bought(shop, guest=False)
    await refund(shop, first.order_id, {})
    [file] = await second.files()
    assert file["available"]
    assert data_of(await second.asset(estate.PICTURE))["clean_url"]


@pytest.mark.parametrize("guest", [False, True])
async def test_what_a_revocation_takes_back_is_refused(shop: Shop, guest: bool) -> None:
    buyer = await bought(shop, guest=guest)
    async with (uow := shop.ports.uow()):
        await uow.assets.withdraw_clean(UUID(buyer.order_id), {estate.PICTURE})
        await uow.commit()
    [file] = await buyer.files()
    assert not file["available"]
    assert refusal(await buyer.asset(estate.PICTURE)) == (404, "not_found")


async def test_that_a_guest_was_given_the_copy_is_kept_for_the_bank(shop: Shop) -> None:
    buyer = await bought(shop, guest=True)
    await buyer.files()
    assert await shop.ports.dispute_views.accesses(UUID(buyer.order_id)) == []

    await buyer.asset(estate.PICTURE)

    [access] = await shop.ports.dispute_views.accesses(UUID(buyer.order_id))
    assert access.asset_id == estate.PICTURE


async def test_who_sold_it_and_who_runs_the_platform_have_no_copies(shop: Shop) -> None:
    buyer = await bought(shop, guest=False)
    for who in (shop.owner, shop.admin, Actor(uuid4(), frozenset({Role.FAN}))):
        answer = await shop.get(f"/orders/{buyer.order_id}/files", by=who)
        assert refusal(answer) == (404, "not_found")
