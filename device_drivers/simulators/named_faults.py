"""Faults by name, as they are ordered on the command line: ``corrupt_frame=3``, ``one_octet_at_a_time``.

Each is a field of ``spec.Faults`` or of ``radio_spec.RadioFaults``, which can be combined at will in a specification.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from device_drivers.simulators.memories import ordinary
from device_drivers.simulators.radio_spec import RadioFaults
from device_drivers.simulators.spec import Faults
from firmware_profiles.schema import Profile

Change = Callable[[str, Profile], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong; ``takes`` is what has to stand behind the ``=``, empty where nothing has to."""

    about: str
    change: Change
    takes: str = ""


def _number(field: str) -> Change:
    return lambda text, _profile: {field: int(text)}


def _numbers(field: str) -> Change:
    return lambda text, _profile: {field: tuple(int(number) for number in text.split("+"))}


def _set(field: str) -> Change:
    return lambda _text, _profile: {field: True}


_NTH = "N (or N+N...)"

ON_A_LINE: dict[str, Fault] = {
    "one_octet_at_a_time": Fault("each octet comes alone", _set("one_octet_at_a_time")),
    "slow_reply": Fault(
        "the line rests after each chunk", lambda text, _: {"reply_delay_s": float(text)}, takes="SECONDS"
    ),
    "corrupt_frame": Fault("the nth frame arrives with a wrong checksum", _numbers("corrupt_frames"), takes=_NTH),
    "drop_frame": Fault("the nth frame is lost", _numbers("drop_frames"), takes=_NTH),
    "repeat_frame": Fault("the nth frame comes twice", _numbers("repeat_frames"), takes=_NTH),
    "unsolicited_frame": Fault(
        "before the nth frame comes one that nobody asked for, where the device has such a frame",
        _numbers("announce_before_frames"),
        takes=_NTH,
    ),
    "close_at_octet": Fault("the cable is pulled after n octets", _number("unplug_after_octets"), takes="N"),
    "stale_octets": Fault(
        "octets stand in the line before the first frame",
        lambda text, _: {"noise": bytes.fromhex(text).hex()},
        takes="HEX",
    ),
    "record_added_during_dump": Fault(
        "a new measurement is made once the nth frame has been sent",
        lambda text, profile: {"measure_after_frame": int(text), "measured": ordinary(profile)},
        takes="N",
    ),
    "full_memory": Fault("the ring buffer is full: old records fill what is left", _set("full_memory")),
    "busy": Fault(
        "the device answers the nth command by saying that it is busy, where it has a word for that",
        _numbers("busy_commands"),
        takes=_NTH,
    ),
    "swallow_command": Fault("the device does not hear the nth command", _numbers("swallow_commands"), takes=_NTH),
    "echo_command": Fault("the nth command comes back as it is", _numbers("echo_commands"), takes=_NTH),
}

ON_THE_RADIO: dict[str, Fault] = {
    "drop_after": Fault("the device hangs up once n values have been pushed", _number("drop_after"), takes="N"),
    "omit": Fault("the nth value is never pushed", _number("omit"), takes="N"),
    "busy": Fault("the first n requests are refused as busy", _number("busy_requests"), takes="N"),
    "never_send": Fault(
        "the record with this number never comes, however often it is asked for", _number("never_send"), takes="N"
    ),
    "hang": Fault("no request is answered", _set("hangs")),
    "slow": Fault("the device rests after each value", lambda text, _: {"rest_s": float(text)}, takes="SECONDS"),
    "full_memory": ON_A_LINE["full_memory"],
}


def line_faults(texts: Iterable[str], profile: Profile) -> Faults:
    """All of these at once. ValueError where one has no name of ours, or lacks its number."""
    return msgspec.convert(_changes(texts, ON_A_LINE, profile), Faults)


def radio_faults(texts: Iterable[str], profile: Profile) -> RadioFaults:
    """All of these at once. ValueError."""
    return msgspec.convert(_changes(texts, ON_THE_RADIO, profile), RadioFaults)


def _changes(texts: Iterable[str], known: dict[str, Fault], profile: Profile) -> dict[str, object]:
    changes: dict[str, object] = {}
    for text in texts:
        name, _, value = text.partition("=")
        fault = known.get(name)
        if fault is None:
            raise ValueError(f"no fault is called {name!r}; known: {', '.join(known)}")
        if bool(fault.takes) != bool(value):
            raise ValueError(f"the fault {name} is ordered as {name}{'=' if fault.takes else ''}{fault.takes}")
        changes |= fault.change(value, profile)
    return changes
