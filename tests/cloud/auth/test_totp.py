"""The codes of RFC 6238, and which of them are taken."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cloud.auth import codes, sealing, totp
from tests.cloud.made import NOW

# RFC 6238, appendix B (SHA-1), its eight digits cut to the last six.
RFC_SECRET = b"12345678901234567890"
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.mark.parametrize(("second", "code"), RFC_CODES)
def test_the_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert totp.code(RFC_SECRET, datetime.fromtimestamp(second, UTC)) == code


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_taken_one_step_early_and_one_step_late(steps: int, taken: bool) -> None:
    typed = totp.code(RFC_SECRET, NOW + timedelta(seconds=steps * totp.STEP_S))
    assert (totp.fitting_step(RFC_SECRET, typed, NOW, None) is not None) is taken


def test_a_step_that_was_taken_is_not_taken_again_nor_is_an_earlier_one() -> None:
    step = totp.fitting_step(RFC_SECRET, totp.code(RFC_SECRET, NOW), NOW, None)
    assert step is not None
    for at in (NOW, NOW - timedelta(seconds=totp.STEP_S)):
        assert totp.fitting_step(RFC_SECRET, totp.code(RFC_SECRET, at), NOW, step) is None
    later = totp.code(RFC_SECRET, NOW + timedelta(seconds=totp.STEP_S))
    assert totp.fitting_step(RFC_SECRET, later, NOW, step) == step + 1


def test_spaces_in_a_code_do_not_matter() -> None:
    typed = totp.code(RFC_SECRET, NOW)
    assert totp.fitting_step(RFC_SECRET, f" {typed[:3]} {typed[3:]} ", NOW, None) is not None


@pytest.mark.parametrize("typed", ["", "0", "abcdef", "١٢٣٤٥٦", "1234567"])
def test_what_is_no_code_does_not_fit(typed: str) -> None:
    assert totp.fitting_step(RFC_SECRET, typed, NOW, None) is None


def test_the_text_is_the_secret_in_base32() -> None:
    assert base64.b32decode(totp.as_text(RFC_SECRET).replace(" ", "")) == RFC_SECRET
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in totp.address(RFC_SECRET, "nora")


def test_a_sealed_secret_opens_under_its_key_and_for_its_account_only() -> None:
    key, mine, other = bytes(32), UUID(int=1), UUID(int=2)
    sealed = sealing.seal(key, mine, RFC_SECRET)
    assert RFC_SECRET not in sealed
    assert sealing.opened(key, mine, sealed) == RFC_SECRET
    for wrong_key, account, text in ((b"\1" * 32, mine, sealed), (key, other, sealed), (key, mine, sealed[:-1])):
        with pytest.raises(sealing.WrongKey):
            sealing.opened(wrong_key, account, text)


def test_recovery_codes_differ_and_are_read_as_people_type_them() -> None:
    code = codes.new_recovery_code()
    assert code != codes.new_recovery_code()
    assert len(code.replace("-", "")) == 16
    assert codes.recovery_hash(code.lower().replace("-", " ")) == codes.recovery_hash(code)
