from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.record_access_control_point import (
    NumberOfStoredRecords,
    OpCode,
    Operator,
    Refusal,
    Request,
    Response,
    ResponseCode,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from device_drivers.errors import CodecError
from tests.device_drivers.codecs.bluetooth_vectors import Vector, name, octets, vectors

COUNT, REPORT = OpCode.REPORT_NUMBER_OF_STORED_RECORDS, OpCode.REPORT_STORED_RECORDS
NOON = DateTime.at(datetime.fromisoformat("2026-11-20T12:00:00"))


@pytest.mark.parametrize("vector", vectors("record_access_control_point_response"), ids=name)
def test_the_published_responses_decode(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(CodecError):
            decode_response(octets(vector))
        return
    answer, expected = decode_response(octets(vector)), vector["expected"]
    if expected["op_code"] == OpCode.NUMBER_OF_STORED_RECORDS_RESPONSE:
        assert answer == NumberOfStoredRecords(expected["count"])
    else:
        assert answer == Response(expected["request_op_code"], expected["code"])
        assert encode_response(answer) == octets(vector)


@pytest.mark.parametrize("vector", vectors("record_access_control_point_request"), ids=name)
def test_the_published_requests_decode(vector: Vector) -> None:
    if "refused" in vector:
        with pytest.raises(Refusal):
            decode_request(octets(vector))
        return
    request = decode_request(octets(vector))
    assert (request.op_code, request.operator) == (vector["expected"]["op_code"], vector["expected"]["operator"])
    assert encode_request(request) == octets(vector)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(COUNT, Operator.ALL_RECORDS), "0401"),
        (Request(REPORT, Operator.ALL_RECORDS), "0101"),
        (Request(REPORT, Operator.LESS_THAN_OR_EQUAL_TO, maximum=0x1234), "0102013412"),
        (Request(REPORT, Operator.GREATER_THAN_OR_EQUAL_TO, minimum=1), "0103010100"),
        (Request(REPORT, Operator.WITHIN_RANGE_OF, minimum=1, maximum=2), "01040101000200"),
        (Request(REPORT, Operator.GREATER_THAN_OR_EQUAL_TO, minimum=NOON), "010302ea070b140c0000"),
        (Request(REPORT, Operator.FIRST_RECORD), "0105"),
        (Request(REPORT, Operator.LAST_RECORD), "0106"),
        (Request(OpCode.DELETE_STORED_RECORDS, Operator.ALL_RECORDS), "0201"),
        (Request(OpCode.ABORT_OPERATION), "0300"),
    ],
)
def test_every_operator_has_its_octets(request_: Request, expected: str) -> None:
    assert encode_request(request_).hex() == expected
    assert decode_request(bytes.fromhex(expected)) == request_


@pytest.mark.parametrize(
    ("octets_", "code"),
    [
        ("0901", ResponseCode.OP_CODE_NOT_SUPPORTED),
        ("0107", ResponseCode.OPERATOR_NOT_SUPPORTED),
        ("01", ResponseCode.OPERATOR_NOT_SUPPORTED),
        ("0100", ResponseCode.INVALID_OPERATOR),
        ("0301", ResponseCode.INVALID_OPERATOR),
        ("040100", ResponseCode.INVALID_OPERAND),
        ("010301", ResponseCode.INVALID_OPERAND),
        ("01030500", ResponseCode.OPERAND_NOT_SUPPORTED),
        ("0103", ResponseCode.OPERAND_NOT_SUPPORTED),
    ],
)
def test_a_request_that_is_wrong_is_refused_as_the_service_says(octets_: str, code: ResponseCode) -> None:
    with pytest.raises(Refusal) as caught:
        decode_request(bytes.fromhex(octets_))
    assert caught.value.response.code == code


def test_reserved_codes_have_a_meaning_too() -> None:
    assert Response(1, 6).meaning == "no records found"
    assert Response(1, 10).meaning == "reserved code 10"


@given(st.binary(max_size=20))
def test_any_octets_are_understood_or_refused(data: bytes) -> None:
    with suppress(CodecError):
        decode_response(data)
    with suppress(CodecError, Refusal):
        assert encode_request(decode_request(data)) == data
