"""The door in memory: a ``SerialLink`` straight to a simulated device, with the same guard as a real one."""

from device_drivers.errors import LinkLost, LinkTimeout
from device_drivers.links.allow_list import SerialAllowList
from device_drivers.simulators.line import Line
from firmware_profiles.schema import Profile


class MemoryDoor:
    """Silence is known at once here: a read with nothing to come is a LinkTimeout without the wait."""

    def __init__(self, line: Line, profile: Profile) -> None:
        self._line = line
        self._allowed = SerialAllowList(profile.firmware.commands, profile.id)
        self._arrived = b""
        line.push = self._arrive

    @property
    def address(self) -> str:
        """The same for every device in memory."""
        return "memory"

    async def write(self, data: bytes) -> None:
        """ForbiddenCommand, LinkLost."""
        self._allowed.check(data)
        if self._line.unplugged:
            raise LinkLost("the cable was pulled")
        self._arrived += self._line.exchange(data)

    async def read(self, size: int, timeout_s: float) -> bytes:
        """LinkTimeout, LinkLost."""
        if self._arrived:
            size = 1 if self._line.faults.one_octet_at_a_time else size
            data, self._arrived = self._arrived[:size], self._arrived[size:]
            return data
        if self._line.unplugged:
            raise LinkLost("the cable was pulled")
        raise LinkTimeout(f"nothing within {timeout_s} s")

    def _arrive(self, sent: bytes) -> None:
        self._arrived += sent

    async def drain_input(self) -> None:
        """Forget what has arrived."""
        self._arrived = b""
