"""A gateway gets its certificate, and the next one: the real service, the real broker, processes that are killed."""

import asyncio
import signal
import ssl
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from cloud import clock as cloud_clock
from cloud.enrolment import codes
from cloud.pki.authority import Authority
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import RecordSpec
from gateway import certificate_watch, config, identity
from gateway.certificate_watch import CertificateWatch
from gateway.enrolment import PENDING, renew
from gateway.outbox import Outbox
from tests.fix_enrolment import EnrolmentService, identity_signed_by, kept
from tests.fix_gateway import GATEWAY_ID, FakeCloud, eventually
from tests.gateway.test_app import ULTRAMINI, everything_freed, meter, process, ready, running

REFUSED, UNREACHABLE = 5, 6


def written(folder: Path, service: EnrolmentService, *urls: str, cloud_url: str | None = None) -> Path:
    """A gateway's configuration, with meters at these URLs."""
    devices = "".join(
        f'[[device]]\nname = "meter-{number}"\nprofile = "{ULTRAMINI}"\nurl = "{url}"\n'
        for number, url in enumerate(urls)
    )
    door = service.broker.door
    path = folder / "gateway.toml"
    path.write_text(
        f'gateway_id = "{GATEWAY_ID}"\ndata_dir = "data"\n'
        f'[cloud]\nurl = "{cloud_url or service.url}"\nca_file = "{service.authority_file}"\n'
        f'[mqtt]\nhost = "{door.host}"\nport = {door.port}\n'
        f"[intervals]\nserial_visit_s = 0.2\nbackoff_max_s = 0.2\nreconnect_max_s = 1\n{devices}"
    )
    return path


async def command(name: str, path: Path, typed: str = "") -> tuple[int | None, str]:
    """``python -m gateway NAME CONFIG`` to its end; its exit code and all that it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", name, str(path), stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(child.communicate(f"{typed}\n".encode()), 60)
    return child.returncode, said.decode()


async def enrolled(path: Path, service: EnrolmentService) -> identity.Identity:
    code, said = await command("enrol", path, await service.code(GATEWAY_ID))
    assert code == 0, said
    made = identity.load(path.parent / "data")
    assert made is not None
    return made


def serial(made: identity.Identity) -> int:
    return x509.load_pem_x509_certificate(made.certificate.encode()).serial_number


async def test_an_enrolled_gateway_is_let_in_and_its_readings_are_freed(
    enrolment: EnrolmentService, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(5)) as door:
        path = written(tmp_path, enrolment, door.url)
        made = await enrolled(path, enrolment)
        async with running(path):
            await eventually(everything_freed(path, 5))
            await cloud.until(lambda: any(status.certificate_until for status in cloud.statuses))
    assert {status.certificate_until for status in cloud.statuses if status.state == "online"} == {made.valid_until}
    assert f"u'{GATEWAY_ID}'" in enrolment.broker.log()


async def test_the_identity_is_its_owners_alone_and_the_key_never_left(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    made = await enrolled(path, enrolment)
    file = identity.path_in(tmp_path / "data")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.key.startswith("-----BEGIN PRIVATE KEY-----")
    assert sorted(entry.name for entry in (tmp_path / "data").iterdir()) == [identity.FILE]
    held = str(enrolment.rows("SELECT to_jsonb(c) FROM enrolment_code c"))
    assert "CERTIFICATE" in held
    assert "PRIVATE KEY" not in held


async def test_a_gateway_that_runs_unenrolled_keeps_its_readings_and_comes_in_when_it_is_enrolled(
    enrolment: EnrolmentService, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(5)) as door:
        path = written(tmp_path, enrolment, door.url)
        async with running(path):
            await eventually(lambda: waiting(path) == 5)
            await enrolled(path, enrolment)
            await eventually(everything_freed(path, 5))


def waiting(path: Path) -> int:
    outbox = Outbox.read_only(path.parent / "data" / "outbox.sqlite")
    try:
        return outbox.depth().rows
    finally:
        outbox.close()


async def test_a_code_that_is_wrong_or_used_is_refused_with_what_to_do(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    used = await enrolment.code(GATEWAY_ID)
    assert (await command("enrol", path, used))[0] == 0
    for code in (codes.draw(), used):
        assert await command("enrol", path, code) == (
            REFUSED,
            "This code is wrong, used up or expired. Ask for a new one.\n",
        )
    assert (await command("enrol", path))[0] == 2


async def test_a_cloud_that_cannot_be_reached_is_said_with_what_to_check(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    code, said = await command("enrol", written(tmp_path, enrolment, cloud_url="https://127.0.0.1:9"), codes.draw())
    assert (code, "check the network and [cloud] url" in said) == (UNREACHABLE, True)


async def test_a_cloud_that_nobody_vouches_for_gets_no_code(
    enrolment: EnrolmentService, other_authority: Authority, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(other_authority.pem)
    path.write_text(path.read_text().replace(str(enrolment.authority_file), str(stranger)))
    code, said = await command("enrol", path, await enrolment.code(GATEWAY_ID))
    assert (code, "cannot be trusted" in said) == (UNREACHABLE, True)
    assert enrolment.rows("SELECT count(*) FROM enrolment_failure") == [(0,)]


class Link:
    """A link to the service that lets nothing through, or everything but what comes after the commit."""

    def __init__(self, url: str, committed: Callable[[], bool] | None = None) -> None:
        self._target = urlsplit(url)
        self._committed = committed
        self.asked = asyncio.Event()
        self.answered = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Its URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        try:
            if self._committed is None:
                await reader.read()
            else:
                await self._forward(reader, writer, self._committed)
        except ConnectionError:
            pass  # it was killed
        finally:
            writer.close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committed: Callable[[], bool]
    ) -> None:
        upstream, towards = await asyncio.open_connection(self._target.hostname, self._target.port)
        there = asyncio.create_task(copied(reader, towards))
        try:
            while octets := await upstream.read(65536):
                if committed():
                    self.answered.set()
                else:
                    writer.write(octets)
                    await writer.drain()
        finally:
            there.cancel()
            await asyncio.wait([there])
            towards.close()


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
        writer.write_eof()


async def killed(path: Path, code: str, moment: asyncio.Event) -> None:
    """`enrol`, killed at this moment."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "enrol", str(path), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    assert child.stdin is not None
    child.stdin.write(f"{code}\n".encode())
    await asyncio.wait_for(moment.wait(), 30)
    child.kill()
    await child.communicate()


