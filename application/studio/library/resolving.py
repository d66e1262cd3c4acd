"""What somebody names of the library when they ask for something: may they, and what does it mean?

A generation keeps the ids, and a copy of what they meant when it was asked for: a later change, or
the end, of a preset, template or character changes nothing that is under way.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from application.identity.authority import ProjectAct, project_for
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.works import usable_work
from domain.identity.actor import Actor
from domain.shared.errors import Invalid
from domain.studio.character import Character
from domain.studio.generation import Motion
from domain.studio.template import PROMPT_LENGTH_MAX


class LikenessOfAnother(Invalid):
    """The character has another creator's likeness than the one that was asked for."""

    code = "character_likeness_mismatch"


class PromptTooLong(Invalid):
    """With what character and preset add, the prompt is too long."""

    code = "prompt_too_long"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Ids as a request has them; `values` fill in the template, which then makes the prompt."""

    project_id: UUID | None = None
    preset_id: UUID | None = None
    character_id: UUID | None = None
    template_id: UUID | None = None
    values: Mapping[str, str] = {}

    @property
    def is_of_the_library(self) -> bool:
        """Whether something that others may have written becomes part of the prompt."""
        return any((self.preset_id, self.character_id, self.template_id))


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """`prompt` is the whole of it: the template filled in, or what was given, with what is known of
    the character before and what the preset says of camera and style after it. `creator_id` is
    whose likeness the character has; images of `reference_ids`, `of_whom` it is, show it."""

    prompt: str
    motion: Motion | None = None
    creator_id: UUID | None = None
    reference_ids: tuple[UUID, ...] = ()
    of_whom: UUID | None = None


async def likeness_of(
    named: Named, creator_id: UUID | None, *, actor: Actor, uow: UnitOfWork
) -> UUID | None:
    """Whose likeness is meant; None: an invented person's. Raises NotFound, LikenessOfAnother."""
    if named.character_id is None:
        return creator_id
    async with uow:
        character, _ = await usable_work(
            uow.characters, named.character_id, "character", actor=actor, uow=uow
        )
    return _likeness_of(character, creator_id)


async def resolve(
    named: Named,
    *,
    prompt: str,
    creator_id: UUID | None,
    actor: Actor,
    uow: UnitOfWork,
) -> Resolved:
    """Within a transaction. Projects take what their members make, the rest is the actor's own or
    published.

    Raises NotFound, RankTooLow, ValuesRefused, LikenessOfAnother, PromptTooLong."""
    of_whom: UUID | None = None
    motion: Motion | None = None
    references: tuple[UUID, ...] = ()
    if named.project_id is not None:
        await project_for(named.project_id, ProjectAct.EDIT, actor=actor, uow=uow)
    if named.template_id is not None:
        template, _ = await usable_work(
            uow.templates, named.template_id, "template", actor=actor, uow=uow
        )
        prompt = template.render(named.values)
    if named.character_id is not None:
        character, _ = await usable_work(
            uow.characters, named.character_id, "character", actor=actor, uow=uow
        )
        creator_id = _likeness_of(character, creator_id)
        references, of_whom = tuple(character.asset_ids), character.owner_id
        prompt = character.described(prompt)
    if named.preset_id is not None:
        preset, _ = await usable_work(uow.presets, named.preset_id, "preset", actor=actor, uow=uow)
        prompt = preset.styled(prompt)
        motion = Motion(
            strength=preset.motion,
            frames_per_second=preset.frames_per_second,
            driving_asset_id=preset.driving_asset_id,
        )
    if len(prompt) > PROMPT_LENGTH_MAX:
        raise PromptTooLong(
            f"The whole prompt has more than {PROMPT_LENGTH_MAX} characters.",
            fields={"prompt": ["is too long with what character and preset add"]},
        )
    return Resolved(
        prompt=prompt,
        motion=motion,
        creator_id=creator_id,
        reference_ids=references,
        of_whom=of_whom,
    )


def _likeness_of(character: Character, creator_id: UUID | None) -> UUID | None:
    """A character's likeness is its creator's: nobody makes it under another's licence."""
    if character.creator_id is None:
        return creator_id
    if creator_id is not None and creator_id != character.creator_id:
        raise LikenessOfAnother(
            "The character has another creator's likeness.",
            fields={"character_id": ["has the likeness of another creator than creator_id"]},
        )
    return character.creator_id


async def count_uses(named: Named, *, actor: Actor, uow: UnitOfWork, at: datetime) -> None:
    """Of what is published, within the transaction that accepts the work; in the order of their
    ids, as everybody who counts several does."""
    day = at.astimezone(UTC).date()
    used = {named.preset_id, named.character_id, named.template_id} - {None}
    for work_id in sorted(one for one in used if one is not None):
        await uow.publications.count_use(work_id, actor.user_id, day=day)
