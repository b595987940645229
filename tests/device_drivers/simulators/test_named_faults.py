"""Faults by name: each is a field of the specification, and what has no name is refused."""

import msgspec
import pytest

from device_drivers.simulators.named_faults import ON_A_LINE, ON_THE_RADIO, line_faults, radio_faults
from device_drivers.simulators.radio_spec import RadioFaults
from device_drivers.simulators.spec import Faults
from firmware_profiles.catalogue import catalogue

METER = catalogue().get("lifescan-onetouch-ultramini")
SAMPLES = {"N": "3", "N (or N+N...)": "3+4", "SECONDS": "0.5", "HEX": "0251", "": ""}


def ordered(name: str, takes: str) -> str:
    """As it stands on the command line."""
    return f"{name}={SAMPLES[takes]}" if takes else name


@pytest.mark.parametrize("name", ON_A_LINE)
def test_every_fault_of_a_line_changes_its_specification(name: str) -> None:
    assert line_faults([ordered(name, ON_A_LINE[name].takes)], METER) != Faults()


@pytest.mark.parametrize("name", ON_THE_RADIO)
def test_every_fault_of_the_radio_changes_its_specification(name: str) -> None:
    assert radio_faults([ordered(name, ON_THE_RADIO[name].takes)], METER) != RadioFaults()


def test_every_field_of_the_specifications_has_a_name() -> None:
    lines = [line_faults([ordered(name, fault.takes)], METER) for name, fault in ON_A_LINE.items()]
    assert changed(lines, Faults()) == set(Faults.__struct_fields__)
    radios = [radio_faults([ordered(name, fault.takes)], METER) for name, fault in ON_THE_RADIO.items()]
    assert changed(radios, RadioFaults()) >= set(RadioFaults.__struct_fields__) - {"busy_code"}


def changed(found: list[Faults] | list[RadioFaults], default: Faults | RadioFaults) -> set[str]:
    """The fields that are not what they are without a fault."""
    usual = msgspec.structs.asdict(default)
    return {name for each in found for name, value in msgspec.structs.asdict(each).items() if value != usual[name]}


def test_faults_combine() -> None:
    both = line_faults(["corrupt_frame=2", "one_octet_at_a_time"], METER)
    assert both == Faults(corrupt_frames=(2,), one_octet_at_a_time=True)


@pytest.mark.parametrize("text", ["nonsense", "corrupt_frame", "one_octet_at_a_time=3", "corrupt_frame=x"])
def test_what_cannot_be_ordered_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"fault|invalid literal"):
        line_faults([text], METER)
