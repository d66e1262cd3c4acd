"""Templates: every blank has a variable, every variable a blank, and nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.studio.template import (
    PROMPT_LENGTH_MAX,
    TemplateInvalid,
    ValuesRefused,
    Variable,
    check_template,
    rendered,
)

PLACE = Variable(name="place")
LIGHT = Variable(name="light", default="soft", choices=("soft", "hard"))


def test_blanks_are_filled_in_and_defaults_taken() -> None:
    prompt = "at {{place}}, {{ light }} light, {{place}}"
    check_template(prompt, [PLACE, LIGHT])
    assert rendered(prompt, [PLACE, LIGHT], {"place": "a pier"}) == "at a pier, soft light, a pier"


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    made = rendered("{{place}} {{light}}", [PLACE, LIGHT], {"place": r"{{light}} & \1"})
    assert made == r"{{light}} & \1 soft"


@given(value=st.text(max_size=500))
def test_any_value_arrives_as_it_is(value: str) -> None:
    assert rendered("<{{place}}>", [PLACE], {"place": value}) == f"<{value}>"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "values.place"),
        ({"place": "a pier", "mood": "calm"}, "values.mood"),
        ({"place": "a pier", "light": "none"}, "values.light"),
        ({"place": "x" * 501}, "values.place"),
    ],
)
def test_values_that_do_not_fit_are_refused(values: dict[str, str], fault: str) -> None:
    with pytest.raises(ValuesRefused) as refused:
        rendered("{{place}} {{light}}", [PLACE, LIGHT], values)
    assert list(refused.value.facts["fields"]) == [fault]  # type: ignore[call-overload]


def test_a_prompt_that_would_be_too_long_is_refused() -> None:
    prompt = "{{place}}" * 5
    assert len(rendered(prompt, [PLACE], {"place": "x" * 400})) == PROMPT_LENGTH_MAX
    with pytest.raises(ValuesRefused):
        rendered(prompt, [PLACE], {"place": "x" * 401})


@pytest.mark.parametrize(
    ("prompt", "variables"),
    [
        ("at {{place}}", []),
        ("at the sea", [PLACE]),
        ("at {{place}}", [PLACE, PLACE]),
        ("at {{Place}}", []),
        ("at {{place}", []),
        ("at {{{place}}}", [PLACE]),
        ("at {{place}} }}", [PLACE]),
        ("{{place}}", [Variable(name="place", choices=("a", "a"))]),
        ("{{place}}", [Variable(name="place", choices=("a",), default="b")]),
        ("{{place}}", [Variable(name="place", default="x" * 501)]),
        ("{{place}}", [Variable(name="place", choices=tuple(map(str, range(51))))]),
        (
            "".join(f"{{{{v{n}}}}}" for n in range(21)),
            [Variable(name=f"v{n}") for n in range(21)],
        ),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_refused(
    prompt: str, variables: list[Variable]
) -> None:
    with pytest.raises(TemplateInvalid):
        check_template(prompt, variables)
