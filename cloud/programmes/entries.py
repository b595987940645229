"""What people type into the forms of a programme, read and checked. Pure."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from alerting.regimes import REGIMES, RegimesOverlap, of_programme
from alerting.tiers import Tier
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.plans.rules import OwnTerms
from cloud.programmes.models import CLOSING_CLASSES, ProgrammeEntry

_ID: Final = re.compile(r"[a-z0-9_]{1,40}")
_SPAN: Final = re.compile(r"(\d{1,4}(?:[.,]\d{1,2})?)\s*(min|h|d)")
_UNITS: Final = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_LONGEST_TERM: Final = timedelta(days=60)
_SHORTEST_TERM: Final = timedelta(minutes=1)


def programme(form: Form) -> ProgrammeEntry:
    """``late_after`` is in hours, ``heightened_for`` in days; chosen are ``regime_{name}`` and ``closing_{class}``."""
    refusals: dict[str, Refusal] = {}
    name = fields.reason(form, refusals, "display_name")
    regimes = tuple(regime for regime in REGIMES if form.get(f"regime_{regime}"))
    if not regimes:
        refusals["regimes"] = Refusal("no_regime")
    try:
        of_programme(*regimes)
    except RegimesOverlap:
        refusals["regimes"] = Refusal("one_regime_each")
    late = _between(form, "late_after", "0.25", "48", refusals)
    heightened = _between(form, "heightened_for", "0", "90", refusals)
    budget = _between(form, "alert_budget", "0.01", "10", refusals)
    if refusals:
        raise Refused("programme", refusals, form)
    return ProgrammeEntry(
        display_name=name,
        regimes=regimes,
        late_after=timedelta(hours=float(late)),
        heightened_for=timedelta(days=float(heightened)),
        automatic_closing=tuple(one for one in CLOSING_CLASSES if form.get(f"closing_{one}")),
        alert_budget=budget,
    )


def terms(form: Form) -> OwnTerms:
    """A tier's own promises, each as ``15 min``, ``2 h`` or ``3 d``; empty: the default's."""
    refusals: dict[str, Refusal] = {}
    if form.get("tier") not in list(Tier):
        refusals["tier"] = Refusal("choose")
    found = OwnTerms(
        tier=form.get("tier", ""),
        acknowledge_within=_span(form, "acknowledge_within", refusals),
        contact_within=_span(form, "contact_within", refusals),
        escalate_after=_span(form, "escalate_after", refusals),
        lease=_span(form, "lease", refusals),
    )
    if refusals:
        raise Refused(f"terms-{form.get('tier', '')}", refusals, form)
    return found


def new_id(form: Form) -> str:
    """The id of a programme that is to be."""
    text = form.get("programme_id", "").strip()
    if not _ID.fullmatch(text):
        raise Refused("new", {"programme_id": Refusal("not_an_id")}, form)
    return text


def _between(form: Form, name: str, low: str, high: str, refusals: dict[str, Refusal]) -> Decimal:
    value = fields.number(form.get(name, ""))
    if value is None:
        refusals[name] = Refusal("not_a_number")
    elif not Decimal(low) <= value <= Decimal(high):
        refusals[name] = Refusal("out_of_range", {"low": low, "high": high})
    return value or Decimal(0)


def _span(form: Form, name: str, refusals: dict[str, Refusal]) -> timedelta | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    found = _SPAN.fullmatch(text) if text.isascii() else None
    span = float(found[1].replace(",", ".")) * _UNITS[found[2]] if found else timedelta()
    if not _SHORTEST_TERM <= span <= _LONGEST_TERM:
        refusals[name] = Refusal("not_a_span")
        return None
    return span
