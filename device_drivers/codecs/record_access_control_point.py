"""Record Access Control Point (0x2A52): how a stored record is asked for, and how the device answers.

A request is op code, operator, operand; a response is op code 5 or 6, operator 0, operand. Operands of the Glucose
Service: a filter type, then the sequence number (uint16) or the user-facing time (Date Time) that it compares with.
Source: Glucose Service 1.0.1, section 3.5; layout in drivers/bluetooth_glucose.md.
"""

from dataclasses import dataclass
from enum import IntEnum

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets

_FORMAT = "record_access_control_point"


class OpCode(IntEnum):
    """What is wanted (1-4), or what kind of answer it is (5, 6)."""

    REPORT_STORED_RECORDS = 1
    DELETE_STORED_RECORDS = 2
    ABORT_OPERATION = 3
    REPORT_NUMBER_OF_STORED_RECORDS = 4
    NUMBER_OF_STORED_RECORDS_RESPONSE = 5
    RESPONSE_CODE = 6


class Operator(IntEnum):
    """Which records."""

    NULL = 0
    ALL_RECORDS = 1
    LESS_THAN_OR_EQUAL_TO = 2
    GREATER_THAN_OR_EQUAL_TO = 3
    WITHIN_RANGE_OF = 4  # inclusive
    FIRST_RECORD = 5  # the oldest
    LAST_RECORD = 6  # the newest


class FilterType(IntEnum):
    """What the operand compares with."""

    SEQUENCE_NUMBER = 1
    USER_FACING_TIME = 2


class ResponseCode(IntEnum):
    """How a request went."""

    SUCCESS = 1
    OP_CODE_NOT_SUPPORTED = 2
    INVALID_OPERATOR = 3
    OPERATOR_NOT_SUPPORTED = 4
    INVALID_OPERAND = 5
    NO_RECORDS_FOUND = 6  # the normal empty answer, no error
    ABORT_UNSUCCESSFUL = 7
    PROCEDURE_NOT_COMPLETED = 8
    OPERAND_NOT_SUPPORTED = 9


