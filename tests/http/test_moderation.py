"""Reports, cases, appeals and the moderators' desk over HTTP, and what they do to what is shown."""

import asyncio
from typing import Any

import pytest

from application.ports.audit import AuditFilter
from application.ports.moderation import ModerationDepth
from domain.identity.actor import Actor
from domain.moderation.case import SubjectKind
from domain.moderation.strikes import StrikeKind
from domain.studio.template import Variable
from tests import builders
from tests.http import estate
from tests.http.shop import Shop, data_of, refusal

WISH = {"creator_id": str(estate.CREATOR), "prompt": "at a harbour"}
REPORT = {"subject_kind": "product", "subject_id": str(estate.PRODUCT), "reason": "other"}
PRODUCT = f"/catalogue/products/{estate.PRODUCT}"


async def queue(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data_of(
        await shop.get(f"/admin/moderation{query}", by=shop.admin)
    )
    return found


async def depth(shop: Shop) -> ModerationDepth:
    return await shop.ports.moderation_views.depth(now=shop.ports.clock.now())


async def ask(shop: Shop, prompt: str, key: str, *, by: Actor | None = None) -> Any:
    return await shop.post("/generations", WISH | {"prompt": prompt}, by=by or shop.fan, key=key)


async def test_a_refused_prompt_is_appealed_for_and_then_allowed(shop: Shop) -> None:
    answer = await ask(shop, "the n4ked truth of a n.u.d.e", "1")
    assert refusal(answer) == (422, "text_refused")
    details = answer.json()["error"]["details"]
    assert details["prompt"] == ["sexual"]
    assert "n4ked" not in answer.text
    path = f"/moderation/cases/{details['case_id'][0]}/appeal"
    assert (await ask(shop, "the n4ked truth of a n.u.d.e", "2")).json()["error"]["details"] == (
        details
    )
    assert await queue(shop) == []

    (mine,) = data_of(await shop.get("/moderation/cases", by=shop.fan))
    assert (mine["state"], mine["appealable"]) == ("blocked", True)
    assert "n4ked" not in mine["excerpt"]
    assert refusal(await shop.post(path, {"text": "Art."}, by=shop.owner)) == (404, "not_found")
    data_of(await shop.post(path, {"text": "Art."}, by=shop.fan))
    assert refusal(await shop.post(path, {"text": "Art."}, by=shop.fan)) == (
        409,
        "already_appealed",
    )
    (waiting,) = await queue(shop, "?kind=text")
    assert (waiting["state"], waiting["appeal"]) == ("appealed", "Art.")

    decide = f"/admin/moderation/{waiting['id']}/decide"
    decided = data_of(await shop.post(decide, {"decision": "approve"}, by=shop.admin))
    assert decided["state"] == "approved"
    data_of(await ask(shop, "the n4ked truth of a n.u.d.e", "3"), 202)
    assert refusal(await ask(shop, "another nude", "4")) == (422, "text_refused")


async def test_an_adult_purpose_is_for_the_licence_to_allow(shop: Shop) -> None:
    body = WISH | {"prompt": "a nude", "purpose": "adult"}
    answer = await shop.post("/generations", body, by=shop.fan, key="1")
    assert refusal(answer) == (422, "licence_refused")


async def test_what_may_never_be_waits_for_a_moderator_and_suspends(shop: Shop) -> None:
    for number, prompt in enumerate(("nude teen", "n u d e child", "sexy schoolgirl")):
        assert refusal(await ask(shop, prompt, f"{number}")) == (422, "text_refused")
    cases = await queue(shop)
    assert {case["category"] for case in cases} == {"minor_safety"}
    assert all(case["hard"] for case in cases)
    assert (await depth(shop)).hard_blocks == len(cases) == 3
    appeal = f"/moderation/cases/{cases[0]['id']}/appeal"
    assert refusal(await shop.post(appeal, {"text": "No."}, by=shop.fan)) == (
        422,
        "not_appealable",
    )
    assert refusal(await ask(shop, "a lighthouse", "7")) == (403, "generation_suspended")
    data_of(await ask(shop, "a lighthouse", "8", by=shop.other_creator), 202)
    async with (uow := shop.ports.uow()):
        strikes = await uow.strikes.of_user(shop.fan.user_id)
    assert [strike.kind for strike in strikes] == [StrikeKind.HARD] * 3

    decide = f"/admin/moderation/{cases[0]['id']}/decide"
    data_of(await shop.post(decide, {"decision": "approve", "note": "A film."}, by=shop.admin))
    data_of(await ask(shop, "a lighthouse", "9"), 202)


async def test_a_creator_s_words_in_disguise_are_refused_for_that_creator_alone(
    shop: Shop,
) -> None:
    async with (uow := shop.ports.uow()):
        creator = await uow.creators.get(estate.CREATOR)
        terms = builders.terms(blocked_keywords=("harbour",))
        version = builders.terms_version_of(creator, terms, version=2)
        uow.terms.add(version)
        creator.terms_id = version.id
        await uow.commit()
    assert refusal(await ask(shop, "at a harbour", "1")) == (422, "licence_refused")
    assert refusal(await ask(shop, "at a h.a.r.b.o.u.r", "2")) == (422, "text_refused")
    data_of(await ask(shop, "at a lighthouse", "3"), 202)
    assert data_of(await shop.get("/moderation/cases", by=shop.fan)) == []


async def test_enough_reports_hide_a_product_until_somebody_has_looked(shop: Shop) -> None:
    data_of(await shop.post("/reports", REPORT), 201)
    assert refusal(await shop.post("/reports", REPORT)) == (409, "already_reported")
    for who in (shop.fan, shop.other_creator):
        data_of(await shop.post("/reports", REPORT, by=who), 201)
        assert refusal(await shop.post("/reports", REPORT, by=who)) == (409, "already_reported")
    data_of(await shop.get(PRODUCT))
    data_of(await shop.post("/reports", REPORT, by=shop.other_store_owner), 201)
    assert (await shop.get(PRODUCT)).status_code == 404
    publish = f"/products/{estate.PRODUCT}/publish"
    assert refusal(await shop.post(publish, by=shop.owner)) == (409, "held_by_moderators")

    (case,) = await queue(shop, "?kind=product")
    assert (case["reports"], case["hidden"], case["origin"]) == (4, True, "report")
    decide = f"/admin/moderation/{case['id']}/decide"
    data_of(await shop.post(decide, {"decision": "approve"}, by=shop.admin))
    data_of(await shop.post(publish, by=shop.owner))
    data_of(await shop.get(PRODUCT))
    data_of(await shop.post("/reports", REPORT, by=shop.fan), 201)


async def test_one_report_hides_a_page_where_a_child_may_be_harmed(shop: Shop) -> None:
    page = f"/creators/{estate.SLUG}"
    report = {"subject_kind": "creator", "subject_id": str(estate.CREATOR)}
    data_of(await shop.post("/reports", report | {"reason": "minor_safety"}), 201)
    data_of(await shop.get(page))
    data_of(await shop.post("/reports", report | {"reason": "minor_safety"}, by=shop.fan), 201)
    assert (await shop.get(page)).status_code == 404
    publish = await shop.send("PUT", "/creators/profile", {"published": True}, by=shop.owner)
    assert refusal(publish) == (409, "held_by_moderators")
    (case,) = await queue(shop, "?kind=creator")
    decide = f"/admin/moderation/{case['id']}/decide"
    data_of(await shop.post(decide, {"decision": "approve"}, by=shop.admin))
    data_of(await shop.get(page))


@pytest.mark.parametrize("kind", ["template", "character", "preset"])
async def test_what_is_published_of_the_studio_is_held_and_shown_again(
    shop: Shop, kind: str
) -> None:
    wish = {
        "template": {"name": "Pier", "prompt": "at a pier"},
        "character": {"name": "Ada", "age": 30, "creator_id": str(estate.CREATOR)},
        "preset": {"name": "Noir", "style": "film noir"},
    }
    made = data_of(await shop.post(f"/{kind}s", wish[kind], by=shop.owner), 201)
    path = f"/{kind}s/{made['id']}"
    data_of(await shop.post(f"{path}/publish", by=shop.owner))
    approved = f"/admin/publications/{made['id']}/decide"
    assert (await shop.post(approved, {"approved": True}, by=shop.admin)).status_code == 204
    data_of(await shop.get(path, by=shop.fan))

    report = {"subject_kind": kind, "subject_id": made["id"], "reason": "minor_safety"}
    data_of(await shop.post("/reports", report, by=shop.fan), 201)
    assert refusal(await shop.get(path, by=shop.fan)) == (404, "not_found")
    listed = data_of(await shop.get(f"/community?kind={kind}"))
    assert made["id"] not in [one["id"] for one in listed]
    assert data_of(await shop.get(path, by=shop.owner))["publicity"]["state"] == "held"
    assert refusal(await shop.post(f"{path}/publish", by=shop.owner)) == (
        409,
        "held_by_moderators",
    )

    (case,) = await queue(shop, f"?kind={kind}")
    decide = f"/admin/moderation/{case['id']}/decide"
    data_of(await shop.post(decide, {"decision": "block", "note": "No."}, by=shop.admin))
    mine = data_of(await shop.get("/moderation/cases", by=shop.owner))[0]
    assert (mine["subject_id"], mine["state"], mine["note"]) == (made["id"], "blocked", "No.")
    appeal = f"/moderation/cases/{case['id']}/appeal"
    data_of(await shop.post(appeal, {"text": "Look again."}, by=shop.owner))
    data_of(await shop.post(decide, {"decision": "approve"}, by=shop.admin))
    data_of(await shop.get(path, by=shop.fan))


async def test_what_its_owner_has_taken_back_is_not_shown_again_by_a_moderator(shop: Shop) -> None:
    made = data_of(
        await shop.post("/templates", {"name": "Pier", "prompt": "x"}, by=shop.owner), 201
    )
    path = f"/templates/{made['id']}"
    data_of(await shop.post(f"{path}/publish", by=shop.owner))
    await shop.post(f"/admin/publications/{made['id']}/decide", {"approved": True}, by=shop.admin)
    report = {"subject_kind": "template", "subject_id": made["id"], "reason": "minor_safety"}
    data_of(await shop.post("/reports", report, by=shop.fan), 201)
    data_of(await shop.post(f"{path}/unpublish", by=shop.owner))
    (case,) = await queue(shop)
    decide = f"/admin/moderation/{case['id']}/decide"
    data_of(await shop.post(decide, {"decision": "approve"}, by=shop.admin))
    assert data_of(await shop.get(path, by=shop.owner))["publicity"]["state"] == "private"
    data_of(await shop.post(f"{path}/publish", by=shop.owner))


async def test_what_is_harmless_in_parts_may_be_refused_as_a_whole(shop: Shop) -> None:
    wish = {"name": "Who", "prompt": "a sexy {{who}}", "variables": [{"name": "who"}]}
    made = await kept_as_it_is(shop, wish)
    fill = {"values": {"who": "schoolgirl"}}
    refused = await shop.post(f"/templates/{made}/use", fill, by=shop.owner)
    assert refusal(refused) == (422, "text_refused")
    body = {
        "creator_id": str(estate.CREATOR),
        "template_id": made,
        "template_values": {"who": "schoolgirl"},
    }
    asked = await shop.post("/generations", body, by=shop.owner, key="1")
    assert refusal(asked) == (422, "text_refused")
    assert asked.json()["error"]["details"]["whole_prompt"] == ["minor_safety"]
    (case,) = await queue(shop)  # it was the same text
    assert case["hard"]


async def test_what_was_written_before_the_lists_knew_it_is_not_published(shop: Shop) -> None:
    made = await kept_as_it_is(shop, {"name": "A nude", "prompt": "x"})
    refused = await shop.post(f"/templates/{made}/publish", by=shop.owner)
    assert refusal(refused) == (422, "text_refused")


async def kept_as_it_is(shop: Shop, wish: dict[str, Any]) -> str:
    """A template from before it was judged."""
    async with (uow := shop.ports.uow()):
        variables = tuple(Variable(name=one["name"]) for one in wish.get("variables", ()))
        template = builders.template_of(
            shop.owner.user_id, name=wish["name"], prompt=wish["prompt"], variables=variables
        )
        uow.templates.add(template)
        await uow.commit()
    return str(template.id)


async def test_a_hard_block_is_in_the_audit_log_without_its_words(shop: Shop) -> None:
    assert refusal(await ask(shop, "nude teen", "1")) == (422, "text_refused")
    (case,) = await queue(shop)
    wanted = AuditFilter(object_kind="moderation_case", object_id=case["id"])
    (entry,) = await shop.ports.audit_views.page(wanted, before=None, limit=5)
    assert entry.act == "moderation.hard_block"
    assert "teen" not in str(entry)


async def test_a_moderator_sees_the_picture_that_is_doubtful_and_nobody_else_does(
    shop: Shop,
) -> None:
    case = builders.case_of(
        estate.OWNER, subject_kind=SubjectKind.ASSET, subject_id=estate.PICTURE, hidden=True
    )
    async with (uow := shop.ports.uow()):
        uow.moderation_cases.add(case)
        await uow.commit()
    path = f"/admin/moderation/{case.id}"
    assert refusal(await shop.get(path, by=shop.owner)) == (403, "role_required")
    seen = data_of(await shop.get(path, by=shop.admin))
    assert seen["preview_url"]
    assert seen["thumbnail_url"]
    text = data_of(await shop.get(f"/admin/moderation/{estate.CASE}", by=shop.admin))
    assert (text["preview_url"], text["thumbnail_url"]) == (None, None)


async def test_only_what_everybody_sees_is_reported(shop: Shop) -> None:
    for kind, subject in (
        ("product", estate.DRAFT),
        ("asset", estate.PICTURE),
        ("creator", estate.PRODUCT),
        ("text", estate.CASE),
        ("template", estate.PRODUCT),
    ):
        report = REPORT | {"subject_kind": kind, "subject_id": str(subject)}
        answer = await shop.post("/reports", report, by=shop.fan)
        assert refusal(answer) == (404, "not_found"), kind


async def test_of_two_moderators_one_decides(shop: Shop) -> None:
    data_of(await shop.post("/reports", REPORT, by=shop.fan), 201)
    (case,) = await queue(shop)
    path = f"/admin/moderation/{case['id']}/decide"
    answers = await asyncio.gather(
        *(
            shop.post(path, {"decision": ruling}, by=shop.admin)
            for ruling in ("approve", "block", "approve", "block")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (decided,) = [data_of(answer) for answer in answers if answer.status_code == 200]
    seen = await shop.get(PRODUCT)
    assert (seen.status_code == 200) == (decided["state"] == "approved")


async def test_reports_at_once_join_one_case(shop: Shop) -> None:
    people = [None, shop.fan, shop.other_creator, shop.other_store_owner, shop.admin]
    answers = await asyncio.gather(*(shop.post("/reports", REPORT, by=who) for who in people))
    assert [answer.status_code for answer in answers] == [201] * len(people)
    (case,) = await queue(shop)
    assert (case["reports"], case["hidden"]) == (len(people), True)
    assert (await depth(shop)).waiting == {"other": 1}
