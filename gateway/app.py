"""The composition: roster, visits, publisher and heartbeat on one event loop, until told to stop.

One radio: Bluetooth visits come one after the other, started by an advertisement of a rostered device. Each cable
has a task of its own (not a thread), which visits when the device appears and at an interval. A device that fails is
visited ever more rarely; nobody else is concerned.
"""

import asyncio
import fcntl
import logging
import os
import ssl
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firmware_profiles.catalogue import Catalogue, catalogue
from gateway import clock, heartbeat
from gateway.cables import Cable
from gateway.certificate_watch import CertificateWatch
from gateway.clock_watch import ClockWatch
from gateway.commands import DONE, Answer, BadBody, Command, Commands
from gateway.config import Config, DeviceEntry
from gateway.endings import Endings
from gateway.home import plan
from gateway.outbox import Outbox, OutboxError, VisitRow
from gateway.pairing import PairingDesk
from gateway.publisher import Publisher
from gateway.radio import Radio
from gateway.roster import Roster, RosteredDevice, resolve
from gateway.schedule import pause_s
from gateway.sightings import Sightings
from gateway.visit import OpenLink, Outcome, VisitReport, nothing_shown, visit, without_serial_numbers
from gateway.waiting import Waiting

if TYPE_CHECKING:  # loaded only where there is a Bluetooth device, or a page or lamps: they cost memory
    from device_drivers.links.ble import BleBackend
    from gateway.home.display import Display

log = logging.getLogger(__name__)

# A link that is closed in order needs up to 2 s on BlueZ; what has not ended then is cancelled again.
CANCEL_AGAIN_S = 4.0


class AlreadyRunning(Exception):
    """Another gateway process uses this data directory."""


def outbox_path(config: Config) -> Path:
    """The outbox's file."""
    return config.data_dir / "outbox.sqlite"


async def run(
    config: Config,
    *,
    ble_backend: "BleBackend | None" = None,
    on_ready: Callable[[], None] | None = None,
    stop: asyncio.Event | None = None,
    profiles: Catalogue | None = None,
    clocks: clock.Clocks = clock.THIS_COMPUTER,
) -> None:
    """Run a gateway until ``stop`` is set (without one: until cancelled).

    ``ble_backend`` is None in production (BlueZ), and ``clocks`` are this computer's. ``on_ready`` is called once
    everything runs; the broker need not be there for that. Raises OutboxError where the outbox cannot be opened,
    AlreadyRunning.
    """
    with _one_process(config.data_dir):
        outbox = Outbox.open(outbox_path(config), config.outbox_key_file)
        try:
            gateway = _Gateway(config, outbox, profiles or catalogue(), ble_backend, clocks)
            await gateway.run(on_ready, stop or asyncio.Event())
        finally:
            outbox.close()


