"""Projects, characters, templates, presets and the community over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.studio.library.presets import ship_presets
from domain.identity.actor import Actor
from domain.identity.team import Member, TeamRole
from domain.studio.default_presets import SHIPPED, preset_id
from tests import builders
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

TEMPLATE = f"/templates/{estate.TEMPLATE}"
TEAMS_PROJECT = f"/projects/{estate.TEAMS_PROJECT}"
CHARACTER = f"/characters/{estate.CHARACTER}"
PRESET = f"/presets/{estate.PRESET}"
REFUSED = "a nude woman"
PROMPT = {"prompt": "at {{place}}", "variables": [{"name": "place"}]}


async def joins(shop: Shop, who: Actor, role: TeamRole) -> None:
    async with (uow := shop.ports.uow()):
        team = await uow.teams.get(estate.TEAM, lock=True)
        team.join(
            Member(
                id=uuid4(),
                team_id=team.id,
                user_id=who.user_id,
                role=role,
                joined_at=shop.ports.clock.now(),
            )
        )
        await uow.commit()


async def template(shop: Shop, name: str, *, by: Actor | None = None, shown: bool = True) -> str:
    owner = by or shop.owner
    made = data_of(await shop.post("/templates", {"name": name, **PROMPT}, by=owner), 201)
    if shown:
        await shop.post(f"/templates/{made['id']}/publish", by=owner)
        await decided(shop, made["id"])
    return str(made["id"])


async def decided(shop: Shop, work_id: str, **decision: object) -> None:
    answer = await shop.post(
        f"/admin/publications/{work_id}/decide", {"approved": True, **decision}, by=shop.admin
    )
    assert answer.status_code == 204, answer.text


async def named(shop: Shop, path: str, *, by: Actor | None = None) -> list[str]:
    return [work["name"] for work in data_of(await shop.get(path, by=by))]


# Projects.


async def test_projects_are_listed_with_those_of_ones_teams(shop: Shop) -> None:
    made = data_of(await shop.post("/projects", {"name": "Mine"}, by=shop.team_viewer), 201)
    listed = data_of(await shop.get("/projects", by=shop.team_viewer))
    assert [project["id"] for project in listed] == [made["id"], str(estate.TEAMS_PROJECT)]
    of_team = await shop.get(f"/projects?team_id={estate.TEAM}", by=shop.team_viewer)
    assert [project["id"] for project in data_of(of_team)] == [str(estate.TEAMS_PROJECT)]
    assert data_of(await shop.get(f"/projects?team_id={estate.TEAM}", by=shop.fan)) == []


async def test_projects_come_in_pages(shop: Shop) -> None:
    for number in range(3):
        await shop.post("/projects", {"name": str(number)}, by=shop.fan)
    first = (await shop.get("/projects?limit=2", by=shop.fan)).json()
    assert [project["name"] for project in first["data"]] == ["2", "1"]
    cursor = first["meta"]["pagination"]["next_cursor"]
    assert await named(shop, f"/projects?limit=2&cursor={cursor}", by=shop.fan) == ["0"]


async def test_in_a_team_members_edit_and_admins_delete(shop: Shop) -> None:
    await joins(shop, shop.fan, TeamRole.MEMBER)
    await joins(shop, shop.other_creator, TeamRole.ADMIN)
    change = {"name": "Theirs"}
    refused = await shop.send("PATCH", TEAMS_PROJECT, change, by=shop.team_viewer)
    assert refusal(refused) == (403, "rank_too_low")
    assert data_of(await shop.send("PATCH", TEAMS_PROJECT, change, by=shop.fan))["name"] == "Theirs"
    assert refusal(await shop.send("DELETE", TEAMS_PROJECT, by=shop.fan)) == (403, "rank_too_low")
    taken = await shop.send("PATCH", TEAMS_PROJECT, {"team_id": None}, by=shop.fan)
    assert refusal(taken) == (403, "rank_too_low")
    assert (await shop.send("DELETE", TEAMS_PROJECT, by=shop.other_creator)).status_code == 204
    assert (await shop.get(TEAMS_PROJECT, by=shop.owner)).status_code == 404


async def test_a_project_is_made_for_a_team_by_its_members(shop: Shop) -> None:
    wish = {"name": "Ours", "team_id": str(estate.TEAM)}
    assert refusal(await shop.post("/projects", wish, by=shop.fan)) == (404, "not_found")
    refused = await shop.post("/projects", wish, by=shop.team_viewer)
    assert refusal(refused) == (403, "rank_too_low")
    await joins(shop, shop.fan, TeamRole.MEMBER)
    assert (
        data_of(await shop.post("/projects", wish, by=shop.fan), 201)["team_id"] == wish["team_id"]
    )


async def test_a_teams_projects_go_back_to_who_made_them_when_it_ends(shop: Shop) -> None:
    assert (await shop.send("DELETE", f"/teams/{estate.TEAM}", by=shop.owner)).status_code == 204
    assert data_of(await shop.get(TEAMS_PROJECT, by=shop.owner))["team_id"] is None
    assert (await shop.get(TEAMS_PROJECT, by=shop.team_viewer)).status_code == 404


async def test_a_change_of_what_somebody_else_has_changed_is_refused(shop: Shop) -> None:
    change = {"name": "First", "version": 1}
    assert (await shop.send("PATCH", TEAMS_PROJECT, change, by=shop.owner)).status_code == 200
    refused = await shop.send("PATCH", TEAMS_PROJECT, change, by=shop.owner)
    assert refusal(refused) == (409, "stale_version")
    for path in (TEMPLATE, f"/characters/{estate.CHARACTER}", f"/presets/{estate.PRESET}"):
        refused = await shop.send("PATCH", path, {"name": "New", "version": 7}, by=shop.owner)
        assert refusal(refused) == (409, "stale_version")


# Templates.


async def test_a_template_is_filled_in(shop: Shop) -> None:
    used = await shop.post(f"{TEMPLATE}/use", {"values": {"place": "a pier"}}, by=shop.owner)
    assert data_of(used)["prompt"] == "a portrait at a pier in soft light"
    refused = await shop.post(f"{TEMPLATE}/use", {"values": {"time": "dusk"}}, by=shop.owner)
    assert refusal(refused) == (400, "template_values_refused")
    assert set(refused.json()["error"]["details"]) == {"values.place", "values.time"}


async def test_a_template_with_an_unknown_blank_is_refused(shop: Shop) -> None:
    wish = {"name": "New", "prompt": "at {{place}}"}
    refused = await shop.post("/templates", wish, by=shop.fan)
    assert refusal(refused) == (400, "template_invalid")
    refused = await shop.send("PATCH", TEMPLATE, {"prompt": "nowhere"}, by=shop.owner)
    assert refusal(refused) == (400, "template_invalid")


async def test_a_use_counts_once_for_each_person_and_day(shop: Shop) -> None:
    shown = f"/templates/{estate.SHOWN}"
    for who in (shop.fan, shop.fan, shop.owner):
        used = await shop.post(f"{shown}/use", {"values": {"place": "a pier"}}, by=who)
        assert used.status_code == 200
    assert data_of(await shop.get(shown, by=shop.fan))["publicity"]["uses"] == 2


async def test_nothing_is_shown_before_somebody_has_looked(shop: Shop) -> None:
    asked = await shop.post(f"{TEMPLATE}/publish", by=shop.owner)
    assert data_of(asked)["state"] == "in_review"
    assert (await shop.get(TEMPLATE, by=shop.fan)).status_code == 404
    assert data_of(await shop.get(TEMPLATE, by=shop.admin))["name"] == "By the sea"
    waiting = data_of(await shop.get("/admin/publications", by=shop.admin))
    assert {work["id"] for work in waiting} == {str(estate.TEMPLATE), str(estate.WAITING)}
    await decided(shop, str(estate.TEMPLATE))
    assert data_of(await shop.get(TEMPLATE, by=shop.fan))["publicity"]["state"] == "published"


async def test_a_change_takes_back_what_was_published(shop: Shop) -> None:
    shown = f"/templates/{estate.SHOWN}"
    changed = await shop.send("PATCH", shown, {"description": "Else"}, by=shop.owner)
    assert data_of(changed)["publicity"]["state"] == "private"
    assert (await shop.get(shown, by=shop.fan)).status_code == 404
    assert await named(shop, "/community?kind=template") == []


async def test_a_rejection_is_told_to_its_owner(shop: Shop) -> None:
    shown = f"/templates/{estate.SHOWN}"
    refused = await shop.post(
        f"/admin/publications/{estate.SHOWN}/decide", {"approved": False}, by=shop.admin
    )
    assert refusal(refused) == (400, "reason_missing")
    await decided(shop, str(estate.SHOWN), approved=False, reason="Complaints.")
    told = data_of(await shop.get(shown, by=shop.owner))["publicity"]
    assert (told["state"], told["reason"]) == ("rejected", "Complaints.")
    assert (await shop.get(shown, by=shop.fan)).status_code == 404
    again = await shop.post(
        f"/admin/publications/{estate.SHOWN}/decide", {"approved": True}, by=shop.admin
    )
    assert refusal(again) == (409, "not_in_review")


async def test_what_is_deleted_is_shown_no_more_and_leaves_a_tombstone(shop: Shop) -> None:
    shown = f"/templates/{estate.SHOWN}"
    await shop.send("PUT", f"/community/{estate.SHOWN}/favourite", by=shop.fan)
    assert (await shop.send("DELETE", shown, by=shop.owner)).status_code == 204
    assert (await shop.get(shown, by=shop.owner)).status_code == 404
    assert data_of(await shop.get("/community/favourites", by=shop.fan)) == []
    async with (uow := shop.ports.uow()):
        tombstone = await uow.templates.get(estate.SHOWN)
    assert (tombstone.name, tombstone.prompt, tombstone.variables) == ("", "", ())


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/projects", {"name": REFUSED}),
        (
            "/characters",
            {"name": "X", "age": 30, "style": REFUSED, "creator_id": str(estate.CREATOR)},
        ),
        ("/presets", {"name": "X", "style": REFUSED}),
        ("/templates", {"name": "X", "prompt": REFUSED}),
        (
            "/templates",
            {
                "name": "X",
                "prompt": "{{who}}",
                "variables": [{"name": "who", "choices": ["a sailor", REFUSED]}],
            },
        ),
    ],
)
async def test_what_may_not_be_said_is_not_kept(shop: Shop, path: str, wish: object) -> None:
    assert refusal(await shop.post(path, wish, by=shop.fan)) == (422, "text_refused")
    assert data_of(await shop.get(path, by=shop.fan)) in ([], None)


async def test_a_change_to_what_may_not_be_said_is_refused(shop: Shop) -> None:
    for path in (TEMPLATE, TEAMS_PROJECT, CHARACTER, PRESET):
        refused = await shop.send("PATCH", path, {"name": REFUSED}, by=shop.owner)
        assert refusal(refused) == (422, "text_refused")


# Characters.


async def test_a_character_is_shown_with_images_of_ones_own(shop: Shop) -> None:
    wish = {"name": "Mara", "age": 30, "asset_ids": [str(estate.SCENE)]}
    made = data_of(await shop.post("/characters", wish, by=shop.owner), 201)
    assert made["references"][0]["asset_id"] == str(estate.SCENE)
    assert made["references"][0]["thumbnail_url"]
    kept = await shop.send("DELETE", f"/assets/{estate.SCENE}", by=shop.owner)
    assert refusal(kept) == (409, "asset_in_use")
    refused = await shop.post("/characters", wish, by=shop.fan)
    assert refusal(refused) == (400, "character_references_refused")
    path = f"/characters/{made['id']}"
    assert (await shop.send("DELETE", path, by=shop.owner)).status_code == 204
    freed = await shop.send("DELETE", f"/assets/{estate.SCENE}", by=shop.owner)
    assert freed.status_code == 204


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"age": 17, "asset_ids": [str(estate.SCENE)]}, (422, "character_underage")),
        ({"age": 30}, (400, "character_references_refused")),
        (
            {"age": 30, "asset_ids": [str(estate.DRIVING_VIDEO)]},
            (400, "character_references_refused"),
        ),
        ({"age": 30, "creator_id": str(uuid4())}, (404, "not_found")),
        ({"age": 30, "creator_id": str(estate.OTHER_CREATOR)}, (422, "no_licence")),
    ],
)
async def test_a_character_that_cannot_be_is_refused(
    shop: Shop, wish: dict[str, Any], told: tuple[int, str]
) -> None:
    refused = await shop.post("/characters", {"name": "Mara", **wish}, by=shop.owner)
    assert refusal(refused) == told


async def test_a_likeness_is_shown_to_everybody_by_its_creator_alone(shop: Shop) -> None:
    wish = {"name": "Ada", "age": 30, "creator_id": str(estate.CREATOR)}
    made = data_of(await shop.post("/characters", wish, by=shop.fan), 201)
    refused = await shop.post(f"/characters/{made['id']}/publish", by=shop.fan)
    assert refusal(refused) == (403, "likeness_not_yours")
    asked = await shop.post(f"/characters/{estate.CHARACTER}/publish", by=shop.owner)
    assert data_of(asked)["state"] == "in_review"


async def test_without_consent_nobodys_likeness_becomes_a_character(shop: Shop) -> None:
    withdrawn = await shop.send(
        "DELETE", f"/creators/{estate.CREATOR}/consents/{estate.CONSENT}", by=shop.owner
    )
    assert withdrawn.status_code == 200
    wish = {"name": "Ada", "age": 30, "creator_id": str(estate.CREATOR)}
    refused = await shop.post("/characters", wish, by=shop.fan)
    assert refusal(refused) == (422, "consent_missing")


# Presets.


async def test_the_platforms_presets_are_shipped_once(shop: Shop) -> None:
    ports = shop.ports
    assert await ship_presets(uow=ports.uow(), clock=ports.clock) == len(SHIPPED)
    changed = f"/presets/{preset_id(1)}"
    answer = await shop.send("PATCH", changed, {"name": "Quiet"}, by=shop.admin)
    assert data_of(answer)["publicity"]["state"] == "published"
    gone = f"/presets/{preset_id(2)}"
    assert (await shop.send("DELETE", gone, by=shop.admin)).status_code == 204
    assert await ship_presets(uow=ports.uow(), clock=ports.clock) == 0
    listed = data_of(await shop.get("/presets?limit=100", by=shop.fan))
    assert len(listed) == len(SHIPPED) - 1
    assert "Quiet" in {preset["name"] for preset in listed}
    styles = await named(shop, "/presets?category=style", by=shop.fan)
    assert set(styles) == {one.name for one in SHIPPED if one.category == "style"}
    assert "Quiet" in await named(shop, "/community?kind=preset&limit=100")


async def test_a_default_preset_is_made_and_changed_by_administrators(shop: Shop) -> None:
    wish = {"name": "Ours", "default": True}
    refused = await shop.post("/presets", wish, by=shop.owner)
    assert refusal(refused) == (403, "default_preset_refused")
    made = data_of(await shop.post("/presets", wish, by=shop.admin), 201)
    path = f"/presets/{made['id']}"
    assert data_of(await shop.get(path, by=shop.fan))["is_default"]
    assert (await shop.send("PATCH", path, {"name": "X"}, by=shop.owner)).status_code == 404


async def test_a_preset_is_driven_by_a_video_of_ones_own(shop: Shop) -> None:
    wish = {"name": "Dance", "driving_asset_id": str(estate.DRIVING_VIDEO)}
    made = data_of(await shop.post("/presets", wish, by=shop.owner), 201)
    assert made["motion_transfer"]
    for stranger, video in ((shop.fan, estate.DRIVING_VIDEO), (shop.owner, estate.PICTURE)):
        wish = {"name": "Dance", "driving_asset_id": str(video)}
        assert refusal(await shop.post("/presets", wish, by=stranger)) == (404, "not_found")
    path = f"/presets/{made['id']}"
    without = await shop.send("PATCH", path, {"driving_asset_id": None}, by=shop.owner)
    assert not data_of(without)["motion_transfer"]
    own = await named(shop, "/presets?own=true", by=shop.owner)
    assert own == ["Dance", "Slow"]


# The community.


async def test_the_most_liked_come_first_and_pages_join(shop: Shop) -> None:
    ids = {name: await template(shop, name) for name in ("one", "two", "three")}
    for who in (shop.fan, shop.other_creator):
        await shop.send("PUT", f"/community/{ids['two']}/favourite", by=who)
    await shop.send("PUT", f"/community/{ids['one']}/favourite", by=shop.fan)
    listed: list[str] = []
    path = "/community?limit=1"
    while True:
        page = (await shop.get(path, by=shop.fan)).json()
        listed += [work["name"] for work in page["data"]]
        cursor = page["meta"]["pagination"]["next_cursor"]
        if cursor is None:
            break
        path = f"/community?limit=1&cursor={cursor}"
    assert listed == ["two", "one", "three", "By the sea"]
    assert await named(shop, "/community?sort=new") == ["three", "two", "one", "By the sea"]


async def test_the_most_used_come_first(shop: Shop) -> None:
    await template(shop, "unused")
    used = f"/templates/{estate.SHOWN}/use"
    await shop.post(used, {"values": {"place": "a pier"}}, by=shop.fan)
    assert await named(shop, "/community?sort=most_used") == ["By the sea", "unused"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("sea", ["By the sea"]),
        ("SE by", ["By the sea"]),
        ("lighth", ["A lighthouse"]),
        ("sea lighthouse", []),
        ("'!&|:*", []),
        ("", []),
    ],
)
async def test_words_and_their_beginnings_are_found(shop: Shop, q: str, found: list[str]) -> None:
    await template(shop, "A lighthouse")
    await template(shop, "The sea, hidden", shown=False)
    answer = await shop.http.get("/api/v1/community", params={"q": q})
    assert [work["name"] for work in data_of(answer)] == found


async def test_the_community_shows_who_published_and_what_one_likes(shop: Shop) -> None:
    async with (uow := shop.ports.uow()):
        (await uow.creators.get(estate.CREATOR)).published = True
        await uow.commit()
    path = f"/community/{estate.SHOWN}/favourite"
    liked = data_of(await shop.send("PUT", path, by=shop.fan))
    assert liked == {"id": str(estate.SHOWN), "favourite": True, "favourites": 1}
    (seen,) = data_of(await shop.get("/community", by=shop.fan))
    assert seen["by"]["slug"] == estate.SLUG
    assert seen["favourite"]
    (seen,) = data_of(await shop.get("/community"))
    assert not seen["favourite"]
    assert await named(shop, "/community/favourites", by=shop.fan) == ["By the sea"]
    assert data_of(await shop.send("DELETE", path, by=shop.fan))["favourites"] == 0
    assert await named(shop, "/community/favourites", by=shop.fan) == []


@pytest.mark.parametrize("work_id", [estate.TEMPLATE, estate.WAITING, UUID(int=1)])
async def test_only_what_is_published_becomes_a_favourite(shop: Shop, work_id: UUID) -> None:
    for method in ("PUT", "DELETE"):
        refused = await shop.send(method, f"/community/{work_id}/favourite", by=shop.owner)
        assert refusal(refused) == (404, "not_found")


async def test_a_character_is_shown_with_its_picture(shop: Shop) -> None:
    async with (uow := shop.ports.uow()):
        character = builders.character_of(estate.OWNER, asset_ids=[estate.SCENE])
        uow.characters.add(character)
        await uow.commit()
    await shop.post(f"/characters/{character.id}/publish", by=shop.owner)
    await decided(shop, str(character.id))
    (seen,) = data_of(await shop.get("/community?kind=character"))
    assert seen["thumbnail_url"]
