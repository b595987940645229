"""Passkeys: from the configuration, from a file that somebody fills in, never for a stranger."""

import asyncio
from pathlib import Path

from firmware_profiles.catalogue import catalogue
from gateway import __main__ as command
from gateway.config import DeviceEntry
from gateway.passkeys import HomePasskeys, leave_passkey, passkey_file
from gateway.roster import resolve

METER, CUFF, STRANGER = "F0:00:00:00:00:01", "F0:00:00:00:00:02", "F0:00:00:00:00:03"


def home(data_dir: Path, passkey: str | None = None, wait_s: float = 0.0) -> HomePasskeys:
    entries = (
        DeviceEntry(name="meter", profile="roche-accu-chek-guide", address=METER.lower(), passkey=passkey),
        DeviceEntry(name="cuff", profile="and-ua-651ble", address=CUFF),
    )
    return HomePasskeys(resolve(entries, catalogue()), data_dir, wait_s)


async def test_the_configuration_knows_a_passkey_with_its_leading_zeros(tmp_path: Path) -> None:
    assert await home(tmp_path, "001234").passkey(METER) == 1234


async def test_a_passkey_is_waited_for_while_somebody_types_it(tmp_path: Path) -> None:
    question = asyncio.create_task(home(tmp_path, wait_s=10).passkey(METER))
    await asyncio.sleep(0)
    leave_passkey(tmp_path, "meter", "123456")
    assert await question == 123456
    assert not passkey_file(tmp_path, "meter").exists()


async def test_nobody_who_types_is_no_passkey(tmp_path: Path) -> None:
    assert await home(tmp_path).passkey(METER) is None


async def test_what_is_no_passkey_in_the_file_is_not_used(tmp_path: Path) -> None:
    leave_passkey(tmp_path, "meter", "12345x")
    assert await home(tmp_path).passkey(METER) is None


async def test_the_file_is_for_this_user_alone(tmp_path: Path) -> None:
    leave_passkey(tmp_path, "meter", "123456")
    assert passkey_file(tmp_path, "meter").stat().st_mode & 0o077 == 0


async def test_a_stranger_gets_nothing(tmp_path: Path) -> None:
    keys = home(tmp_path, "123456")
    assert not keys.expects(STRANGER)
    assert await keys.passkey(STRANGER) is None
    assert not await keys.confirms(STRANGER, 123456)


async def test_a_number_is_confirmed_where_it_is_the_known_one_or_none_is_needed(tmp_path: Path) -> None:
    keys = home(tmp_path, "123456")
    assert keys.expects(METER)
    assert keys.expects(CUFF)
    assert await keys.confirms(METER, 123456)
    assert not await keys.confirms(METER, 654321)
    assert await keys.confirms(CUFF, 654321)


def test_the_command_leaves_a_passkey_for_a_device_of_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        'gateway_id = "gw"\ndata_dir = "data"\n[mqtt]\nhost = "localhost"\n'
        f'[[device]]\nname = "meter"\nprofile = "roche-accu-chek-guide"\naddress = "{METER}"\n'
    )
    assert command.main(["pair", str(path), "meter", "--passkey", "123456"]) == 0
    assert passkey_file(tmp_path / "data", "meter").read_text() == "123456"
    assert command.main(["pair", str(path), "meter", "--passkey", "12345"]) == 2
    assert command.main(["pair", str(path), "nothing", "--passkey", "123456"]) == 2
