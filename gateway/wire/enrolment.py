"""What a gateway and the enrolment service say to each other: JSON over HTTPS, version 1, for ever like the rest.

    POST /enrolment/v1/certificates   CertificateRequest → Issued     a one-time code for the first certificate
    POST /enrolment/v1/renewals       RenewalRequest → Issued         a valid certificate for the next one

Whatever is not answered with 200 and `Issued` is answered with `Refused`. Requests for certificates are PKCS #10 with
an elliptic-curve key on P-256 and the gateway's id as common name; everything else in them is ignored. PEM throughout.

A request for a certificate may be repeated with the same code and the same key: it gets the same answer, so that a
gateway that lost power before it had written its certificate down needs no second code.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec

CERTIFICATES, RENEWALS = "/enrolment/v1/certificates", "/enrolment/v1/renewals"
LARGEST_REQUEST_OCTETS = 16_384
# Beside this, a request for a renewal is refused: the gateway's clock against ours.
RENEWAL_WINDOW_S = 300

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Pem = Annotated[str, msgspec.Meta(max_length=8192)]
Message = TypeVar("Message", bound=msgspec.Struct)


class CertificateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """``code``: as somebody typed it; case, spaces and hyphens do not matter. ``csr``: PKCS #10."""

    code: Annotated[str, msgspec.Meta(max_length=200)]
    csr: Pem


class RenewalRequest(msgspec.Struct, frozen=True, kw_only=True):
    """``signature``: by the key of ``certificate``, ECDSA with SHA-256 (DER), over ``renewal_statement``."""

    certificate: Pem
    csr: Pem
    at: Instant
    signature: bytes


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """``authority``: the certificate that signed the broker's, too."""

    gateway_id: str
    certificate: str
    authority: str
    valid_from: Instant
    valid_until: Instant


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """``sentence`` is for people. ``now``: the service's time.

    code: wrong, used up, or expired; it is not said which. certificate: it cannot be renewed. clock: ask again with a
    time like ``now``. request: it cannot be read. too_often: later. unavailable: later.
    """

    reason: Literal["code", "certificate", "clock", "request", "too_often", "unavailable"]
    sentence: str
    now: Instant


def renewal_statement(csr: str, at: datetime) -> bytes:
    """What the key of the present certificate signs."""
    return f"pulsepost renewal 1\n{at.isoformat()}\n{csr}".encode()


def decode(payload: bytes, message: type[Message]) -> Message:
    """msgspec.DecodeError where it is none."""
    return msgspec.json.decode(payload, type=message)
