"""What is read of a hospital's document, and what is shown with the reason why it is not."""

import time
from collections.abc import Callable
from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.discharges.models import Document, Identifier, Instruction
from cloud.crm.discharges.reading import Unreadable, read
from cloud.crm.followups.models import What
from tests.cloud.crm.discharges.made import (
    NUMBER,
    Resource,
    appointment,
    bundle,
    composition,
    octets,
    patient,
    plan,
    referring_to,
    request,
    summary,
)

COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def read_of(resource: Resource, zone: str = "Europe/Copenhagen") -> Document:
    return read(octets(resource), ZoneInfo(zone))


def facts(instruction: Instruction) -> tuple[What, date | None, str, str | None]:
    return instruction.what, instruction.on, instruction.says, instruction.why


def test_a_discharge_summary_gives_the_day_the_reason_whose_it_is_and_dated_instructions() -> None:
    document = read_of(summary())
    assert (document.discharged_on, document.about, document.is_summary) == (date(2026, 11, 20), "Heart failure", True)
    assert document.whose.identifiers == [Identifier(system=NUMBER["system"], value=NUMBER["value"])]
    assert (document.whose.name, document.whose.birth_date) == ("Asta Example", date(1948, 5, 9))
    assert [facts(one) for one in document.instructions] == [
        (What.CHECK, date(2026, 11, 27), "Potassium", None),
        (What.VISIT, date(2026, 12, 4), "Cardiology", None),
        (What.CALL, None, "Ask for the weight; in two days", "in_words"),
        (What.CHECK, date(2026, 11, 27), "X-ray", "status"),
    ]
    assert [(one.title, one.text) for one in document.sections] == [("Plan", "Weigh daily.")]


def test_an_instant_is_a_day_where_the_patient_is_and_a_day_is_that_day_everywhere() -> None:
    for zone, day in (("Europe/Copenhagen", 4), ("America/Los_Angeles", 3), ("Pacific/Kiritimati", 4)):
        on = [one.on for one in read_of(bundle(appointment(), request()), zone).instructions]
        assert on == [date(2026, 12, day), date(2026, 11, 27)]


def test_a_document_reference_carries_the_same_document() -> None:
    assert read_of(referring_to(octets(summary()))) == read_of(summary())


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"occurrenceDateTime": "2026-12"}, "no_day"),
        ({"occurrenceDateTime": "2026-02-30"}, "no_day"),
        ({"occurrenceDateTime": "2026-12-01T10:00:00"}, "no_day"),  # R4: a time has an offset
        ({"occurrenceDateTime": None}, "no_day"),
        ({"occurrenceDateTime": "2026-11-01"}, "before"),
        ({"occurrenceDateTime": None, "occurrenceTiming": {"repeat": {"frequency": 1, "periodUnit": "wk"}}}, "repeats"),
        ({"status": "entered-in-error"}, "status"),
        ({"status": "done"}, "status"),
        ({"doNotPerform": True}, "forbidden"),
        ({"subject": {"reference": "Patient/other"}}, "somebody_else"),
        ({"modifierExtension": [{"url": "urn:x"}]}, "modifier"),
        ({"code": {"coding": [{"code": "x", "modifierExtension": [{"url": "urn:x"}]}]}}, "modifier"),
        ({"implicitRules": "urn:x"}, "modifier"),
        ({"status": 7}, "shape"),
        ({"subject": None}, "shape"),
    ],
)
def test_what_is_not_sure_is_shown_with_its_reason_and_not_proposed(other: dict[str, Any], why: str) -> None:
    [good, bad] = read_of(bundle(request(), request(id="s9", **other))).instructions
    assert good.why is None
    assert (bad.why, bad.place) == (why, "ServiceRequest/s9")


