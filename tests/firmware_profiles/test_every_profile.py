"""One walk over the shipped profiles: none may promise what the drivers do not keep."""

from importlib import import_module

import pytest

from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile, Status
from firmware_profiles.table import support_table

EVERY = pytest.mark.parametrize(
    "profile", list(catalogue()), ids=lambda profile: f"{profile.id}-{profile.firmware.versions}"
)


@EVERY
def test_its_driver_exists_and_can_be_asked_to_read(profile: Profile) -> None:
    assert callable(import_module(f"device_drivers.drivers.{profile.device.driver}").read)


@EVERY
def test_its_driver_declares_each_of_its_quirks(profile: Profile) -> None:
    declared = import_module(f"device_drivers.drivers.{profile.device.driver}").QUIRKS
    assert {quirk.name for quirk in profile.firmware.quirks} <= declared


@EVERY
def test_every_fact_has_evidence_and_a_reason(profile: Profile) -> None:
    for fact in (profile.firmware, *profile.firmware.quirks):
        assert len(fact.evidence) > 20
        assert len(fact.why) > 20


@EVERY
def test_it_sets_no_clock_by_default(profile: Profile) -> None:
    assert not profile.firmware.clock.settable


def test_every_declared_quirk_is_used_by_a_profile() -> None:
    used = {(profile.device.driver, quirk.name) for profile in catalogue() for quirk in profile.firmware.quirks}
    declared = {
        (driver, name)
        for driver in {profile.device.driver for profile in catalogue()}
        for name in import_module(f"device_drivers.drivers.{driver}").QUIRKS
    }
    assert declared == used


def test_nothing_claims_to_have_been_verified_on_a_real_device() -> None:
    assert [file.device.id for file in catalogue().files if file.device.status is Status.VERIFIED] == []


def test_the_support_table_names_every_model_once_per_way() -> None:
    rows = support_table(catalogue()).splitlines()[2:]
    assert len(rows) == len({(profile.id, profile.firmware.transport) for profile in catalogue()})
    assert "| LifeScan | OneTouch UltraMini (OneTouch UltraEasy) | glucose | serial " in "\n".join(rows)
