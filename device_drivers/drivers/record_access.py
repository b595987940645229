"""Asking a device for its stored records: the client's side of the Record Access Control Point.

A meter that still waits for the confirmation of its last indication refuses the next request with ATT error 0xFE
(older firmware: 0x80 or 0x81), "procedure already in progress": it is asked again after a short while.

Of the operators the Glucose Service makes "all", "greater or equal", "first" and "last" mandatory; "less or equal" and
"range" are used where they help and given up where they are refused. Never filtered by user-facing time: a clock that
was set back would hide what was measured since.
"""

import asyncio
from collections.abc import Collection, Sequence
from itertools import pairwise

from device_drivers.codecs.record_access_control_point import (
    NumberOfStoredRecords,
    OpCode,
    Operator,
    Request,
    Response,
    ResponseCode,
    decode_response,
    encode_request,
)
from device_drivers.drivers.arrivals import Arrivals
from device_drivers.errors import ProtocolError
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink

RECORD_ACCESS_CONTROL_POINT = sig_uuid(0x2A52)

# Glucose Profile 1.0.1, section 5.3.4: a procedure without an answer for 30 s has failed.
PROCEDURE_TIMEOUT_S = 30.0

_ALREADY_IN_PROGRESS = {0xFE, 0x80, 0x81}
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8)

_MOST = 0xFFFF  # sequence numbers are uint16
_HALF = 0x8000
# More holes than this are no lost packets: something else is wrong.
_MOST_GAPS = 16


class Unsupported(ProtocolError):
    """The device does not know this kind of request; another one may do."""


async def start_procedure(link: BleLink, request: Request) -> None:
    """Write the request, again if the device is still busy with the last one. ProtocolError, LinkError."""
    for pause_s in _PAUSES_S:
        try:
            await link.write(RECORD_ACCESS_CONTROL_POINT, encode_request(request))
        except ProtocolError as error:
            if error.att_code not in _ALREADY_IN_PROGRESS:
                raise
            await asyncio.sleep(pause_s)
        else:
            return
    await link.write(RECORD_ACCESS_CONTROL_POINT, encode_request(request))


async def count_records(link: BleLink, arrivals: Arrivals, since: int | None = None) -> int:
    """How many records the device holds, or holds from this sequence number on. ProtocolError where it refuses."""
    operator = Operator.ALL_RECORDS if since is None else Operator.GREATER_THAN_OR_EQUAL_TO
    await start_procedure(link, Request(OpCode.REPORT_NUMBER_OF_STORED_RECORDS, operator, minimum=since))
    while True:
        characteristic, octets = await arrivals.next(PROCEDURE_TIMEOUT_S)
        if characteristic != RECORD_ACCESS_CONTROL_POINT:
            continue  # a record measured just now; it will be asked for with the others
        answer = decode_response(octets)
        if isinstance(answer, NumberOfStoredRecords):
            return answer.count
        if answer.code == ResponseCode.NO_RECORDS_FOUND:
            return 0
        raise refused(answer)


def report(operator: Operator, minimum: int | None = None, maximum: int | None = None) -> Request:
    """The request to send these records."""
    return Request(OpCode.REPORT_STORED_RECORDS, operator, minimum, maximum)


def requests_for_missing(seen: Collection[int], since: int | None) -> Sequence[Request]:
    """What to ask for when a report was short: each hole between the numbers seen, and beyond both ends.

    ``since``: where the report began; None where all records were asked for. Empty where there are too many holes.
    """
    if not seen:
        return [report(Operator.ALL_RECORDS) if since is None else _from(since)]
    numbers = sorted(seen)
    inner = [(a + 1, b - 1) for a, b in pairwise(numbers) if 1 < b - a < _HALF]
    requests = [report(Operator.WITHIN_RANGE_OF, low, high) for low, high in inner]
    if numbers[-1] < _MOST:
        requests.append(_from(numbers[-1] + 1))
    if since is None and numbers[0] > 0:
        requests.append(report(Operator.LESS_THAN_OR_EQUAL_TO, maximum=numbers[0] - 1))
    elif since is not None and numbers[0] > since:
        requests.append(report(Operator.WITHIN_RANGE_OF, since, numbers[0] - 1))
    return requests if len(inner) <= _MOST_GAPS else []


def newest_of(numbers: Collection[int]) -> int:
    """The newest of these sequence numbers, also where they went past 65535 and began again with 0."""
    wrapped = max(numbers) - min(numbers) >= _HALF
    return max(numbers, key=lambda number: number + _MOST + 1 if wrapped and number < _HALF else number)


def _from(number: int) -> Request:
    return report(Operator.GREATER_THAN_OR_EQUAL_TO, number)


def check_end_of_report(octets: bytes) -> None:
    """The answer that ends a report: success, or nothing found. Unsupported, ProtocolError otherwise; CodecError."""
    answer = decode_response(octets)
    if isinstance(answer, NumberOfStoredRecords):
        raise ProtocolError(f"a number of records ({answer.count}) in answer to a request for records")
    if answer.code not in (ResponseCode.SUCCESS, ResponseCode.NO_RECORDS_FOUND):
        raise refused(answer)


def refused(answer: Response) -> ProtocolError:
    """The device's refusal, in its words."""
    kind = Unsupported if answer.is_unsupported else ProtocolError
    return kind(f"the device refused request {answer.request_op_code}: {answer.meaning}")
