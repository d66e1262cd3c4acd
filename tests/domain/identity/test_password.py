"""Which passwords are good enough."""

import pytest

from domain.identity.password import WeakPassword, acceptable_password, normalised_password


def accept(password: str) -> str:
    return acceptable_password(
        password, email="grace.hopper@example.org", display_name="Grace Hopper"
    )


@pytest.mark.parametrize(
    "password",
    [
        "velvet otter drums",
        "kmfWq7!pzLx2",
        "correct horse battery staple",
        "пароль для моей лодки",
        "sunshine over seven bridges",
        "x" * 50 + "yzabcdef",
    ],
)
def test_a_long_password_nobody_guesses_is_accepted(password: str) -> None:
    assert accept(password) == password


@pytest.mark.parametrize("password", ["", "short", "eleven char", "g" * 300, "velvet" * 43])
def test_a_password_has_12_to_256_characters(password: str) -> None:
    with pytest.raises(WeakPassword):
        accept(password)


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc",
        "QWERTY123456",
        "password1234",
        "Sunshine2024!",
        "12345678dragon",
        "aaaaaaaaaaaa",
        "abababababab",
        "dragondragon",
        "velvetottervelvetotter",
        "123456789012",
        "abcdefghijkl",
        "lkjhgfdsapoiuytrewq",
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="guess"):
        accept(password)


@pytest.mark.parametrize(
    "password",
    ["grace.hopper@example.org", "Grace Hopper", "gracehopper!!", "Grace.Hopper@Example.org"],
)
def test_a_password_is_not_the_name_or_the_address(password: str) -> None:
    with pytest.raises(WeakPassword, match="name or address"):
        accept(password)


def test_the_refusal_names_the_field_and_not_the_password() -> None:
    with pytest.raises(WeakPassword) as refused:
        accept("password1234")

    assert refused.value.facts["fields"] == {"password": [refused.value.message]}
    assert "password1234" not in str(refused.value)


def test_two_keyboards_that_type_one_character_differently_agree() -> None:
    assert normalised_password("cafe\u0301 au lait noir") == normalised_password(
        "caf\u00e9 au lait noir"
    )
