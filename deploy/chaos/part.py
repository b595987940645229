"""A process that is kept running, as systemd keeps it on a real machine: whenever it ends, it is started again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from deploy.demo.processes import Child, NotReady

RESTART_S = 0.2
GIVE_UP_S = 180.0


class Part:
    """One process of the road. ``lock`` is held by whoever takes it down, until it runs again."""

    def __init__(self, name: str, start: Callable[[], Awaitable[Child]], say: Callable[[str], None]) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        self.fell = 0  # how often it ended without having been killed by us
        self._start = start
        self._say = say
        self._child: Child | None = None
        self._watch: asyncio.Task[None] | None = None

    async def up(self) -> None:
        """Start it, again and again until it is ready. NotReady where it never is."""
        try:
            async with asyncio.timeout(GIVE_UP_S):
                self._child = await self._started()
        except TimeoutError:
            raise NotReady(f"{self.name} could not be started within {GIVE_UP_S:g} s") from None
        self._watch = asyncio.create_task(self._keep(self._child))

    async def _started(self) -> Child:
        while True:
            try:
                return await self._start()
            except NotReady as error:
                self.fell += 1
                self._say(f"{self.name} did not start and is tried again: {str(error).splitlines()[-1]}")
            await asyncio.sleep(RESTART_S)

    async def kill(self) -> None:
        """SIGKILL; the caller holds ``lock`` and calls ``up`` again."""
        await self._unwatch()
        if self._child is not None:
            await self._child.kill()

    async def kill_for(self, seconds: float) -> None:
        """SIGKILL, and start it again so many seconds later."""
        async with self.lock:
            await self.kill()
            await asyncio.sleep(seconds)
            await self.up()

    async def leave_alone(self) -> None:
        """Whoever ends it now is right to."""
        await self._unwatch()

    async def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None

    async def _keep(self, child: Child) -> None:
        code = await child.process.wait()
        self.fell += 1
        self._say(f"{self.name} ended by itself with exit code {code} and is started again")
        async with self.lock:
            self._watch = None
            await self.up()