async def test_kill_minus_nine_before_the_cloud_has_heard_leaves_a_code_that_is_good(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    code, link = await enrolment.code(GATEWAY_ID), Link(enrolment.url)
    async with link.open() as url:
        await killed(written(tmp_path, enrolment, cloud_url=url), code, link.asked)
    pending = (tmp_path / "data" / PENDING).read_bytes()
    assert (await command("enrol", written(tmp_path, enrolment), code))[0] == 0
    made = identity.load(tmp_path / "data")
    assert made is not None
    assert made.key.encode() == pending


async def test_kill_minus_nine_after_the_cloud_has_signed_and_before_we_know_gets_the_same_certificate_again(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    code = await enrolment.code(GATEWAY_ID)
    link = Link(enrolment.url, lambda: bool(enrolment.rows("SELECT serial_number FROM gateway_certificate")))
    async with link.open() as url:
        await killed(written(tmp_path, enrolment, cloud_url=url), code, link.answered)
    assert identity.load(tmp_path / "data") is None
    assert (await command("enrol", written(tmp_path, enrolment), code))[0] == 0
    [(signed,)] = enrolment.rows("SELECT serial_number FROM gateway_certificate")
    made = identity.load(tmp_path / "data")
    assert made is not None
    assert serial(made) == signed


async def test_kill_minus_nine_between_writing_the_identity_down_and_forgetting_the_key_draws_a_new_key_next_time(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    made = await enrolled(path, enrolment)
    identity.replace_private(tmp_path / "data" / PENDING, made.key)
    again = await enrolled(path, enrolment)
    assert again.key != made.key


async def test_a_half_written_key_is_drawn_anew(enrolment: EnrolmentService, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / PENDING).write_text("-----BEGIN PRIVATE KEY-----\nMIGH")
    await enrolled(written(tmp_path, enrolment), enrolment)


async def test_a_damaged_identity_is_said_and_a_new_code_mends_it(enrolment: EnrolmentService, tmp_path: Path) -> None:
    path = written(tmp_path, enrolment)
    await enrolled(path, enrolment)
    file = identity.path_in(tmp_path / "data")
    file.write_text(file.read_text()[:300])
    with pytest.raises(identity.IdentityError, match="enrol this gateway again"):
        identity.load(tmp_path / "data")
    await enrolled(path, enrolment)


async def test_a_lost_gateway_that_is_enrolled_again_keeps_its_outbox(
    enrolment: EnrolmentService, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.answering = False
    async with PtyDoor(meter(30)) as door:
        path = written(tmp_path, enrolment, door.url)
        old = await enrolled(path, enrolment)
        async with running(path):
            await eventually(lambda: waiting(path) == 30)
            await enrolment.revoke(GATEWAY_ID)
            await eventually(lambda: "certificate verify failed" in enrolment.broker.log())
        assert waiting(path) == 30
        cloud.answering = True
        new = await enrolled(path, enrolment)
        async with running(path):
            await eventually(everything_freed(path, 30))
    assert serial(new) != serial(old)
    assert len(cloud.received()) == 30


async def test_a_renewal_gives_a_new_key_and_the_old_certificate_counts_on(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    old = await enrolled(path, enrolment)
    assert (await command("renew", path))[0] == 0
    new = identity.load(tmp_path / "data")
    assert new is not None
    assert (serial(new) != serial(old), new.key != old.key) == (True, True)
    [(ahead,)] = enrolment.rows("SELECT revoked_at - issued_at FROM gateway_certificate WHERE how = 'enrolment'")
    assert isinstance(ahead, timedelta)
    assert ahead > timedelta(days=6)


async def test_a_gateway_whose_clock_is_wrong_renews_by_the_clouds_time(
    enrolment: EnrolmentService, tmp_path: Path
) -> None:
    path = written(tmp_path, enrolment)
    await enrolled(path, enrolment)
    wrong = cloud_clock.now() - timedelta(days=800)
    renewed = await asyncio.to_thread(renew, config.load(path), lambda: wrong)
    assert renewed.gateway_id == GATEWAY_ID


async def test_a_revoked_gateway_cannot_renew(enrolment: EnrolmentService, tmp_path: Path) -> None:
    path = written(tmp_path, enrolment)
    await enrolled(path, enrolment)
    await enrolment.revoke(GATEWAY_ID)
    code, said = await command("renew", path)
    assert (code, said) == (
        REFUSED,
        "This certificate cannot be renewed. Enrol the gateway again, with a new code.\n",
    )


async def nearly_over(service: EnrolmentService, authority: Authority, folder: Path) -> identity.Identity:
    """A gateway whose certificate has ten of its ninety days left."""
    made = identity_signed_by(authority, GATEWAY_ID, at=cloud_clock.now() - timedelta(days=80))
    await service.note(made)
    kept(made, folder / "data")
    return made


def renewed(old: identity.Identity, folder: Path) -> Callable[[], bool]:
    def check() -> bool:
        present = identity.load(folder / "data")
        return present is not None and present.certificate != old.certificate

    return check


async def test_a_certificate_about_to_end_is_renewed_at_the_start_and_readings_flow_on(
    enrolment: EnrolmentService, clone_authority: Authority, cloud: FakeCloud, tmp_path: Path
) -> None:
    old = await nearly_over(enrolment, clone_authority, tmp_path)
    async with PtyDoor(meter(100)) as door:
        path = written(tmp_path, enrolment, door.url)
        async with running(path):
            await eventually(renewed(old, tmp_path), 30)
            for number in range(20):
                door.line.device.measure(RecordSpec(value=str(100 + number)))
                await asyncio.sleep(0)
            await eventually(everything_freed(path, 120), 40)
            until = max(status.certificate_until or old.valid_until for status in cloud.statuses)
    assert until > old.valid_until
    assert len(cloud.received()) == 120
    assert enrolment.broker.log().count(f"u'{GATEWAY_ID}'") == 2


async def test_a_gateway_whose_clock_is_years_ahead_does_not_renew_in_a_circle(
    enrolment: EnrolmentService, clone_authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await nearly_over(enrolment, clone_authority, tmp_path)
    monkeypatch.setattr(certificate_watch, "LOOK_EVERY_S", 0.01)
    used: list[ssl.SSLContext] = []
    looks = 0

    def monotonic() -> float:
        nonlocal looks
        looks += 1
        return float(looks)

    years_ahead = cloud_clock.now() + timedelta(days=5000)
    settings = config.load(written(tmp_path, enrolment))
    watch = CertificateWatch(settings, used.append, lambda: years_ahead, monotonic)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watch.run())
        await eventually(lambda: len(used) == 2, 30)
        seen = looks
        await eventually(lambda: looks > seen + 200, 30)
        running.cancel()
    assert len(used) == 2
    assert enrolment.rows("SELECT count(*) FROM gateway_certificate WHERE how = 'renewal'") == [(1,)]


async def test_a_gateway_whose_clock_stays_behind_renews_by_the_clouds(
    enrolment: EnrolmentService, clone_authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await nearly_over(enrolment, clone_authority, tmp_path)
    monkeypatch.setattr(certificate_watch, "LOOK_EVERY_S", 0.01)
    used: list[ssl.SSLContext] = []
    at_boot = datetime(1970, 1, 1, tzinfo=UTC)
    since_boot = 0.0
    settings = config.load(written(tmp_path, enrolment))
    watch = CertificateWatch(settings, used.append, lambda: at_boot, lambda: since_boot)
    watch.told(old.valid_from)
    watch.told(datetime(1980, 1, 1, tzinfo=UTC))  # a receipt that was on its way for long
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watch.run())
        await eventually(lambda: len(used) == 1)
        assert not renewed(old, tmp_path)()
        since_boot = (old.renew_at - old.valid_from).total_seconds()
        await eventually(renewed(old, tmp_path), 30)
        running.cancel()


async def test_a_renewal_that_fails_is_tried_again_and_the_readings_flow_on(
    enrolment: EnrolmentService, clone_authority: Authority, cloud: FakeCloud, tmp_path: Path
) -> None:
    old = await nearly_over(enrolment, clone_authority, tmp_path)
    async with PtyDoor(meter(5)) as door:
        path = written(tmp_path, enrolment, door.url, cloud_url="https://127.0.0.1:9")
        async with process("run", path) as child:
            await ready(child)
            await eventually(everything_freed(path, 5), 40)
            assert child.stderr is not None
            async with asyncio.timeout(30):
                while "the certificate was not renewed" not in (line := (await child.stderr.readline()).decode()):
                    pass
    assert "again in 60 s" in line
    assert not renewed(old, tmp_path)()


async def test_no_code_and_no_key_is_in_the_log_or_on_a_command_line(
    enrolment: EnrolmentService, clone_authority: Authority, cloud: FakeCloud, tmp_path: Path
) -> None:
    path, code, link = written(tmp_path, enrolment), await enrolment.code(GATEWAY_ID), Link(enrolment.url)
    async with link.open() as url:
        slow = written(tmp_path, enrolment, cloud_url=url)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "enrol", str(slow), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert child.stdin is not None
        child.stdin.write(f"{code}\n".encode())
        await asyncio.wait_for(link.asked.wait(), 30)
        seen = b"".join(Path(f"/proc/{child.pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        child.kill()
        await child.communicate()
    assert code.encode() not in seen
    written(tmp_path, enrolment)
    assert (await command("enrol", path, code))[0] == 0
    old = await nearly_over(enrolment, clone_authority, tmp_path)
    async with process("run", path) as child:
        await ready(child)
        await eventually(renewed(old, tmp_path), 30)
        child.send_signal(signal.SIGTERM)
        _, said = await child.communicate()
    made = identity.load(tmp_path / "data")
    assert made is not None
    for secret in (code, made.key.splitlines()[1], "PRIVATE KEY"):
        assert secret not in said.decode()


async def test_a_running_gateway_loads_no_library_for_certificates(
    enrolment: EnrolmentService, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(1)) as door:
        path = written(tmp_path, enrolment, door.url)
        await enrolled(path, enrolment)
        async with process("run", path) as child:
            await ready(child)
            await eventually(everything_freed(path, 1), 40)
            loaded = Path(f"/proc/{child.pid}/maps").read_text()
    assert "_ssl" in loaded
    assert "cryptography" not in loaded


async def test_another_gateways_identity_is_not_used(
    enrolment: EnrolmentService, clone_authority: Authority, tmp_path: Path
) -> None:
    kept(identity_signed_by(clone_authority, "home-2"), tmp_path / "data")
    async with process("run", written(tmp_path, enrolment)) as child:
        await ready(child)
        assert child.stderr is not None
        async with asyncio.timeout(20):
            while "the identity is of gateway home-2" not in (await child.stderr.readline()).decode():
                pass
    assert "home-2" not in enrolment.broker.log()


async def test_a_refused_certificate_is_said_with_what_to_do_and_loses_nothing(
    enrolment: EnrolmentService, clone_authority: Authority, tmp_path: Path
) -> None:
    expired = identity_signed_by(clone_authority, GATEWAY_ID, at=cloud_clock.now() - timedelta(days=91))
    kept(expired, tmp_path / "data")
    async with PtyDoor(meter(3)) as door:
        path = written(tmp_path, enrolment, door.url)
        async with process("run", path) as child:
            await ready(child)
            assert child.stderr is not None
            async with asyncio.timeout(60):
                while "has expired; enrol this gateway again" not in (await child.stderr.readline()).decode():
                    pass
            await eventually(lambda: waiting(path) == 3)
