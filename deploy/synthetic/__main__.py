"""A synthetic year, and what rule sets make of it: `python -m deploy.synthetic --patients 1000 --days 365 --seed 1`.

The same seed gives the same figures on every machine with the same numpy. Nothing is stored and nobody is paged, unless
`--load` asks for the patients and their readings in a database; then nothing is replayed.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np

from alerting.regimes import AHA_2025, ESC_2024, PREGNANCY, REGIMES, of_programme
from alerting.replay import lines, replay_known
from alerting.rulesets import SingleReadings, every_reading_above_target, programme
from alerting.synthetic.calendars import Calendar, calendar
from alerting.synthetic.population import population, published_load
from cloud.auth.models import Role
from cloud.clock import now
from cloud.config import SettingMissing, migrate_settings
from cloud.db.connect import open_connection
from deploy.synthetic.load import Loaded, LoginUnknown, load
from deploy.synthetic.staff import employ, login

_PRESSURE = (AHA_2025.name, ESC_2024.name, PREGNANCY.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the load of the population, and each rule set's figures with its runtime."""
    options = _options().parse_args(arguments)
    started = perf_counter()
    start = options.start or (_today() - timedelta(days=options.days) if options.load else date(2025, 1, 1))
    over = calendar(start, options.days, options.zone)
    if options.load:
        return _load(options, over)
    years = list(population(np.random.default_rng(options.seed), options.patients, over))
    readings = sum(len(year.received) for year in years)
    print(f"{options.patients} patients, {options.days} days, seed {options.seed}: {readings} readings")
    print(f"  generated in {perf_counter() - started:.1f} s")
    load = published_load(iter(years))
    print(f"  measurements per patient-day {load.measurements_per_patient_day:.2f} (published 0.84)")
    print(f"  measurements that raise      {load.raised:.1%} (published 57 %)")
    print(f"  of these, need nobody        {load.need_nobody:.1%} (published 79 %)")
    regime = REGIMES[options.pressure]
    rule_sets = (every_reading_above_target(regime), SingleReadings(), programme(of_programme(regime.name, "ada")))
    manual: list[int] = []
    for rules in rule_sets:
        started = perf_counter()
        outcome = replay_known(rules, years)
        print()
        for line in lines(outcome):
            print(line)
        print(f"  replayed in {perf_counter() - started:.1f} s")
        manual.append(outcome.manual)
    print(f"\nOf the cases of the first rule set, the last has {manual[-1] / (manual[0] or 1):.1%}.")
    return 0 if outcome.found == outcome.crises else 1


def _load(options: argparse.Namespace, over: Calendar) -> int:
    """Into the database of PULSEPOST_DATABASE_ADMIN_URL; progress goes to stderr."""
    try:
        url = migrate_settings().database_admin_url
    except SettingMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    started = perf_counter()

    def told(so_far: Loaded) -> None:
        rate = so_far.readings / (perf_counter() - started)
        sys.stderr.write(
            f"\r{so_far.patients} of {options.patients} patients, {so_far.readings} readings, {rate:.0f} a second"
        )
        sys.stderr.flush()

    staff = None
    if options.staff:
        with open_connection(url, "pulsepost synthetic") as connection:
            staff = employ(connection, options.patients)
    years = population(np.random.default_rng(options.seed), options.patients, over)
    try:
        done = load(url, years, str(options.zone), options.care_team, told, staff)
    except LoginUnknown as unknown:
        print(f"--care-team: {unknown}", file=sys.stderr)
        return 2
    sys.stderr.write("\n")
    print(f"loaded {done.patients} patients and {done.readings} readings in {perf_counter() - started:.1f} s")
    if staff is not None:
        print(
            f"{len(staff.nurses)} nurses, {len(staff.doctors)} doctors, {len(staff.lead_nurses)} lead nurses:", end=" "
        )
        print(f"{login(Role.NURSE, 1)} and so on, with the", end=" ")
        print(f"password {staff.password}" if staff.password else "password that they had")
    return 0


def _today() -> date:
    return now().date()


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.synthetic", description=__doc__)
    parser.add_argument("--patients", type=_positive, default=1000)
    parser.add_argument("--days", type=_positive, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--start", type=date.fromisoformat, help="ISO date (2025-01-01; with --load so that the last day is yesterday)"
    )
    parser.add_argument("--zone", type=ZoneInfo, default=ZoneInfo("Europe/Berlin"), help="of all patients")
    parser.add_argument("--pressure", choices=_PRESSURE, default=ESC_2024.name, help="regime of blood pressure")
    parser.add_argument(
        "--load",
        action="store_true",
        help="store patients and readings in the database of PULSEPOST_DATABASE_ADMIN_URL, and replay nothing;"
        " what is there of the same seed stays",
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--care-team", metavar="LOGIN", help="with --load: whose patients they are")
    whose.add_argument(
        "--staff",
        action="store_true",
        help="with --load: a nurse for each 150 patients, doctors, lead nurses, and the cases of the year; prints their"
        " password",
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
