import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import abbott_mem as wire
from device_drivers.codecs.abbott_mem import Analyte, Clock, Dump, Flags, OutOfRange, Record
from device_drivers.errors import ChecksumError, CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "abbott_mem.json").read_text())
CLOCK = datetime.fromisoformat("2010-01-21T20:40:00")
FREESTYLE = Record(234, "2010-01-17T00:39", datetime.fromisoformat("2010-01-17T00:39"), plasma_type="00")
OPTIUM = Record(93, "2013-07-10T14:26", datetime.fromisoformat("2013-07-10T14:26"))
DUMP = Dump("DBMN169-C4824", "1.43       -P", CLOCK, (FREESTYLE, replace(FREESTYLE, value=OutOfRange.HIGH)))

MINUTES = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(lambda t: t.replace(second=0, microsecond=0))  # noqa: DTZ001 - a meter's wall clock
RECORDS = st.builds(
    lambda value, local, analyte, flags: Record(value, local.isoformat(timespec="minutes"), local, analyte, flags),
    st.integers(0, 999) | st.sampled_from(OutOfRange),
    MINUTES,
    st.sampled_from(Analyte),
    st.integers(0, 255).map(Flags),
)


@pytest.mark.parametrize("known", CAPTURE["records"], ids=lambda known: known["line"])
def test_the_published_records_decode_as_known_and_encode_to_themselves(known: dict[str, Any]) -> None:
    record = wire.decode_record(known["line"])
    assert (record.value, record.text, record.analyte) == (known["value"], known["local"], known["analyte"])
    assert record.local == datetime.fromisoformat(known["local"])
    assert wire.encode_record(record) == known["line"] == record.line


@pytest.mark.parametrize("known", CAPTURE["colq_clocks"], ids=lambda known: known["line"])
def test_the_captured_clock_of_colq_decodes(known: dict[str, Any]) -> None:
    assert wire.decode(known["line"].encode()) == Clock(datetime.fromisoformat(known["local"]))


@pytest.mark.parametrize("line", CAPTURE["no_colq_clocks"])
def test_what_is_no_clock_of_colq_is_refused(line: str) -> None:
    with pytest.raises(CodecError):
        wire.decode_colq_clock(line)


@pytest.mark.parametrize("known", CAPTURE["serial_numbers"], ids=lambda known: known["text"])
def test_the_serial_numbers_first_letters_tell_the_freestyle_model(known: dict[str, Any]) -> None:
    assert wire.decode_serial_number(known["text"].encode()) == wire.SerialNumber(known["text"], known["model"])


@pytest.mark.parametrize("version", CAPTURE["versions"])
def test_the_published_versions_are_versions(version: str) -> None:
    assert wire.decode_version(version.encode()) == version


@pytest.mark.parametrize("known", CAPTURE["ketones"], ids=lambda known: known["raw"])
def test_a_ketone_is_what_the_display_showed(known: dict[str, Any]) -> None:
    assert wire.ketone_mmol_l(int(known["raw"])) == Decimal(known["display_mmol_l"])
    assert wire.ketone_raw(Decimal(known["display_mmol_l"])) == int(known["raw"])


@pytest.mark.parametrize("tenths", range(101))
def test_every_tenth_of_a_millimole_comes_back_whether_the_meter_cuts_or_rounds(tenths: int) -> None:
    shown = Decimal(tenths) / 10
    assert wire.ketone_mmol_l(int(18 * shown)) == shown
    assert wire.ketone_mmol_l(round(18 * shown)) == shown


@pytest.mark.parametrize("month", range(1, 13))
def test_june_and_july_are_written_in_full_and_every_month_has_four_characters(month: int) -> None:
    local = datetime.fromisoformat(f"2026-{month:02}-05T06:07:08")
    text = wire.encode_clock(local)
    assert text[:4] == {6: "June", 7: "July"}.get(month, f"{local:%b} ")
    assert wire.decode_clock(text) == local


