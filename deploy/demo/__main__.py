"""`python -m deploy.demo`: the whole road on this machine. `make demo` calls it after installing what it needs."""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from httpx import HTTPError

from cloud.db.migrate import migrate
from deploy.demo import cast, check, clock, watch
from deploy.demo.check import CheckFailed
from deploy.demo.clinic import furnish
from deploy.demo.history import remember
from deploy.demo.identity import Enrolment
from deploy.demo.picture import take_pictures
from deploy.demo.processes import Child, NotReady
from deploy.demo.road import Road, Services
from deploy.demo.seed import seed
from deploy.demo.watch import NotSignedIn
from deploy.services import databases, given, mosquitto
from deploy.services.errors import ServiceFailed, ServicesUnavailable, WrongSetting
from deploy.services.places import LOCAL
from deploy.services.running import Running
from deploy.services.start import own_broker, services_in_use

AGAIN_AFTER_S = 40.0
LATER_EVERY_S = 60.0

TO_SEE = """
Four simulated devices are being read now. What to look at:

  nurse   /worklist   Anna's glucose is above the limit that her doctor set: the case comes up by itself, and below
                      here it is printed who is paged. Take it, and nobody is paged any more; say what became of it.
                      Where no open page of the console has shown a page, it goes on to the doctor after 3 minutes,
                      and a case that nobody takes goes on along its path: {console}/programmes
                      In {again_s:g} s Pavel measures again, as high as before: that opens a case, too.
                      Later, "Closed automatically": Anna's cuff was high once, and not when measured again.
  doctor  /what-if?programme_id=at_home
                      Try other limits on 12 weeks of readings, say 65 mg/dL for low glucose, before saving any.
          /patients   Each patient's plan: limits with reason and end, programme, when the patient measures.
  lead    /roster     Who is on duty, and holes in the coming 14 days.

Then a device measures every {later_s:g} s. Logs: {logs}
Ctrl-C stops everything.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration; 0 when it was stopped or the check held, 1 with a sentence otherwise."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="watch one journey, say whether it held, and end")
    parser.add_argument("--port", type=int, default=0, help="the console's port (default: a free one)")
    parser.add_argument(
        "--picture", type=Path, help="a folder for pictures of the worklist and of its case (needs Chromium)"
    )
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
        staff = furnish(road.services.admin_url, clock.now())
        remember(road.services.admin_url, clock.now())
        console = await road.console(options.port)
        await road.ingest()
        pages = check.Pages()
        (await road.jobs(console=console)).heard = _heard(pages, staff)
        await road.enrolment()
        if options.check or options.picture:
            await _unless_stopped(_check(road, console, passwords, pages, up_at, options), stop)
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
    road: Road,
    console: str,
    passwords: Mapping[str, str],
    pages: check.Pages,
    up_at: float,
    options: argparse.Namespace,
) -> None:
    until = up_at + check.PROMISE_S
    expected = sum(len(device.records) for device in cast.DEVICES)
    admin_url = road.services.admin_url
    async with watch.signed_in(console, "nurse", passwords["nurse"]) as nurse, check.following(nurse) as seen:
        simulated = await road.simulators(cast.DEVICES)
        await road.home(cast.DEVICES, simulated)
        case_id = await check.arrived(seen, expected, until)
        took_s = clock.monotonic() - up_at
        await check.paged(pages, case_id, clock.monotonic() + check.PATIENCE_S)
        if options.picture:
            await take_pictures(console, "nurse", passwords["nurse"], case_id, options.picture)
        told = await check.acknowledged(nurse, pages, case_id, admin_url, "nurse")
        await _measure(simulated.child, *cast.AGAIN)
        again = await check.confirmed(seen, case_id, clock.monotonic() + check.PATIENCE_S)
        await check.paged(pages, again, clock.monotonic() + check.PATIENCE_S)
        await check.resolved(nurse, pages, case_id, admin_url, told)
    fates = await check.all_freed(road.outbox, expected + 1, clock.monotonic() + check.PATIENCE_S)
    for line in check.byte_to_screen(admin_url, seen):
        print(json.dumps(line))
    print(
        f"Held: {expected} readings of {len(cast.DEVICES)} devices and the case of one of them were on the worklist"
        f" {took_s:.1f} s after the services were up;"
        f" it paged {len(told)}, and nobody once the nurse had acknowledged it;"
        f" she has resolved it ({check.OUTCOME});"
        " a high value that measuring again confirmed opened a case and a page;"
        f" receipts have freed every outbox row ({', '.join(f'{n} {fate}' for fate, n in fates.items())});"
        f" {clock.monotonic() - up_at:.1f} s in all."
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
        print(f"  {role:10} login {person.login:16} password {passwords[person.login]}")
    print(TO_SEE.format(console=console, again_s=AGAIN_AFTER_S, later_s=LATER_EVERY_S, logs=road.logs), flush=True)
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
    """Pavel measures again; then a device measures now and then, in turn."""
    await asyncio.sleep(AGAIN_AFTER_S)
    await _measure(simulators, *cast.AGAIN)
    while True:
        for name, record in cast.LATER:
            await asyncio.sleep(LATER_EVERY_S)
            await _measure(simulators, name, record)


async def _measure(simulators: Child, name: str, record: Mapping[str, int | str]) -> None:
    addresses = {device.name: device.address or device.name for device in cast.DEVICES}
    await simulators.say(json.dumps({"device": addresses[name], "record": record}))


def _heard(pages: check.Pages, staff: Mapping[UUID, str]) -> Callable[[str], None]:
    """What elsewhere goes to a member of the staff by SMS or e-mail is printed here, with the person's name."""

    def heard(line: str) -> None:
        pages.hear(line)
        if line.startswith(check.PAGE):
            for account_id, name in staff.items():
                line = line.replace(f"account:{account_id}", name)
            print(line.rpartition(" [")[0], flush=True)

    return heard


async def _end_of(child: Child) -> object:
    await child.process.wait()
    return child.name


if __name__ == "__main__":
    sys.exit(main())
