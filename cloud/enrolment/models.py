"""Certificates and refusals, as enrolment sees them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Refusal(StrEnum):
    """Why nothing was signed: for the log and the audit. The network hears much less."""

    UNKNOWN_CODE = "unknown_code"
    USED_CODE = "used_code"
    EXPIRED_CODE = "expired_code"
    WITHDRAWN_CODE = "withdrawn_code"
    CODE_OF_ANOTHER_GATEWAY = "code_of_another_gateway"
    NOT_A_REQUEST = "not_a_request"
    TOO_OFTEN = "too_often"
    CLOCK = "clock"
    FOREIGN_CERTIFICATE = "foreign_certificate"
    UNKNOWN_CERTIFICATE = "unknown_certificate"
    EXPIRED_CERTIFICATE = "expired_certificate"
    REVOKED_CERTIFICATE = "revoked_certificate"
    WRONG_SIGNATURE = "wrong_signature"
    ANOTHER_NAME = "another_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """``gateway_id``: whose code or certificate it was, where that is known."""

    refusal: Refusal
    gateway_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A certificate that was given out. ``again``: the same as before, for the same code and key."""

    gateway_id: str
    serial_number: int
    certificate: str
    not_before: datetime
    not_after: datetime
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time code as it is stored."""

    gateway_id: str
    expires_at: datetime
    used_at: datetime | None
    used_key: bytes | None
    certificate: str | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What we have on record of a certificate."""

    gateway_id: str
    not_after: datetime
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedCertificate:
    """For the list that the broker reads."""

    serial_number: int
    gateway_id: str
    revoked_at: datetime
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledGateway:
    """One line of `gateway list`. ``certificate_until``: of its newest certificate that is not revoked."""

    gateway_id: str
    enrolled_at: datetime | None
    revoked_at: datetime | None
    last_seen_at: datetime | None
    certificate_until: datetime | None
    code_until: datetime | None
