"""How people sign in, as an operator writes it: no key is made up, and a provider is whole."""

import base64
from pathlib import Path

import pytest

from cloud.environment import SettingMissing
from cloud.sign_in_config import SignInSettings, sign_in_settings

KEY = base64.b64encode(bytes(range(32))).decode()
OIDC = {
    "PULSEPOST_OIDC_ISSUER": "https://login.clinic.example/realms/staff",
    "PULSEPOST_OIDC_CLIENT_ID": "pulsepost",
    "PULSEPOST_OIDC_CLIENT_SECRET": "secret of the tests",
    "PULSEPOST_OIDC_REDIRECT_URL": "https://pulsepost.example/login/outside/back",
}


def test_without_settings_there_is_no_key_and_no_provider() -> None:
    assert sign_in_settings({}) == SignInSettings(key=None, outside=None)


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert sign_in_settings({"PULSEPOST_CONSOLE_KEY_FILE": str(tmp_path / "key")}).key == bytes(range(32))
    assert sign_in_settings({"PULSEPOST_CONSOLE_KEY": KEY}).key == bytes(range(32))


@pytest.mark.parametrize("key", ["short", KEY[:-4], KEY + "AAAA", "!" * 44, "ключ"])
def test_what_is_no_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SettingMissing, match="Set PULSEPOST_CONSOLE_KEY to 32 random octets") as refused:
        sign_in_settings({"PULSEPOST_CONSOLE_KEY": key})
    assert key not in str(refused.value)


def test_a_provider_is_called_by_its_host_unless_it_has_a_name() -> None:
    outside = sign_in_settings(OIDC).outside
    assert outside is not None
    assert outside.name == "login.clinic.example"
    named = sign_in_settings(OIDC | {"PULSEPOST_OIDC_NAME": "Clinic"}).outside
    assert named is not None
    assert named.name == "Clinic"
    assert "secret of the tests" not in repr(named)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIENT_ID", ""),
        ("CLIENT_SECRET", ""),
        ("REDIRECT_URL", ""),
        ("REDIRECT_URL", "https://pulsepost.example/"),
        ("REDIRECT_URL", "http://pulsepost.example/login/outside/back"),
        ("ISSUER", "http://login.clinic.example"),
    ],
)
def test_a_provider_by_half_or_in_the_open_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingMissing, match=f"Set PULSEPOST_OIDC_{name}"):
        sign_in_settings(OIDC | {f"PULSEPOST_OIDC_{name}": value})
