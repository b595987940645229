"""Passwords and their hashes."""

from cloud.auth.passwords import hash_password, matches


async def test_a_password_matches_its_own_hash_and_no_other() -> None:
    password_hash = hash_password("right")
    assert await matches(password_hash, "right")
    assert not await matches(password_hash, "Right")


async def test_no_password_opens_an_account_that_does_not_exist() -> None:
    assert not await matches(None, "an account that does not exist")


async def test_a_hash_that_is_none_opens_nothing() -> None:
    assert not await matches("-", "-")
