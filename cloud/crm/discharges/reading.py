"""From the octets of a FHIR R4 document to what it asks for: pure, and strict.

A Bundle of type ``document``, or a DocumentReference that carries one. What says that it is no longer so, or may mean
something else than it seems (``status``, ``doNotPerform``, any ``modifierExtension``, ``implicitRules``), is not
proposed; what has no day, neither. Each of these is shown with its reason: a person reads it, and dates it.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from html import unescape
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from cloud.crm.discharges import resources as fhir
from cloud.crm.discharges.models import (
    DISCHARGE_SUMMARY,
    Document,
    Identifier,
    Instruction,
    Section,
    Whose,
)
from cloud.crm.followups.models import What

Resource = TypeVar("Resource", bound=fhir.Part)
Part = TypeVar("Part")

# Of a status, what still asks for something (request-status, care-plan-activity-status, appointmentstatus of R4).
ASKS: Final = frozenset({"active", "scheduled", "not-started", "in-progress", "booked", "pending", "proposed"})
WHATS: Final[Mapping[str | None, What]] = {"Appointment": What.VISIT, "CommunicationRequest": What.CALL}
# They may ask for something as well, and are shown with that reason.
NOT_READ: Final = frozenset(
    {"Task", "RequestGroup", "NutritionOrder", "DeviceRequest", "VisionPrescription", "MedicationRequest", "Goal"}
)
LONGEST_TEXT: Final = 500
# A file of 2 MB has room for a hundred thousand, of which no page is made (a proposal: nobody looks through more).
MOST_PARTS: Final = 200
DEEPEST: Final = 100
FHIR_JSON: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
ENDS_A_LINE: Final = frozenset({"p", "li", "tr", "div"})
# Looked at once from beginning to end: the parser of the standard library takes half an hour for 2 MB in which no tag
# ends, and everybody waits.
_TAG: Final = re.compile(r"<(/?)([a-zA-Z]*+)[^<>]*+>")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Unreadable(Exception):
    """Nothing of it can be proposed. ``code`` of texts.UNREADABLE; ``detail``: where, and never of what."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def read(octets: bytes, zone: tzinfo) -> Document:
    """What it says; days are those of ``zone``, the patient's. Unreadable."""
    return _document(_bundle(_json(octets)), zone)


