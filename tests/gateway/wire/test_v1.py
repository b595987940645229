"""The wire contract: the golden messages are never edited, only added to."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from device_drivers.identity import DeviceIdentity
from gateway.wire import v1

GOLDEN = Path(__file__).parents[2] / "contract" / "v1"
READINGS = sorted(GOLDEN.glob("readings-*.json"))
RECEIPTS = sorted(GOLDEN.glob("receipts*.json"))
STATUS = sorted(GOLDEN.glob("status-*.json"))
COMMANDS = sorted(GOLDEN.glob("commands-*.json"))
SESSION = v1.wire_session(
    "5b0e7c1d93f24a8eb6d0c2a1f4e39587",
    DeviceIdentity(manufacturer="LifeScan", model="UltraMini", serial_number="C0FFEE123"),
    "lifescan-ultramini",
    datetime(2026, 11, 21, 13, 0, tzinfo=UTC),
    None,
    None,
)


def octets(path: Path) -> bytes:
    return path.read_bytes().removesuffix(b"\n")


@pytest.mark.parametrize("path", READINGS, ids=lambda path: path.stem)
def test_a_golden_readings_message_comes_back_octet_for_octet_through_our_readings(path: Path) -> None:
    message = v1.decode_readings(octets(path))
    readings = [(v1.reading(wire, message.session), wire.read_at) for wire in message.readings]
    again = v1.ReadingsMessage(
        v=1,
        message_id=message.message_id,
        session=v1.wire_session(
            message.session.session_id,
            v1.device_identity(message.session.device),
            message.session.profile,
            message.session.started_at,
            v1.coincident(message.session),
            message.session.holds,
            clock_synchronised=message.session.clock_synchronised,
            ended_at=message.session.ended_at,
            complete=message.session.complete,
            received=message.session.received,
        ),
        readings=tuple(v1.wire_reading(reading, read_at) for reading, read_at in readings),
        waited_s=message.waited_s,
    )
    assert v1.encode(again) == octets(path)


@pytest.mark.parametrize("path", RECEIPTS, ids=lambda path: path.stem)
def test_a_golden_receipt_comes_back_octet_for_octet(path: Path) -> None:
    assert v1.encode(v1.decode_receipts(octets(path))) == octets(path)


@pytest.mark.parametrize("path", STATUS, ids=lambda path: path.stem)
def test_a_golden_status_comes_back_octet_for_octet(path: Path) -> None:
    assert v1.encode(v1.decode_status(octets(path))) == octets(path)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_golden_command_comes_back_octet_for_octet(path: Path) -> None:
    assert v1.encode(v1.decode_commands(octets(path))) == octets(path)


def test_every_golden_message_is_read_by_a_test() -> None:
    assert {*READINGS, *RECEIPTS, *STATUS, *COMMANDS} == set(GOLDEN.glob("*.json"))


def test_no_golden_message_was_edited() -> None:
    lines = {f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in GOLDEN.glob("*.json")}
    assert lines == set((GOLDEN / "SHA256SUMS").read_text().splitlines())


def test_a_field_that_we_do_not_know_is_ignored() -> None:
    message = v1.decode_status(b'{"v":1,"state":"online","certificate_days_left":12,"nested":[{"a":[1]}]}')
    assert message == v1.StatusMessage(v=1, state="online")


@pytest.mark.parametrize("decode", [v1.decode_readings, v1.decode_receipts, v1.decode_status])
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, "array"),
        (b'{"v":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "recursion"),
        (b'{"v":1}', "missing required field"),
        (b'{"v":"one"}', "Expected `int`"),
    ],
    ids=["empty", "not json", "only brackets", "too deep", "fields missing", "version is text"],
)
def test_what_is_not_a_message_is_refused_with_a_reason(
    decode: Callable[[bytes], object], payload: bytes, reason: str
) -> None:
    with pytest.raises(v1.WireError, match=reason):
        decode(payload)


@pytest.mark.parametrize("decode", [v1.decode_readings, v1.decode_receipts, v1.decode_status])
def test_another_version_is_named_whatever_its_shape(decode: Callable[[bytes], object]) -> None:
    with pytest.raises(v1.UnknownVersion, match="unknown wire version 2"):
        decode(b'{"v":2,"everything":"else"}')


@pytest.mark.parametrize("figure", ["NaN", "-Infinity", "sNaN", "1E+129"])
def test_a_figure_that_is_none_is_refused(figure: str) -> None:
    wire = golden_reading()
    component = msgspec.structs.replace(wire.components[0], value=Decimal(figure))
    with pytest.raises(v1.WireError, match="not a figure"):
        v1.reading(msgspec.structs.replace(wire, components=(component,)), SESSION)


def test_an_id_that_is_not_its_contents_is_refused() -> None:
    with pytest.raises(v1.ContentMismatch, match="does not belong"):
        v1.reading(msgspec.structs.replace(golden_reading(), occurrence=7), SESSION)


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "weather"), ("raw", "5c:b1"), ("reported_local", "2026-11-21T07:41:00+01:00"), ("sample", "soup")],
)
def test_a_word_outside_the_contract_is_refused(field: str, value: str) -> None:
    with pytest.raises(v1.WireError):
        v1.reading(msgspec.structs.replace(golden_reading(), **{field: value}), SESSION)


def test_an_id_or_a_kind_with_a_line_feed_behind_it_is_refused() -> None:
    known = {"v": 1, "command_id": "0" * 32, "kind": "pair", "expires_at": "2026-11-01T12:00:00Z"}
    assert v1.decode_commands(msgspec.json.encode(known)).kind == "pair"
    for field in ("command_id", "kind"):
        with pytest.raises(v1.WireError, match=field):
            v1.decode_commands(msgspec.json.encode({**known, field: f"{known[field]}\n"}))


def test_a_device_that_cannot_be_told_from_another_is_refused() -> None:
    nobody = msgspec.structs.replace(SESSION, device=v1.WireDevice(manufacturer="LifeScan", model="UltraMini"))
    with pytest.raises(v1.WireError, match="cannot be told from another"):
        v1.reading(golden_reading(), nobody)


def test_a_moment_without_its_offset_is_refused() -> None:
    with pytest.raises(v1.WireError, match="timezone"):
        v1.decode_status(b'{"v":1,"state":"online","at":"2026-11-21T13:00:00"}')


@pytest.mark.parametrize("waited", ["-0.1", "1e11", '"3"'])
def test_a_waiting_time_that_cannot_be_is_refused(waited: str) -> None:
    whole = octets(GOLDEN / "readings-waited.json").replace(b'"waited_s":3.25', f'"waited_s":{waited}'.encode())
    with pytest.raises(v1.WireError, match="waited_s"):
        v1.decode_readings(whole)


@pytest.mark.parametrize("device_time", ["2026-11-21T13:00:00Z", "yesterday", "2026-02-30T00:00:00"])
def test_a_device_clock_with_a_zone_or_an_odd_date_is_refused(device_time: str) -> None:
    session = msgspec.structs.replace(SESSION, device_time=device_time, gateway_time=SESSION.started_at)
    with pytest.raises(v1.WireError):
        v1.coincident(session)


def golden_reading() -> v1.WireReading:
    return v1.decode_readings(octets(GOLDEN / "readings-glucose-serial.json")).readings[0]
