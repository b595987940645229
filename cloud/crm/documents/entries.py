"""What is typed about documents, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final

from cloud.crm.documents.models import LONGEST_FACT, Clinic, Kind
from cloud.crm.documents.scans import LARGEST, media_type
from cloud.crm.documents.templates import BadTemplate, wording
from cloud.language.languages import LANGUAGES, known
from cloud.plans import fields as common
from cloud.plans.fields import Form, Refusal, Refused

# A report shows at least the week that an average is of, and what fits a chart.
SHORTEST, LONGEST = 7, 92
LONGEST_CELL: Final = 200
# A paper was signed before it was scanned.
BACK: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A document that somebody asks for. ``in_use``: the consent text in use, though an older one was agreed to.

    ``typed``: condition and accessories by the device's id.
    """

    kind: Kind
    language: str
    in_use: bool
    period: tuple[date, date] | None
    typed: Mapping[str, tuple[str, str]]


def wanted(form: Form, kinds: Collection[Kind], today: date) -> Wanted:
    """``kind``, ``language``; of a report ``first_day`` and ``last_day``; of a hand-over what was typed by device."""
    refusals: dict[str, Refusal] = {}
    kind = next((one for one in kinds if one == form.get("kind")), None)
    language = known(form.get("language"))
    if kind is None:
        refusals["kind"] = Refusal("choose")
    if language is None:
        refusals["language"] = Refusal("choose")
    period = _period(form, today, refusals) if kind is Kind.REPORT else None
    typed = _typed(form, refusals) if kind is Kind.HAND_OVER else {}
    if refusals or kind is None or language is None:
        raise Refused(_form_of(kind), refusals, form)
    return Wanted(kind=kind, language=language, in_use=form.get("text") == "in_use", period=period, typed=typed)


def clinic(form: Form) -> Clinic:
    """What the clinic says of itself; whatever is left empty is written by hand on each paper."""
    refusals: dict[str, Refusal] = {}
    said = {one.name: common.line(form, one.name, LONGEST_FACT, refusals, may_be_empty=True) for one in fields(Clinic)}
    if refusals:
        raise Refused("clinic", refusals, form)
    return Clinic(**said)


def texts(form: Form, kind: Kind) -> Mapping[str, str]:
    """A wording in all languages: ``text_en``, ``text_ru``, ``text_zh``."""
    refusals: dict[str, Refusal] = {}
    said = {code: form.get(f"text_{code}", "").strip() + "\n" for code in LANGUAGES}
    for code, text in said.items():
        try:
            wording(kind, text, code)
        except BadTemplate as bad:
            refusals[f"text_{code}"] = Refusal(f"template_{bad.code}", bad.facts)
    if refusals:
        raise Refused("wording", refusals, form)
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanEntry:
    """A file, about to be kept."""

    octets: bytes
    media_type: str
    signed_on: date


def scan(form: Form, octets: bytes | None, today: date) -> ScanEntry:
    """``file`` and ``signed_on``."""
    refusals: dict[str, Refusal] = {}
    found = media_type(octets) if octets else None
    if not octets:
        refusals["file"] = Refusal("no_file")
    elif len(octets) > LARGEST:
        refusals["file"] = Refusal("file_too_large", {"most": str(LARGEST // 1024 // 1024)})
    elif found is None:
        refusals["file"] = Refusal("file_of_no_kind")
    signed_on = _past_day(form, "signed_on", today, refusals)
    if refusals or octets is None or found is None or signed_on is None:
        raise Refused("scan", refusals, form)
    return ScanEntry(octets=octets, media_type=found, signed_on=signed_on)


def why(form: Form) -> str:
    """Why a scan is withdrawn."""
    refusals: dict[str, Refusal] = {}
    said = common.reason(form, refusals, "why")
    if refusals:
        raise Refused("withdraw", refusals, form)
    return said


def _form_of(kind: Kind | None) -> str:
    """Which form of the page it is, for what is wrong with it."""
    return kind.value if kind in (Kind.HAND_OVER, Kind.REPORT) else "make"


def _period(form: Form, today: date, refusals: dict[str, Refusal]) -> tuple[date, date] | None:
    last = _past_day(form, "last_day", today, refusals)
    first = _past_day(form, "first_day", today, refusals)
    if first is None or last is None:
        return None
    days = (last - first).days + 1
    if not SHORTEST <= days <= LONGEST:
        refusals["first_day"] = Refusal("period", {"least": str(SHORTEST), "most": str(LONGEST)})
    return first, last


def _typed(form: Form, refusals: dict[str, Refusal]) -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in form:
        what, _, item = name.partition(":")
        if what != "condition" or not item:
            continue
        condition, accessories = (
            common.line(form, f"{each}:{item}", LONGEST_CELL, refusals, may_be_empty=True)
            for each in ("condition", "accessories")
        )
        found[item] = (condition, accessories)
    return found


def _past_day(form: Form, name: str, today: date, refusals: dict[str, Refusal]) -> date | None:
    return common.day(form, name, today - BACK, today, refusals, early="too_far", late="future")
