"""The production Bluetooth stack of the guest: a system bus, bluetoothd, and btmon, which writes down what passes."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

BUS_SOCKET = Path("/run/dbus/system_bus_socket")
BONDS = Path("/var/lib/bluetooth")
RFKILL = Path("/sys/class/rfkill")

_BUS = f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={BUS_SOCKET}</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class Stack:
    """The daemons of one test; their logs are its artefacts."""

    def __init__(self, artefacts: Path) -> None:
        self._artefacts = artefacts
        self._running: dict[str, Process] = {}

    async def start(self) -> None:
        """The bus, btmon and bluetoothd; returns once bluetoothd has its name on the bus."""
        await self._start_bus()
        await self._start_btmon()
        await self.start_bluetoothd()

    async def start_bluetoothd(self) -> None:
        """As its systemd unit does, with the configuration of its package."""
        starts = self._starts_of_bluetoothd()
        BONDS.mkdir(mode=0o700, exist_ok=True)
        await self.run("bluetoothd", "--nodetach", f"--configfile={_main_conf()}")
        await until(lambda: self._starts_of_bluetoothd() > starts)

    async def kill_bluetoothd(self) -> None:
        """SIGKILL; nobody restarts it but ``start_bluetoothd``."""
        process = self._running.pop("bluetoothd")
        process.kill()
        await process.wait()

    async def switch_adapter(self, power: str) -> None:
        """``on`` or ``off``, as a person does it."""
        await output_of("bluetoothctl", "power", power)

    def block_adapter(self, blocked: bool) -> None:
        """By rfkill, as flight mode does it."""
        (switch,) = (found for found in RFKILL.glob("rfkill*") if (found / "type").read_text().strip() == "bluetooth")
        (switch / "soft").write_text("1" if blocked else "0")

    async def run(self, program: str, *arguments: str) -> Process:
        """Start a program whose output goes to an artefact of its name."""
        path = shutil.which(program)
        assert path is not None, program
        with self._log_file(program).open("ab") as log:
            process = await asyncio.create_subprocess_exec(path, *arguments, stdin=DEVNULL, stdout=log, stderr=log)
        self._running[program] = process
        return process

    def log(self, program: str) -> str:
        """What a program has said so far."""
        return self._log_file(program).read_text(errors="replace")

    async def stop(self) -> None:
        """End what still runs, bluetoothd first."""
        while self._running:
            _, process = self._running.popitem()
            if process.returncode is None:
                process.terminate()
            await process.wait()
        shutil.rmtree(BONDS, ignore_errors=True)

    def _starts_of_bluetoothd(self) -> int:
        log = self._log_file("bluetoothd")
        return log.read_text().count("management interface") if log.exists() else 0

    async def _start_bus(self) -> None:
        BUS_SOCKET.parent.mkdir(parents=True, exist_ok=True)
        BUS_SOCKET.unlink(missing_ok=True)
        configuration = BUS_SOCKET.with_name("system.conf")
        configuration.write_text(_BUS)
        await self.run("dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile")
        await until(BUS_SOCKET.exists)

    async def _start_btmon(self) -> None:
        await self.run("btmon", "--write", str(self._artefacts / "btmon.snoop"))

    def _log_file(self, program: str) -> Path:
        return self._artefacts / f"{program}.log"


def _main_conf() -> Path:
    """Debian's, unpacked or installed. Without it no adapter is powered."""
    daemon = shutil.which("bluetoothd")
    assert daemon is not None, "bluetoothd"
    unpacked = next(above / "etc" for above in Path(daemon).parents if (above / "etc/bluetooth").is_dir())
    return unpacked / "bluetooth" / "main.conf"


def bond_of(address: str) -> str:
    """What bluetoothd keeps about a device, keys included; empty where it keeps nothing."""
    return "".join(path.read_text() for path in BONDS.glob(f"*/{address.upper()}/info"))


@asynccontextmanager
async def bluetooth_stack(artefacts: Path) -> AsyncIterator[Stack]:
    """A running stack without an adapter."""
    stack = Stack(artefacts)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


async def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for what nobody tells us of."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 -- files and daemons tell nobody
            await asyncio.sleep(0.05)


async def output_of(*command: str) -> str:
    """The standard output of a program that must end well."""
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0, command
    return output.decode()
