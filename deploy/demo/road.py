"""The whole road as processes: simulated devices, a home gateway, ingest workers, jobs, enrolment and console.

The demonstration and the journey tests stand on it: services are given, everything else is started here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import msgspec

from deploy.demo import identity, processes
from deploy.demo.cast import HomeDevice
from deploy.demo.identity import Enrolment
from deploy.demo.processes import Child
from gateway.config import Intervals

# Somebody is watching.
SHORT = Intervals(serial_visit_s=5.0, ble_cooldown_s=5.0, backoff_max_s=10.0, heartbeat_s=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Addresses of real services, each with the login of the process that uses it.

    With ``enrolment``, the gateway is enrolled by a one-time code and comes in by its certificate, as in production;
    without, it comes in by ``gateway_password``, at the port that is the cloud's own.
    """

    admin_url: str
    ingest_url: str
    console_url: str
    broker_host: str
    broker_port: int
    ingest_password: str
    gateway_password: str = ""
    enrolment: Enrolment | None = None
    jobs_url: str = ""

    @property
    def mqtt_url(self) -> str:
        """The broker as the ingest wants it."""
        return f"mqtt://ingest:{quote(self.ingest_password, safe='')}@{self.broker_host}:{self.broker_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """The running simulators: where each serial device is, and the radio that the Bluetooth ones are on, if any."""

    child: Child
    urls: dict[str, str]
    radio: str | None


@dataclass(slots=True)
class Road:
    """Starts the processes one by one; ``stop`` ends them all, the newest first."""

    services: Services
    gateway_id: str
    folder: Path
    intervals: Intervals = SHORT
    clock_file: Path | None = None  # sets the gateway's clock; see set_clock
    beat_every_s: float = 10.0  # how often the cloud's processes say that they are there
    children: list[Child] = field(default_factory=list)
    enrolment_url: str | None = None  # once the service runs

    @property
    def logs(self) -> Path:
        """Where each process writes what it has to say."""
        return self.folder / "logs"

    @property
    def outbox(self) -> Path:
        """The gateway's outbox file."""
        return self.folder / "gateway" / "outbox.sqlite"

    async def ingest(self, name: str = "ingest-1") -> Child:
        """An ingest worker; its name is its client id."""
        return await self._start(
            name,
            "-m", "cloud", "ingest",
            env={
                "PULSEPOST_DATABASE_URL": self.services.ingest_url,
                "PULSEPOST_MQTT_URL": self.services.mqtt_url,
                "PULSEPOST_INGEST_CLIENT_ID": f"{self.gateway_id}-{name}",
                "PULSEPOST_BEAT_EVERY_S": str(self.beat_every_s),
            },
        )  # fmt: skip

    async def jobs(self, judge_every_s: int = 15, limits: str = "", console: str = "") -> Child:
        """The jobs process; ``limits``: other limits of technical alarms, such as ``gateway_silent=600``.

        It prints pages; with ``console``, the console's address, each says where to open its case.
        """
        return await self._start(
            "jobs",
            "-m", "cloud", "jobs",
            env={
                "PULSEPOST_DATABASE_URL": self.services.jobs_url,
                "PULSEPOST_JUDGE_EVERY_S": str(judge_every_s),
                "PULSEPOST_TECHNICAL_LIMITS": limits,
                "PULSEPOST_NOTIFY_PRINT": "1",
                "PULSEPOST_NOTIFY_BASE_URL": console,
                "PULSEPOST_BEAT_EVERY_S": str(self.beat_every_s),
            },
        )  # fmt: skip

    async def console(self, port: int) -> str:
        """The console; its address."""
        child = await self._start(
            "console",
            "-m", "cloud", "console", "--port", str(port),
            env={
                "PULSEPOST_DATABASE_URL": self.services.console_url,
                "PULSEPOST_BEAT_EVERY_S": str(self.beat_every_s),
            },
        )  # fmt: skip
        return child.said[-1].split()[-1]

    async def enrolment(self, port: int = 0) -> str:
        """The enrolment service; its address."""
        if self.services.enrolment is None:
            raise ValueError("these services have no enrolment")
        child = await self._start(
            "enrolment",
            "-m", "cloud", "enrolment", "--port", str(port),
            env={
                **self.services.enrolment.environment(self.folder),
                "PULSEPOST_BEAT_EVERY_S": str(self.beat_every_s),
            },
        )  # fmt: skip
        self.enrolment_url = child.said[-1].split()[-1]
        return self.enrolment_url

    async def simulators(self, devices: Sequence[HomeDevice], reply_delay_s: float = 0.0) -> Simulated:
        """The simulated devices of a home, in a process of their own; ``reply_delay_s`` slows serial replies down."""
        ports = self.folder / "ports"
        ports.mkdir(parents=True, exist_ok=True)
        spec = self.folder / "home.json"
        spec.write_text(json.dumps(home_spec(devices, reply_delay_s)))
        child = await self._start(
            "simulators",
            "-m", "device_drivers.simulators", "home", "--spec", str(spec), "--dir", str(ports),
            ready='"ready"',
        )  # fmt: skip
        return Simulated(
            child=child,
            urls={device.name: str(ports / device.name) for device in devices if device.address is None},
            radio=next((said["radio"] for said in map(json.loads, child.said) if "radio" in said), None),
        )

    async def home(self, devices: Sequence[HomeDevice], simulated: Simulated) -> Child:
        """The gateway of this home: as in production, but for the radio, where there is one: it is the virtual one.

        The first time, it is enrolled.
        """
        config = await self.configured(devices, simulated.urls)
        if simulated.radio is None:
            return await self._start("gateway", "-m", "gateway", "run", str(config))
        shown = next((device.passkey for device in devices if device.passkey is not None), None)
        return await self._start(
            "gateway",
            "-m", "deploy.demo.home", str(config), "--radio", simulated.radio,
            *(["--passkey", str(shown)] if shown is not None else []),
            *(["--clock", str(self.clock_file)] if self.clock_file is not None else []),
        )  # fmt: skip

    async def configured(self, devices: Sequence[HomeDevice], urls: dict[str, str]) -> Path:
        """The gateway's configuration, with which it can come in at the broker."""
        config = self.folder / "gateway.toml"
        enrolment = self.services.enrolment
        if enrolment is None:
            password = self.folder / "broker-password"
            password.touch(mode=0o600)
            password.write_text(self.services.gateway_password)
        else:
            if self.enrolment_url is None:
                await self.enrolment()
            (self.folder / "authority.pem").write_text(enrolment.authority_file.read_text())
        config.write_text(self._gateway_config(devices, urls))
        if enrolment is not None and not (self.folder / "gateway" / "identity.pem").exists():
            await identity.enrol(config, await enrolment.code(self.gateway_id))
        return config

    async def stop(self) -> None:
        """End every process, the newest first."""
        while self.children:
            await self.children.pop().stop()

    def _gateway_config(self, devices: Sequence[HomeDevice], urls: dict[str, str]) -> str:
        return gateway_config(
            self.gateway_id,
            self.services,
            devices,
            urls,
            intervals=self.intervals,
            clock="trusted" if self.clock_file is None else "kernel",
            enrolment_url=self.enrolment_url,
        )

    async def _start(
        self, name: str, *arguments: str, env: dict[str, str] | None = None, ready: str = "ready"
    ) -> Child:
        child = await processes.start(name, *arguments, log_dir=self.logs, env=env, ready=ready)
        self.children.append(child)
        return child


