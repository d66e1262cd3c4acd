"""What every PasswordHasher promises, and what Argon2 adds."""

import asyncio
from collections.abc import AsyncIterator

import argon2
import pytest
from argon2.exceptions import VerifyMismatchError

from adapters.argon2.passwords import OWASP, Argon2PasswordHasher, unmatchable_hash
from adapters.memory.identity import QuickPasswordHasher
from application.ports.identity import HashingBusy, PasswordHasher

CHEAP = argon2.profiles.CHEAPEST


@pytest.fixture(params=["memory", "argon2"])
async def hasher(request: pytest.FixtureRequest) -> AsyncIterator[PasswordHasher]:
    if request.param == "memory":
        yield QuickPasswordHasher()
        return
    real = Argon2PasswordHasher(parameters=CHEAP)
    yield real
    real.close()


async def test_a_hash_verifies_its_password_and_no_other(hasher: PasswordHasher) -> None:
    password_hash = await hasher.hash("velvet otter drums")

    assert await hasher.verify("velvet otter drums", password_hash)
    assert not await hasher.verify("velvet otter drum", password_hash)


async def test_a_hash_does_not_hold_its_password(hasher: PasswordHasher) -> None:
    assert "otter" not in await hasher.hash("otter")


async def test_nobodys_password_is_always_wrong(hasher: PasswordHasher) -> None:
    assert not await hasher.verify("velvet otter drums", None)
    assert not await hasher.verify("", None)


async def test_a_fresh_hash_needs_no_renewal(hasher: PasswordHasher) -> None:
    assert not hasher.needs_rehash(await hasher.hash("velvet otter drums"))


async def test_any_text_can_be_a_password(hasher: PasswordHasher) -> None:
    for password in ("\x00", "пароль", "🦦" * 64):
        assert await hasher.verify(password, await hasher.hash(password))


async def test_a_hash_of_other_parameters_needs_renewal_and_still_verifies() -> None:
    old, new = Argon2PasswordHasher(parameters=CHEAP), Argon2PasswordHasher()
    outdated = await old.hash("velvet otter drums")

    assert new.needs_rehash(outdated)
    assert await new.verify("velvet otter drums", outdated)
    old.close()
    new.close()


async def test_the_same_password_never_hashes_the_same() -> None:
    hasher = Argon2PasswordHasher(parameters=CHEAP)

    assert await hasher.hash("velvet otter drums") != await hasher.hash("velvet otter drums")
    hasher.close()


async def test_a_storm_of_sign_ins_is_refused_not_queued_without_end() -> None:
    hasher = Argon2PasswordHasher(threads=1, max_waiting=3)

    outcomes = await asyncio.gather(
        *(hasher.verify("guess", None) for _ in range(10)), return_exceptions=True
    )

    assert outcomes.count(False) == 4
    assert sum(isinstance(outcome, HashingBusy) for outcome in outcomes) == 6
    assert not await hasher.verify("guess", None)
    hasher.close()


async def test_the_event_loop_turns_while_passwords_are_checked() -> None:
    hasher = Argon2PasswordHasher()
    checking = asyncio.create_task(hasher.verify("guess", None))
    turns = 0
    while not checking.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10
    hasher.close()


def test_a_missing_account_costs_as_much_as_a_wrong_password() -> None:
    nobodys = unmatchable_hash(OWASP)

    assert argon2.extract_parameters(nobodys) == OWASP
    with pytest.raises(VerifyMismatchError):  # computed and compared, not refused unread
        argon2.PasswordHasher().verify(nobodys, "guess")
