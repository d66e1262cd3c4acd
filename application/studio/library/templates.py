"""Prompt templates: write one, fill one in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from application.moderation.judging import Moderation
from application.moderation.words import require_publishable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.unit_of_work import UnitOfWork
from application.studio.library.works import (
    Category,
    Description,
    Name,
    Publicity,
    Version,
    changed,
    is_own,
    own_work,
    publicity_of,
    require_version,
    unlisted,
    usable_work,
)
from domain.identity.actor import Actor
from domain.moderation.case import SubjectKind
from domain.studio.publication import Publication
from domain.studio.template import (
    MAX_CHOICES,
    MAX_VARIABLES,
    PROMPT_LENGTH_MAX,
    VALUE_LENGTH_MAX,
    Template,
    Variable,
    check_template,
)

TemplatePrompt = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=PROMPT_LENGTH_MAX,
        examples=["a portrait at {{place}} in {{light}} light"],
    ),
]
Value = Annotated[str, msgspec.Meta(max_length=VALUE_LENGTH_MAX)]


class VariableWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With `choices`, a value is one of them; with a `default`, it may be left out."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z", examples=["place"])]
    label: Annotated[str, msgspec.Meta(max_length=120)] = ""
    default: Value | None = None
    choices: Annotated[list[Value], msgspec.Meta(max_length=MAX_CHOICES)] = []


Variables = Annotated[list[VariableWish], msgspec.Meta(max_length=MAX_VARIABLES)]


class MakeTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every `{{name}}` in the prompt is one of the variables, and every variable is in it."""

    name: Name
    description: Description = ""
    category: Category = ""
    prompt: TemplatePrompt
    variables: Variables = []


class ChangeTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays."""

    name: Name | None = None
    description: Description | None = None
    category: Category | None = None
    prompt: TemplatePrompt | None = None
    variables: Variables | None = None
    version: Version | None = None


class UseTemplate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    values: Annotated[
        dict[str, Value], msgspec.Meta(max_length=2 * MAX_VARIABLES, examples=[{"place": "a pier"}])
    ] = {}


class VariableView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    default: str | None
    choices: Sequence[str]


class TemplateDetails(msgspec.Struct, frozen=True, kw_only=True):
    """`own` says whether the caller may change it."""

    id: UUID
    own: bool
    name: str
    description: str
    category: str
    prompt: str
    variables: list[VariableView]
    publicity: Publicity
    created_at: datetime
    updated_at: datetime
    version: int


class FilledIn(msgspec.Struct, frozen=True, kw_only=True):
    template_id: UUID
    prompt: str


async def make_template(
    command: MakeTemplate,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
    ids: Ids,
) -> TemplateDetails:
    """Raises TemplateInvalid."""
    now, variables = clock.now(), _variables(command.variables)
    check_template(command.prompt, variables)
    template = Template(
        id=ids.new(),
        owner_id=actor.user_id,
        name=command.name,
        description=command.description,
        category=command.category,
        prompt=command.prompt,
        variables=variables,
        created_at=now,
        updated_at=now,
    )
    await require_publishable(
        command,
        SubjectKind.TEMPLATE,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        uow.templates.add(template)
        await uow.commit()
        return await _details(template, None, actor=actor, uow=uow)


async def show_template(template_id: UUID, *, actor: Actor, uow: UnitOfWork) -> TemplateDetails:
    """Raises NotFound."""
    async with uow:
        template, publication = await usable_work(
            uow.templates, template_id, "template", actor=actor, uow=uow
        )
        return await _details(template, publication, actor=actor, uow=uow)


async def change_template(
    template_id: UUID,
    command: ChangeTemplate,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
) -> TemplateDetails:
    """What was published is private again. Raises NotFound, TemplateInvalid, StaleVersion."""
    await require_publishable(
        command,
        SubjectKind.TEMPLATE,
        template_id,
        actor=actor,
        uow=uow,
        moderation=moderation,
    )
    async with uow:
        template = await own_work(uow.templates, template_id, "template", actor=actor, lock=True)
        require_version(template, command.version)
        if command.name is not None:
            template.name = command.name
        if command.description is not None:
            template.description = command.description
        if command.category is not None:
            template.category = command.category
        if command.prompt is not None:
            template.prompt = command.prompt
        if command.variables is not None:
            template.variables = _variables(command.variables)
        check_template(template.prompt, template.variables)
        await changed(template, actor=actor, uow=uow, at=clock.now())
        await uow.commit()
        publication = await uow.publications.find(template_id)
        return await _details(template, publication, actor=actor, uow=uow)


async def delete_template(
    template_id: UUID, *, actor: Actor, uow: UnitOfWork, clock: Clock
) -> None:
    """Prompts that were made from it stay as they are. Raises NotFound."""
    async with uow:
        template = await own_work(uow.templates, template_id, "template", actor=actor, lock=True)
        await unlisted(template, uow=uow)
        template.delete(at=clock.now())
        await uow.commit()


async def use_template(
    template_id: UUID,
    command: UseTemplate,
    *,
    actor: Actor,
    uow: UnitOfWork,
    clock: Clock,
    moderation: Moderation,
) -> FilledIn:
    """The prompt, judged as it is when it is filled in; a use of what is published counts once for
    each person and day (UTC).

    Raises NotFound, ValuesRefused, TextRefused."""
    async with uow:
        template, _ = await usable_work(
            uow.templates, template_id, "template", actor=actor, uow=uow
        )
        prompt = template.render(command.values)
    await require_publishable(
        {"prompt": prompt}, "filled_template", actor=actor, uow=uow, moderation=moderation
    )
    async with uow:
        day = clock.now().astimezone(UTC).date()
        await uow.publications.count_use(template_id, actor.user_id, day=day)
        await uow.commit()
    return FilledIn(template_id=template_id, prompt=prompt)


def _variables(wished: Sequence[VariableWish]) -> tuple[Variable, ...]:
    return tuple(
        Variable(name=one.name, label=one.label, default=one.default, choices=tuple(one.choices))
        for one in wished
    )


async def _details(
    template: Template, publication: Publication | None, *, actor: Actor, uow: UnitOfWork
) -> TemplateDetails:
    own = is_own(template, actor)
    return TemplateDetails(
        id=template.id,
        own=own,
        name=template.name,
        description=template.description,
        category=template.category,
        prompt=template.prompt,
        variables=[
            VariableView(name=v.name, label=v.label, default=v.default, choices=v.choices)
            for v in template.variables
        ],
        publicity=await publicity_of(publication, own=own, actor=actor, uow=uow),
        created_at=template.created_at,
        updated_at=template.updated_at,
        version=template.version,
    )
