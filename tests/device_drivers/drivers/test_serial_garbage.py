"""A device that says anything at all: a visit ends with a DeviceError or with what was really said, and it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs import astm_e1381, lifescan_ultra, lifescan_ultramini, taidoc_51
from device_drivers.codecs.astm_e1381 import Control as AstmControl
from device_drivers.codecs.lifescan_ultramini import Control
from device_drivers.errors import LinkTimeout
from device_drivers.links.allow_list import SerialAllowList
from tests.device_drivers.serial_visits import impatient, visit

ULTRAMINI_FRAMES = st.builds(
    lambda control, payload: lifescan_ultramini.encode_frame(lifescan_ultramini.Frame(Control(control), payload)),
    st.integers(0, 31),
    st.binary(max_size=12) | st.binary(max_size=9).map(lambda rest: b"\x05\x06" + rest),
)
TAIDOC_FRAMES = st.builds(
    lambda command, data: taidoc_51.encode_frame(taidoc_51.Frame(command, data, taidoc_51.Direction.DEVICE)),
    st.sampled_from([0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2B, 0x54]),
    st.binary(min_size=4, max_size=4) | st.just(bytes.fromhex("28310000")) | st.just(bytes(4)),
)
VERIO_FRAMES = st.builds(
    lambda payload: lifescan_ultramini.encode_frame(lifescan_ultramini.Frame(Control(0), payload)),
    st.binary(max_size=12) | st.binary(max_size=12).map(lambda rest: b"\x03\x06" + rest) | st.just(b"\x03\x09"),
)
ULTRA_TEXTS = st.sampled_from(
    [
        "?P02.00.00 30/08/06", '@ "ZSK2326BY"', '@ "QTZ0004CT"', 'F "SAT","08/03/13","22:12:00   "',
        'P 000,"ZSK2326BY","MG/DL "', 'P 002,"ZSK2326BY","MG/DL "',
        'P "SUN","03/07/10","11:09:13   ","  086 ","N","00", 00',
        'P "MON","02/30/10","99:09:13   ","C HI?","Z","99", 7F', "P", "",
    ]
)  # fmt: skip
ULTRA_LINES = ULTRA_TEXTS.map(str.encode).map(lambda text: text + b" " + lifescan_ultra.checksum(text) + b"\r\n")
CONTOUR_RECORDS = st.sampled_from(
    [
        "H|\\^&||pw|Bayer7150^1.05\\0.00^7150-SAM2193||2|||||P|1|200305121635", "P|1", "O|1||||||||||Q",
        "R|1|^^^Glucose|93|mg/dL^P||A||200305121636", "R|2|^^^Glucose|5.1|mmol/L^P|>||||||200305121636", "L|1||N",
        "R|2|^^^Glucose|x|mg/dL^P||A||200305121636", "L|1||Q", "", "?",
    ]
)  # fmt: skip
CONTOUR_FRAMES = st.builds(
    lambda number, record, last: astm_e1381.encode_frame(astm_e1381.Frame(number, record + "\r", last)),
    st.integers(0, 7),
    CONTOUR_RECORDS,
    st.booleans(),
) | st.sampled_from(AstmControl).map(lambda control: control.octets)


class Babbler:
    """Says these things, one per command, whatever the command was; then nothing any more."""

    def __init__(self, things: list[bytes]) -> None:
        self._things = list(things)
        self._arrived = b""
        self.heard: list[bytes] = []

    @property
    def address(self) -> str:
        """Nowhere."""
        return "nowhere"

    async def write(self, data: bytes) -> None:
        """Provokes the next thing."""
        self.heard.append(data)
        self._arrived += self._things.pop(0) if self._things else b""

    async def read(self, size: int, timeout_s: float) -> bytes:
        """What has arrived."""
        data, self._arrived = self._arrived[:size], self._arrived[size:]
        if not data:
            raise LinkTimeout(f"nothing within {timeout_s} s")
        return data

    async def drain_input(self) -> None:
        """Forget what has arrived."""
        self._arrived = b""


@pytest.mark.parametrize(
    ("profile_id", "frames"),
    [
        ("ascensia-contour", CONTOUR_FRAMES),
        ("lifescan-onetouch-ultra2", ULTRA_LINES),
        ("lifescan-onetouch-ultramini", ULTRAMINI_FRAMES),
        ("lifescan-onetouch-verio-iq", VERIO_FRAMES),
        ("taidoc-td-3128", TAIDOC_FRAMES),
    ],
    ids=["contour", "ultra2", "ultramini", "verio iq", "taidoc"],
)
@given(data=st.data())
async def test_any_answers_end_in_a_device_error_or_an_honest_end(
    profile_id: str, frames: st.SearchStrategy[bytes], data: st.DataObject
) -> None:
    things = data.draw(st.lists(st.lists(frames | st.binary(max_size=12), max_size=3).map(b"".join), max_size=40))
    profile, babbler = impatient(profile_id, retries=1), Babbler(things)
    found = await visit(babbler, profile)
    assert (found.error is None) is (found.complete is not None)
    # Whatever it says, it provokes nothing that the profile does not list.
    for command in babbler.heard:
        SerialAllowList(profile.firmware.commands, profile.id).check(command)
