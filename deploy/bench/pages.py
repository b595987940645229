"""`pages`: how long the console takes for a nurse's pages, with 10,000 patients, a year of readings, 50 live streams.

The population of `python -m deploy.synthetic --load --staff`. 50 nurses of 150 patients each have their streams open;
things happen meanwhile (``happening``); the nurses ask for pages one after the other, without a pause, which is more
than 50 people do. Times are the server's own (``timed_console``). ``door`` is the least that a signed-in request costs:
the session, and an answer without a page; ``of_door`` says how many of these a page costs, whatever else the machine
does. ``streams_lost`` counts what a stream had to tell and did not; ``streams_p99_ms`` is from commit to screen.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg

from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population
from cloud.auth.models import Role
from cloud.db.connect import open_connection
from deploy.bench import clock, nurses
from deploy.bench.happening import Clinic, OpenCase
from deploy.bench.homes import Database
from deploy.bench.nurses import Asked, Nurse
from deploy.bench.results import Rounds, percentile
from deploy.bench.stage import Effort, Scene, Stage, stage
from deploy.synthetic.load import Loaded, load
from deploy.synthetic.staff import PATIENTS_OF, employ, login

PATIENTS, DAYS = 10_000, 365
QUICK_PATIENTS, QUICK_DAYS = 600, 30
STREAMS = 50
ASKED = 150  # of each page, a round
# Ten connections, each of which has made its plans for a statement when it has met it ten times.
WARM = 100
# Patients whom all the nurses care for.
COVERED = 5
ZONE = ZoneInfo("Europe/Berlin")
SEED = 2
HEARD_WITHIN_S = 30.0
PAGES = ("door", "worklist", "patients", "patient", "case", "review")


async def measure(scene: Scene) -> Rounds:
    """One database for all rounds: loading takes minutes."""
    rounds = Rounds()
    quick = scene.effort.quick
    patients, days = (QUICK_PATIENTS, QUICK_DAYS) if quick else (PATIENTS, DAYS)
    async with stage(scene, homes=1) as ready:
        loaded, password = await asyncio.to_thread(_load, scene, ready.database, patients, days)
        logins = [login(Role.NURSE, n + 1) for n in range(min(STREAMS, patients // PATIENTS_OF[Role.NURSE]))]
        with open_connection(ready.database.admin_url, "pulsepost-bench", autocommit=True) as connection:
            clinic_of = _clinic(connection, logins)
            visits = _visits(connection, logins)
        for number in range(scene.effort.rounds):
            clinic = Clinic(**clinic_of)
            figures = await _once(ready, logins, password, clinic, visits, scene.effort)
            rounds.add(**figures)
            shown = ", ".join(f"{page} {figures[f'{page}_p95_ms']:.1f}" for page in PAGES)
            scene.say(f"pages {number + 1}: p95 in ms: {shown}; streams lost {figures['streams_lost']:.0f}")
    rounds.add(patients=loaded.patients, days=days, readings=loaded.readings, streams=len(logins))
    return rounds


def _load(scene: Scene, database: Database, patients: int, days: int) -> tuple[Loaded, str]:
    over = calendar(clock.now().date() - timedelta(days=days), days, ZONE)
    years = population(np.random.default_rng(SEED), patients, over)

    def told(so_far: Loaded) -> None:
        if so_far.patients % 1000 == 0:
            scene.say(f"pages: {so_far.patients:,} patients, {so_far.readings:,} readings loaded")

    with open_connection(database.admin_url, "pulsepost-bench") as connection:
        staff = employ(connection, patients)
    loaded = load(database.admin_url, years, str(ZONE), None, told, staff)
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        # As autovacuum would have done by the time a clinic has so many.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return loaded, staff.password or ""


async def _once(
    ready: Stage,
    logins: Sequence[str],
    password: str,
    clinic: Clinic,
    visits: Mapping[str, Sequence[Mapping[str, str]]],
    effort: Effort,
) -> dict[str, float]:
    async with nurses.console(ready) as console, nurses.at_work(console, logins, password) as people:
        happening = asyncio.create_task(clinic.go_on(ready.database.admin_url))
        await _asked(people, visits, effort.of(WARM))
        asked = await _asked(people, visits, effort.of(ASKED))
        happening.cancel()
        await asyncio.gather(happening, return_exceptions=True)
        missing = await _heard(people, clinic)
        return {**_figures(asked), **_of_streams(people, clinic, missing)}


async def _asked(
    people: Sequence[Nurse], visits: Mapping[str, Sequence[Mapping[str, str]]], many: int
) -> Mapping[str, Sequence[Asked]]:
    """Each page so many times, in turns of one nurse."""
    asked: dict[str, list[Asked]] = {page: [] for page in PAGES}
    for number in range(many):
        nurse = people[number % len(people)]
        paths = visits[nurse.login][number // len(people) % len(visits[nurse.login])]
        for page in PAGES:
            asked[page].append(await nurse.ask(paths[page]))
    return asked


async def _heard(people: Sequence[Nurse], clinic: Clinic) -> int:
    """Wait until everybody has heard of everything; how much has not come after HEARD_WITHIN_S."""

    def missing() -> int:
        return sum(
            event_id not in nurse.heard for nurse in people for event_id, told in clinic.told.items()
            if nurse.login in told.logins
        )  # fmt: skip

    until = clock.monotonic() + HEARD_WITHIN_S
    while (left := missing()) and clock.monotonic() < until:  # noqa: ASYNC110 -- streams tell nobody
        await asyncio.sleep(0.05)
    return left


def _figures(asked: Mapping[str, Sequence[Asked]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    door = percentile((one.app_ms for one in asked["door"]), 0.5)
    for page, answers in asked.items():
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            figures[f"{page}_{name}_ms"] = percentile((one.app_ms for one in answers), share)
        figures[f"{page}_cpu_p50_ms"] = percentile((one.cpu_ms for one in answers), 0.5)
        figures[f"{page}_waited_p95_ms"] = percentile((one.waited_ms for one in answers), 0.95)
        if page != "door":
            figures[f"{page}_of_door"] = figures[f"{page}_p50_ms"] / door
            figures[f"{page}_octets"] = percentile((one.octets for one in answers), 0.5)
    return figures


def _of_streams(people: Sequence[Nurse], clinic: Clinic, missing: int) -> dict[str, float]:
    expected = sum(len(told.logins) for told in clinic.told.values())
    delays = [
        nurse.heard[event_id] - told.at
        for nurse in people
        for event_id, told in clinic.told.items()
        if nurse.login in told.logins and event_id in nurse.heard
    ]
    strangers = sum(
        event_id in clinic.told and nurse.login not in clinic.told[event_id].logins
        for nurse in people
        for event_id in nurse.heard
    )
    return {
        "streams_lost": missing + sum(nurse.ended for nurse in people),
        "streams_told_strangers": strangers,
        "streams_events": expected,
        "streams_p50_ms": percentile(delays, 0.5) * 1000,
        "streams_p99_ms": percentile(delays, 0.99) * 1000,
    }


# Who and what ---------------------------------------------------------------------------------------------------------


def _clinic(connection: psycopg.Connection[Any], logins: Sequence[str]) -> dict[str, Any]:
    """Some patients with open cases come into everybody's care; the others stay with their nurse."""
    cases = connection.execute(_OPEN, (list(logins),)).fetchall()
    # One may have several.
    shared = sorted({patient_id for _, patient_id, _ in cases[:: max(1, len(cases) // COVERED)]})
    connection.execute(_COVER, {"patients": shared, "logins": list(logins)})
    made = [
        OpenCase(case_id=case_id, patient_id=patient_id, carers=frozenset(carers))
        for case_id, patient_id, carers in connection.execute(_OPEN, (list(logins),))
    ]
    return {
        "own": [one for one in made if len(one.carers) == 1],
        "covered": [one for one in made if len(one.carers) == len(logins)],
    }


def _visits(connection: psycopg.Connection[Any], logins: Sequence[str]) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """What each nurse asks for: always another patient and another case of her own."""
    chance = random.Random(SEED)  # noqa: S311 -- draws patients, no secrets
    visits: dict[str, list[Mapping[str, str]]] = {}
    for name in logins:
        patients = [row[0] for row in connection.execute(_PATIENTS, (name,))]
        cases = [row[0] for row in connection.execute(_OPEN, ([name],))]
        chance.shuffle(patients)
        chance.shuffle(cases)
        visits[name] = [
            {
                "door": "/",
                "worklist": "/worklist",
                "patients": "/patients",
                "patient": f"/patients/{patients[n]}",
                "case": f"/cases/{cases[n % len(cases)]}",
                "review": f"/patients/{patients[n]}/review",
            }
            for n in range(len(patients))
        ]
    return visits


_OPEN = """
SELECT c.case_id, c.patient_id, array_agg(DISTINCT a.login)
FROM alert_case c JOIN care_team t USING (patient_id) JOIN account a USING (account_id)
WHERE a.login = ANY(%s) AND c.state NOT IN ('resolved', 'expired')
GROUP BY 1, 2 ORDER BY 1
"""

_COVER = """
INSERT INTO care_team (patient_id, account_id, since)
SELECT covered.patient_id, account_id, now() - interval '1 day'
FROM unnest(%(patients)s::uuid[]) AS covered(patient_id), account
WHERE login = ANY(%(logins)s)
  AND NOT EXISTS (SELECT FROM care_team t
                  WHERE t.patient_id = covered.patient_id AND t.account_id = account.account_id)
"""

_PATIENTS = """
SELECT t.patient_id FROM care_team t JOIN account USING (account_id) WHERE login = %s ORDER BY t.patient_id
"""
