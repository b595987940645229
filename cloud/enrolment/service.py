"""The decisions: which gateway gets a certificate, and for how long the one before it counts."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.audit import store as audit
from cloud.enrolment import codes, store
from cloud.enrolment.models import Code, Refusal, Refused, Signed
from cloud.enrolment.store import Connection
from cloud.pki import certificates, requests
from cloud.pki.authority import Authority, to_pem
from cloud.pki.requests import RequestRefused, SigningRequest
from gateway.wire import enrolment as wire

# A person who mistypes gets through. Guessing is hopeless anyway, against 100 random bits.
FAILURES_ALLOWED: Final = 10
FAILURES_WITHIN: Final = timedelta(minutes=15)
# From all addresses together: the database's rest, should somebody knock from thousands of them.
FAILURES_OF_ALL: Final = 2000
# After a renewal the certificate before it counts for so long: a gateway that could not write the new one down goes on.
OVERLAP: Final = timedelta(days=7)
# A gateway that renews in a circle is ill, and fills our tables.
CERTIFICATES_A_DAY: Final = 20


async def certify(
    conn: Connection,
    authority: Authority,
    asked: wire.CertificateRequest,
    address: str,
    now: datetime,
    validity: timedelta = certificates.GATEWAY_VALIDITY,
) -> Signed | Refused:
    """A certificate for a one-time code. The caller commits, whatever the answer: refusals are counted.

    A code is used up by the first key that comes with it; to that key it gives the same certificate again. Whatever
    certificates the gateway had before are revoked: it is a new gateway, or one that was lost.
    """
    if await _too_often(conn, address, now):
        return Refused(refusal=Refusal.TOO_OFTEN)
    answer = await _certify(conn, authority, asked, now, validity)
    if isinstance(answer, Refused):
        await _refused(conn, "gateway.enrolment_refused", answer, address, now)
    return answer


async def _certify(
    conn: Connection, authority: Authority, asked: wire.CertificateRequest, now: datetime, validity: timedelta
) -> Signed | Refused:
    try:
        request = requests.read(asked.csr)
    except RequestRefused:
        return Refused(refusal=Refusal.NOT_A_REQUEST)
    gateway_id, code_hash = request.gateway_id, codes.code_hash(asked.code)
    await store.one_at_a_time(conn, gateway_id)
    if not await store.use_code(conn, code_hash, gateway_id, request.key_hash, now):
        found = await store.code(conn, code_hash)
        return await _again(conn, found, request, now) or _why_not(found, request)
    signed = _sign(authority, request, now, validity)
    await store.enrol_gateway(conn, gateway_id, now)
    await store.add_certificate(conn, signed, now, "enrolment")
    await store.revoke_others(conn, gateway_id, signed.serial_number, now, "enrolled anew")
    await store.keep_certificate(conn, code_hash, signed.certificate)
    await _signed(conn, "gateway.enrolled", signed, now)
    return signed


async def _again(conn: Connection, code: Code | None, request: SigningRequest, now: datetime) -> Signed | None:
    """What the code was used for, for the key that it was used for, as long as it is good."""
    if code is None or code.certificate is None or code.used_key != request.key_hash:
        return None
    certificate = x509.load_pem_x509_certificate(code.certificate.encode())
    standing = await store.standing(conn, certificate.serial_number, now)
    if standing is None or standing.revoked or standing.not_after <= now:
        return None
    return _as_signed(code.gateway_id, certificate, again=True)


def _why_not(code: Code | None, request: SigningRequest) -> Refused:
    if code is None:
        return Refused(refusal=Refusal.UNKNOWN_CODE, gateway_id=request.gateway_id)
    if code.gateway_id != request.gateway_id:
        return Refused(refusal=Refusal.CODE_OF_ANOTHER_GATEWAY, gateway_id=code.gateway_id)
    if code.used_at is not None:
        return Refused(refusal=Refusal.USED_CODE, gateway_id=code.gateway_id)
    if code.withdrawn_at is not None:
        return Refused(refusal=Refusal.WITHDRAWN_CODE, gateway_id=code.gateway_id)
    return Refused(refusal=Refusal.EXPIRED_CODE, gateway_id=code.gateway_id)


async def renew(
    conn: Connection,
    authority: Authority,
    asked: wire.RenewalRequest,
    address: str,
    now: datetime,
    validity: timedelta = certificates.GATEWAY_VALIDITY,
) -> Signed | Refused:
    """A certificate for a certificate that is still good. The caller commits, whatever the answer.

    The one before stays good for OVERLAP, or to its end. The rate limit is for those who are refused: who guesses, from
    however many addresses, must not keep gateways from renewing. A wrong clock is no attempt at anything.
    """
    answer = await _renew(conn, authority, asked, now, validity)
    if isinstance(answer, Refused) and answer.refusal is not Refusal.CLOCK:
        if await _too_often(conn, address, now):
            return Refused(refusal=Refusal.TOO_OFTEN)
        await _refused(conn, "gateway.renewal_refused", answer, address, now)
    return answer


async def _renew(
    conn: Connection, authority: Authority, asked: wire.RenewalRequest, now: datetime, validity: timedelta
) -> Signed | Refused:
    try:
        present = x509.load_pem_x509_certificate(asked.certificate.encode())
        request = requests.read(asked.csr)
    except (RequestRefused, *certificates.MALFORMED):
        return Refused(refusal=Refusal.NOT_A_REQUEST)
    if not authority.issued(present):
        return Refused(refusal=Refusal.FOREIGN_CERTIFICATE)
    gateway_id = certificates.common_name(present.subject)
    if refusal := _renewable(present, request, asked, now):
        return Refused(refusal=refusal, gateway_id=gateway_id)
    await store.one_at_a_time(conn, request.gateway_id)
    standing = await store.standing(conn, present.serial_number, now)
    if standing is None:
        return Refused(refusal=Refusal.UNKNOWN_CERTIFICATE, gateway_id=gateway_id)
    if standing.revoked:
        return Refused(refusal=Refusal.REVOKED_CERTIFICATE, gateway_id=gateway_id)
    if await store.issued_since(conn, request.gateway_id, now - timedelta(days=1)) >= CERTIFICATES_A_DAY:
        return Refused(refusal=Refusal.TOO_OFTEN, gateway_id=gateway_id)
    signed = _sign(authority, request, now, validity)
    await store.add_certificate(conn, signed, now, "renewal")
    await store.revoke_others(conn, request.gateway_id, signed.serial_number, now + OVERLAP, store.RENEWED)
    await _signed(conn, "gateway.renewed", signed, now)
    return signed


def _renewable(
    present: x509.Certificate, request: SigningRequest, asked: wire.RenewalRequest, now: datetime
) -> Refusal | None:
    """What speaks against it in the request itself."""
    if not present.not_valid_before_utc <= now < present.not_valid_after_utc:
        return Refusal.EXPIRED_CERTIFICATE
    if certificates.common_name(present.subject) != request.gateway_id:
        return Refusal.ANOTHER_NAME
    key = present.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return Refusal.FOREIGN_CERTIFICATE
    try:
        key.verify(asked.signature, wire.renewal_statement(asked.csr, asked.at), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return Refusal.WRONG_SIGNATURE
    return Refusal.CLOCK if abs((asked.at - now).total_seconds()) > wire.RENEWAL_WINDOW_S else None


async def revoke(conn: Connection, gateway_id: str, why: str, now: datetime) -> bool:
    """Neither a certificate nor a code of this gateway counts any more. False where there is neither."""
    await store.one_at_a_time(conn, gateway_id)
    withdrawn = await store.withdraw_codes(conn, gateway_id, now)
    if not await store.revoke_gateway(conn, gateway_id, now) and not withdrawn:
        return False
    count = await store.revoke_others(conn, gateway_id, None, now, why)
    await audit.record(
        conn,
        at=now,
        account_id=None,
        action="gateway.revoked",
        subject=f"gateway:{gateway_id}",
        detail={"certificates": count, "why": why},
    )
    return True


async def new_code(conn: Connection, gateway_id: str, valid_for: timedelta, now: datetime) -> str:
    """Draw a one-time code for a gateway; it is told here and never again. CheckViolation for an impossible id."""
    code = codes.draw()
    await store.one_at_a_time(conn, gateway_id)
    await store.add_code(conn, codes.code_hash(code), gateway_id, now, now + valid_for)
    await audit.record(
        conn,
        at=now,
        account_id=None,
        action="gateway.code_made",
        subject=f"gateway:{gateway_id}",
        detail={"until": (now + valid_for).isoformat()},
    )
    return code


def counted_address(address: str) -> str:
    """Whose failures are counted together: an IPv4 address, or the /64 that a home has in IPv6."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def _sign(authority: Authority, request: SigningRequest, now: datetime, validity: timedelta) -> Signed:
    return _as_signed(request.gateway_id, authority.certify_gateway(request, now, validity))


def _as_signed(gateway_id: str, certificate: x509.Certificate, *, again: bool = False) -> Signed:
    return Signed(
        gateway_id=gateway_id,
        serial_number=certificate.serial_number,
        certificate=to_pem(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        again=again,
    )


async def _too_often(conn: Connection, address: str, now: datetime) -> bool:
    of_address, of_all = await store.failures_since(conn, counted_address(address), now - FAILURES_WITHIN)
    return of_address >= FAILURES_ALLOWED or of_all >= FAILURES_OF_ALL


async def _refused(conn: Connection, action: str, answer: Refused, address: str, now: datetime) -> None:
    await store.record_failure(conn, counted_address(address), now, now - FAILURES_WITHIN)
    await audit.record(
        conn,
        at=now,
        account_id=None,
        action=action,
        subject=f"gateway:{answer.gateway_id or 'unknown'}",
        detail={"reason": answer.refusal, "address": address},
    )


async def _signed(conn: Connection, action: str, signed: Signed, now: datetime) -> None:
    await audit.record(
        conn,
        at=now,
        account_id=None,
        action=action,
        subject=f"gateway:{signed.gateway_id}",
        detail={"serial_number": f"{signed.serial_number:x}", "until": signed.not_after.isoformat()},
    )
