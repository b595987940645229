"""The service as the network sees it."""

import asyncio
import logging
import ssl
import warnings
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from cloud.enrolment import app, codes, revocations
from gateway.wire import enrolment as wire
from tests.fix_enrolment import EnrolmentService, signing_request


def client(service: EnrolmentService) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=service.authority_file)
    return httpx.AsyncClient(base_url=service.url, verify=context, timeout=30)


def asked(code: str, name: str = "home-1") -> bytes:
    return msgspec.json.encode(wire.CertificateRequest(code=code, csr=signing_request(name)[0]))


async def test_wrong_used_and_expired_codes_get_the_same_answer(
    enrolment: EnrolmentService, caplog: pytest.LogCaptureFixture
) -> None:
    used, another = await enrolment.code("home-2"), await enrolment.code("home-3")
    async with client(enrolment) as http:
        assert (await http.post(wire.CERTIFICATES, content=asked(used, "home-2"))).status_code == 200
        sent = [(codes.draw(), "home-1"), (used, "home-2"), (another, "home-1")]
        answers = [await http.post(wire.CERTIFICATES, content=asked(*each)) for each in sent]
    told = {(answer.status_code, answer.json()["reason"], answer.json()["sentence"]) for answer in answers}
    assert told == {(403, "code", "This code is wrong, used up or expired. Ask for a new one.")}
    for reason in ("unknown_code", "used_code", "code_of_another_gateway"):
        assert reason in caplog.text


async def test_a_hundred_uses_of_one_code_at_once_give_one_certificate(enrolment: EnrolmentService) -> None:
    code = await enrolment.code("home-1")
    enrolment.allow_failures(1000)
    async with client(enrolment) as http:
        answers = await asyncio.gather(*(http.post(wire.CERTIFICATES, content=asked(code)) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] + [403] * 99
    assert enrolment.rows("SELECT count(*) FROM gateway_certificate") == [(1,)]


async def test_whoever_guesses_is_told_to_wait(enrolment: EnrolmentService) -> None:
    async with client(enrolment) as http:
        answers = [await http.post(wire.CERTIFICATES, content=asked(codes.draw())) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]


async def test_nobody_can_name_another_address(enrolment: EnrolmentService) -> None:
    async with client(enrolment) as http:
        for number in range(11):
            answer = await http.post(
                wire.CERTIFICATES, content=asked(codes.draw()), headers={"X-Forwarded-For": f"192.0.2.{number}"}
            )
    assert answer.status_code == 429
    assert enrolment.rows("SELECT DISTINCT host(address) FROM enrolment_failure") == [("127.0.0.1",)]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"code": 5, "csr": ""}', b"\xff\xfe", b"x" * 20_000])
@pytest.mark.parametrize("path", [wire.CERTIFICATES, wire.RENEWALS])
async def test_what_cannot_be_read_is_refused_in_order(enrolment: EnrolmentService, path: str, body: bytes) -> None:
    async with client(enrolment) as http:
        answer = await http.post(path, content=body)
    assert answer.status_code == 400
    assert answer.json()["reason"] == "request"


async def test_there_is_nothing_else_to_see(enrolment: EnrolmentService) -> None:
    async with client(enrolment) as http:
        for path in ("/", "/docs", "/openapi.json", wire.CERTIFICATES):
            assert (await http.get(path)).status_code in (404, 405)
        health = await http.get("/healthz")
    assert (health.status_code, health.text) == (200, "ok\n")


async def test_no_code_and_no_key_is_in_the_log_or_the_audit(
    enrolment: EnrolmentService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, wrong = await enrolment.code("home-1"), codes.draw()
    async with client(enrolment) as http:
        for code in (wrong, good, good):
            await http.post(wire.CERTIFICATES, content=asked(code))
    written = caplog.text + str(enrolment.rows("SELECT to_jsonb(a) FROM audit a"))
    assert "home-1" in written
    for secret in (good, wrong, "PRIVATE KEY"):
        assert secret not in written
        assert secret.replace("-", "") not in written


async def test_a_service_that_cannot_shut_the_revoked_out_is_missed(
    enrolment: EnrolmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "LOOK_EVERY_S", 0.1)
    listed = enrolment.broker.door.revocation_list
    async with client(enrolment) as http:
        assert (await http.get("/healthz")).status_code == 200
        listed.unlink()
        listed.mkdir()  # what no file can replace
        await http.post(wire.CERTIFICATES, content=asked(await enrolment.code("home-1")))  # makes it look
        enrolment.clock.ahead = 2 * revocations.IN_FORCE_WITHIN
        health = await http.get("/healthz")
        assert (health.status_code, health.text) == (503, "the list of revoked certificates is not in force\n")
        listed.rmdir()
        async with asyncio.timeout(20):
            while (await http.get("/healthz")).status_code != 200:  # noqa: ASYNC110 -- it looks again by itself
                await asyncio.sleep(0.05)


HEAD = b"POST /enrolment/v1/certificates HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 1000\r\n\r\n{"])
async def test_whoever_sends_slowly_or_nothing_is_hung_up_on(
    enrolment: EnrolmentService, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(app, "CONNECTION_WITHIN_S", 0.5)
    reader, writer = await connected(enrolment)
    writer.write(sent)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_a_body_without_an_end_is_answered_and_not_waited_for(enrolment: EnrolmentService) -> None:
    reader, writer = await connected(enrolment)
    writer.write(HEAD + b"Content-Length: 10000000\r\n\r\n" + b"x" * 20_000)
    async with asyncio.timeout(app.CONNECTION_WITHIN_S / 2):
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()


async def connected(service: EnrolmentService) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = ssl.create_default_context(cafile=service.authority_file)
    address = urlsplit(service.url)
    return await asyncio.open_connection(address.hostname, address.port, ssl=context)


async def test_an_older_tls_is_not_spoken(enrolment: EnrolmentService) -> None:
    context = ssl.create_default_context(cafile=enrolment.authority_file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    address = urlsplit(enrolment.url)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):  # the refusal, or what is left of it
        await asyncio.open_connection(address.hostname, address.port, ssl=context)
