"""What fills a document, in its language: facts of the database in words, and never a guess. Pure.

What nobody knows is '' (of a few words) or None (of whole parts), and becomes room to write by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Final

from alerting.regimes import Figure, RegimeLimit
from alerting.tiers import Role as EscalatedTo
from alerting.tiers import Terms, Tier
from cloud.auth.models import Role
from cloud.consent.models import Decided, Text
from cloud.console.spoken import Spoken, zone_of
from cloud.crm.documents.models import (
    Blocks,
    Clinic,
    Device,
    Grid,
    Heading,
    Kind,
    Paragraph,
    Patient,
    Points,
    ReviewPage,
    Values,
)
from cloud.crm.documents.templates import NEEDED, OTHERS, WORDS
from cloud.language.languages import LANGUAGES
from cloud.planning.models import Pause, Slot
from cloud.plans import rules
from cloud.programmes.models import Shown
from cloud.retention.models import KEEPING, Keeping
from cloud.review.report import Content
from cloud.review.saying import days_of
from cloud.treatment.models import Medication, TreatmentChange

_TO: Final[Mapping[EscalatedTo, str]] = {
    EscalatedTo.DOCTOR_ON_DUTY: "doctor",
    EscalatedTo.LEAD_NURSE: "lead_nurse",
    EscalatedTo.WEEKLY_REVIEW: "weekly_review",
}
# Room for devices that are handed out before anybody has entered them.
_EMPTY_ROWS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What each document can say: whose it is, if anybody's, who made it and when. ``zone``: whose clock dates it."""

    clinic: Clinic
    centre_phone: str
    patient: Patient | None
    by: str
    now: datetime
    zone: str

    @property
    def today(self) -> date:
        return self.now.astimezone(zone_of(self.zone)).date()


def common(frame: Frame, spoken: Spoken) -> dict[str, str | Blocks | None]:
    """The fields of every document."""
    clinic, patient = frame.clinic, frame.patient
    return {
        "clinic_name": clinic.name,
        "clinic_address": clinic.address,
        "clinic_phone": clinic.phone,
        "clinic_email": clinic.email,
        "centre_phone": frame.centre_phone,
        "hours": clinic.hours,
        "made_on": spoken.day(frame.today),
        "made_by": frame.by,
        "patient_name": patient.display_name if patient else "",
        "birth_date": spoken.day(patient.birth_date) if patient and patient.birth_date else "",
    }


def consent(text: Text, decided: Decided | None, zone: str, spoken: Spoken) -> Values:
    """``decided``: what the patient said of this very text; None: nothing yet, and there is room to write."""
    parts: list[Heading | Paragraph | Points] = [Heading(text.title, 1)]
    for block in text.blocks:
        if block.kind == "heading":
            parts.append(Heading(block.lines[0], 1))
        elif block.kind == "list":
            parts.append(Points(block.lines))
        else:
            parts.append(Paragraph(block.lines[0]))
    if text.approved_by is None:
        parts.append(Paragraph(spoken.words.gettext("A proposal: the clinic’s lawyers have not approved it yet.")))
    return {
        "consent_text": tuple(parts),
        "consent_title": text.title,
        "consent_version": str(text.version),
        "how_signed": _how_signed(decided, zone, spoken),
    }


def _how_signed(decided: Decided | None, zone: str, spoken: Spoken) -> str:
    if decided is None:
        return ""
    words = spoken.words
    entered = spoken.local(decided.entered_at, zone)
    if decided.by_patient:
        said = words.gettext("{decision} by the patient on their own page on {moment} ({zone}), signed in.")
        said = said.format(decision=spoken.CONSENT_DECISIONS[decided.decision], moment=entered, zone=zone)
    else:
        said = words.gettext("{decision} on paper or by word on {day}; entered by {name} on {moment} ({zone}).").format(
            decision=spoken.CONSENT_DECISIONS[decided.decision],
            day=spoken.day(decided.signed_on) if decided.signed_on else "",
            name=decided.entered_by,
            moment=entered,
            zone=zone,
        )
    read_in = words.gettext("It was read in: {language}.").format(language=LANGUAGES[decided.language].name)
    return f"{said} {read_in}"


