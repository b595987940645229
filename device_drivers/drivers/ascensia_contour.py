"""Ascensia (Bayer) Contour and Breeze 2 over their serial cable, and the USB Contours beneath ``ascensia_contour_hid``.

The meter sends its whole memory as one ASTM message of numbered frames, each of which waits for our word: ACK for the
next, NAK for the same again. A frame that comes with the number of the last one is a retransmission and dropped. The
header tells who the meter is, its clock, and on USB meters how many results follow; the message is whole when the
record L says so, every result's number follows the one before, and the count is met. Nothing is written into the meter:
the remote mode, in which its clock could be set, is never entered.

Each result carries its own unit. ``<`` and ``>`` are LO and HI, their limit is the header's setting V, which is in
mg/dL; in mmol/L none is known. A control solution is marked by the flags C or E, or by an order with action Q of the
same number. Results that are no glucose (the USB meters' log of meals) are counted and not read.

Quirks: ``first_result_is_average`` (it is no measurement and left out), ``order_of_results_unknown`` (nobody published
whether the oldest or the newest comes first, so every visit gives the whole memory; identity makes that harmless).

Wire page with offsets and a message decoded by hand: ``ascensia_contour.md``.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from device_drivers.codecs import ascensia_contour as wire
from device_drivers.codecs.ascensia_contour import Header, Order, OtherResult, Record, Result, Stamp, Terminator
from device_drivers.codecs.astm_e1381 import Control, Frame, FrameReader, Item, RecordJoiner, next_number
from device_drivers.drivers.conversation import Clock, Cursor, Event, Opened
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.new_readings import Dump, new_readings
from device_drivers.drivers.retries import retried
from device_drivers.errors import IncompleteTransfer, ProtocolError, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort

FIRST_RESULT_IS_AVERAGE = "first_result_is_average"
ORDER_OF_RESULTS_UNKNOWN = "order_of_results_unknown"
QUIRKS = frozenset({FIRST_RESULT_IS_AVERAGE, ORDER_OF_RESULTS_UNKNOWN})

MEALS = {"B": "preprandial", "A": "postprandial", "F": "fasting"}
CONTROL_SOLUTION = frozenset({"C", "E"})
# Things that may stand in the line before the meter wants to send: its last frame, its header, ends of messages.
MOST_BEFORE_ENQUIRY = 20


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    meter = Contour(link, profile)
    await meter.begin()
    async with aclosing(meter.records()) as records:
        header = await _header(records, profile)
        identity = DeviceIdentity(
            manufacturer=profile.device.maker,
            model=profile.device.model,
            serial_number=header.serial_number,
            firmware=header.versions[0],
        )
        clock = _local(header.clock, profile)
        coincident = None if clock is None else CoincidentTimeStamp(gateway_time=now(), device_time=clock)
        yield Opened(identity=identity, coincident=coincident, holds=header.count)
        contents = await _contents(records, header)
    results = contents.results[1:] if profile.has_quirk(FIRST_RESULT_IS_AVERAGE) else contents.results
    glucose = [result for result in results if isinstance(result, Result)]
    oldest_first = [_reading(result, contents, identity, profile) for result in glucose]
    # Where the order is not known, a cursor could stop at the wrong end of the memory.
    is_ordered = not profile.has_quirk(ORDER_OF_RESULTS_UNKNOWN)
    known = cursor if is_ordered else None
    async with aclosing(new_readings(Dump(oldest_first[::-1]), known, is_ordered=is_ordered)) as events:
        async for event in events:
            yield event


@dataclass
class Contents:
    """A whole message."""

    header: Header
    results: list[Result | OtherResult] = field(default_factory=list)
    control_orders: set[int] = field(default_factory=set)

    def is_control(self, result: Result) -> bool:
        """By any of its marks."""
        return bool(CONTROL_SOLUTION & set(result.flags)) or result.sequence in self.control_orders


async def _header(records: AsyncGenerator[Record], profile: Profile) -> Header:
    """The first record. ProtocolError where it is no header, or another model's."""
    header = await anext(records, None)
    if not isinstance(header, Header):
        raise ProtocolError("the message does not begin with a header")
    if not re.fullmatch(profile.device.match.model or ".*", header.product):
        raise UnexpectedDevice(header.product, profile.id)
    return header


async def _contents(records: AsyncGenerator[Record], header: Header) -> Contents:
    """All the others. IncompleteTransfer, ProtocolError, and what the line does."""
    contents = Contents(header)
    async for record in records:
        match record:
            case Result() | OtherResult():
                _check_sequence(contents.results, record)
                contents.results.append(record)
            case Order(sequence, wire.CONTROL_RESULT):
                contents.control_orders.add(sequence)
            case Terminator(_, code):
                _check_end(contents, code)
                return contents
            case Header():
                raise ProtocolError("a second header in one message")
            case _:
                pass  # the patient, and orders for ordinary tests, say nothing that we need
    raise IncompleteTransfer(header.count or len(contents.results) + 1, len(contents.results))