def test_periods_and_several_events_are_dated_and_a_plan_that_is_over_asks_for_nothing() -> None:
    period = {"occurrenceDateTime": None, "occurrencePeriod": {"start": "2026-11", "end": "2026-12-05"}}
    events = {"scheduledTiming": {"event": ["2026-11-25", "2026-12-02T08:00:00+01:00"]}, "kind": "Appointment"}
    found = read_of(bundle(request(**period), plan(events), plan(events, status="revoked"))).instructions
    assert [(one.what, one.on, one.why) for one in found] == [
        (What.CHECK, date(2026, 12, 5), None),
        (What.VISIT, date(2026, 11, 25), None),
        (What.VISIT, date(2026, 12, 2), None),
        (What.VISIT, date(2026, 11, 25), "status"),
        (What.VISIT, date(2026, 12, 2), "status"),
    ]
    assert found[1].place == "CarePlan/k1#1"


def test_kinds_that_are_not_read_are_named_and_everything_else_is_left_alone() -> None:
    found = read_of(bundle({"resourceType": "Task", "id": "t", "description": "Wean"}, {"resourceType": "Condition"}))
    assert [(one.place, one.says, one.why) for one in found.instructions] == [("Task/t", "Wean", "kind")]


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"resourceType": "Patient"}, "not_a_document"),
        ({**summary(), "type": "collection"}, "not_a_document"),
        ({**summary(), "modifierExtension": [{"url": "urn:x"}]}, "resource_modifier"),
        ({**summary(), "entry": "x"}, "resource_shape"),
        ({**summary(), "entry": []}, "no_composition"),
        (bundle(of=composition(status="preliminary")), "not_in_force"),
        (bundle(of=composition(status="entered-in-error")), "not_in_force"),
        (bundle(of=composition(subject={"reference": "Patient/nobody"})), "no_patient"),
        (bundle(of=composition(title=None)), "resource_shape"),
        (bundle(whose=patient(birthDate=1948)), "resource_shape"),
        (referring_to(b"%PDF-1.7", "application/pdf"), "no_fhir_inside"),
        ({**referring_to(octets(summary())), "status": "superseded"}, "not_in_force"),
        (referring_to(b"{}"), "not_fhir"),
    ],
)
def test_what_is_no_document_in_force_is_refused_with_the_reason(resource: Resource, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_of(resource)
    assert refused.value.code == code


def test_names_are_kept_to_numbers_that_hold() -> None:
    old = {**NUMBER, "value": "old", "use": "old"}
    document = read_of(bundle(whose=patient(identifier=[old, {"value": "no system"}, {"system": "no value"}])))
    assert document.whose.identifiers == []
    assert not read_of(bundle(of=composition(type={"text": "Letter"}))).is_summary


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(found: bytes) -> None:
    with pytest.raises(Unreadable):
        read(found, UTC)


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES: list[Callable[[Any], Resource]] = [
    lambda value: bundle(of=composition(section=value)),
    lambda value: bundle(whose=patient(name=value)),
    lambda value: bundle(request(code=value)),
    lambda value: bundle(appointment(participant=value)),
    lambda value: bundle({"resourceType": value}),
    lambda value: bundle({"resourceType": "Task", "id": value, "description": value}),
    lambda value: referring_to(b"") | {"content": value},
]


@given(st.sampled_from(PLACES), NESTED)
def test_any_shape_in_any_place_is_read_or_refused(place: Callable[[Any], Resource], value: object) -> None:
    try:
        document = read_of(place(value))
    except Unreadable:
        return
    assert isinstance(document, Document)


@pytest.mark.parametrize(
    "heap",
    [
        bundle(request(occurrenceDateTime=None, occurrenceTiming={"event": ["2026-11-27"] * 201})),
        bundle(of=composition(section=[{"title": str(n)} for n in range(201)])),
    ],
)
def test_a_file_with_more_than_anybody_looks_through_is_not_made_into_a_page(heap: Resource) -> None:
    with pytest.raises(Unreadable) as refused:
        read_of(heap)
    assert refused.value.code == "too_much"


def test_a_narrative_in_which_no_tag_ends_keeps_nobody_waiting() -> None:
    text = {"status": "generated", "div": "<p>Weigh <b>daily</b> &amp; rest.</P>" + "<a" * 400_000}
    before = time.process_time()
    found = read_of(bundle(of=composition(section=[{"title": "Plan", "text": text}])))
    assert time.process_time() - before < 5  # it takes hundredths; by the parser of the standard library, minutes
    assert found.sections[0].text.startswith("Weigh daily & rest.\n")