def test_the_freestyle_sends_a_lone_line_feed_behind_the_number_of_records() -> None:
    octets = wire.encode_dump(DUMP)
    assert b"\r\n002\r\n\n234  Jan  17" in octets
    assert wire.decode(octets) == DUMP


def test_the_checksum_counts_every_octet_before_it() -> None:
    octets = wire.encode_dump(replace(DUMP, records=(OPTIUM,)))
    body, _, tail = octets.partition(b"0x")[0], None, octets.rpartition(b"\r\n0x")[2]
    assert body.endswith(b" G ")  # the first 0x is the record's own
    assert int(tail[:4], 16) == sum(octets[: octets.rindex(b"0x")]) & 0xFFFF


def test_one_changed_digit_is_a_checksum_error() -> None:
    with pytest.raises(ChecksumError):
        wire.decode(wire.encode_dump(DUMP).replace(b"234", b"235"))


@pytest.mark.parametrize("tail", ["Log Empty END\r\n", "Log Empty\r\nEND\r\n", "Log Empty\r\n\r\nEND\r\n"])
def test_an_empty_log_may_end_without_a_checksum_and_says_so(tail: str) -> None:
    found = wire.decode_dump(f"\r\nDBMN169-C4824\r\n0.31-P\r\nJan  21 2010 20:40:00\r\n{tail}".encode())
    assert (found.records, found.checked) == ((), False)


def test_an_empty_log_with_a_checksum_is_checked() -> None:
    octets = wire.encode_dump(replace(DUMP, records=()))
    assert wire.decode_dump(octets).checked
    with pytest.raises(ChecksumError):
        wire.decode_dump(octets.replace(b"DBMN", b"DBMM"))


def test_a_dump_with_fewer_records_than_it_says_is_refused() -> None:
    octets = wire.encode_dump(DUMP)
    with pytest.raises(CodecError):
        wire.decode_dump(octets.replace(b"\r\n002\r\n", b"\r\n003\r\n"))


def test_a_dump_is_found_behind_noise_and_an_echo_and_before_a_second_one() -> None:
    octets = wire.encode_dump(DUMP)
    assert wire.find_dump(b"\xff$xmem\r\n\r\n" + octets + octets) == octets
    assert wire.find_dump(octets[:-1]) is None


def test_a_date_that_does_not_exist_has_a_statement_but_no_time() -> None:
    record = wire.decode_record("100  Feb  31 2010 00:00 00 0x02")
    assert (record.text, record.local, record.flags) == ("2010-02-31T00:00", None, Flags.LOST_TIME)


def test_what_has_no_date_or_too_many_digits_cannot_be_encoded() -> None:
    for record in (replace(OPTIUM, local=None), replace(OPTIUM, value=1000)):
        with pytest.raises(ValueError, match="no"):
            wire.encode_record(record)
    with pytest.raises(ValueError, match="no date"):
        wire.encode_clock(None)


@given(RECORDS)
def test_a_record_encodes_and_decodes_to_itself(record: Record) -> None:
    assert wire.decode(wire.encode_record(record).encode()) == record


@given(st.lists(RECORDS, max_size=5), st.integers(0, 255), st.data())
def test_a_damaged_octet_is_never_taken_for_a_whole_dump(
    records: list[Record], other: int, data: st.DataObject
) -> None:
    octets = wire.encode_dump(replace(DUMP, records=tuple(records)))
    place = data.draw(st.integers(0, len(octets) - 1))
    damaged = octets[:place] + bytes([other]) + octets[place + 1 :]
    with suppress(CodecError):
        assert damaged == octets or wire.decode_dump(damaged).records == tuple(records)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_octets_give_a_value_or_a_codec_error(octets: bytes) -> None:
    for decode in (wire.decode, wire.decode_dump, wire.decode_serial_number, wire.decode_version):
        with suppress(CodecError):
            assert decode(octets) is not None
    found = wire.find_dump(octets)
    assert found is None or found in octets