@contextmanager
def _one_process(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise OutboxError(f"data_dir {data_dir} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise AlreadyRunning(f"another gateway runs on {data_dir}; stop it first") from error
    finally:
        os.close(lock)


class _Gateway:
    """One running gateway."""

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        profiles: Catalogue,
        backend: "BleBackend | None",
        clocks: clock.Clocks,
    ) -> None:
        self._config = config
        self._now = clocks.now
        self._outbox = outbox
        self._backend = backend
        self.sightings = Sightings(clocks.now)
        self._entries = list(_entries(config, outbox))
        self._roster: Roster = resolve(self._entries, profiles)
        kernel = clocks.kernel_synchronised if config.clock == "kernel" else lambda: True
        self._clock_watch = ClockWatch(clocks.now, clock.monotonic, kernel)
        self._endings = Endings()
        self._waiting = Waiting(clocks.now, clock.monotonic)
        self._certificates = CertificateWatch(config, self._use_identity, clocks.now, clock.monotonic)
        self._commands = Commands(
            outbox, clocks.now, clock.monotonic, self._clock_watch.synchronised, on_news=self._say_commands
        )
        self._heart = heartbeat.Heart(
            outbox,
            self._entries,
            self.sightings,
            clocks.now,
            self._clock_watch.synchronised,
            self._certificates.until,
            self._commands.states,
        )
        self._publisher = Publisher(
            outbox,
            config.gateway_id,
            config.mqtt,
            config.password,
            status=self._heart.status,
            now=clocks.now,
            monotonic=clock.monotonic,
            by_certificate=config.cloud is not None,
            receipt_timeout_s=config.intervals.receipt_timeout_s,
            reconnect_max_s=config.intervals.reconnect_max_s,
            on_receipt=self._on_receipt,
            on_command=self._commands.received,
            waiting=self._waiting,
        )
        self._radio_is_needed = asyncio.Event()
        if self._roster.ble:
            self._radio_is_needed.set()
        self._pairing = PairingDesk(
            self._commands,
            self._roster,
            profiles,
            outbox,
            on_begin=self._radio_is_needed.set,
            on_change=self._devices_changed,
        )
        self._display = self._made_display()
        self._commands.add(plan.KIND, self._take_plan)

    def _made_display(self) -> "Display | None":
        if self._config.home is None:
            return None
        from gateway.home.display import Display  # here alone: see TYPE_CHECKING above

        return Display(self._config.home, self._outbox, self._kinds, self._publisher.connected.is_set, self._now)

    def _kinds(self) -> list[tuple[str, str]]:
        """What each device that can be read measures."""
        roster = self._roster
        return [(device.name, device.file.device.kind) for device in (*roster.serial, *roster.hid, *roster.ble)]

    def _take_plan(self, command: Command) -> Answer:
        """Kept also where nobody shows it yet; it says nothing about a person. BadBody."""
        try:
            said = plan.plan_of(command.body)
        except plan.BadPlan as error:
            raise BadBody(str(error)) from error
        octets = self._outbox.plan()
        before = plan.decoded(octets) if octets is not None else None
        if before is None or before.said_at <= said.said_at:
            self._outbox.keep_plan(plan.encoded(said))
        return DONE

    def _on_receipt(self, cloud_time: datetime, sent_s_ago: float | None) -> None:
        self._clock_watch.told(cloud_time, sent_s_ago)
        self._certificates.told(cloud_time)

    async def run(self, on_ready: Callable[[], None] | None, stop: asyncio.Event) -> None:
        self._report_problems()
        async with asyncio.TaskGroup() as group:
            publisher = group.create_task(_lasting(self._publisher.run()), name="publisher")
            beat = heartbeat.beat(self._publisher.say_status, self._config.intervals.heartbeat_s)
            on_cables = (*self._roster.serial, *self._roster.hid)
            tasks = [
                group.create_task(_lasting(beat), name="heartbeat"),
                *(group.create_task(_lasting(self._serve_cable(d)), name=f"cable {d.name}") for d in on_cables),
            ]
            if self._config.cloud is not None:
                tasks.append(group.create_task(_lasting(self._certificates.run()), name="certificate"))
            if self._display is not None:
                tasks.append(group.create_task(_lasting(self._display.run()), name="display"))
            tasks.append(group.create_task(_lasting(self._serve_radio()), name="radio"))
            if on_ready is not None:
                on_ready()
            try:
                await stop.wait()
            finally:
                await _end(tasks)
                await _end([publisher])

    def _use_identity(self, context: ssl.SSLContext) -> None:
        self._publisher.use_identity(context)

    async def _serve_radio(self) -> None:
        """From the first Bluetooth device on, which may come from afar: the radio's libraries cost memory."""
        await self._radio_is_needed.wait()
        await self._radio().run()

    def _devices_changed(self) -> None:
        """A device was added from afar, or taken away."""
        try:
            self._entries[:] = _entries(self._config, self._outbox)
        except OutboxError as error:
            log.error("%s", error)
        self._say_news()

    def _radio(self) -> Radio:
        return Radio(
            self._roster,
            self._config,
            self._outbox,
            self._visit,
            self._record,
            self.sightings,
            self._now,
            self._pairing,
            on_repair=self._say_news,
            backend=self._backend,
        )

    def _report_problems(self) -> None:
        for problem in self._roster.problems:
            log.error("%s is not visited: %s", problem.name, problem.reason)
            report = VisitReport(
                name=problem.name, outcome=Outcome.NO_PROFILE, reason=problem.reason, started_at=self._now()
            )
            self._record(report)

    # Cables -------------------------------------------------------------------------------------------------------

    async def _serve_cable(self, device: RosteredDevice) -> None:
        cable = Cable(device.entry, self._config.gateway_id)
        failures = 0
        while True:
            await cable.appearance()
            self.sightings.note(device.name)
            report = await self._visit(device, cable.open)
            complete = report.outcome is Outcome.COMPLETE
            # A full disk is no failure of the device: it is tried again at its interval.
            failures = 0 if complete else failures + (report.outcome is not Outcome.OUTBOX_FAILED)
            # What a device says unasked is lost on a port that nobody has open.
            pause = 0.0 if device.listens and complete else pause_s(self._config.intervals, failures)
            if await cable.disappears(pause):
                failures = 0  # plugged in again, it is a new start

    async def _visit(self, device: RosteredDevice, open_link: OpenLink) -> VisitReport:
        report = await visit(
            device,
            open_link,
            self._outbox,
            self._now,
            limit_s=self._config.intervals.visit_limit_s,
            on_put=self._publisher.wake,
            clock_synchronised=self._clock_watch.synchronised,
            endings=self._endings,
            waiting=self._waiting,
            shown=self._display.shown if self._display is not None else nothing_shown,
        )
        self._record(report)
        return report

    def _say_news(self) -> None:
        """Say at once what somebody may have to act on; the heartbeat says the rest."""
        try:
            if self._heart.has_news():
                self._publisher.say_status()
        except OutboxError as error:
            log.error("%s", error)

    def _say_commands(self) -> None:
        """What became of a command is told at once, also where it is asked for again."""
        self._publisher.say_status()

    def _record(self, report: VisitReport) -> None:
        good = report.outcome is Outcome.COMPLETE
        text = "%s: %s, %d readings, %d new (%s)"
        log.log(
            logging.INFO if good else logging.WARNING,
            text,
            report.name,
            report.outcome,
            report.received,
            report.new,
            report.reason,
        )
        for warning in report.warnings:
            log.warning("%s: %s", report.name, warning)
        if report.outcome is Outcome.NO_PROFILE and report.identity is not None:
            log.warning("%s: what answers is %s", report.name, without_serial_numbers(report.identity))
        row = VisitRow(
            name=report.name,
            at=report.started_at,
            outcome=report.outcome,
            reason=report.reason,
            received=report.received,
            new=report.new,
            holds=report.holds,
            identity=report.identity,
            complete_at=report.ended_at,
            battery_low=report.battery_low,
        )
        try:
            self._outbox.record_visit(row)
        except OutboxError as error:
            log.error("%s", error)  # the report is a convenience: without it the readings are as safe as before
        self._say_news()


def _entries(config: Config, outbox: Outbox) -> Iterator[DeviceEntry]:
    """The configuration's devices, and those that were added from afar; the configuration wins. OutboxError."""
    yield from config.devices
    names = {entry.name for entry in config.devices}
    addresses = {entry.address.upper() for entry in config.devices if entry.address}
    for entry in outbox.paired():
        if entry.name not in names and (entry.address or "").upper() not in addresses:
            yield entry


async def _lasting(work: Coroutine[Any, Any, None]) -> None:
    """What must run for as long as the gateway. RuntimeError where it ends, or is cancelled, and nobody asked for that.

    A task group takes a cancelled task for a finished one and goes on without it, silently.
    """
    try:
        await work
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
    task = asyncio.current_task()
    raise RuntimeError(f"the task {task.get_name() if task else ''!r} ended by itself")


async def _end(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel until all have ended: a library below may swallow a cancellation (asyncio.wait_for did before 3.12)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
