"""``python -m device_drivers decode``: every capture of ours through the command, as its expectation says."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from device_drivers.__main__ import main
from device_drivers.codecs.cgm_measurement import crc
from device_drivers.codecs.microlife_b3 import READ_MEMORY, Message, Way, encode_message
from device_drivers.support.formats import FORMATS

CAPTURES = Path(__file__).parents[2] / "captures"
Facts = dict[str, Any]

# Where the command has another word for a fact than the captures.
WORDS = {
    "annunciations": "sensor_status",
    "bits": "glucose_feature",
    "concentration": "glucose_concentration",
    "statuses": "measurement_statuses",
    "code": "response_code",
    "time": "date_time",
    "local": "local_time",
}
RACP = "record-access-control-point"
FORMAT_OF = {"record_access_control_point_response": RACP, "record_access_control_point_request": RACP}
SPECIALS = {"not_a_number": "NaN", "not_at_this_resolution": "NRes", "reserved": "RFU"}


@dataclass
class Said:
    """What the command printed, and its exit code."""

    code: int
    object: Any


Decode = Callable[..., Said]


@pytest.fixture
def decode(capsys: pytest.CaptureFixture[str]) -> Decode:
    """The command, in this process."""

    def run(*arguments: str) -> Said:
        code = main(["decode", *arguments])
        return Said(code, json.loads(capsys.readouterr().out, parse_float=Decimal))

    return run


def capture(name: str) -> Any:
    """One file of captures."""
    return json.loads((CAPTURES / f"{name}.json").read_text())


def same(got: object, wanted: object) -> bool:
    """Figures by value; times to the precision that the capture gives."""
    if isinstance(got, str) and isinstance(wanted, str):
        return got.startswith(wanted)
    if isinstance(got, Decimal | int) and isinstance(wanted, str | int):
        return Decimal(got) == Decimal(wanted)
    return got == wanted


@pytest.mark.parametrize("vector", capture("bluetooth")["vectors"], ids=lambda vector: str(vector["id"]))
def test_every_bluetooth_capture_decodes_as_expected(vector: Facts, decode: Decode) -> None:
    profile = ["--profile", "beurer-bm85"] if "quirks" in vector else []
    said = decode(FORMAT_OF.get(vector["format"], vector["format"]), vector["hex"], *profile)
    if "refused" in vector:
        assert (said.code, bool(said.object["error"])) == (4, True)
        return
    assert said.code == 0
    for fact, wanted in vector["expected"].items():
        if fact == "special":
            assert said.object["special"] == SPECIALS[wanted]
        elif fact == "count":
            assert said.object["number_of_stored_records"] == wanted
        else:
            name = fact if fact in said.object else WORDS.get(fact, fact)
            assert same(said.object[name], wanted), fact


def serial_captures() -> Iterator[tuple[str, list[str], Facts]]:
    """Format, arguments, and what has to stand in the answer, of every frame, line and record that was captured."""
    for exchange in capture("lifescan_ultramini")["session"]:
        for frame in exchange["frames"]:
            yield "lifescan-ultramini", [frame["octets"]], {"length": len(frame["octets"]) // 2}
    for line in capture("lifescan_ultra")["lines"]:
        yield "lifescan-ultra", ["--text", escaped(line["line"])], facts(line)
    for frame in capture("ascensia_contour")["frames"]:
        yield "ascensia-contour", [frame["octets"]], {"frame_number": frame["number"]}
        yield "astm-e1381", [frame["octets"]], {"frame_number": frame["number"]}
    abbott = capture("abbott_mem")
    for line in (*abbott["records"], *abbott["colq_clocks"]):
        yield "abbott-freestyle", ["--text", escaped(line["line"])], {"local_time": line["local"]}
    for line in abbott["serial_numbers"]:
        yield "abbott-freestyle-serial-number", ["--text", line["text"]], {"model": line["model"]}
    for frame in capture("taidoc_51")["frames"]:
        yield "taidoc-51", [frame["octets"]], {"command": frame["command"], "direction": frame["from"]}
    for stamp in capture("taidoc_51")["stamps"]:
        yield "taidoc-51-date-time", [stamp["octets"]], {"local_time": stamp["local"]}
    yield from pressure_captures()


def pressure_captures() -> Iterator[tuple[str, list[str], Facts]]:
    """Those of the cuffs."""
    for row in capture("microlife_b3")["rows"]:
        yield "microlife-b3", [row["octets"]], facts(row)
    yield "microlife-b3", [capture("microlife_b3")["dump"]["octets"]], {"record": "dump"}
    for answer in capture("omron_hem")["answers"]:
        yield "omron-hem790it", [answer["octets"]], facts(answer)
    for row in capture("andon_bm")["records"]:
        yield "beurer-andon", [row["octets"]], facts(row)
    for packet in capture("suntech_nibp")["packets"]:
        yield "suntech-oem", [packet["octets"]], {}
    for frame in capture("maibobo_rbp")["frames"]:
        yield "maibobo-rbp", [frame["octets"]], facts(frame.get("result", {}))


def facts(entry: Facts) -> Facts:
    """The facts of an entry that the command gives under the same name."""
    names = ("systolic", "diastolic", "pulse", "irregular", "movement", "count", "text", "serial_number", "mg_dl")
    return {name: entry[name] for name in names if name in entry and entry[name] is not None}


def escaped(line: str) -> str:
    """As a person types it."""
    return line.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


@pytest.mark.parametrize(("format", "arguments", "wanted"), list(serial_captures()))
def test_every_serial_capture_decodes_as_expected(
    format: str, arguments: list[str], wanted: Facts, decode: Decode
) -> None:
    said = decode(format, *arguments)
    assert said.code == 0, said.object
    for fact, value in wanted.items():
        assert same(said.object[fact], value), fact


def test_every_format_is_listed_and_says_what_it_takes(decode: Decode) -> None:
    said = decode("--list")
    assert said.code == 0
    assert [each["format"] for each in said.object] == list(FORMATS)
    assert all(each["about"] for each in said.object)


def test_specials_are_no_numbers_and_numbers_keep_their_digits(capsys: pytest.CaptureFixture[str]) -> None:
    main(["decode", "blood-pressure-measurement", "00 ff07 ff07 ff07"])
    main(["decode", "float", "6c0100ff"])
    main(["decode", "sfloat", "2c01"])
    special, tenth, whole = capsys.readouterr().out.splitlines()
    assert json.loads(special)["systolic"] == {"special": "NaN"}
    assert (tenth, whole) == ('{"value":36.4,"decimals":1}', '{"value":300,"decimals":0}')


def test_a_request_that_a_server_must_refuse_is_no_request(decode: Decode) -> None:
    said = decode("record-access-control-point", "01020101")
    assert said.code == 4
    assert "06000105" in said.object["error"]


def test_octets_beyond_a_record_are_counted(decode: Decode) -> None:
    assert decode("glucose-measurement", "000a00e7070a010900006400").object["octets_beyond"] == 2


def test_a_cgm_measurement_says_its_annunciation_and_that_its_crc_is_valid(decode: Decode) -> None:
    """80 mg/dL after 5 minutes, the battery low, and a second record without a CRC in the same value."""
    record = bytes.fromhex("09 80 5000 0500 02")
    said = decode("cgm-measurement", (record + crc(record).to_bytes(2, "little")).hex(), "06 00 5100 0a00")
    names = ("size", "glucose_concentration", "unit", "time_offset", "sensor_status", "e2e_crc")
    assert [said.object[name] for name in names] == [9, 80, "mg/dL", 5, ["device_battery_low"], "valid"]
    assert said.object["sensor_status_annunciation"] == [2]
    assert [(each["time_offset"], each["e2e_crc"]) for each in said.object["further_records"]] == [(10, None)]


def test_a_line_says_its_checksum_and_damage_says_that_it_is_damage(decode: Decode) -> None:
    line = 'P "SAT","05/27/06","16:42:08   ","  051 ", 00 '
    said = decode("lifescan-ultra", "--text", line + "0829")
    names = ("record", "local_time", "weekday_matches", "mg_dl", "is_control", "checksum", "checksum_ok")
    assert [said.object[name] for name in names] == ["record", "2006-05-27T16:42:08", True, 51, False, "0829", True]
    damaged = decode("lifescan-ultra", "--text", line + "082A")
    assert (damaged.code, damaged.object["checksum_ok"]) == (4, False)
    assert "checksum_ok" not in decode("lifescan-ultra", "--text", "no line").object


def test_lifescans_binary_frames_say_seconds_and_both_units(decode: Decode) -> None:
    frames = [frame["octets"] for exchange in capture("lifescan_ultramini")["session"] for frame in exchange["frames"]]
    said = [decode("lifescan-ultramini", frame).object for frame in frames]
    records = [each for each in said if each["message"] == "record" and each["value"] is not None]
    assert records
    for record in records:
        assert abs(record["mmol_l"] - Decimal(record["value"]) / 18) <= Decimal("0.05")
    for each in said:
        if each["message"] == "clock_or_unit":
            assert each["seconds"] >= 0


def test_a_message_to_microlifes_cuff_says_its_command(decode: Decode) -> None:
    said = decode("microlife-b3", encode_message(Message(Way.HOST, READ_MEMORY)).hex())
    assert (said.object["way"], said.object["command"]) == ("host", "00")


def test_a_date_that_does_not_exist_is_null_and_stands_beside_what_was_sent(decode: Decode) -> None:
    said = decode("date-time", "0f:27:02:1f:17:3b:3b")
    assert (said.object["date_time"], said.object["date_time_as_sent"]) == (None, "9999-02-31T23:59:59")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-format", "00"], "no format is called 'no-such-format'"),
        (["sfloat", "0g"], "not hex"),
        (["sfloat"], "HEX is needed"),
        ([], "FORMAT and HEX are needed"),
        (["sfloat", "--text", r"\q"], "not text"),
        (["blood-pressure-measurement", "00", "--profile", "no-such"], "no profile has the id"),
    ],
)
def test_bad_usage_is_one_sentence_and_code_2(arguments: list[str], said: str, decode: Decode) -> None:
    answer = decode(*arguments)
    assert answer.code == 2
    assert said in answer.object["error"]


def test_the_command_line_says_it_on_standard_output() -> None:
    command = [sys.executable, "-m", "device_drivers"]
    asked = subprocess.run([*command, "decode", "sfloat", "-"], input=b"c8 00", capture_output=True, check=False)
    assert (asked.returncode, json.loads(asked.stdout)) == (0, {"value": 200, "decimals": 0})
    unknown = subprocess.run([*command, "nonsense"], capture_output=True, check=False)
    assert (unknown.returncode, list(json.loads(unknown.stdout))) == (2, ["error"])
    helped = subprocess.run([*command, "decode", "--help"], capture_output=True, check=False)
    assert (helped.returncode, b"--list" in helped.stdout) == (0, True)