_UNSUPPORTED = {
    ResponseCode.OP_CODE_NOT_SUPPORTED,
    ResponseCode.INVALID_OPERATOR,
    ResponseCode.OPERATOR_NOT_SUPPORTED,
    ResponseCode.INVALID_OPERAND,
    ResponseCode.OPERAND_NOT_SUPPORTED,
}
_OPERANDS = {
    Operator.LESS_THAN_OR_EQUAL_TO: ("maximum",),
    Operator.GREATER_THAN_OR_EQUAL_TO: ("minimum",),
    Operator.WITHIN_RANGE_OF: ("minimum", "maximum"),
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a client writes. Operands are ints for sequence numbers and DateTimes for user-facing times."""

    op_code: OpCode
    operator: Operator = Operator.NULL
    minimum: int | DateTime | None = None
    maximum: int | DateTime | None = None


@dataclass(frozen=True, slots=True)
class NumberOfStoredRecords:
    """The answer to REPORT_NUMBER_OF_STORED_RECORDS."""

    count: int


@dataclass(frozen=True, slots=True)
class Response:
    """How the request with this op code went; op code and code as numbers, for the reserved ones exist too."""

    request_op_code: int
    code: int

    @property
    def meaning(self) -> str:
        """The code in words."""
        known = self.code in ResponseCode.__members__.values()
        return ResponseCode(self.code).name.lower().replace("_", " ") if known else f"reserved code {self.code}"

    @property
    def is_unsupported(self) -> bool:
        """Whether the server cannot answer this kind of request at all, whatever it holds."""
        return self.code in _UNSUPPORTED


class Refusal(Exception):
    """A request that the server must answer with this response code."""

    def __init__(self, op_code: int, code: ResponseCode) -> None:
        super().__init__(f"request {op_code}: {code.name}")
        self.response = Response(op_code, code)


def decode_response(data: bytes) -> NumberOfStoredRecords | Response:
    """What a server indicates. Total: a value or CodecError.

    A number in 1, 2 or 4 octets is understood; the Glucose Service sends 2.
    """
    octets = Octets(_FORMAT, data)
    op_code = octets.uint8("op code")
    if octets.uint8("operator") != Operator.NULL:
        raise octets.error("a response has operator 0", offset=1)
    if op_code == OpCode.NUMBER_OF_STORED_RECORDS_RESPONSE:
        if octets.left not in (1, 2, 4):
            raise octets.error(f"a number of records in {octets.left} octets")
        return NumberOfStoredRecords(int.from_bytes(octets.take(octets.left, "number of records"), "little"))
    if op_code == OpCode.RESPONSE_CODE:
        return Response(octets.uint8("request op code"), octets.uint8("response code"))
    raise octets.error(f"op code {op_code} is no response", offset=0)


def encode_response(response: NumberOfStoredRecords | Response) -> bytes:
    """The octets that a server indicates."""
    if isinstance(response, NumberOfStoredRecords):
        return bytes((OpCode.NUMBER_OF_STORED_RECORDS_RESPONSE, 0)) + response.count.to_bytes(2, "little")
    return bytes((OpCode.RESPONSE_CODE, 0, response.request_op_code, response.code))


def encode_request(request: Request) -> bytes:
    """The octets that a client writes: no octet more than the operator needs, for meters refuse superfluous ones."""
    octets = bytes((request.op_code, request.operator))
    operands = [operand for operand in (request.minimum, request.maximum) if operand is not None]
    if not operands:
        return octets
    filter_type = FilterType.USER_FACING_TIME if isinstance(operands[0], DateTime) else FilterType.SEQUENCE_NUMBER
    return octets + bytes((filter_type,)) + b"".join(map(_encode_operand, operands))


def decode_request(data: bytes) -> Request:
    """What a client wrote. Refusal says how the server must answer; CodecError where there is not even an op code."""
    octets = Octets(_FORMAT, data)
    raw = octets.uint8("op code")
    if raw not in (1, 2, 3, 4):
        raise Refusal(raw, ResponseCode.OP_CODE_NOT_SUPPORTED)
    op_code = OpCode(raw)
    operator = _decode_operator(op_code, octets)
    names = _OPERANDS.get(operator, ())
    operands = dict(zip(names, _decode_operands(op_code, octets, len(names)), strict=True))
    return Request(op_code, operator, minimum=operands.get("minimum"), maximum=operands.get("maximum"))


def _encode_operand(operand: int | DateTime) -> bytes:
    return encode_date_time(operand) if isinstance(operand, DateTime) else operand.to_bytes(2, "little")


def _decode_operator(op_code: OpCode, octets: Octets) -> Operator:
    operator = octets.data[1] if octets.left else -1
    octets.offset = min(2, len(octets.data))
    if operator not in Operator.__members__.values():
        raise Refusal(op_code, ResponseCode.OPERATOR_NOT_SUPPORTED)
    if (operator == Operator.NULL) != (op_code is OpCode.ABORT_OPERATION):
        raise Refusal(op_code, ResponseCode.INVALID_OPERATOR)
    return Operator(operator)


def _decode_operands(op_code: OpCode, octets: Octets, count: int) -> list[int | DateTime]:
    if count == 0:
        if octets.left:
            raise Refusal(op_code, ResponseCode.INVALID_OPERAND)
        return []
    filter_type = octets.uint8("filter type") if octets.left else 0
    sizes = {FilterType.SEQUENCE_NUMBER: 2, FilterType.USER_FACING_TIME: 7}
    if filter_type not in sizes:
        raise Refusal(op_code, ResponseCode.OPERAND_NOT_SUPPORTED)
    if octets.left != count * sizes[FilterType(filter_type)]:
        raise Refusal(op_code, ResponseCode.INVALID_OPERAND)
    if filter_type == FilterType.SEQUENCE_NUMBER:
        return [octets.uint16("sequence number") for _ in range(count)]
    return [read_date_time(octets, "user-facing time") for _ in range(count)]