def home_spec(devices: Sequence[HomeDevice], reply_delay_s: float = 0.0) -> dict[str, object]:
    """The home as `python -m device_drivers.simulators home` takes it."""

    def shared(device: HomeDevice) -> dict[str, object]:
        return {
            "profile": device.profile,
            "serial_number": device.serial_number,
            "clock_skew_s": device.clock_skew_s,
            "records": list(device.records),
        }

    wireless = [
        {"name": device.name, "address": device.address, "passkey": device.passkey, **shared(device)}
        for device in devices
        if device.address is not None
    ]
    return {
        "serial": [
            {"name": device.name, "faults": {"reply_delay_s": reply_delay_s}, **shared(device)}
            for device in devices
            if device.address is None
        ],
        **({"radio": {"devices": wireless}} if wireless else {}),
    }


def gateway_config(
    gateway_id: str,
    services: Services,
    devices: Sequence[HomeDevice],
    urls: dict[str, str],
    *,
    intervals: Intervals = SHORT,
    clock: str = "trusted",
    enrolment_url: str | None = None,
) -> str:
    """The gateway's TOML. ``clock``: "trusted" where it is the cloud's own, because both run on this computer."""
    enrolment = services.enrolment
    if enrolment is not None:
        way_in = f"""[cloud]
url = "{enrolment_url}"
ca_file = "authority.pem"

[mqtt]
host = "{enrolment.door.host}"
port = {enrolment.door.port}
"""
    else:
        way_in = f"""[mqtt]
host = "{services.broker_host}"
port = {services.broker_port}
password_file = "broker-password"
"""
    tables = [
        f"""[[device]]
name = "{device.name}"
profile = "{device.profile}"
{f'address = "{device.address}"' if device.address else f'url = "{urls[device.name]}"'}
"""
        for device in devices
    ]
    seconds = "".join(f"{name} = {value}\n" for name, value in msgspec.structs.asdict(intervals).items())
    return f"""gateway_id = "{gateway_id}"
clock = "{clock}"
data_dir = "gateway"

{way_in}
[intervals]
{seconds}
""" + "\n".join(tables)
