"""What an operator does at the command line: `python -m cloud ca` and `python -m cloud gateway`."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from psycopg import AsyncConnection

from cloud.config import OperatorSettings
from cloud.db.connect import CONNECT_TIMEOUT_S, session_options
from cloud.enrolment import codes, service, store
from cloud.enrolment.models import EnrolledGateway
from cloud.enrolment.revocations import BrokerFiles, Revocations
from cloud.enrolment.store import Connection
from cloud.pki import authority, requests

VALID_FOR = re.compile(r"(\d{1,4})([mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


def make_authority(folder: Path, name: str, at: datetime) -> str:
    """Make the authority; what to tell. AuthorityError."""
    authority.create(folder, name, at)
    return (
        f"ready: {folder} holds the authority. Keep a copy of {folder / authority.KEY} where nobody else can read it:\n"
        "whoever has it can be any gateway, and without it every gateway must be enrolled again."
    )


def make_server(folder: Path, addresses: Sequence[str], out: Path, at: datetime) -> str:
    """Sign a server's certificate; what to tell. AuthorityError, CommandRefused."""
    certificate, key = authority.load(folder).certify_server(addresses, at)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, text, mode in ((out / "server.key.pem", key, 0o600), (out / "server.pem", certificate, 0o644)):
            draft = path.with_name(f".{path.name}.new")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(path)
    except OSError as error:
        raise CommandRefused(f"{out} cannot be used: {error.strerror}") from error
    return f"ready: {out / 'server.pem'} and {out / 'server.key.pem'} for {', '.join(addresses)}, for 397 days"


def valid_for(text: str) -> timedelta:
    """How long a code is good: 30m, 24h, 7d. CommandRefused."""
    found = VALID_FOR.fullmatch(text)
    length = int(found[1]) * UNITS[found[2]] if found else timedelta(0)
    if not timedelta(0) < length <= codes.LONGEST_VALID:
        raise CommandRefused(f"{text!r} is not a time up to 7 days; write 30m, 24h or 7d")
    return length


async def make_code(settings: OperatorSettings, gateway_id: str, length: timedelta, at: datetime) -> str:
    """A one-time code for a gateway; what to tell. CommandRefused."""
    if not requests.is_gateway_id(gateway_id):
        raise CommandRefused(
            f"{gateway_id!r} is not a name for a gateway: 1 to 64 letters, digits and hyphens, and none of"
            f" {', '.join(sorted(requests.RESERVED))}"
        )
    async with await _connection(settings) as conn:
        code = await service.new_code(conn, gateway_id, length, at)
    return (
        f"{code}\n\nGood for one enrolment of gateway {gateway_id}, until {at + length:%Y-%m-%d %H:%M} UTC."
        "\nIt is stored nowhere and shown this once. On the gateway: python -m gateway enrol CONFIG"
    )


async def revoke(settings: OperatorSettings, gateway_id: str, why: str, now: Callable[[], datetime]) -> str:
    """Revoke a gateway, and the broker's list with it if we can; what to tell. CommandRefused, AuthorityError."""
    signer = authority.load(settings.authority_dir) if settings.authority_dir else None
    async with await _connection(settings) as conn:
        if not await service.revoke(conn, gateway_id, why, now()):
            raise CommandRefused(f"there is no gateway {gateway_id!r}; python -m cloud gateway list names them")
    if signer is None or settings.revocation_list is None:
        return (
            f"revoked: {gateway_id}. What it sends is quarantined from now on. The enrolment service shuts the broker"
            " to it within 15 s, if it runs; otherwise set PULSEPOST_CA_DIR and PULSEPOST_CRL_FILE and run this again."
        )
    files = BrokerFiles(
        revocation_list=settings.revocation_list, reload=settings.broker_reload, address=settings.broker
    )
    async with await _connection(settings) as conn:
        await Revocations(signer, files, now).publish(conn)
    done = f"revoked: {gateway_id}. {settings.revocation_list} lists its certificates."
    if settings.broker_reload is None:
        done += " PULSEPOST_BROKER_RELOAD is not set: make the broker read it, such as by: systemctl reload mosquitto"
    return done


async def list_gateways(settings: OperatorSettings, at: datetime) -> str:
    """One line per gateway."""
    async with await _connection(settings) as conn:
        gateways = await store.gateways(conn, at)
    lines = [f"{gateway.gateway_id:24} {standing(gateway, at)}" for gateway in gateways]
    return "\n".join(lines) if lines else "no gateway is enrolled; python -m cloud gateway code GATEWAY_ID begins"


def standing(gateway: EnrolledGateway, at: datetime) -> str:
    """How a gateway stands, in words."""
    if gateway.revoked_at is not None:
        words = f"revoked {gateway.revoked_at:%Y-%m-%d %H:%M}"
    elif gateway.certificate_until is None:
        words = "no certificate"
    elif gateway.certificate_until <= at:
        words = f"certificate ended {gateway.certificate_until:%Y-%m-%d}: enrol it again"
    else:
        words = f"certificate until {gateway.certificate_until:%Y-%m-%d}"
    if gateway.code_until is not None:
        words += f", a code waits until {gateway.code_until:%Y-%m-%d %H:%M}"
    if gateway.last_seen_at is not None:
        words += f", last seen {gateway.last_seen_at:%Y-%m-%d %H:%M}"
    return words


async def _connection(settings: OperatorSettings) -> Connection:
    return await AsyncConnection.connect(
        settings.database_url,
        application_name="pulsepost-operator",
        connect_timeout=CONNECT_TIMEOUT_S,
        options=session_options(),
    )
