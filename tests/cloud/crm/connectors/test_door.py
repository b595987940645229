"""The way out: one look at the name, an address that stays, no redirects, limits of time and of size."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cloud.crm.connectors.door import Answer, Door, check, retry_after
from cloud.crm.port import Ambiguous, Refused, Shut, TryLater, Unreachable
from deploy.listening import Conversation, Listening
from tests.cloud.made import NOW
from tests.fix_receivers import Certified


@dataclass
class Far:
    """A far side with a certificate of localhost. ``hosts``: as it was called. ``encodings``: what it may answer in."""

    port: int
    tls: ssl.SSLContext
    hosts: list[str] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    silent: bool = False


@pytest.fixture
def far(certified: Certified) -> Iterator[Far]:
    """By HTTPS."""
    over = threading.Event()

    class Answering(Conversation):
        def asked(self, body: bytes) -> None:
            del body
            made.hosts.append(self.headers["Host"])
            made.encodings.append(self.headers["Accept-Encoding"])
            if made.silent:
                over.wait()
            self.say(302, b"x" * 100_000, ("Location", "https://localhost/elsewhere"))

    with Listening(Answering, tls=certified.server) as listening:
        made = Far(listening.port, ssl.create_default_context(cafile=certified.authority))
        try:
            yield made
        finally:
            over.set()


def door(far: Far, *, found: Sequence[str] = ("127.0.0.1",), inside: bool = True) -> Door:
    return Door(tls=far.tls, now=lambda: NOW, inside=inside, resolve=lambda *_: found, within_s=20)


def test_the_address_is_pinned_and_the_name_stays_the_hosts(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS is for ``localhost``, which nobody looked up again; a redirect is an answer, and is not followed.

    Nobody's proxy is asked.
    """
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(f"{host}:{port}")
        return ("127.0.0.1",) if len(looked_up) == 1 else ("169.254.169.254",)

    answer = replace(door(far), resolve=resolve).ask("POST", f"https://localhost:{far.port}/x", body=b"{}")
    assert answer.status == 302
    assert answer.body is None  # more than is read
    assert far.hosts == [f"localhost:{far.port}"]
    assert looked_up == [f"localhost:{far.port}"]
    assert far.encodings == ["identity"]  # what is read is what was sent: nothing of it is unpacked


def test_a_certificate_of_another_name_is_nobody(far: Far) -> None:
    with pytest.raises(Unreachable):
        door(far).ask("POST", f"https://crm.example:{far.port}/x", body=b"{}")
    assert far.hosts == []


@pytest.mark.parametrize(
    ("url", "found", "inside"),
    [
        ("https://crm.example/x", ("127.0.0.1",), False),
        ("https://crm.example/x", ("8.8.8.8", "10.0.0.1"), False),
        ("https://crm.example/x", ("169.254.169.254",), True),
        ("https://127.0.0.1/x", ("127.0.0.1",), False),
        ("http://crm.example/x", ("8.8.8.8",), False),
        ("ftp://crm.example/x", ("8.8.8.8",), True),
        ("https:///x", ("8.8.8.8",), True),
    ],
)
def test_nothing_goes_where_it_may_not(far: Far, url: str, found: Sequence[str], inside: bool) -> None:
    with pytest.raises(Shut):
        door(far, found=found, inside=inside).ask("POST", url, body=b"{}")
    assert far.hosts == []


def test_nobody_there_is_told_from_nobody_answering(far: Far) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable):
        door(far).ask("POST", f"https://localhost:{port}/x", body=b"{}")
    far.silent = True
    with pytest.raises(Ambiguous):
        replace(door(far), within_s=1.0).ask("POST", f"https://localhost:{far.port}/x", body=b"{}")

    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(host)

    with pytest.raises(Unreachable, match="no such host"):
        replace(door(far), resolve=nowhere).ask("POST", "https://crm.example/x", body=b"{}")


def answer(status: int, **headers: str) -> Answer:
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b"")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, TryLater), (503, TryLater), (408, TryLater), (500, Ambiguous), (502, Ambiguous), (504, Ambiguous),
        (401, Shut), (403, Shut), (404, Shut), (410, Shut), (301, Shut), (307, Shut), (400, Refused), (422, Refused),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        check(answer(status), NOW)
    assert type(caught.value) is error
    check(answer(204), NOW)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("999999999999", timedelta(hours=6)),
        ("Sat, 21 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 21 Nov 2026 11:05:00 GMT", timedelta(0)),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_how_long_they_ask_us_to_wait(said: str, wait: timedelta | None) -> None:
    assert retry_after(answer(429, retry_after=said), NOW) == wait
