"""What every store of projects, characters, templates, presets and publications promises."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.repository import StaleVersion
from domain.media.asset import AssetPurpose
from domain.shared.errors import NotFound
from domain.studio.publication import PublicationState, WorkKind, publication_of
from domain.studio.template import Template
from tests.builders import (
    NOON,
    character_of,
    generated_asset,
    preset_of,
    project_of,
    template_of,
)
from tests.contracts.units_of_work import NewUnitOfWork, fields_of

FAN, OTHER = uuid4(), uuid4()
TODAY = NOON.date()


async def images_of(new_uow: NewUnitOfWork, owner_id: UUID, count: int) -> list[UUID]:
    made = []
    async with new_uow() as uow:
        for _ in range(count):
            asset = generated_asset(owner_id, generation_id=uuid4())
            asset.purpose, asset.generation_id = AssetPurpose.SCENE_IMAGE, None
            uow.assets.add(asset)
            made.append(asset.id)
        await uow.commit()
    return made


async def published(new_uow: NewUnitOfWork, *, state: PublicationState | None = None) -> UUID:
    work = template_of(uuid4())
    publication = publication_of(work, WorkKind.TEMPLATE, creator_id=None, at=NOON)
    publication.submit(work, at=NOON)
    if state is not PublicationState.IN_REVIEW:
        publication.approve(by=None, at=NOON)
    if state is PublicationState.PRIVATE:
        publication.withdraw()
    async with new_uow() as uow:
        uow.publications.add(publication)
        await uow.commit()
    return work.id


async def counts(new_uow: NewUnitOfWork, work_id: UUID) -> tuple[int, int]:
    async with new_uow() as uow:
        found = await uow.publications.get(work_id)
        return found.favourites, found.uses


async def test_works_come_back_as_they_were(new_uow: NewUnitOfWork) -> None:
    project, template, preset = project_of(FAN), template_of(FAN), preset_of(None)
    async with new_uow() as uow:
        uow.projects.add(project)
        uow.templates.add(template)
        uow.presets.add(preset)
        await uow.commit()
    async with new_uow() as uow:
        assert fields_of(await uow.projects.get(project.id)) == fields_of(project)
        assert fields_of(await uow.templates.get(template.id)) == fields_of(template)
        assert fields_of(await uow.presets.get(preset.id)) == fields_of(preset)
        assert await uow.presets.existing([preset.id, uuid4()]) == {preset.id}
        for repository in (uow.projects, uow.templates, uow.presets, uow.characters):
            with pytest.raises(NotFound):
                await repository.get(uuid4())


async def test_a_character_keeps_its_images_in_order(new_uow: NewUnitOfWork) -> None:
    one, two, three = await images_of(new_uow, FAN, 3)
    character = character_of(FAN, asset_ids=[two, one])
    async with new_uow() as uow:
        uow.characters.add(character)
        await uow.commit()
    async with new_uow() as uow:
        found = await uow.characters.get(character.id, lock=True)
        assert found.asset_ids == [two, one]
        found.show([three, two, one])
        await uow.commit()
    async with new_uow() as uow:
        found = await uow.characters.get(character.id, lock=True)
        assert found.asset_ids == [three, two, one]
        found.delete(at=NOON)
        await uow.commit()
    async with new_uow() as uow:
        assert (await uow.characters.get(character.id)).asset_ids == []


async def test_a_stale_template_is_not_changed(new_uow: NewUnitOfWork) -> None:
    made: Template = template_of(FAN)
    async with new_uow() as uow:
        uow.templates.add(made)
        await uow.commit()
    async with new_uow() as slow:
        template = await slow.templates.get(made.id)
        async with new_uow() as quick:
            (await quick.templates.get(made.id)).name = "Quick"
            await quick.commit()
        template.name = "Slow"
        with pytest.raises(StaleVersion):
            await slow.commit()


async def test_a_favourite_is_counted_once_for_each_person(new_uow: NewUnitOfWork) -> None:
    work_id = await published(new_uow)
    async with new_uow() as uow:
        assert await uow.publications.favour(work_id, FAN, at=NOON)
        assert not await uow.publications.favour(work_id, FAN, at=NOON)
        assert await uow.publications.favour(work_id, OTHER, at=NOON)
        await uow.commit()
    assert await counts(new_uow, work_id) == (2, 0)
    async with new_uow() as uow:
        assert await uow.publications.is_favourite(work_id, FAN)
        assert await uow.publications.unfavour(work_id, FAN)
        assert not await uow.publications.unfavour(work_id, FAN)
        await uow.commit()
    assert await counts(new_uow, work_id) == (1, 0)
    async with new_uow() as uow:
        assert not await uow.publications.is_favourite(work_id, FAN)


async def test_what_is_not_committed_is_not_counted(new_uow: NewUnitOfWork) -> None:
    work_id = await published(new_uow)
    async with new_uow() as uow:
        await uow.publications.favour(work_id, FAN, at=NOON)
        await uow.publications.count_use(work_id, FAN, day=TODAY)
    assert await counts(new_uow, work_id) == (0, 0)


@pytest.mark.parametrize("state", [PublicationState.IN_REVIEW, PublicationState.PRIVATE])
async def test_only_what_is_published_is_counted(
    new_uow: NewUnitOfWork, state: PublicationState
) -> None:
    work_id = await published(new_uow, state=state)
    async with new_uow() as uow:
        assert not await uow.publications.favour(work_id, FAN, at=NOON)
        assert not await uow.publications.count_use(work_id, FAN, day=TODAY)
        assert not await uow.publications.favour(uuid4(), FAN, at=NOON)
        await uow.commit()
    assert await counts(new_uow, work_id) == (0, 0)


async def test_a_use_is_counted_once_for_each_person_and_day(new_uow: NewUnitOfWork) -> None:
    work_id = await published(new_uow)
    async with new_uow() as uow:
        assert await uow.publications.count_use(work_id, FAN, day=TODAY)
        assert not await uow.publications.count_use(work_id, FAN, day=TODAY)
        assert await uow.publications.count_use(work_id, OTHER, day=TODAY)
        assert await uow.publications.count_use(work_id, FAN, day=TODAY + timedelta(days=1))
        await uow.commit()
    assert await counts(new_uow, work_id) == (0, 3)


async def test_old_uses_are_forgotten_and_stay_counted(new_uow: NewUnitOfWork) -> None:
    work_id = await published(new_uow)
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    async with new_uow() as uow:
        for day in days:
            await uow.publications.count_use(work_id, FAN, day=day)
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.publications.forget_uses(before=days[2], limit=1) == 1
        assert await uow.publications.forget_uses(before=days[2], limit=9) == 1
        assert await uow.publications.forget_uses(before=days[2], limit=9) == 0
        assert not await uow.publications.count_use(work_id, FAN, day=days[2])
        await uow.commit()
    assert await counts(new_uow, work_id) == (0, 3)


async def test_a_publication_goes_with_who_liked_it(new_uow: NewUnitOfWork) -> None:
    work_id = await published(new_uow)
    async with new_uow() as uow:
        await uow.publications.favour(work_id, FAN, at=NOON)
        await uow.publications.count_use(work_id, FAN, day=TODAY)
        await uow.commit()
    async with new_uow() as uow:
        await uow.publications.remove(await uow.publications.get(work_id))
        await uow.commit()
    async with new_uow() as uow:
        assert await uow.publications.find(work_id) is None
        assert not await uow.publications.is_favourite(work_id, FAN)
