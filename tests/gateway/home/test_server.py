"""The page's server on real sockets: who is told, who is not, and what nobody can do to it."""

import asyncio
import http.client
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.home import server
from gateway.home.server import HEADERS, Door, PageServer, is_near, respond
from gateway.home.words import Language
from tests.fix_gateway import eventually

SECRET = "this is the page"


def page(language: Language) -> str:
    return f"<p>{SECRET} in {language}</p>"


@asynccontextmanager
async def serving(names: frozenset[str] = frozenset(), address: str = "127.0.0.1") -> AsyncIterator[PageServer]:
    one = PageServer(address, 0, names, page, "en")
    task = asyncio.create_task(one.run())
    await asyncio.wait_for(one.listens.wait(), 10)
    try:
        yield one
    finally:
        task.cancel()
        await asyncio.wait([task])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


async def ask(port: int, path: str = "/", *, method: str = "GET", address: str = "127.0.0.1", **headers: str) -> Answer:
    """By the standard library's client, which is not ours; ``host=""`` sends none."""

    def asked() -> Answer:
        connection = http.client.HTTPConnection(address, port, timeout=10)
        try:
            host = headers.pop("host", None)
            connection.putrequest(method, path, skip_host=host is not None, skip_accept_encoding=True)
            if host:
                connection.putheader("Host", host)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    return await asyncio.to_thread(asked)


async def said(port: int, octets: bytes) -> bytes:
    """What comes back for any octets, to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    try:
        return await asyncio.wait_for(reader.read(-1), 5)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_the_page_is_told_in_the_readers_language_with_every_header() -> None:
    async with serving() as one:
        answer = await ask(one.port, accept_language="ru-RU,ru;q=0.9")
    assert (answer.status, answer.content) == (200, page("ru").encode())
    assert answer.headers["Content-Language"] == "ru"
    for header in HEADERS:
        name, _, value = header.partition(": ")
        assert answer.headers[name] == value


async def test_a_language_can_be_asked_for() -> None:
    async with serving() as one:
        answers = [await ask(one.port, f"/{language}?again") for language in ("en", "ru", "zh")]
    assert [answer.content.decode() for answer in answers] == [page("en"), page("ru"), page("zh")]


async def test_style_and_script_are_the_pages_own() -> None:
    async with serving() as one:
        kinds = [(await ask(one.port, path)).headers["Content-Type"] for path in ("/style.css", "/refresh.js")]
    assert kinds == ["text/css; charset=utf-8", "text/javascript; charset=utf-8"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}.evil.example", ""]
)
async def test_a_page_of_somebody_elses_is_told_nothing(host: str) -> None:
    async with serving() as one:
        answers = [
            await ask(one.port, path, host=host.format(port=one.port)) for path in ("/", "/ru", "/style.css", "/no")
        ]
    assert {answer.status for answer in answers} == {421}
    assert {answer.content for answer in answers} == {b"Not here.\n"}


async def test_two_hosts_are_nobodys() -> None:
    async with serving() as one:
        own = f"Host: 127.0.0.1:{one.port}\r\n"
        answer = await said(one.port, f"GET / HTTP/1.1\r\n{own}{own}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 421 ")


async def test_a_name_of_the_configuration_is_its_own() -> None:
    async with serving(frozenset({"pulsepost.home"})) as one:
        assert (await ask(one.port, host=f"Pulsepost.Home:{one.port}")).status == 200
        assert (await ask(one.port, host=f"pulsepost.home.evil.example:{one.port}")).status == 421


async def test_where_it_listens_everywhere_the_address_that_was_come_to_counts() -> None:
    async with serving(address="0.0.0.0") as one:  # noqa: S104 -- of this test's machine, and asked from it
        assert (await ask(one.port)).status == 200
        assert (await ask(one.port, host=f"0.0.0.0:{one.port}")).status == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_nothing_can_be_changed(method: str) -> None:
    async with serving() as one:
        answer = await ask(one.port, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert SECRET.encode() not in answer.content


async def test_head_tells_the_length_and_not_the_page() -> None:
    async with serving() as one:
        answer = await ask(one.port, method="HEAD")
    assert (answer.status, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(page("en"))


@pytest.mark.parametrize("path", ["/de", "/../style.css", "/style.css/..", "/%2e%2e/config.py", "//", "/server.py"])
async def test_there_is_no_other_page(path: str) -> None:
    async with serving() as one:
        assert (await ask(one.port, path)).status == 404


async def test_whoever_says_too_much_or_no_http_is_hung_up_on_and_others_are_served() -> None:
    async with serving() as one:
        assert (await said(one.port, b"\x16\x03\x01\x02\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
        assert await said(one.port, b"GET / HTTP/1.1\r\nA: " + b"a" * 20_000 + b"\r\n\r\n") == b""
        assert (await ask(one.port)).status == 200


async def test_whoever_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ANSWERED_WITHIN_S", 0.05)
    async with serving() as one:
        assert await said(one.port, b"GET / HTTP/1.1\r\n") == b""


async def test_so_many_at_once_and_no_more() -> None:
    async with serving() as one:
        idle = [await asyncio.open_connection("127.0.0.1", one.port) for _ in range(server.MOST_AT_ONCE)]
        assert await said(one.port, b"") == b""
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()


async def test_at_its_end_nothing_of_it_is_left() -> None:
    before = asyncio.all_tasks()
    async with serving() as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    assert asyncio.all_tasks() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", one.port))
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_an_address_that_cannot_be_had_is_said_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "AGAIN_AFTER_S", 0.01)
    caplog.set_level(logging.INFO)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        one = PageServer("127.0.0.1", taken.getsockname()[1], frozenset(), page, "en")
        task = asyncio.create_task(one.run())
        await eventually(lambda: "cannot be served" in caplog.text)
    await asyncio.wait_for(one.listens.wait(), 10)
    assert caplog.text.count("cannot be served") == 1
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("192.168.1.20", True),
        ("10.0.0.1", True),
        ("172.16.0.9", True),
        ("fe80::1%eth0", True),
        ("fd00::7", True),
        ("::1", True),
        ("::ffff:192.168.1.4", True),
        ("8.8.8.8", False),
        ("2a01:4f8::1", False),
        ("::ffff:8.8.8.8", False),
        ("nonsense", False),
    ],
)
def test_the_internet_is_not_near(address: str, near: bool) -> None:
    assert is_near(address) is near


DOOR = Door("192.168.1.20", 80, frozenset({"pulsepost.home"}))


@given(st.binary(max_size=400))
def test_any_octets_get_an_answer_and_not_the_page(octets: bytes) -> None:
    answer = respond(octets, DOOR, page, "en")
    assert answer.startswith(b"HTTP/1.1 4")
    assert SECRET.encode() not in answer


@given(st.text(max_size=60))
def test_any_other_host_is_told_nothing(host: str) -> None:
    if host.strip().lower() not in ("192.168.1.20", "pulsepost.home", "192.168.1.20:80", "pulsepost.home:80"):
        head = f"GET / HTTP/1.1\r\nHost: {host}".encode()
        assert SECRET.encode() not in respond(head, DOOR, page, "en")


def test_the_port_may_be_left_out_where_it_is_the_webs() -> None:
    for host in ("192.168.1.20", "pulsepost.home", "192.168.1.20:80"):
        assert SECRET.encode() in respond(f"GET / HTTP/1.1\r\nHost: {host}".encode(), DOOR, page, "en")