def _json(octets: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("not_json", str(error)[:200]) from None
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise Unreadable("not_fhir")
    return found


def _bundle(found: dict[str, Any]) -> fhir.Bundle:
    if found["resourceType"] == "DocumentReference":
        found = _carried(found)
    if found["resourceType"] != "Bundle":
        raise Unreadable("not_a_document", str(found["resourceType"])[:60])
    bundle = _whole(found, fhir.Bundle)
    if bundle.type != "document":
        raise Unreadable("not_a_document", f"Bundle.type {bundle.type}"[:60])
    return bundle


def _carried(found: dict[str, Any]) -> dict[str, Any]:
    """The document inside of a DocumentReference."""
    reference = _whole(found, fhir.DocumentReference)
    if reference.status != "current":
        raise Unreadable("not_in_force", f"DocumentReference.status {reference.status}"[:60])
    for content in reference.content:
        kind = (content.attachment.content_type or "").partition(";")[0].strip().lower()
        if kind in FHIR_JSON and content.attachment.data is not None:
            try:
                return _json(base64.b64decode(content.attachment.data, validate=True))
            except binascii.Error:
                raise Unreadable("not_json", "DocumentReference.content.attachment.data") from None
    kinds = ", ".join(content.attachment.content_type or "?" for content in reference.content)
    raise Unreadable("no_fhir_inside", kinds[:100])


def _whole(found: dict[str, Any], kind: type[Resource]) -> Resource:
    """Something without which nothing is read. Unreadable."""
    try:
        return _resource(found, kind)
    except _NotRead as why:
        raise Unreadable(f"resource_{why.code}", f"{found['resourceType']} {why.detail}"[:200]) from None


class _NotRead(Exception):
    """One resource: ``code`` 'modifier' or 'shape'."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def _resource(found: Mapping[str, Any], kind: type[Resource]) -> Resource:
    """_NotRead. A Bundle's and a DocumentReference's contents are looked at by themselves."""
    inside = {name: value for name, value in found.items() if name not in ("entry", "contained")}
    if found.get("implicitRules") or _has_modifier(inside, 0):
        raise _NotRead("modifier", "modifierExtension" if not found.get("implicitRules") else "implicitRules")
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise _NotRead("shape", str(error)[:200]) from None


def _has_modifier(value: object, depth: int) -> bool:
    if depth > DEEPEST:
        return True
    match value:
        case dict():
            return bool(value.get("modifierExtension")) or any(_has_modifier(v, depth + 1) for v in value.values())
        case list():
            return any(_has_modifier(each, depth + 1) for each in value)
    return False


# The document ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entries:
    """Resources with the names by which others refer to them."""

    rows: Sequence[tuple[frozenset[str], dict[str, Any]]]

    def of(self, reference: fhir.Reference | None, kind: str) -> tuple[frozenset[str], dict[str, Any]] | None:
        """What a reference means; None: it is not in here."""
        named = (reference.reference or "").partition("/_history/")[0] if reference is not None else ""
        return next(
            ((names, found) for names, found in self.rows if named in names and found["resourceType"] == kind), None
        )


def _document(bundle: fhir.Bundle, zone: tzinfo) -> Document:
    rows = [(_names(entry), entry.resource) for entry in bundle.entry if entry.resource is not None]
    entries = _Entries([(names, found) for names, found in rows if isinstance(found.get("resourceType"), str)])
    if not entries.rows or entries.rows[0][1]["resourceType"] != "Composition":
        raise Unreadable("no_composition")
    composition = _whole(entries.rows[0][1], fhir.Composition)
    if composition.status not in ("final", "amended"):
        raise Unreadable("not_in_force", f"Composition.status {composition.status}"[:60])
    whom = entries.of(composition.subject, "Patient")
    if whom is None:
        raise Unreadable("no_patient")
    names, patient = whom
    there = entries.of(composition.encounter, "Encounter")
    encounter = _whole(there[1], fhir.Encounter) if there is not None else None
    left = _day(encounter.period.end, zone) if encounter and encounter.period else None
    instructions = _few(each for of, found in entries.rows for each in _instructions(of, found, names, zone))
    return Document(
        title=composition.title[:LONGEST_TEXT],
        about=(_said(encounter.reason_code if encounter else []) or composition.title)[:LONGEST_TEXT],
        discharged_on=left,
        is_summary=any(coding.code == DISCHARGE_SUMMARY for coding in composition.type.coding),
        whose=_whose(_whole(patient, fhir.Patient)),
        instructions=instructions if left is None else [_not_before(each, left) for each in instructions],
        sections=_few(_sections(composition.section)),
    )


def _few(parts: Iterable[Part]) -> list[Part]:
    """All of them. Unreadable where there are more than MOST_PARTS."""
    found = list(islice(parts, MOST_PARTS + 1))
    if len(found) > MOST_PARTS:
        raise Unreadable("too_much", str(MOST_PARTS))
    return found


def _names(entry: fhir.Entry) -> frozenset[str]:
    found = entry.resource or {}
    own = f"{found.get('resourceType')}/{found['id']}" if found.get("id") else None
    return frozenset(name for name in (entry.full_url, own) if name)


def _whose(patient: fhir.Patient) -> Whose:
    name = next(iter(patient.name), fhir.HumanName())
    return Whose(
        name=(name.text or " ".join([*name.given, name.family or ""])).strip()[:LONGEST_TEXT],
        birth_date=_plain_day(patient.birth_date),
        identifiers=[
            Identifier(system=each.system.strip(), value=each.value.strip())
            for each in patient.identifier
            if each.system and each.value and each.use not in ("old", "temp") and len(each.system + each.value) <= 300
        ],
    )


def _not_before(instruction: Instruction, left: date) -> Instruction:
    if instruction.on is not None and instruction.on < left and instruction.why is None:
        return replace(instruction, why="before")
    return instruction


# What it asks for -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One thing in whichever resource: what ``_instruction`` needs of it."""

    status: str
    what: What
    says: str
    is_forbidden: bool = False
    days: Sequence[date] = ()
    undated: str = "no_day"


def _instructions(
    names: frozenset[str], found: dict[str, Any], whose: frozenset[str], zone: tzinfo
) -> Iterator[Instruction]:
    kind = found["resourceType"]
    place = f"{kind}/{found.get('id') or next(iter(names), '?')}"[:100]
    if kind in NOT_READ:
        says = _plain_said(found)
        yield Instruction(place=place, what=What.CHECK, says=says, why="kind")
        return
    reads = READS.get(kind)
    if reads is None:
        return
    part, asks = reads
    try:
        resource = _resource(found, part)
    except _NotRead as why:
        yield Instruction(place=place, what=WHATS.get(kind, What.CHECK), says="", why=why.code, detail=why.detail)
        return
    is_theirs = any(subject in whose for subject in _subjects(resource))
    for n, asked in enumerate(asks(resource, zone), start=1):
        at = f"{place}#{n}" if kind == "CarePlan" else place
        for each in _instruction(at, asked):
            yield each if is_theirs else replace(each, why="somebody_else")


def _instruction(place: str, asked: _Asked) -> Iterator[Instruction]:
    why = "forbidden" if asked.is_forbidden else None if asked.status in ASKS else "status"
    detail = asked.status if why == "status" else ""
    for day in asked.days or (None,):
        yield Instruction(
            place=place,
            what=asked.what,
            says=asked.says[:LONGEST_TEXT],
            on=day,
            why=why or (asked.undated if day is None else None),
            detail=detail,
        )


def _of_service_request(one: fhir.ServiceRequest, zone: tzinfo) -> Iterator[_Asked]:
    days, undated = _when(one.occurrence_date_time, one.occurrence_period, one.occurrence_timing, zone)
    says = [_said([one.code] if one.code else []), one.patient_instruction, *(note.text for note in one.note)]
    yield _Asked(
        status=one.status,
        what=What.CHECK,
        says=_joined(*says),
        is_forbidden=one.do_not_perform,
        days=days,
        undated=undated,
    )


def _of_communication_request(one: fhir.CommunicationRequest, zone: tzinfo) -> Iterator[_Asked]:
    days, undated = _when(one.occurrence_date_time, one.occurrence_period, None, zone)
    says = _joined(*(payload.content_string for payload in one.payload))
    yield _Asked(
        status=one.status, what=What.CALL, says=says, is_forbidden=one.do_not_perform, days=days, undated=undated
    )


def _of_appointment(one: fhir.Appointment, zone: tzinfo) -> Iterator[_Asked]:
    period = next(iter(one.requested_period), None)
    days, undated = _when(one.start, period, None, zone)
    says = _joined(one.description or _said(one.service_type), one.patient_instruction, one.comment)
    yield _Asked(status=one.status, what=What.VISIT, says=says, days=days, undated=undated)


def _of_care_plan(one: fhir.CarePlan, zone: tzinfo) -> Iterator[_Asked]:
    """Its details; what an activity refers to is in the document by itself."""
    for activity in one.activity:
        detail = activity.detail
        if detail is None:
            continue
        days, undated = _when(None, detail.scheduled_period, detail.scheduled_timing, zone)
        said = _said([detail.code] if detail.code else [])
        yield _Asked(
            status=detail.status if one.status == "active" else f"CarePlan.status {one.status}"[:60],
            what=WHATS.get(detail.kind, What.CHECK),
            says=_joined(detail.description or said, detail.scheduled_string),
            is_forbidden=detail.do_not_perform,
            days=days,
            undated="in_words" if detail.scheduled_string else undated,
        )


READS: Final[Mapping[str, tuple[type[Any], Callable[[Any, tzinfo], Iterator[_Asked]]]]] = {
    "ServiceRequest": (fhir.ServiceRequest, _of_service_request),
    "CommunicationRequest": (fhir.CommunicationRequest, _of_communication_request),
    "Appointment": (fhir.Appointment, _of_appointment),
    "CarePlan": (fhir.CarePlan, _of_care_plan),
}


def _subjects(resource: fhir.Part) -> Sequence[str]:
    if isinstance(resource, fhir.Appointment):
        return [each.actor.reference or "" for each in resource.participant if each.actor is not None]
    subject: fhir.Reference | None = getattr(resource, "subject", None)
    return [(subject.reference or "").partition("/_history/")[0]] if subject is not None else []


# Days and texts -------------------------------------------------------------------------------------------------------


def _when(
    at: str | None, period: fhir.Period | None, timing: fhir.Timing | None, zone: tzinfo
) -> tuple[Sequence[date], str]:
    """The days, and why there are none. Of a period its first day, or its last where that is all."""
    if timing is not None:
        days = [day for event in timing.event if (day := _day(event, zone)) is not None]
        return (days, "no_day") if timing.repeat is None and len(days) == len(timing.event) else ((), "repeats")
    texts = [at] if at else [period.start, period.end] if period is not None else []
    day = next((day for text in texts if (day := _day(text, zone)) is not None), None)
    return ([day], "") if day is not None else ((), "no_day")


def _day(text: str | None, zone: tzinfo) -> date | None:
    """A day as it is written, an instant on the calendar of ``zone``; None for less than a day (2026-11)."""
    if (plain := _plain_day(text)) is not None:
        return plain
    if text is None or not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(zone).date()
    except (ValueError, OverflowError):
        return None


def _plain_day(text: str | None) -> date | None:
    if text is None or not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _said(concepts: Sequence[fhir.CodeableConcept]) -> str:
    return _joined(
        *(
            concept.text or next((coding.display or coding.code for coding in concept.coding), None)
            for concept in concepts
        )
    )


def _plain_said(found: Mapping[str, Any]) -> str:
    """Of a resource that is not read: its description, where that is a text."""
    said = found.get("description")
    return said[:LONGEST_TEXT] if isinstance(said, str) else ""


def _joined(*texts: str | None) -> str:
    return "; ".join(text.strip().replace("\0", "") for text in texts if text and text.strip())


def _sections(sections: Sequence[fhir.Section]) -> Iterator[Section]:
    for each in sections:
        text = _text(each.text.div) if each.text is not None else ""
        if text or each.title:
            yield Section(title=(each.title or "")[:LONGEST_TEXT], text=text)
        yield from _sections(each.section)


def _text(div: str) -> str:
    """Of an XHTML narrative its words, line by line."""
    words = _TAG.sub(lambda tag: "\n" if tag[1] and tag[2].lower() in ENDS_A_LINE else "", div)
    lines = (" ".join(line.split()) for line in unescape(words).replace("\0", "").split("\n"))
    return "\n".join(line for line in lines if line)
