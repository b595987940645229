"""How each fault is done. Each is real: a signal to a process, a connection that ends, a disk without room."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from deploy.chaos import clock
from deploy.chaos.kinds import Kind
from deploy.chaos.plan import Fault
from deploy.chaos.stage import DISK_ERRORS, Stage
from deploy.chaos.truth import Jump, Truth
from deploy.demo import set_clock

# A link that is to be cut at an octet is cut without it where so little passes.
OCTETS_WITHIN_S = 2.0
DELAY_S = 0.15

Strike = Callable[[Fault], Awaitable[None]]


class Strikes:
    """Does faults to a stage, and tells the truth of what only we can know: when the clock was wrong."""

    def __init__(self, stage: Stage, truth: Truth) -> None:
        self._stage = stage
        self._truth = truth
        self._how: Mapping[Kind, Strike] = {
            Kind.GATEWAY_KILLED: self._kill("gateway"),
            Kind.INGEST_1_KILLED: self._kill("ingest-1"),
            Kind.INGEST_2_KILLED: self._kill("ingest-2"),
            Kind.CONSOLE_KILLED: self._kill("console"),
            Kind.BROKER_KILLED: self._kill_broker,
            Kind.BROKER_WIPED: self._wipe_broker,
            Kind.DATABASE_KILLED: self._kill_database,
            Kind.GATEWAY_LINK_CUT: self._cut,
            Kind.INGEST_LINK_CUT: self._cut,
            Kind.DATABASE_LINK_CUT: self._cut,
            Kind.LINK_BLACK_HOLED: self._black_hole,
            Kind.LINK_DELAYED: self._delay,
            Kind.DISK_FULL: self._fill_disk,
            Kind.CLOCK_JUMP: self._jump,
            Kind.DEVICE_UNPLUGGED: self._unplug,
            Kind.GATEWAY_RESTORED: self._restore,
        }

    async def strike(self, fault: Fault) -> None:
        """Do it, and wait until what it broke is mended. NotReady, ServiceFailed where it cannot be."""
        await self._how[fault.kind](fault)

    async def back_up(self) -> None:
        """Copy the gateway's data while it runs; a disk that is full or being replaced is passed over."""
        async with self._stage.disk_lock:
            try:
                await asyncio.to_thread(self._stage.backups.make)
            except DISK_ERRORS:
                return

    def _kill(self, name: str) -> Strike:
        async def kill(fault: Fault) -> None:
            await self._stage.parts[name].kill_for(fault.for_s)

        return kill

    async def _kill_broker(self, fault: Fault) -> None:
        await self._take_broker_down(fault.for_s)

    async def _wipe_broker(self, fault: Fault) -> None:
        await self._take_broker_down(fault.for_s, wipe=True)

    async def _take_broker_down(self, for_s: float, *, wipe: bool = False) -> None:
        async with self._stage.broker_lock:
            await asyncio.to_thread(self._stage.broker.kill)
            if wipe:
                await asyncio.to_thread(self._stage.broker.wipe)
            await asyncio.sleep(for_s)
            await asyncio.to_thread(self._stage.broker.start)

    async def _kill_database(self, fault: Fault) -> None:
        async with self._stage.database_lock:
            await asyncio.to_thread(self._stage.database.kill)
            await asyncio.sleep(fault.for_s)
            await asyncio.to_thread(self._stage.database.start)

    async def _cut(self, fault: Fault) -> None:
        await self._stage.links[fault.link].cut_after(fault.octets, fault.direction, OCTETS_WITHIN_S)

    async def _black_hole(self, fault: Fault) -> None:
        await self._stage.links[fault.link].black_hole(fault.for_s)

    async def _delay(self, fault: Fault) -> None:
        link = self._stage.links[fault.link]
        link.delay_s = DELAY_S
        await asyncio.sleep(fault.for_s)
        link.delay_s = 0.0

    async def _fill_disk(self, fault: Fault) -> None:
        async with self._stage.disk_lock:
            await asyncio.to_thread(self._stage.disk.fill)
            await asyncio.sleep(fault.for_s)
            self._stage.disk.free()

    async def _jump(self, fault: Fault) -> None:
        async with self._stage.clock_lock:
            begin = clock.now()
            set_clock.write(self._stage.clock_file, set_clock.Setting(offset_s=fault.offset_s, synchronised=False))
            await asyncio.sleep(fault.for_s)
            set_clock.write(self._stage.clock_file, set_clock.Setting())
            self._truth.jumps.append(Jump(begin, clock.now(), timedelta(seconds=fault.offset_s)))

    async def _unplug(self, fault: Fault) -> None:
        order = {"device": fault.device, "unplug": {"after": fault.octets, "for_s": fault.for_s}}
        await self._stage.simulated.child.say(json.dumps(order))

    async def _restore(self, fault: Fault) -> None:
        stage = self._stage
        async with stage.disk_lock, stage.gateway.lock:
            await stage.gateway.kill()
            await asyncio.to_thread(stage.backups.put_back, fault.back)
            await asyncio.sleep(fault.for_s)
            await stage.gateway.up()
