"""The composition: roster, visits, publisher and heartbeat on one event loop, until told to stop.

One radio: Bluetooth visits come one after the other, started by an advertisement of a rostered device. Each cable
has a task of its own (not a thread), which visits when the device appears and at an interval. A device that fails is
visited ever more rarely; nobody else is concerned.
"""

import asyncio
import fcntl
import logging
import math
import os
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_drivers.errors import LinkError, LinkTimeout
from firmware_profiles.catalogue import Catalogue, catalogue
from firmware_profiles.schema import Profile
from gateway import clock, heartbeat
from gateway.bond_repair import BondRepair
from gateway.cables import Cable
from gateway.clock_watch import ClockWatch
from gateway.config import Config, Intervals
from gateway.outbox import Outbox, OutboxError, VisitRow
from gateway.passkeys import HomePasskeys
from gateway.publisher import Publisher
from gateway.roster import Roster, RosteredDevice, resolve
from gateway.visit import OpenLink, Outcome, VisitReport, visit, without_serial_numbers

if TYPE_CHECKING:  # bleak is loaded only where the roster has a Bluetooth device: it costs memory
    from device_drivers.links.ble import Advertisement, BleBackend
    from device_drivers.links.ports import RadioAdapter

log = logging.getLogger(__name__)

# A scanner that could not start or broke (bluetoothd restarting) is started again after so long.
SCANNER_RETRY_S = 5.0
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
        outbox = Outbox.open(outbox_path(config))
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
        self._roster: Roster = resolve(config.devices, profiles)
        kernel = clocks.kernel_synchronised if config.clock == "kernel" else lambda: True
        self._clock_watch = ClockWatch(clocks.now, clock.monotonic, kernel)
        self._publisher = Publisher(
            outbox,
            config.gateway_id,
            config.mqtt,
            config.password,
            status=lambda: heartbeat.status(outbox, clocks.now()),
            now=clocks.now,
            monotonic=clock.monotonic,
            receipt_timeout_s=config.intervals.receipt_timeout_s,
            reconnect_max_s=config.intervals.reconnect_max_s,
            on_receipt=self._clock_watch.told,
        )

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
            if self._roster.ble:
                tasks.append(group.create_task(_lasting(self._serve_radio()), name="radio"))
            if on_ready is not None:
                on_ready()
            try:
                await stop.wait()
            finally:
                await _end(tasks)
                await _end([publisher])

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
            report = await self._visit(device, cable.open)
            failures = 0 if report.outcome is Outcome.COMPLETE else failures + 1
            # What a device says unasked is lost on a port that nobody has open.
            pause = 0.0 if device.listens and failures == 0 else pause_s(self._config.intervals, failures)
            if await cable.disappears(pause):
                failures = 0  # plugged in again, it is a new start

    # Bluetooth ----------------------------------------------------------------------------------------------------

    async def _serve_radio(self) -> None:
        async with self._pairing_agent():
            repair = BondRepair(self._outbox, self._adapter)
            await self._listen(_RadioSchedule(self._config.intervals), repair)

    def _adapter(self) -> "RadioAdapter":
        from device_drivers.links.ble import adapter_of

        return adapter_of(self._backend, self._config.adapter)

    def _pairing_agent(self) -> AbstractAsyncContextManager[Any]:
        """Ours, for BlueZ; an injected backend pairs in its own way."""
        if self._backend is not None:
            return nullcontext()
        from device_drivers.links.bluez_agent import bluez_agent

        return bluez_agent(HomePasskeys(self._roster.ble, self._config.data_dir))

    async def _listen(self, schedule: "_RadioSchedule", repair: BondRepair) -> None:
        from device_drivers.links.ble import Scanner

        # Without a filter by service: some devices advertise theirs only in the scan response, or not at all.
        while True:
            try:
                quiet_s = self._config.intervals.scanner_quiet_s
                async with Scanner(backend=self._backend, adapter=self._config.adapter, quiet_s=quiet_s) as scanner:
                    async for advertisement in scanner:
                        if await self._answer(advertisement, schedule, repair):
                            break  # the adapter was off: this scan is not one any more
            except LinkTimeout as error:
                log.info("%s; scanning anew", error)  # a quiet home, or a scan that has stuck: it looks the same
                continue
            except LinkError as error:
                log.error("the radio cannot be used (%s); trying again in %g s", error, SCANNER_RETRY_S)
            await asyncio.sleep(SCANNER_RETRY_S)

    async def _answer(self, advertisement: "Advertisement", schedule: "_RadioSchedule", repair: BondRepair) -> bool:
        """Visit the device that advertises, and repair the way to it. True: scan anew."""
        device = self._roster.by_address(advertisement.address)
        if device is None or not schedule.is_due(device.name, clock.monotonic()):
            return False
        report = await self._visit(device, self._ble_opener(advertisement))
        schedule.visited(device.name, clock.monotonic(), complete=report.outcome is Outcome.COMPLETE)
        try:
            return await repair.after(device, report)
        except OutboxError as error:
            log.error("%s", error)
            return False

    def _ble_opener(self, advertisement: "Advertisement") -> OpenLink:
        from device_drivers.links.ble import connect

        def open_link(profile: Profile) -> AbstractAsyncContextManager[Any]:
            return connect(advertisement, profile, backend=self._backend, adapter=self._config.adapter)

        return open_link

    # ------------------------------------------------------------------------------------------------------------

    async def _visit(self, device: RosteredDevice, open_link: OpenLink) -> VisitReport:
        report = await visit(
            device,
            open_link,
            self._outbox,
            self._now,
            limit_s=self._config.intervals.visit_limit_s,
            on_put=self._publisher.wake,
            clock_synchronised=self._clock_watch.synchronised,
        )
        self._record(report)
        return report

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
        )
        try:
            self._outbox.record_visit(row)
        except OutboxError as error:
            log.error("%s", error)  # the report is a convenience: without it the readings are as safe as before


class _RadioSchedule:
    """When an advertisement of a device is answered: not during its cool-down, longer after failures."""

    def __init__(self, intervals: Intervals) -> None:
        self._intervals = intervals
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def is_due(self, name: str, monotonic: float) -> bool:
        return monotonic >= self._not_before.get(name, monotonic)

    def visited(self, name: str, monotonic: float, *, complete: bool) -> None:
        self._failures[name] = 0 if complete else self._failures.get(name, 0) + 1
        # A cuff advertises for half a minute after a measurement: the first failures are tried again at once.
        first = self._intervals.ble_cooldown_s if complete else min(1.0, self._intervals.ble_cooldown_s)
        self._not_before[name] = monotonic + min(
            doubled(first, self._failures[name] - 2), self._intervals.backoff_max_s
        )


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


def pause_s(intervals: Intervals, failures: int) -> float:
    """How long a serial device is left alone: its interval, doubled with each failure after the first."""
    ceiling = max(intervals.backoff_max_s, intervals.serial_visit_s)
    return min(doubled(intervals.serial_visit_s, failures - 1), ceiling)


def doubled(seconds: float, times: int) -> float:
    """``seconds`` doubled so many times; beyond 20 times every ceiling has been reached."""
    return math.ldexp(seconds, min(max(0, times), 20))
