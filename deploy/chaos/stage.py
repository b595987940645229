"""Everything that runs: the home, the cloud, the services of their own, and the links between them that can be cut."""

import asyncio
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from cloud.db.migrate import migrate
from deploy.chaos import cast, clock
from deploy.chaos.backups import Backups
from deploy.chaos.disk import Disk
from deploy.chaos.household import Household, move_in
from deploy.chaos.part import Part
from deploy.chaos.proxy import Proxy, opened
from deploy.demo import set_clock
from deploy.demo.identity import Enrolment
from deploy.demo.processes import Child
from deploy.demo.road import Road, Services, Simulated
from deploy.services import databases
from deploy.services.places import LOCAL
from deploy.services.source import OwnBroker, OwnDatabase
from deploy.services.start import own_broker, own_database
from gateway.config import Intervals

DATABASE = "chaos"
# Nobody has the patience of a real home here.
INTERVALS = Intervals(
    serial_visit_s=1.0,
    ble_cooldown_s=1.0,
    backoff_max_s=2.0,
    scanner_quiet_s=5.0,
    visit_limit_s=15.0,
    heartbeat_s=2.0,
    receipt_timeout_s=2.0,
    reconnect_max_s=2.0,
)
WORKERS = ("ingest-1", "ingest-2")


@dataclass(slots=True, kw_only=True)
class Stage:
    """What faults strike, and what is asked in the end."""

    folder: Path
    admin_url: str
    household: Household
    database: OwnDatabase
    broker: OwnBroker
    links: Mapping[str, Proxy]
    home: Road
    simulated: Simulated
    clock_file: Path
    disk: Disk
    backups: Backups
    parts: Mapping[str, Part]
    console: str
    database_lock: asyncio.Lock
    broker_lock: asyncio.Lock
    disk_lock: asyncio.Lock
    clock_lock: asyncio.Lock

    @property
    def gateway(self) -> Part:
        return self.parts["gateway"]


@asynccontextmanager
async def raised(say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Everything runs but the gateway; at the end everything is stopped.

    The folder with the logs is the caller's to keep or remove.
    """
    gateway_id = f"chaos-{secrets.token_hex(4)}"
    folder = LOCAL / "chaos" / gateway_id
    folder.mkdir(parents=True)
    async with AsyncExitStack() as stack:
        database = await asyncio.to_thread(stack.enter_context, own_database())
        broker = await asyncio.to_thread(stack.enter_context, own_broker())
        await asyncio.to_thread(databases.create_if_missing, database.url("postgres", "postgres"), DATABASE)
        admin_url = database.url("postgres", DATABASE)
        await asyncio.to_thread(migrate, admin_url)
        household = move_in(admin_url, gateway_id, clock.now())
        ports = {"gateway": broker.door.port, "ingest": broker.port, "database": database.port}
        links = {name: await opened(port) for name, port in ports.items()}
        for link in links.values():
            stack.push_async_callback(link.close)
        services = Services(
            admin_url=admin_url,
            ingest_url=_through(database.url("pulsepost_ingest", DATABASE), links["database"]),
            console_url=database.url("pulsepost_console", DATABASE),
            broker_host=broker.host,
            broker_port=links["ingest"].port,
            ingest_password=broker.add_user("ingest"),
            enrolment=Enrolment(
                door=replace(broker.door, port=links["gateway"].port),
                admin_url=admin_url,
                database_url=database.url("pulsepost_enrolment", DATABASE),
                mqtt_url=f"mqtt://enrolment:{broker.add_user('enrolment')}@{broker.host}:{broker.port}",
            ),
        )
        clock_file = folder / "clock.json"
        set_clock.write(clock_file, set_clock.Setting())
        cloud = Road(services, gateway_id, folder)
        home = Road(services, gateway_id, folder, intervals=INTERVALS, clock_file=clock_file)
        stack.push_async_callback(cloud.stop)
        stack.push_async_callback(home.stop)
        disk = Disk(home.outbox.parent)
        disk.mount()
        stack.callback(disk.unmount)
        devices = [device.home for device in cast.DEVICES]
        simulated = await home.simulators(devices)
        console = await cloud.console(0)
        parts = {
            **{name: Part(name, partial(cloud.ingest, name), say) for name in WORKERS},
            "console": Part("console", _console(cloud, urlsplit(console).port or 0), say),
            "gateway": Part("gateway", partial(home.home, devices, simulated), say),
        }
        await cloud.children.pop().stop()  # its port is known now; from here on it is kept running
        for part in parts.values():
            stack.push_async_callback(part.leave_alone)
            if part.name != "gateway":
                await part.up()
        yield Stage(
            folder=folder,
            admin_url=admin_url,
            household=household,
            database=database,
            broker=broker,
            links=links,
            home=home,
            simulated=simulated,
            clock_file=clock_file,
            disk=disk,
            backups=Backups(disk.folder, folder / "backups"),
            parts=parts,
            console=console,
            database_lock=asyncio.Lock(),
            broker_lock=asyncio.Lock(),
            disk_lock=asyncio.Lock(),
            clock_lock=asyncio.Lock(),
        )


def _console(cloud: Road, port: int) -> Callable[[], Awaitable[Child]]:
    async def start() -> Child:
        await cloud.console(port)
        return cloud.children[-1]

    return start


def _through(url: str, link: Proxy) -> str:
    """The same address, by way of the link."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{link.port}"))


def remove(folder: Path) -> None:
    """Nothing went wrong: nobody needs the logs."""
    shutil.rmtree(folder, ignore_errors=True)


DISK_ERRORS = (OSError, sqlite3.Error)
"""What a backup may meet on a disk that is full, or whose database is just being made."""
