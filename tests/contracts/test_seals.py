"""What every way of sealing promises."""

import pytest

from adapters.memory.seals import MemorySeals
from adapters.system.seals import HmacSeals
from application.ports.seals import Seals

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture(params=["memory", "hmac"])
def seals(request: pytest.FixtureRequest) -> Seals:
    return MemorySeals() if request.param == "memory" else HmacSeals([NEW])


def test_what_was_sealed_is_known_again(seals: Seals) -> None:
    token = seals.seal("cart", b"content")

    assert seals.open("cart", token) == b"content"
    assert token.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_a_seal_is_for_one_purpose(seals: Seals) -> None:
    assert seals.open("order", seals.seal("cart", b"content")) is None


@pytest.mark.parametrize("token", ["", ".", "x", "x.y", "é.é", "Y29udGVudA.", "a" * 500])
def test_what_was_not_sealed_is_nothing(seals: Seals, token: str) -> None:
    assert seals.open("cart", token) is None


def test_a_change_breaks_the_seal(seals: Seals) -> None:
    token = seals.seal("cart", b"content")
    other = seals.seal("cart", b"another")

    assert seals.open("cart", token[:-2] + ("AA" if token[-2:] != "AA" else "BB")) is None
    forged = f"{other.partition('.')[0]}.{token.partition('.')[2]}"
    assert seals.open("cart", forged) in (None, b"another" if "." not in token else None)


def test_keys_can_be_changed() -> None:
    before = HmacSeals([OLD]).seal("cart", b"content")

    assert HmacSeals([NEW, OLD]).open("cart", before) == b"content"
    assert HmacSeals([NEW]).open("cart", before) is None
    with pytest.raises(ValueError, match="key"):
        HmacSeals([])
