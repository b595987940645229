"""The enrolment service as gateways reach it: a real server on loopback, a real database and a real broker."""

import queue
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from psycopg import AsyncConnection

from cloud import clock
from cloud.config import BrokerAddress, EnrolmentSettings, OperatorSettings
from cloud.enrolment import commands, store
from cloud.enrolment import service as decisions
from cloud.enrolment.app import create_app, server
from cloud.enrolment.models import Signed
from cloud.pki import authority
from cloud.pki.authority import Authority, key_to_pem
from cloud.pki.requests import SigningRequest
from deploy.services.door import authority_of_clone, server_files
from deploy.services.passwords import write_private
from deploy.services.source import OwnBroker
from gateway import identity
from gateway.identity import Identity
from tests.fix_services import Database

START_WITHIN_S = 20


@dataclass
class MovableClock:
    """The service's clock: the real one, and what a test adds."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return clock.now() + self.ahead


@dataclass
class EnrolmentService:
    """A running service. ``log`` is what it wrote."""

    url: str
    authority: Authority
    authority_file: Path
    database: Database
    broker: OwnBroker
    settings: EnrolmentSettings
    patched: pytest.MonkeyPatch
    clock: MovableClock

    async def code(self, gateway_id: str, valid_for: timedelta = timedelta(hours=1)) -> str:
        """A one-time code, as an operator draws it."""
        async with await AsyncConnection.connect(self.database.admin_url) as conn:
            return await decisions.new_code(conn, gateway_id, valid_for, self.clock())

    async def revoke(self, gateway_id: str) -> str:
        """As an operator does, who has the broker's list at hand; what the command says."""
        operator = OperatorSettings(
            database_url=self.database.admin_url,
            authority_dir=self.settings.authority_dir,
            revocation_list=self.settings.revocation_list,
            broker_reload=self.settings.broker_reload,
            broker=self.settings.broker,
        )
        return await commands.revoke(operator, gateway_id, "stolen", self.clock)

    async def note(self, made: Identity) -> None:
        """Have a certificate on record that the service did not sign itself."""
        async with await AsyncConnection.connect(self.database.admin_url) as conn:
            await store.enrol_gateway(conn, made.gateway_id, self.clock())
            await store.add_certificate(conn, as_signed(made), made.valid_from, "enrolment")

    def allow_failures(self, count: int) -> None:
        """Let more go wrong from one address than the rate limit does."""
        self.patched.setattr(decisions, "FAILURES_ALLOWED", count)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the database holds."""
        with psycopg.connect(self.database.admin_url) as conn:
            return conn.execute(query.encode()).fetchall()


def signing_request(
    name: str = "home-1", key: ec.EllipticCurvePrivateKey | None = None
) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A gateway's request for a certificate, and its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode(), key


def identity_signed_by(
    signer: Authority,
    gateway_id: str,
    *,
    trusts: Authority | None = None,
    at: datetime | None = None,
    validity: timedelta = timedelta(days=90),
) -> Identity:
    """A gateway's identity that nobody enrolled: ``at`` says when it was signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = SigningRequest(gateway_id=gateway_id, public_key=key.public_key())
    certificate = signer.certify_gateway(request, at or clock.now(), validity)
    return Identity(
        gateway_id=gateway_id,
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        certificate=authority.to_pem(certificate),
        authority=(trusts or signer).pem,
        key=key_to_pem(key),
    )


def as_signed(made: Identity) -> Signed:
    """What the service would have noted of it."""
    return Signed(
        gateway_id=made.gateway_id,
        serial_number=x509.load_pem_x509_certificate(made.certificate.encode()).serial_number,
        certificate=made.certificate,
        not_before=made.valid_from,
        not_after=made.valid_until,
    )


def kept(made: Identity, data_dir: Path) -> Path:
    """The identity in a gateway's data folder; the folder."""
    data_dir.mkdir(parents=True, exist_ok=True)
    identity.save(data_dir, made)
    return data_dir


@pytest.fixture
def clone_authority() -> Authority:
    """The authority that the test's broker trusts."""
    return authority_of_clone()


@pytest.fixture
def other_authority(tmp_path: Path) -> Authority:
    """Somebody else's."""
    return authority.create(tmp_path / "other-authority", "Somebody else", clock.now())


@pytest.fixture
def enrolment_settings(database: Database, broker: OwnBroker, tmp_path: Path) -> EnrolmentSettings:
    """Of a service that keeps the broker's list of the revoked."""
    files = server_files()
    write_private(tmp_path / "enrolment" / "server.pem", files.certificate)
    write_private(tmp_path / "enrolment" / "server.key.pem", files.key)
    return EnrolmentSettings(
        database_url=database.enrolment_url,
        authority_dir=broker.door.authority,
        tls_certificate=tmp_path / "enrolment" / "server.pem",
        tls_key=tmp_path / "enrolment" / "server.key.pem",
        validity=timedelta(days=90),
        revocation_list=broker.door.revocation_list,
        broker_reload=broker.door.reload,
        broker=BrokerAddress(
            host=broker.host, port=broker.port, username="enrolment", password=broker.add_user("enrolment")
        ),
    )


@pytest.fixture
def enrolment(
    enrolment_settings: EnrolmentSettings,
    database: Database,
    broker: OwnBroker,
    clone_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[EnrolmentService]:
    """It answers; it is stopped at the end."""
    moving = MovableClock()
    ready: queue.Queue[str] = queue.Queue()
    app = create_app(enrolment_settings, moving)
    serving = server(app, enrolment_settings, "127.0.0.1", 0, ready=ready.put)
    thread = threading.Thread(target=serving.run, name="enrolment")
    thread.start()
    try:
        url = ready.get(timeout=START_WITHIN_S)
        authority_file = broker.door.authority / "ca.pem"
        yield EnrolmentService(
            url, clone_authority, authority_file, database, broker, enrolment_settings, monkeypatch, moving
        )
    finally:
        serving.should_exit = True
        thread.join(START_WITHIN_S)


@pytest.fixture
async def enrolment_role(database: Database) -> AsyncIterator[AsyncConnection]:
    """The service's own connection to the database, with its own rights."""
    async with await AsyncConnection.connect(database.enrolment_url) as conn:
        yield conn
