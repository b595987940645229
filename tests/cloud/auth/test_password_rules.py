"""What a new password must be."""

import pytest

from cloud.auth import password_rules
from cloud.auth.password_rules import why_not


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "too_short"),
        ("elevenlette", "too_short"),
        ("x" * 1001, "too_long"),
        ("Nora.Quist.9", "like_login"),
        ("my nora.quist.9 is it", "like_login"),
        ("Nora  Marie Quist", "like_login"),
        ("Password1234", "too_common"),
        ("PASSWORD-1234", "too_common"),
        ("aaaaaaaaaaaa", "too_common"),
        ("abc1abc1abc1", "too_common"),
        ("345678901234", "too_common"),
        ("пароль123456", "too_common"),
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str, why: str) -> None:
    assert why_not(password, "nora.quist.9", "Nora  Marie Quist") == why


@pytest.mark.parametrize(
    "password", ["a sentence is fine", "все строчные буквы", "xkqjzvbnwmrt", "病房里没有人知道这个句子是什么"]
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    assert why_not(password, "nora", "Nora Quist") is None


def test_the_list_holds_what_could_pass_by_length_alone() -> None:
    assert len(password_rules.COMMON) > 100
    assert {word for word in password_rules.COMMON if len(word) >= password_rules.SHORTEST}
    assert all(word == word.casefold() for word in password_rules.COMMON)
