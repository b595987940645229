"""A profile is never guessed."""

from pathlib import Path

import pytest

from firmware_profiles.catalogue import PROFILES, Catalogue, catalogue, load
from gateway.config import DeviceEntry
from gateway.roster import Unresolved, resolve

ULTRAMINI = (PROFILES / "lifescan" / "onetouch-ultramini.toml").read_text()


@pytest.fixture
def profiles(tmp_path: Path) -> Catalogue:
    """The UltraMini, and an imagined sister of it whose firmware 2 speaks otherwise than its firmware 1."""
    (tmp_path / "ultramini.toml").write_text(ULTRAMINI)
    sister = ULTRAMINI.replace('id = "lifescan-onetouch-ultramini"', 'id = "sister"')
    head, table = sister.replace('versions = "*"', 'versions = "<2"').split("[[firmware]]")
    (tmp_path / "sister.toml").write_text(f"{head}[[firmware]]{table}\n[[firmware]]{table.replace('<2', '>=2')}")
    return load(tmp_path)


def test_each_device_gets_the_profile_that_was_named(profiles: Catalogue) -> None:
    roster = resolve([DeviceEntry(name="m", profile="lifescan-onetouch-ultramini", url="/dev/a")], profiles)
    assert (len(roster.serial), len(roster.ble), roster.problems) == (1, 0, ())
    assert roster.serial[0].profile("P02.00.00").id == "lifescan-onetouch-ultramini"


def test_an_unknown_profile_is_a_problem_of_its_device_alone(profiles: Catalogue) -> None:
    roster = resolve(
        [
            DeviceEntry(name="a", profile="nobody-s", url="/dev/a"),
            DeviceEntry(name="b", profile="lifescan-onetouch-ultramini", url="/dev/b"),
        ],
        profiles,
    )
    assert [device.name for device in roster.serial] == ["b"]
    assert [(p.name, "no profile has the id 'nobody-s'" in p.reason) for p in roster.problems] == [("a", True)]


def test_a_profile_of_another_transport_is_a_problem(profiles: Catalogue) -> None:
    entry = DeviceEntry(name="m", profile="lifescan-onetouch-ultramini", address="00:11:22:33:44:55")
    assert [p.reason for p in resolve([entry], profiles).problems] == [
        "profile lifescan-onetouch-ultramini is not reached by ble"
    ]


def test_only_a_device_that_speaks_unasked_is_listened_to_without_a_pause() -> None:
    entries = [
        DeviceEntry(name="cuff", profile="maibobo-rbp-9000c", url="/dev/cuff"),
        DeviceEntry(name="meter", profile="abbott-freestyle-lite", url="/dev/meter"),
    ]
    assert [device.listens for device in resolve(entries, catalogue()).serial] == [True, False]


def test_two_firmware_ranges_that_fit_are_not_chosen_between(profiles: Catalogue) -> None:
    device = resolve([DeviceEntry(name="m", profile="sister", url="/dev/a")], profiles).serial[0]
    assert device.profile("1.4").firmware.versions == "<2"
    assert device.profile("2.0").firmware.versions == ">=2"
    with pytest.raises(Unresolved, match="say which by `firmware`"):
        device.profile(None)


def test_the_configurations_firmware_decides(profiles: Catalogue) -> None:
    device = resolve([DeviceEntry(name="m", profile="sister", url="/dev/a", firmware="2.1")], profiles).serial[0]
    assert device.profile(None).firmware.versions == ">=2"
