import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import andon_bm as wire
from device_drivers.codecs.andon_bm import Record
from device_drivers.errors import CodecError

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "andon_bm.json").read_text())


@pytest.mark.parametrize("known", CAPTURE["records"], ids=lambda known: known["what"])
@pytest.mark.parametrize("in_front", [b"", b"\xac"], ids=["HID", "serial"])
def test_the_published_row_decodes_to_what_the_display_showed(known: dict[str, Any], in_front: bytes) -> None:
    record = wire.decode(in_front + bytes.fromhex(known["octets"]))
    for name in ("systolic", "diastolic", "pulse", "time", "local"):
        assert getattr(record, name) == known[name]


def test_the_top_bits_of_the_date_are_marks() -> None:
    record = Record(
        time="2026-11-22T00:31",
        local=datetime.fromisoformat("2026-11-22T00:31"),
        systolic=280,
        diastolic=25,
        pulse=60,
        movement=True,
        second_user=True,
        irregular=True,
    )
    assert wire.encode(record).hex() == "ff003c8b96001f9a"
    assert wire.decode(wire.encode(record)) == record


def test_a_command_is_padded_to_a_report() -> None:
    assert wire.command_report(wire.record_command(7)).hex() == "a307f4f4f4f4f4f4"


@given(st.binary(max_size=12) | st.binary(min_size=8, max_size=8))
def test_any_octets_give_a_record_or_a_codec_error(octets: bytes) -> None:
    with suppress(CodecError):
        record = wire.decode(octets)
        if record.local is not None:
            assert wire.encode(record) == octets[-wire.RECORD_LENGTH :]
