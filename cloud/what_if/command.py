"""``python -m cloud what-if``: a proposal beside the rules in force, for all patients of a programme."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from alerting.closing import CLASSES
from alerting.proposals import Change, ProposalRefused, changed, regime_of
from alerting.replay import lines
from cloud.db.connect import Connection, open_connection
from cloud.plans.store import rules_of
from cloud.what_if import runs
from cloud.what_if.models import Proposal, Result
from cloud.what_if.trying import IN_FORCE, PROPOSED, tried
from device_drivers.nomenclature import Unit

NOTHING = "none"
SHOWN = 20


class CommandRefused(Exception):
    """The command cannot be done as it was given; the message says what to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asks for."""

    programme_id: str
    days: int
    proposal: Proposal


def requested(options: argparse.Namespace) -> Request:
    """CommandRefused where it makes no sense, whatever the database holds."""
    if not 1 <= options.days <= 365:
        raise CommandRefused(f"--days {options.days}: give 1 to 365.")
    return Request(
        programme_id=options.programme,
        days=options.days,
        proposal=Proposal(
            limits=tuple(_change(text) for text in options.set),
            regimes=tuple(options.regimes.split(",")) if options.regimes else None,
            closing=_closing(options.closing),
        ),
    )


def run(database_url: str, request: Request, now: datetime) -> Iterator[str]:
    """Both rule sets and what would have been missed, in lines; progress goes to stderr. CommandRefused."""
    with open_connection(database_url, "pulsepost what-if", autocommit=True) as connection:
        patient_ids = _patients(connection, request, now)
        result = Result()
        done = 0
        _say(0, len(patient_ids))
        for few in tried(connection, patient_ids, request.proposal, now, request.days, result, of_one_patient=False):
            done += len(few)
            _say(done, len(patient_ids))
    sys.stderr.write("\n")
    yield from report(result, request, len(patient_ids))


def report(result: Result, request: Request, patients: int) -> Iterator[str]:
    """The result in lines."""
    yield f"programme {request.programme_id}: {patients} patients, the last {request.days} days"
    for totals, name in ((result.in_force, IN_FORCE), (result.proposed, PROPOSED)):
        yield ""
        yield from lines(totals.outcome(name))
    yield ""
    yield f"urgent cases of the rules in force: {result.urgent}"
    yield f"  missed by the proposal            {result.missed}"
    yield f"  found later                       {result.later}"
    yield f"  with more time to act             {result.calmer}"
    for one in result.found[:SHOWN]:
        became = "missed" if one.later_s is None else f"{one.later_s / 60:.0f} min later, {one.as_tier}"
        yield f"    {one.about[0]:%Y-%m-%d %H:%M} UTC  patient {one.patient_id}  {one.condition}: {became}"
    if len(result.found) > SHOWN:
        yield f"    and {result.missed + result.later + result.calmer - SHOWN} more"


def _patients(connection: Connection, request: Request, now: datetime) -> Sequence[UUID]:
    """Whom it is about, once the proposal makes sense for what the programme has."""
    if not runs.is_programme(connection, request.programme_id):
        raise CommandRefused(f"--programme {request.programme_id}: there is no such programme.")
    patient_ids = runs.patients_in(connection, request.programme_id, now)
    if not patient_ids:
        raise CommandRefused(f"--programme {request.programme_id}: nobody is in it.")
    rules = rules_of(connection, patient_ids[:1], now)[patient_ids[0]]
    try:
        changed(regime_of(request.proposal.regimes or rules.programme.regimes).limits, request.proposal.limits)
    except ProposalRefused as refused:
        raise CommandRefused(str(refused)) from None
    return patient_ids


def _change(text: str) -> Change:
    """``hypoglycaemia_level_1:mg/dL=65``."""
    limit, equals, value = text.rpartition("=")
    condition, colon, unit = limit.partition(":")
    if not (equals and colon and condition):
        raise CommandRefused(f"--set {text}: give CONDITION:UNIT=VALUE, such as hypoglycaemia_level_1:mg/dL=65.")
    try:
        return Change(condition=condition, unit=Unit(unit), value=Decimal(value))
    except InvalidOperation:
        raise CommandRefused(f"--set {text}: {value!r} is no number.") from None
    except ValueError:
        raise CommandRefused(f"--set {text}: there is no unit {unit!r}; there are {', '.join(Unit)}.") from None


def _closing(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    classes = tuple(name for name in text.split(",") if name != NOTHING)
    for name in classes:
        if name not in CLASSES:
            raise CommandRefused(f"--closing {name}: there is {', '.join(sorted(CLASSES))}, or {NOTHING}.")
    return classes


def _say(done: int, of: int) -> None:
    sys.stderr.write(f"\r{done} of {of} patients")
    sys.stderr.flush()
