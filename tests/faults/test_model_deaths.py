"""A worker that dies at every commit of a deletion: nothing is left, and nobody has paid."""

from typing import Literal

import pytest

from application.studio.versions import delete_model
from domain.creators.likeness_model import ModelStatus
from domain.identity.actor import Role
from domain.studio.job import JobStatus
from tests import builders
from tests.faults.test_generation_deaths import Death, MortalWorld, sessions, world

__all__ = ["sessions", "world"]


async def delete_newest(world: MortalWorld) -> None:
    """Who dies before the answer is given asks again."""
    creator_id = world.market.creator.id
    (newest,) = await world.views.models(creator_id, before_version=None, limit=1)
    for _ in range(2):
        try:
            await delete_model(
                creator_id,
                newest.id,
                with_images=True,
                actor=world.owner,
                uow=world.uow(),
                clock=world.clock,
            )
        except Death:
            continue
        return


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_dying_at_any_commit_of_a_deletion_leaves_nothing_behind(
    world: MortalWorld, dies: Literal["before", "after"]
) -> None:
    number = 0
    while True:
        number += 1
        if number > 1:
            await world.with_model()
        world.fan = builders.actor(Role.FAN)
        asked = [(await world.ask(prompt=f"number {one}")).id for one in range(2)]
        await world.work()
        world.commits, world.dies_at, world.dies = 0, number, dies
        await delete_newest(world)
        await world.work()
        happened, world.dies_at = world.commits, 0
        for job_id in asked:
            seen = await world.seen(job_id)
            assert (seen.status, seen.error_code) == (JobStatus.FAILED, "model_deleted")
            assert (seen.held, seen.spent) == (0, 0)
        (newest,) = await world.views.models(world.market.creator.id, before_version=None, limit=1)
        assert newest.status is ModelStatus.DELETED
        assert world.storage.stored_keys() == set()
        async with (uow := world.uow()):
            assert (await uow.credits.wallet(world.fan.user_id)).held == 0
        if happened < number:
            break
    assert number > 4, "a deletion and two jobs have more commits than that"