def hand_over(devices: Sequence[Device], typed: Mapping[str, tuple[str, str]], zone: str, spoken: Spoken) -> Values:
    """``typed``: condition and accessories by the device's id; what nobody typed is written by hand."""
    words = spoken.words
    rows = [
        (
            f"{spoken.KINDS[one.kind]}: {one.name}",
            one.serial_number,
            ", ".join(filter(None, (spoken.STOCK_OWNERS[one.owner], one.lessor))),
            spoken.day(one.lease_ends_on) if one.lease_ends_on else words.gettext("no lease"),
            spoken.local(one.since, zone, "%d %b %Y"),
            *typed.get(str(one.item_id), ("", "")),
        )
        for one in devices
    ]
    head = (
        words.gettext("Device"),
        words.gettext("Serial number"),
        words.gettext("Property of"),
        words.gettext("Lease ends"),
        words.gettext("Handed over on"),
        words.gettext("Condition of the device"),
        words.gettext("Accessories"),
    )
    empty = [("",) * len(head)] * _EMPTY_ROWS
    return {"devices": (Grid(head, rows or empty, (4.6, 3.7, 3.9, 2.9, 2.9, 3.5, 4.6)),)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A patient's plan at the end of a period, and what changed within it."""

    first: date
    last: date
    programme: str
    slots: Sequence[Slot]
    pauses: Sequence[Pause]
    limits: Sequence[RegimeLimit]
    changes: Sequence[TreatmentChange]
    medication: Sequence[Medication]


def report(page: Content, of: Watched, zone: str, spoken: Spoken) -> Values:
    """The review's page as it is, and the plan with what was changed."""
    words = spoken.words
    nothing = (Paragraph(words.gettext("None.")),)
    period = words.gettext("{first} to {last}").format(first=spoken.day(of.first), last=spoken.day(of.last))
    changes = [(spoken.day(one.changed_on), one.what, one.why, one.noted_by) for one in of.changes]
    medication = [(one.drug, one.dose, spoken.day(one.since) if one.since else "") for one in of.medication]
    return {
        "period": period,
        "programme": of.programme,
        "figures": (ReviewPage(page),),
        "schedule": (Points([_slot(one, spoken) for one in of.slots]),) if of.slots else nothing,
        "pauses": (Points([_pause(one, zone, spoken) for one in of.pauses]),) if of.pauses else nothing,
        "limits": (_limits(of.limits, zone, spoken),),
        "changes": (
            Grid(
                (words.gettext("Day"), words.gettext("What"), words.gettext("Why"), words.gettext("Noted by")),
                changes,
                (2.4, 6, 5, 3),
            ),
        )
        if changes
        else nothing,
        "medication": (
            Grid((words.gettext("Medication"), words.gettext("Dose"), words.gettext("Since")), medication, (5, 5, 3)),
        )
        if medication
        else nothing,
    }


def _slot(one: Slot, spoken: Spoken) -> str:
    days = (
        spoken.words.gettext("every day")
        if len(one.weekdays) == 7
        else ", ".join(spoken.WEEKDAYS[str(day)] for day in sorted(one.weekdays))
    )
    return f"{one.at:%H:%M} {spoken.KINDS[one.kind]}, {days}"


def _pause(one: Pause, zone: str, spoken: Spoken) -> str:
    since = spoken.local(one.since, zone)
    if one.until is None:
        said = spoken.words.gettext("Pause from %(since)s on: nothing is due.") % {"since": since}
    else:
        said = spoken.words.gettext("Pause from %(since)s until %(until)s: nothing is due.") % {
            "since": since, "until": spoken.local(one.until, zone),
        }  # fmt: skip
    return f"{said} {one.reason}"


def _limits(limits: Iterable[RegimeLimit], zone: str, spoken: Spoken) -> Grid:
    words = spoken.words
    rows = []
    for limit in limits:
        # An index has no unit.
        of = list(limit.values.values())
        index = limit.figure is Figure.LOW_GLUCOSE_INDEX
        values = spoken.number(of[0]) if index else " / ".join(spoken.bounds(limit.values, limit.measure))
        since = spoken.local(limit.since, zone, "%d %b %Y") if limit.version and limit.since else ""
        rows.append(
            (
                spoken.word(limit.condition, spoken.CONDITIONS),
                f"{spoken.FIGURES[limit.figure]} {spoken.RELATIONS[limit.relation]} {values}",
                ", ".join(filter(None, (spoken.cited(limit.source), since))),
            )
        )
    head = (words.gettext("Condition"), words.gettext("Limit"), words.gettext("Source"))
    return Grid(head, rows, (5, 6, 6))


def privacy(clinic: Clinic, spoken: Spoken, keeping: Keeping = KEEPING) -> Values:
    """What is kept for how long is read from what the retention ends; who sees it, from the roles there are."""
    return {
        "privacy_contact": clinic.privacy_contact,
        "authority": clinic.authority,
        "records_kept": clinic.records_kept,
        "kept": (
            Points(
                [
                    *spoken.DOCUMENT_KEPT_WITH_RECORD.values(),
                    *(
                        spoken.DOCUMENT_KEPT_FOR[one.name].format(span=days_of(getattr(keeping, one.name).days, spoken))
                        for one in fields(keeping)
                        if one.name in spoken.DOCUMENT_KEPT_FOR
                    ),
                ]
            ),
        ),
        "seen_by": (
            Points([f"{spoken.ROLES[role]}: {spoken.DOCUMENT_SEEN_BY[role]}" for role in Role if role != Role.PATIENT]),
        ),
    }


def programmes(found: Sequence[Shown], spoken: Spoken) -> Values:
    """The programmes that there are, with what they judge by."""
    words = spoken.words
    head = (
        words.gettext("Programme"),
        words.gettext("Limits of"),
        words.gettext("Late after"),
        words.gettext("Watched closely for"),
    )
    rows = [
        (
            one.row.display_name,
            ", ".join(spoken.word(name, spoken.REGIMES) for name in rules.regime(one.row.regimes).name.split("+")),
            spoken.exactly(one.row.late_after),
            spoken.exactly(one.row.heightened_for),
        )
        for one in found
    ]
    return {"programmes": (Grid(head, rows, (5, 6, 3, 3)),)}


def deadlines(found: Sequence[Shown], spoken: Spoken) -> Values:
    """Of each programme and tier what is in force now, and who says so."""
    words = spoken.words
    head = (
        words.gettext("Urgency"),
        words.gettext("Acknowledge within"),
        words.gettext("Speak with the patient within"),
        words.gettext("Escalate after"),
        words.gettext("To whom"),
        words.gettext("Source"),
    )
    parts: list[Heading | Grid | Paragraph] = []
    for one in found:
        rows = [_deadline(tier, terms, one, spoken) for tier, terms in one.terms.items()]
        parts += [Heading(one.row.display_name, 1), Grid(head, rows, (3, 2.6, 3, 3, 3.6, 4.4))]
    counted = [spoken.TIERS[tier] for tier in Tier if any(one.terms[tier].working_time for one in found)]
    if counted:
        said = words.gettext("Hours of working days alone are counted for: {tiers}.")
        parts.append(Paragraph(said.format(tiers=", ".join(counted))))
    return {"deadlines": tuple(parts)}


def _deadline(tier: Tier, terms: Terms, of: Shown, spoken: Spoken) -> tuple[str, ...]:
    own = of.own.get(tier)
    return (
        spoken.TIERS[tier],
        spoken.exactly(terms.acknowledge_within),
        spoken.exactly(terms.contact_within),
        spoken.exactly(terms.escalate_after),
        ", ".join(spoken.ESCALATED_TO[_TO[to]] for to in terms.escalate_to),
        spoken.cited(terms.source) if own is None else spoken.words.gettext("set by the clinic, in part or whole"),
    )


def roles(spoken: Spoken) -> Values:
    """Who does what."""
    words = spoken.words
    rows = [(spoken.ROLES[role], spoken.DOCUMENT_ROLES[role]) for role in Role]
    return {"roles": (Grid((words.gettext("Role"), words.gettext("What they do")), rows, (3, 11)),)}


def names(kind: Kind) -> Values:
    """The fields by their names, for whoever looks at a draft."""
    whole = NEEDED[kind] | OTHERS[kind]
    return {
        **{name: f"«{name}»" for name in WORDS[kind]},
        **{name: (Paragraph(f"«{name}»"),) for name in whole},
    }
