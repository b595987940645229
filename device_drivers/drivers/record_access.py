"""Asking a device for its stored records: the client's side of the Record Access Control Point.

A meter that still waits for the confirmation of its last indication refuses the next request with ATT error 0xFE
(older firmware: 0x80 or 0x81), "procedure already in progress": it is asked again after a short while.
"""

import asyncio

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


async def start_report(link: BleLink, since: int | None = None) -> None:
    """Have all records sent, or those from this sequence number on."""
    operator = Operator.ALL_RECORDS if since is None else Operator.GREATER_THAN_OR_EQUAL_TO
    await start_procedure(link, Request(OpCode.REPORT_STORED_RECORDS, operator, minimum=since))


def check_end_of_report(octets: bytes) -> None:
    """The answer that ends a report: success, or nothing found. ProtocolError otherwise; CodecError."""
    answer = decode_response(octets)
    if isinstance(answer, NumberOfStoredRecords):
        raise ProtocolError(f"a number of records ({answer.count}) in answer to a request for records")
    if answer.code not in (ResponseCode.SUCCESS, ResponseCode.NO_RECORDS_FOUND):
        raise refused(answer)


def refused(answer: Response) -> ProtocolError:
    """The device's refusal, in its words."""
    return ProtocolError(f"the device refused request {answer.request_op_code}: {answer.meaning}")