def _check_sequence(results: list[Result | OtherResult], result: Result | OtherResult) -> None:
    if results and result.sequence != results[-1].sequence + 1:
        raise IncompleteTransfer(result.sequence, len(results) + 1)


def _check_end(contents: Contents, code: str) -> None:
    if code != wire.NORMAL_END:
        raise ProtocolError(f"the meter ended its message with code {code!r}")
    if contents.header.count is not None and contents.header.count != len(contents.results):
        raise IncompleteTransfer(contents.header.count, len(contents.results))


class Contour:
    """The receiver's side of E1381, over a line that may do anything."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        port = profile.firmware.serial or profile.firmware.hid or SerialPort(baud=9600)
        self._retries = port.retries
        self._items: Incoming[Item] = Incoming(link, FrameReader(), port.reply_timeout_s)

    async def begin(self) -> None:
        """Until the meter wants to send. LinkTimeout, LinkLost, CodecError, ProtocolError."""
        await retried(self._enquire, self._retries)

    async def records(self) -> AsyncGenerator[Record]:
        """The records of the message. CodecError, LinkTimeout, LinkLost, ProtocolError."""
        joiner = RecordJoiner()
        async with aclosing(self._frames()) as frames:
            async for frame in frames:
                for text in joiner.feed(frame):
                    yield wire.decode_record(text)

    async def _enquire(self) -> None:
        """EOT ends whatever was before; a USB meter answers with its header first, to look at."""
        await self._items.forget()
        await self._say(Control.EOT)
        for _ in range(MOST_BEFORE_ENQUIRY):
            if await self._items.next() is Control.ENQ:
                return
        raise ProtocolError("the meter does not want to send")

    async def _frames(self) -> AsyncGenerator[Frame]:
        """Each frame once, in order, until ETX or EOT."""
        number, answer = 1, Control.ACK
        while True:
            item = await self._answered(answer)
            answer = Control.ACK
            if item is Control.EOT:
                return
            if not isinstance(item, Frame):
                raise ProtocolError(f"the meter sent {item.name} in the middle of its message")
            if item.number == number:
                number = next_number(number)
                yield item
                if item.last:
                    await self._say(Control.ACK)
                    return
            elif next_number(item.number) != number:
                raise ProtocolError(f"frame {item.number} where {number} was expected")

    async def _answered(self, answer: Control) -> Item:
        """What comes for an answer of ours; damage and silence are answered with NAK."""

        async def attempt() -> Item:
            nonlocal answer
            await self._say(answer)
            answer = Control.NAK
            return await self._items.next()

        return await retried(attempt, self._retries)

    async def _say(self, control: Control) -> None:
        await self._link.write(control.octets)


def _reading(result: Result, contents: Contents, identity: DeviceIdentity, profile: Profile) -> Reading:
    is_control = contents.is_control(result)
    code = Mdc.CONC_GLU_CONTROL if is_control else _CODES.get(result.method, Mdc.CONC_GLU_UNDETERMINED_PLASMA)
    return Reading(
        device=identity,
        kind=Kind.GLUCOSE,
        components=(Component(code, quantity(result, contents.header, profile)),),
        reported_time=ReportedTime(result.stamp.text, _local(result.stamp, profile)),
        profile=profile.id,
        raw=wire.encode_record(result).encode("latin-1"),
        sample=Sample.CONTROL_SOLUTION if is_control else Sample.PATIENT,
        context=_context(result),
    )


_CODES = {
    "P": Mdc.CONC_GLU_CAPILLARY_PLASMA,
    "B": Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
    "C": Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
    "D": Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
}


def quantity(result: Result, header: Header, profile: Profile) -> Quantity:
    """In the result's own unit; HI and LO with the header's limits, else the profile's, both of which are in mg/dL."""
    unit, values = Unit(result.unit), profile.firmware.values
    low, high = (header.range or (values.low, values.high)) if unit is Unit.MG_DL else (None, None)
    if wire.ABOVE in result.flags:
        return Quantity(None, unit, QuantityState.ABOVE_RANGE, high)
    if wire.BELOW in result.flags:
        return Quantity(None, unit, QuantityState.BELOW_RANGE, low)
    return Quantity(result.value, unit)


def _local(stamp: Stamp | None, profile: Profile) -> datetime | None:
    """None where the meter's clock was never set."""
    return None if stamp is None or stamp.text in profile.firmware.clock.unset else stamp.local


def _context(result: Result) -> dict[str, str]:
    """The meal, and all marks as the meter writes them."""
    marks = [flag for flag in result.flags if flag not in (wire.ABOVE, wire.BELOW)]
    words = {"marks": "/".join(marks)} if marks else {}
    meal = next((MEALS[flag] for flag in marks if flag in MEALS), None)
    return words if meal is None else {"meal": meal, **words}
