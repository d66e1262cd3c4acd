"""A template: a prompt with blanks, `{{name}}`, that others fill in.

Nothing is escaped and nothing is guessed: a blank without a value, and a value without a blank,
are refused. What is filled in is never looked at for blanks again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.shared.errors import Invalid

PROMPT_LENGTH_MAX = 2000
"""Of a template and of what is made from it: the longest prompt of a generation."""
VALUE_LENGTH_MAX = 500
MAX_VARIABLES = 20
MAX_CHOICES = 50

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BLANK = re.compile(r"(?<!\{)\{\{\s*([a-z][a-z0-9_]{0,39})\s*\}\}(?!\})")
_BRACES = re.compile(r"\{\{|\}\}")


class TemplateInvalid(Invalid):
    """The prompt and its variables do not fit each other."""

    code = "template_invalid"


class ValuesRefused(Invalid):
    """The values do not fit the template's variables."""

    code = "template_values_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """With `choices`, a value is one of them; with a `default`, it may be left out."""

    name: str
    label: str = ""
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class Template:
    """A deleted one is a tombstone, for generations name it."""

    id: UUID
    owner_id: UUID | None
    name: str
    description: str
    category: str
    prompt: str
    variables: tuple[Variable, ...]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    version: int = 1

    def render(self, values: Mapping[str, str]) -> str:
        """The prompt with its blanks filled in. Raises ValuesRefused."""
        return rendered(self.prompt, self.variables, values)

    def delete(self, *, at: datetime) -> None:
        self.name = self.description = self.category = self.prompt = ""
        self.variables, self.deleted_at = (), at


def check_template(prompt: str, variables: Sequence[Variable]) -> None:
    """Every blank is a variable, every variable a blank. Raises TemplateInvalid."""
    problems: dict[str, list[str]] = {}
    names = [variable.name for variable in variables]
    blanks = set(_BLANK.findall(prompt))
    if _BRACES.search(_BLANK.sub("", prompt)):
        problems.setdefault("prompt", []).append(
            "has {{ or }} that are no blank: a name is a-z, 0-9 and _, after a letter"
        )
    unknown = sorted(blanks - set(names))
    if unknown:
        problems.setdefault("prompt", []).append(f"has blanks of no variable: {', '.join(unknown)}")
    if len(names) > MAX_VARIABLES:
        problems.setdefault("variables", []).append(f"must be at most {MAX_VARIABLES}")
    if len(set(names)) < len(names):
        problems.setdefault("variables", []).append("must have different names")
    for variable in variables:
        for problem in _problems_of(variable, blanks):
            problems.setdefault(f"variables.{variable.name}", []).append(problem)
    if problems:
        raise TemplateInvalid("The template cannot be filled in.", fields=problems)


def rendered(prompt: str, variables: Sequence[Variable], values: Mapping[str, str]) -> str:
    """Raises ValuesRefused, naming every value that is at fault."""
    problems = {name: ["is no variable of the template"] for name in values}
    filled: dict[str, str] = {}
    for variable in variables:
        problems.pop(variable.name, None)
        value = values.get(variable.name, variable.default)
        if value is None:
            problems[variable.name] = ["is required"]
        elif variable.choices and value not in variable.choices:
            problems[variable.name] = [f"must be one of: {', '.join(variable.choices)}"]
        elif len(value) > VALUE_LENGTH_MAX:
            problems[variable.name] = [f"must have at most {VALUE_LENGTH_MAX} characters"]
        else:
            filled[variable.name] = value
    if problems:
        fields = {f"values.{name}": texts for name, texts in problems.items()}
        raise ValuesRefused("The template cannot be filled in with these.", fields=fields)
    made = _BLANK.sub(lambda blank: filled[blank[1]], prompt)
    if len(made) > PROMPT_LENGTH_MAX:
        message = f"make a prompt of more than {PROMPT_LENGTH_MAX} characters"
        raise ValuesRefused("The prompt would be too long.", fields={"values": [message]})
    return made


def _problems_of(variable: Variable, blanks: set[str]) -> list[str]:
    problems = []
    if not NAME.fullmatch(variable.name):
        problems.append("must be named by a-z, 0-9 and _, after a letter")
    elif variable.name not in blanks:
        problems.append("has no blank in the prompt")
    if len(variable.choices) > MAX_CHOICES:
        problems.append(f"must have at most {MAX_CHOICES} choices")
    if len(set(variable.choices)) < len(variable.choices):
        problems.append("must have different choices")
    given = [*variable.choices, *([] if variable.default is None else [variable.default])]
    if any(len(value) > VALUE_LENGTH_MAX for value in given):
        problems.append(f"must have values of at most {VALUE_LENGTH_MAX} characters")
    if variable.choices and variable.default not in (None, *variable.choices):
        problems.append("must have one of its choices as default")
    return problems
