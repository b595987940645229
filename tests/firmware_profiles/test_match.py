import pytest

from firmware_profiles.catalogue import Catalogue
from firmware_profiles.match import AmbiguousProfile, IdentityRead, NoProfile, contradicted_by
from firmware_profiles.schema import Clock, Device, Firmware, Match, ProfileFile, SerialPort, Status, Values


def a_file(profile_id: str, match: Match, *versions: str) -> ProfileFile:
    """A made-up model with these firmware ranges."""
    firmware = tuple(
        Firmware(
            versions=text,
            transport="serial",
            serial=SerialPort(baud=9600),
            clock=Clock(readable=False, source="none"),
            values=Values(unit="mg/dL"),
            evidence="made up",
            why="for a test",
        )
        for text in versions or ("*",)
    )
    device = Device(
        id=profile_id, maker="Maker", model=profile_id, kind="glucose", driver="none", memory=1,
        status=Status.DOCUMENTED, match=match,
    )  # fmt: skip
    return ProfileFile(schema_version=1, device=device, firmware=firmware)


CATALOGUE = Catalogue(
    [
        a_file("one", Match(manufacturer="Maker", model="One( Plus)?"), "<2", ">=2"),
        a_file("two", Match(manufacturer="Maker", model="Two", name="two-.*", usb=("1a61:3410",))),
        a_file("two-again", Match(name="two-x.*")),
    ]
)


def test_the_model_decides() -> None:
    assert CATALOGUE.match(IdentityRead(manufacturer="Maker", model="Two")).id == "two"


def test_a_device_of_its_own_usb_id_is_known_before_it_has_said_a_word() -> None:
    assert CATALOGUE.match(IdentityRead(usb="1a61:3410")).id == "two"


def test_the_firmware_chooses_the_range() -> None:
    assert CATALOGUE.match(IdentityRead(model="One Plus", firmware="P01.9")).firmware.versions == "<2"
    assert CATALOGUE.match(IdentityRead(model="One", firmware="2.0")).firmware.versions == ">=2"


def test_one_contradiction_outweighs_every_agreement() -> None:
    with pytest.raises(NoProfile):
        CATALOGUE.match(IdentityRead(manufacturer="Somebody else", model="Two", usb="1a61:3410"))


def test_the_maker_alone_identifies_nothing() -> None:
    with pytest.raises(NoProfile):
        CATALOGUE.match(IdentityRead(manufacturer="Maker"))


def test_a_bridge_chip_that_no_profile_lists_identifies_nothing() -> None:
    identity = IdentityRead(usb="067b:2303")
    with pytest.raises(NoProfile) as refusal:
        CATALOGUE.match(identity)
    assert refusal.value.identity is identity


def test_two_profiles_that_fit_are_an_error_and_not_a_choice() -> None:
    identity = IdentityRead(name="two-x1")
    with pytest.raises(AmbiguousProfile) as refusal:
        CATALOGUE.match(identity)
    assert refusal.value.identity is identity
    assert refusal.value.profiles == ("two", "two-again")


def test_an_unread_firmware_does_not_choose_between_two_ranges() -> None:
    with pytest.raises(AmbiguousProfile):
        CATALOGUE.get("one")
    assert CATALOGUE.get("one", "1.5").firmware.versions == "<2"


def test_a_transport_that_the_model_does_not_have_finds_no_table() -> None:
    with pytest.raises(NoProfile):
        CATALOGUE.match(IdentityRead(model="Two", transport="ble"))


def test_part_of_a_model_name_is_not_the_model() -> None:
    with pytest.raises(NoProfile):
        CATALOGUE.match(IdentityRead(model="Two Hundred"))


def test_what_another_profile_is_for_contradicts_and_what_none_knows_does_not() -> None:
    alpha = a_file("alpha", Match(manufacturer="Maker", model="Alpha.*"))
    beta = a_file("beta", Match(manufacturer="Maker", model="Beta.*"))
    both = [alpha, beta]
    assert contradicted_by(alpha, both, IdentityRead(manufacturer="Maker", model="Beta 2")) == (beta,)
    assert contradicted_by(alpha, both, IdentityRead(manufacturer="Maker", model="Alpha 2")) == ()
    assert contradicted_by(alpha, both, IdentityRead(manufacturer="Maker", model="925")) == ()
    assert contradicted_by(alpha, both, IdentityRead(manufacturer="Another", model="Beta 2")) == ()
