"""One simulated device from the command line, without a specification file; and what can be ordered there."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import msgspec

from device_drivers.simulators.named_faults import ON_A_LINE, ON_THE_RADIO, Fault, line_faults, radio_faults
from device_drivers.simulators.radio_spec import BleDeviceSpec, RadioSpec
from device_drivers.simulators.spec import DeviceSpec, HomeSpec
from device_drivers.simulators.standard_streams import say
from device_drivers.simulators.storylines import STORYLINES, storylines_of
from firmware_profiles.catalogue import Catalogue
from firmware_profiles.schema import Profile

# Digits alone: nearly every protocol can say them.
_SERIAL_NUMBER = "100000001"
_SERIAL_NUMBERS = {"abbott_mem": "SIMU001-A0001"}
_ADDRESS = "F0:00:00:00:00:01"


def add_device(parser: argparse.ArgumentParser, faults: dict[str, Fault]) -> None:
    """``--spec``, or ``--profile`` and what goes with it; ``--list``."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--spec", type=Path, help="JSON: see device_drivers/simulators/spec.py and radio_spec.py")
    source.add_argument("--profile", metavar="ID", help="one device of this firmware profile, without a file")
    source.add_argument("--list", action="store_true", help="what can be simulated: JSON lines")
    names = ", ".join(STORYLINES)
    parser.add_argument("--storyline", metavar="NAME", help=f"what its memory tells (default: quiet_week): {names}")
    parser.add_argument("--seed", type=int, default=0, help="varies the story's figures (default: %(default)s)")
    parser.add_argument("--serial-number", help=f"default: {_SERIAL_NUMBER} or similar")
    parser.add_argument(
        "--clock-skew-s", type=float, default=0.0, metavar="SECONDS", help="its clock is UTC plus so much (default: 0)"
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[=N]", help="what goes wrong; may be given several times"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "faults:\n" + "".join(
        f"  {_spelt(name, fault):42} {fault.about}\n" for name, fault in faults.items()
    )


def serial_home(args: argparse.Namespace, catalogue: Catalogue) -> HomeSpec:
    """The home of the file, or of the one device that was ordered. ValueError, UnknownProfile, OSError."""
    if args.spec is not None:
        return _from_file(args.spec)
    profile = _profile(catalogue, args.profile, ("serial", "hid"))
    device = DeviceSpec(
        profile=profile.id,
        name="device",
        serial_number=args.serial_number or _SERIAL_NUMBERS.get(profile.device.driver, _SERIAL_NUMBER),
        clock_skew_s=args.clock_skew_s,
        storyline=_storyline(args),
        seed=args.seed,
        faults=line_faults(args.fault, profile),
    )
    return HomeSpec(serial=(device,))


def radio_home(args: argparse.Namespace, catalogue: Catalogue) -> HomeSpec:
    """The same for Bluetooth."""
    if args.spec is not None:
        return _from_file(args.spec)
    profile = _profile(catalogue, args.profile, ("ble",))
    device = BleDeviceSpec(
        profile=profile.id,
        address=_ADDRESS,
        serial_number=args.serial_number or _SERIAL_NUMBER,
        name="device",
        clock_skew_s=args.clock_skew_s,
        storyline=_storyline(args),
        seed=args.seed,
        faults=radio_faults(args.fault, profile),
    )
    return HomeSpec(radio=msgspec.Raw(msgspec.json.encode(RadioSpec(devices=(device,)))))


def say_list(catalogue: Catalogue, transports: tuple[str, ...]) -> None:
    """Storylines, faults and profiles, one JSON line each."""
    for name, storyline in STORYLINES.items():
        say({"storyline": name, "about": storyline.about})
    for name, fault in (ON_THE_RADIO if "ble" in transports else ON_A_LINE).items():
        say({"fault": _spelt(name, fault), "about": fault.about})
    for profile in catalogue:
        if profile.firmware.transport in transports:
            say({"profile": profile.id, "model": profile.device.model, "storylines": list(storylines_of(profile))})


def _from_file(path: Path) -> HomeSpec:
    return msgspec.json.decode(path.read_bytes(), type=HomeSpec, strict=False)


def _profile(catalogue: Catalogue, profile_id: str, transports: Iterable[str]) -> Profile:
    """The first firmware range that is reached so; which one it is makes no difference to a simulated device's name."""
    catalogue.file(profile_id)
    for profile in catalogue:
        if profile.id == profile_id and profile.firmware.transport in transports:
            return profile
    raise ValueError(f"{profile_id} is not reached by {' or '.join(transports)}")


def _storyline(args: argparse.Namespace) -> str:
    return args.storyline or "quiet_week"


def _spelt(name: str, fault: Fault) -> str:
    return f"{name}={fault.takes}" if fault.takes else name
