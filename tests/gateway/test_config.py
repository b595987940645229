"""A configuration is taken whole or refused with the file, the key and what to do."""

from pathlib import Path

import pytest

from gateway.config import Config, ConfigError, DeviceEntry, load

WHOLE = """
gateway_id = "home-17"
data_dir = "data"

[mqtt]
host = "broker.example"
port = 8883
password_file = "password"

[intervals]
serial_visit_s = 60

[[device]]
name = "meter"
profile = "lifescan-onetouch-ultramini"
url = "/dev/ttyUSB0"

[[device]]
name = "cuff"
profile = "and-ua-651ble"
address = "5c:31:3e:00:11:22"
"""
MINIMAL = 'gateway_id = "home-17"\ndata_dir = "data"\n[mqtt]\nhost = "broker.example"\n'


def written(folder: Path, text: str, content: str = "secret\n", mode: int = 0o600) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text)
    secret = folder / "password"
    secret.write_text(content)
    secret.chmod(mode)
    return path


def test_a_whole_file_is_taken(tmp_path: Path) -> None:
    config = load(written(tmp_path, WHOLE))
    assert isinstance(config, Config)
    assert (config.gateway_id, config.password, config.data_dir) == ("home-17", "secret", tmp_path / "data")
    assert config.intervals.serial_visit_s == 60
    assert config.devices[1] == DeviceEntry(name="cuff", profile="and-ua-651ble", address="5c:31:3e:00:11:22")


def test_the_key_of_the_outbox_can_be_kept_elsewhere(tmp_path: Path) -> None:
    assert load(written(tmp_path, MINIMAL)).outbox_key_file is None
    elsewhere = load(written(tmp_path, 'outbox_key_file = "stick/outbox.key"\n' + MINIMAL))
    assert elsewhere.outbox_key_file == tmp_path / "stick" / "outbox.key"


def test_the_example_of_the_readme_is_taken(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "gateway" / "README.md").read_text()
    example = text.split("```toml\n")[1].split("```")[0]
    path = written(tmp_path, example)
    (tmp_path / "broker.password").write_text("secret")
    (tmp_path / "broker.password").chmod(0o600)
    config = load(path)
    assert {entry.transport for entry in config.devices} == {"serial", "hid", "ble"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL.replace("data_dir", "data_dri"), "data_dri"),
        (MINIMAL + "[intervals]\nserial_visit = 5\n", "serial_visit"),
        (MINIMAL + "[intervals]\nserial_visit_s = 0\n", "serial_visit_s"),
        (MINIMAL.replace("home-17", "home/17"), "gateway_id"),
        (MINIMAL.replace("[mqtt]", "[mqtt]\nport = 70000"), "port"),
        (MINIMAL.replace('host = "broker.example"', ""), "host"),
        (MINIMAL + '[[device]]\nname = "m"\nprofile = "p"\n', "exactly one of `url`"),
        (MINIMAL + '[[device]]\nname = "m"\nprofile = "p"\naddress = "5c-31"\n', "address"),
        (MINIMAL + '[[device]]\nname = "m"\nprofile = "p"\nusb = "590:28"\n', "usb"),
        (MINIMAL + '[[device]]\nname = "m"\nprofile = "p"\nusb = "0590:0028"\nhid = "/dev/hidraw0"\n', "exactly one"),
        (
            MINIMAL + '[[device]]\nname = "m"\nprofile = "p"\nurl = "/dev/a"\n' * 2,
            "two [[device]] tables have the name",
        ),
        ("gateway_id = ", "gateway/README.md"),
    ],
    ids=[
        "misspelt key",
        "key in a table",
        "zero",
        "slash",
        "port",
        "no host",
        "no way",
        "address",
        "usb",
        "two ways",
        "twice",
        "no TOML",
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("password", "mode", "said"),
    [("secret", 0o644, "chmod 600"), (" \n", 0o600, "is empty"), ("x", 0o600, "cannot be read")],
)
def test_a_password_that_others_can_read_or_that_is_not_there_is_refused(
    tmp_path: Path, password: str, mode: int, said: str
) -> None:
    path = written(tmp_path, WHOLE, password, mode)
    if said == "cannot be read":
        (tmp_path / "password").unlink()
    with pytest.raises(ConfigError, match=f"mqtt.password_file.*{said}"):
        load(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.toml")


def test_a_home_gets_its_page_and_its_lamps(tmp_path: Path) -> None:
    text = (
        f'{MINIMAL}[home]\naddress = "192.168.1.20"\nnames = ["pulsepost.home"]\n'
        '[home.leds]\nfolder = "leds"\ndue = "home:yellow:due"\n'
    )
    home = load(written(tmp_path, text)).home
    assert home is not None
    assert (home.address, home.port, home.names, home.values) == ("192.168.1.20", 8017, ("pulsepost.home",), False)
    assert home.leds is not None
    assert (home.leds.folder, home.leds.names) == (str(tmp_path / "leds"), {"due": "home:yellow:due"})


def test_a_home_that_asks_for_nothing_is_shown_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, MINIMAL)).home is None


@pytest.mark.parametrize(
    ("home", "said"),
    [
        ("", "neither an address for the page nor an LED"),
        ('[home.leds]\nfolder = "leds"', "neither an address for the page nor an LED"),
        ('address = "the-kitchen"', "is no address"),
        ('address = "8.8.8.8"', "is of the internet"),
        ('address = "2a01:4f8::1"', "is of the internet"),
        ('address = "127.0.0.1"\nport = 0', "port"),
        ('address = "127.0.0.1"\nnames = ["http://home"]', "names"),
        ('address = "127.0.0.1"\nlanguage = "de"', "language"),
        ('address = "127.0.0.1"\ncolour = "blue"', "colour"),
        ('[home.leds]\ndue = "../../etc"', "due"),
        ('[home.leds]\ndue = "led0"\nreceived = "led0"', "one LED cannot tell two facts"),
    ],
)
def test_what_is_wrong_with_a_home_is_named(tmp_path: Path, home: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(written(tmp_path, f"{MINIMAL}[home]\n{home}\n"))
