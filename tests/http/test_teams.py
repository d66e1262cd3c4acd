"""People who act for a store together: by invitation into its team, or as its staff."""

from typing import Any

from domain.identity.actor import Actor
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

TEAM = f"/teams/{estate.TEAM}"
STORE = f"/stores/{estate.STORE}"


async def email_of(shop: Shop, actor: Actor) -> str:
    return str(data_of(await shop.get("/auth/me", by=actor))["user"]["email"])


async def invited(shop: Shop, actor: Actor, role: str = "member") -> dict[str, Any]:
    wish = {"email": await email_of(shop, actor), "role": role}
    invitation: dict[str, Any] = data_of(
        await shop.post(f"{TEAM}/members/invite", wish, by=shop.owner), 201
    )
    return invitation


async def test_who_accepts_an_invitation_acts_for_the_teams_stores(shop: Shop) -> None:
    assert (await shop.get(STORE, by=shop.fan)).status_code == 404
    token = (await invited(shop, shop.fan))["token"]

    joined = data_of(await shop.post(f"/invitations/{token}/accept", by=shop.fan))

    assert joined["role"] == "member"
    assert data_of(await shop.get(STORE, by=shop.fan))["team_id"] == str(estate.TEAM)
    me = data_of(await shop.get("/auth/me", by=shop.fan))
    assert me["store_ids"] == [str(estate.STORE)]
    assert me["team_ids"] == [str(estate.TEAM)]
    assert [s["id"] for s in data_of(await shop.get("/stores", by=shop.fan))] == [str(estate.STORE)]
    change = await shop.send("PATCH", f"/products/{estate.PRODUCT}", {"title": "New"}, by=shop.fan)
    assert change.status_code == 200
    assert refusal(await shop.get(f"{STORE}/balance", by=shop.fan)) == (403, "rank_too_low")


async def test_an_invitation_is_for_one_address_once(shop: Shop) -> None:
    token = (await invited(shop, shop.fan))["token"]
    accept = f"/invitations/{token}/accept"
    assert refusal(await shop.post(accept, by=shop.other_creator)) == (404, "not_found")
    assert (await shop.post(accept, by=shop.fan)).status_code == 200
    assert refusal(await shop.post(accept, by=shop.fan)) == (410, "invitation_ended")


async def test_open_invitations_are_listed_without_their_token(shop: Shop) -> None:
    made = await invited(shop, shop.fan, "viewer")
    listed = data_of(await shop.get(f"{TEAM}/members", by=shop.team_viewer))
    assert [m["role"] for m in listed["members"]] == ["owner", "viewer"]
    assert listed["invitations"] == [made | {"token": None}]


async def test_a_team_keeps_an_owner(shop: Shop) -> None:
    members = data_of(await shop.get(f"{TEAM}/members", by=shop.owner))["members"]
    own = f"{TEAM}/members/{members[0]['id']}"
    assert refusal(await shop.send("DELETE", own, by=shop.owner)) == (409, "last_owner")
    other = f"{TEAM}/members/{estate.VIEWERS_MEMBERSHIP}"
    await shop.send("PATCH", other, {"role": "owner"}, by=shop.owner)
    assert (await shop.send("DELETE", own, by=shop.owner)).status_code == 204
    assert (await shop.get(TEAM, by=shop.owner)).status_code == 404
    assert (await shop.get(STORE, by=shop.owner)).status_code == 200


async def test_staff_acts_for_the_store_in_its_role(shop: Shop) -> None:
    wish = {"email": await email_of(shop, shop.fan), "role": "admin"}
    member = data_of(await shop.post(f"{STORE}/staff", wish, by=shop.owner), 201)
    assert (await shop.get(f"{STORE}/balance", by=shop.fan)).status_code == 200
    again = await shop.post(f"{STORE}/staff", wish, by=shop.owner)
    assert refusal(again) == (409, "already_member")
    own = f"{STORE}/staff/{member['id']}"
    assert refusal(await shop.send("PATCH", own, {"role": "viewer"}, by=shop.fan))[0] == 403
    assert (await shop.send("DELETE", own, by=shop.fan)).status_code == 204
    assert (await shop.get(STORE, by=shop.fan)).status_code == 404


async def test_staff_never_owns_a_store(shop: Shop) -> None:
    wish = {"email": await email_of(shop, shop.fan), "role": "owner"}
    refused = await shop.post(f"{STORE}/staff", wish, by=shop.owner)
    assert refusal(refused) == (400, "staff_role_invalid")
    wish = {"email": await email_of(shop, shop.owner)}
    refused = await shop.post(f"{STORE}/staff", wish, by=shop.admin)
    assert refusal(refused) == (409, "already_member")


async def test_a_store_is_given_to_a_team_by_the_teams_admin(shop: Shop) -> None:
    wish = {"team_id": str(estate.TEAM)}
    other = f"/stores/{estate.OTHER_STORE}"
    refused = await shop.send("PATCH", other, wish, by=shop.other_store_owner)
    assert refusal(refused) == (404, "not_found")
    taken = await shop.send("PATCH", STORE, {"team_id": None}, by=shop.owner)
    assert data_of(taken)["team_id"] is None
    assert (await shop.get(STORE, by=shop.team_viewer)).status_code == 404
    given = await shop.send("PATCH", STORE, wish, by=shop.owner)
    assert data_of(given)["team_id"] == str(estate.TEAM)
