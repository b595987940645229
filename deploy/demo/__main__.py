"""`python -m deploy.demo`: the whole road on this machine. `make demo` calls it after installing what it needs."""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from httpx import HTTPError

from cloud.db.migrate import migrate
from deploy.demo import cast, check, clock, watch
from deploy.demo.check import CheckFailed
from deploy.demo.identity import Enrolment
from deploy.demo.picture import take_picture
from deploy.demo.processes import Child, NotReady
from deploy.demo.road import Road, Services
from deploy.demo.seed import seed
from deploy.demo.watch import NotSignedIn
from deploy.services import databases, given, mosquitto
from deploy.services.errors import ServiceFailed, ServicesUnavailable, WrongSetting
from deploy.services.places import LOCAL
from deploy.services.running import Running
from deploy.services.start import own_broker, services_in_use

LATER_EVERY_S = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 when it was stopped or the check held, 1 with a sentence otherwise."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="watch one journey, say whether it held, and end")
    parser.add_argument("--port", type=int, default=0, help="the console's port (default: a free one)")
    parser.add_argument("--picture", type=Path, help="take a picture of the worklist with its case (needs Chromium)")
    options = parser.parse_args(arguments)
    try:
        with services_in_use() as shared, _with_its_own_broker(shared) as running:
            print(f"Services: {running.source}; TimescaleDB and Mosquitto answer.", flush=True)
            asyncio.run(_demo(running, options))
    except (CheckFailed, NotReady, NotSignedIn, HTTPError, ServicesUnavailable, ServiceFailed, WrongSetting) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _with_its_own_broker(shared: Running) -> Iterator[Running]:
    """Unless a broker is given. On a shared one the ingest workers of two clouds would take each other's messages, and
    the one's list of revoked certificates would replace the other's."""
    if given.BROKER in os.environ:
        yield shared
        return
    with own_broker() as broker:
        url = f"mqtt://{broker.host}:{broker.port}"
        yield replace(shared, broker_url=url, broker_password=broker.add_user, find_door=lambda: broker.door)


async def _demo(running: Running, options: argparse.Namespace) -> None:
    up_at = clock.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A name of its own for each run: nothing of an earlier one is in the broker's or the database's way.
    gateway_id = f"home-{secrets.token_hex(4)}"
    database = f"demo_{gateway_id[5:]}"
    folder = LOCAL / "demo" / gateway_id
    databases.create_if_missing(running.postgres_admin_url, database)
    road = Road(_services(running, database), gateway_id, folder)
    try:
        migrate(road.services.admin_url)
        passwords = seed(road.services.admin_url, clock.now())
        console = await road.console(options.port)
        await road.ingest()
        (await road.jobs()).heard = _show_page
        await road.enrolment()
        if options.check or options.picture:
            await _unless_stopped(_check(road, console, passwords, up_at, options), stop)
        else:
            await _stay(road, console, passwords, stop)
    finally:
        await road.stop()
        databases.drop(running.postgres_admin_url, database)
        if sys.exc_info()[0] is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"What each process said is in {road.logs}", file=sys.stderr)


def _services(running: Running, database: str) -> Services:
    broker = urlsplit(running.broker_url)
    return Services(
        admin_url=running.admin_url(database),
        ingest_url=running.role_url("pulsepost_ingest", database),
        console_url=running.role_url("pulsepost_console", database),
        jobs_url=running.role_url("pulsepost_jobs", database),
        broker_host=broker.hostname or "",
        broker_port=broker.port or 1883,
        ingest_password=running.broker_password("ingest"),
        enrolment=Enrolment(
            door=running.door,
            admin_url=running.admin_url(database),
            database_url=running.role_url("pulsepost_enrolment", database),
            mqtt_url=running.mqtt_url(mosquitto.ENROLMENT),
        ),
    )


async def _check(
    road: Road, console: str, passwords: Mapping[str, str], up_at: float, options: argparse.Namespace
) -> None:
    until = up_at + check.PROMISE_S
    expected = sum(len(device.records) for device in cast.DEVICES)
    async with watch.signed_in(console, "nurse", passwords["nurse"]) as nurse, check.following(nurse) as seen:
        await road.home(cast.DEVICES, await road.simulators(cast.DEVICES))
        await check.arrived(seen, expected, until)
        took_s = clock.monotonic() - up_at
        if options.picture:
            await take_picture(console, "nurse", passwords["nurse"], options.picture)
        await check.acknowledged(nurse, seen, road.services.admin_url, "nurse")
    fates = await check.all_freed(road.outbox, expected, until + 10)
    for line in check.byte_to_screen(road.services.admin_url, seen):
        print(json.dumps(line))
    print(
        f"Held: {expected} readings of {len(cast.DEVICES)} devices and their one case were on the worklist"
        f" {took_s:.1f} s after the services were up; the nurse has acknowledged it;"
        f" receipts have freed every outbox row ({', '.join(f'{n} {fate}' for fate, n in fates.items())})."
    )


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Do it, or give it up at Ctrl-C. CheckFailed."""
    doing, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([doing, stopped], return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise CheckFailed("it was stopped before it had seen everything")
        await doing
    finally:
        doing.cancel()
        stopped.cancel()
        await asyncio.wait([doing, stopped])


async def _stay(road: Road, console: str, passwords: Mapping[str, str], stop: asyncio.Event) -> None:
    simulated = await road.simulators(cast.DEVICES)
    await road.home(cast.DEVICES, simulated)
    print(f"\nThe console: {console}\n")
    for person in (*cast.STAFF, *cast.PATIENTS):
        role = getattr(person, "role", "patient")
        print(f"  {role:8} login {person.login:16} password {passwords[person.login]}")
    print(
        "\nFour simulated devices are being read now; the case of the high glucose value comes up by itself on the"
        f"\nnurse's worklist. Then a device measures every {LATER_EVERY_S:g} s. Logs: {road.logs}"
        "\nCtrl-C stops everything.\n",
        flush=True,
    )
    living = asyncio.create_task(_live_on(simulated.child))
    ended = [asyncio.create_task(_end_of(child)) for child in road.children]
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopped, *ended], return_when=asyncio.FIRST_COMPLETED)
    for task in (living, stopped, *ended):
        task.cancel()
    if stopped not in done:
        raise NotReady(f"{done.pop().result()} ended by itself; see its log under {road.logs}")
    print("Stopping what was started ...", flush=True)


async def _live_on(simulators: Child) -> None:
    """A device measures now and then, in turn."""
    addresses = {device.name: device.address or device.name for device in cast.DEVICES}
    while True:
        for name, record in cast.LATER:
            await asyncio.sleep(LATER_EVERY_S)
            await simulators.say(json.dumps({"device": addresses[name], "record": record}))


def _show_page(line: str) -> None:
    """What a member of the staff is told goes by SMS or e-mail elsewhere; here it is printed."""
    if line.startswith("page to "):
        print(line, end="", flush=True)


async def _end_of(child: Child) -> object:
    await child.process.wait()
    return child.name


if __name__ == "__main__":
    sys.exit(main())
