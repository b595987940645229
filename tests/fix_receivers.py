"""The far sides of the channels: a mail server with a certificate, and a gateway by HTTP."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud.clock import now
from cloud.enrolment.commands import make_authority, make_server
from deploy.receivers.gateways import Gateway
from deploy.receivers.mail import MailServer


@dataclass(frozen=True)
class Certified:
    """A certificate for 127.0.0.1 and localhost, and the authority that vouches for it."""

    authority: Path
    server: ssl.SSLContext


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Made once a session."""
    folder = tmp_path_factory.mktemp("certified")
    make_authority(folder / "authority", "Tests", now())
    make_server(folder / "authority", ["127.0.0.1", "localhost"], folder, now())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key.pem")
    return Certified(folder / "authority" / "ca.pem", context)


@pytest.fixture
def mail_server(certified: Certified) -> Iterator[MailServer]:
    """A mail server that wants STARTTLS."""
    server = MailServer(certified.server)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def phone_gateway() -> Iterator[Gateway]:
    """A gateway by HTTP."""
    made = Gateway()
    made.start()
    try:
        yield made
    finally:
        made.stop()
