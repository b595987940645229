"""POST /enrolment/v1/certificates and /enrolment/v1/renewals (gateway/wire/enrolment.py)."""

import asyncio
import logging
from datetime import datetime
from typing import Final

import msgspec
import psycopg
from fastapi import APIRouter, Request, Response, status
from psycopg_pool import PoolTimeout

from cloud.db.pool import Pool
from cloud.enrolment import service
from cloud.enrolment.models import Refusal, Refused, Signed
from cloud.enrolment.store import Connection
from cloud.faults import placed
from gateway.wire import enrolment as wire

log = logging.getLogger(__name__)
router = APIRouter()

BODY_WITHIN_S: Final = 10.0

_CODE = ("code", "This code is wrong, used up or expired. Ask for a new one.", status.HTTP_403_FORBIDDEN)
_CERTIFICATE = (
    "certificate",
    "This certificate cannot be renewed. Enrol the gateway again, with a new code.",
    status.HTTP_403_FORBIDDEN,
)
_CLOCK = ("clock", "The time of the request is not the time here.", status.HTTP_409_CONFLICT)
_REQUEST = ("request", "The request cannot be read.", status.HTTP_400_BAD_REQUEST)
_TOO_OFTEN = ("too_often", "Too many attempts. Try again in 15 minutes.", status.HTTP_429_TOO_MANY_REQUESTS)
_UNAVAILABLE = ("unavailable", "Try again in a minute.", status.HTTP_503_SERVICE_UNAVAILABLE)

# What the network hears of a refusal: of a code or a certificate, never which of its faults it was.
TOLD: Final = {
    Refusal.UNKNOWN_CODE: _CODE,
    Refusal.USED_CODE: _CODE,
    Refusal.EXPIRED_CODE: _CODE,
    Refusal.WITHDRAWN_CODE: _CODE,
    Refusal.CODE_OF_ANOTHER_GATEWAY: _CODE,
    Refusal.NOT_A_REQUEST: _REQUEST,
    Refusal.TOO_OFTEN: _TOO_OFTEN,
    Refusal.CLOCK: _CLOCK,
    Refusal.FOREIGN_CERTIFICATE: _CERTIFICATE,
    Refusal.UNKNOWN_CERTIFICATE: _CERTIFICATE,
    Refusal.EXPIRED_CERTIFICATE: _CERTIFICATE,
    Refusal.REVOKED_CERTIFICATE: _CERTIFICATE,
    Refusal.WRONG_SIGNATURE: _CERTIFICATE,
    Refusal.ANOTHER_NAME: _CERTIFICATE,
}


@router.post(wire.CERTIFICATES)
async def certificates(request: Request) -> Response:
    return await _answer(request, wire.CertificateRequest)


@router.post(wire.RENEWALS)
async def renewals(request: Request) -> Response:
    return await _answer(request, wire.RenewalRequest)


async def _answer(request: Request, kind: type[wire.CertificateRequest] | type[wire.RenewalRequest]) -> Response:
    """Read it whole before a connection to the database is taken: whoever sends slowly waits alone."""
    body = await _body(request)
    now: datetime = request.app.state.now()  # not before: what is revoked meanwhile is revoked
    if body is None:
        return _told(_REQUEST, now)
    try:
        asked = wire.decode(body, kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _told(_REQUEST, now)
    address = request.client.host if request.client else "0.0.0.0"  # noqa: S104 -- nobody's address
    pool: Pool = request.app.state.pool
    try:
        async with pool.connection() as conn:
            answer = await _decide(request, conn, asked, address, now)
    except (psycopg.Error, PoolTimeout) as error:
        log.error("the database is away or busy (%s)", placed(error))
        return _told(_UNAVAILABLE, now)
    return _said(request, answer, address, now)


async def _decide(
    request: Request,
    conn: Connection,
    asked: wire.CertificateRequest | wire.RenewalRequest,
    address: str,
    now: datetime,
) -> Signed | Refused:
    state = request.app.state
    if isinstance(asked, wire.CertificateRequest):
        return await service.certify(conn, state.authority, asked, address, now, state.validity)
    return await service.renew(conn, state.authority, asked, address, now, state.validity)


def _said(request: Request, answer: Signed | Refused, address: str, now: datetime) -> Response:
    """The answer, after its transaction: what is told is stored."""
    if isinstance(answer, Refused):
        log.warning("refused %s: %s (gateway %s)", address, answer.refusal, answer.gateway_id or "unknown")
        return _told(TOLD[answer.refusal], now)
    log.info("gateway %s has certificate %x until %s", answer.gateway_id, answer.serial_number, answer.not_after)
    request.app.state.revocations.look()
    issued = wire.Issued(
        gateway_id=answer.gateway_id,
        certificate=answer.certificate,
        authority=request.app.state.authority.pem,
        valid_from=answer.not_before,
        valid_until=answer.not_after,
    )
    return _json(issued, status.HTTP_200_OK)


async def _body(request: Request) -> bytes | None:
    """The whole body, or None where it is too large, too slow, or breaks off."""
    body = b""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > wire.LARGEST_REQUEST_OCTETS:
                    return None
    except TimeoutError:
        return None
    return body


def _told(refusal: tuple[str, str, int], now: datetime) -> Response:
    reason, sentence, code = refusal
    return _json(msgspec.convert({"reason": reason, "sentence": sentence, "now": now}, wire.Refused), code)


def _json(message: wire.Issued | wire.Refused, code: int) -> Response:
    headers = {"Cache-Control": "no-store", "Connection": "close"}  # what follows is not waited for
    return Response(msgspec.json.encode(message), code, headers, media_type="application/json")
