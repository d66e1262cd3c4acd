"""What is named of the library means the same for as long as it is under way."""

from uuid import UUID, uuid4

import pytest

from adapters.memory.unit_of_work import MemoryDatabase, MemoryUnitOfWork
from application.studio.library.resolving import (
    LikenessOfAnother,
    Named,
    PromptTooLong,
    Resolved,
    count_uses,
    resolve,
)
from domain.identity.actor import Actor
from domain.identity.team import Member, RankTooLow, Team, TeamRole
from domain.shared.errors import NotFound
from domain.studio.publication import WorkKind, publication_of
from domain.studio.template import ValuesRefused
from tests.builders import NOON, actor, character_of, preset_of, project_of, template_of


class Library:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.owner, self.fan = actor(), actor()

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.database)

    async def keep(self, kind: str, *works: object) -> None:
        async with (uow := self.uow()):
            for work in works:
                getattr(uow, kind).add(work)
            await uow.commit()

    async def resolve(
        self, named: Named, *, by: Actor, prompt: str = "at sea", creator_id: UUID | None = None
    ) -> Resolved:
        async with (uow := self.uow()):
            found = await resolve(named, prompt=prompt, creator_id=creator_id, actor=by, uow=uow)
            await count_uses(named, actor=by, uow=uow, at=NOON)
            await uow.commit()
            return found


@pytest.fixture
def library() -> Library:
    return Library()


async def test_template_character_and_preset_make_the_whole_prompt(library: Library) -> None:
    mine = library.owner.user_id
    creator_id, image = uuid4(), uuid4()
    template = template_of(mine)
    character = character_of(mine, creator_id=creator_id, asset_ids=[image])
    preset = preset_of(mine, motion=200, duration_ms=2500, style="grain", driving_asset_id=image)
    await library.keep("templates", template)
    await library.keep("characters", character)
    await library.keep("presets", preset)
    found = await library.resolve(
        Named(
            template_id=template.id,
            character_id=character.id,
            preset_id=preset.id,
            values={"place": "a pier"},
        ),
        by=library.owner,
        prompt="is not read",
    )
    assert found.prompt == (
        "29 year old woman, a portrait at a pier in soft light, film still, "
        "camera slowly zooms in, grain"
    )
    assert (found.creator_id, found.reference_ids) == (creator_id, (image,))
    assert found.motion is not None
    assert found.motion.strength == 200
    assert found.motion.frames_per_second == 10
    assert found.motion.driving_asset_id == image


async def test_nothing_named_changes_nothing(library: Library) -> None:
    creator_id = uuid4()
    found = await library.resolve(Named(), by=library.fan, creator_id=creator_id)
    assert found == Resolved(prompt="at sea", creator_id=creator_id)


async def test_of_others_only_what_is_published_is_used_and_counted(library: Library) -> None:
    template = template_of(library.owner.user_id)
    await library.keep("templates", template)
    named = Named(template_id=template.id, values={"place": "a pier"})
    with pytest.raises(NotFound):
        await library.resolve(named, by=library.fan)
    publication = publication_of(template, WorkKind.TEMPLATE, creator_id=None, at=NOON)
    publication.submit(template, at=NOON)
    publication.approve(by=None, at=NOON)
    await library.keep("publications", publication)
    for _ in range(2):
        await library.resolve(named, by=library.fan)
    async with (uow := library.uow()):
        assert (await uow.publications.get(template.id)).uses == 1


async def test_a_character_is_never_made_under_anothers_licence(library: Library) -> None:
    character = character_of(library.owner.user_id, creator_id=uuid4())
    await library.keep("characters", character)
    with pytest.raises(LikenessOfAnother):
        await library.resolve(
            Named(character_id=character.id), by=library.owner, creator_id=uuid4()
        )


async def test_what_was_deleted_is_used_no_more(library: Library) -> None:
    preset, character = preset_of(library.owner.user_id), character_of(library.owner.user_id)
    template, project = template_of(library.owner.user_id), project_of(library.owner.user_id)
    for work in (preset, character, template, project):
        work.delete(at=NOON)
    await library.keep("presets", preset)
    await library.keep("characters", character)
    await library.keep("templates", template)
    await library.keep("projects", project)
    for named in (
        Named(preset_id=preset.id),
        Named(character_id=character.id),
        Named(template_id=template.id),
        Named(project_id=project.id),
    ):
        with pytest.raises(NotFound):
            await library.resolve(named, by=library.owner)


async def test_a_teams_project_takes_what_its_members_make(library: Library) -> None:
    team = Team(id=uuid4(), name="Studio", created_at=NOON)
    viewer = actor()
    for who, role in ((library.fan, TeamRole.MEMBER), (viewer, TeamRole.VIEWER)):
        team.join(
            Member(id=uuid4(), team_id=team.id, user_id=who.user_id, role=role, joined_at=NOON)
        )
    project = project_of(library.owner.user_id, team_id=team.id)
    await library.keep("teams", team)
    await library.keep("projects", project)
    named = Named(project_id=project.id)
    await library.resolve(named, by=library.fan)
    with pytest.raises(RankTooLow):
        await library.resolve(named, by=viewer)
    with pytest.raises(NotFound):
        await library.resolve(named, by=library.owner)


async def test_a_prompt_that_grows_too_long_is_refused(library: Library) -> None:
    preset = preset_of(library.owner.user_id, style="grain")
    await library.keep("presets", preset)
    with pytest.raises(PromptTooLong):
        await library.resolve(Named(preset_id=preset.id), by=library.owner, prompt="x" * 1990)


async def test_values_must_fit_the_template(library: Library) -> None:
    template = template_of(library.owner.user_id)
    await library.keep("templates", template)
    with pytest.raises(ValuesRefused):
        await library.resolve(Named(template_id=template.id), by=library.owner)
