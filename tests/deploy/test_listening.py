"""What the imitations take for a request."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from deploy.bitrix24.portal import Portal
from deploy.bitrix24.server import Bitrix24
from deploy.receivers.crm import Crm
from deploy.receivers.fhir import FhirServer
from deploy.receivers.gateways import Gateway

BODY = b'{"text": "something to do"}'
AT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(params=["gateway", "crm", "fhir", "bitrix24"])
def imitation(request: pytest.FixtureRequest) -> Iterator[Gateway | Crm | FhirServer | Bitrix24]:
    """Each that is asked by HTTP."""
    made: Gateway | Crm | FhirServer | Bitrix24
    match request.param:
        case "gateway":
            made = Gateway()
        case "crm":
            made = Crm(secret=b"x" * 24, now=lambda: AT)
        case "fhir":
            made = FhirServer(token="")
        case _:
            made = Bitrix24(Portal(lambda: AT))
    with ExitStack() as until_the_end:
        made.start()
        until_the_end.callback(made.stop)
        yield made


def answered(url: str, octets: bytes) -> bytes:
    """What comes back to a client that says this of a request, and no more."""
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as client:
        client.sendall(head + octets)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("came", [0, 1, len(BODY) - 1])
def test_of_a_client_killed_amid_its_request_nothing_was_asked(
    imitation: Gateway | Crm | FhirServer | Bitrix24, came: int
) -> None:
    assert answered(imitation.url, BODY[:came]) == b""
    if isinstance(imitation, Gateway | Crm | Bitrix24):
        assert len(imitation.requests) == 0

    assert answered(imitation.url, BODY).startswith(b"HTTP/1.0 ")
