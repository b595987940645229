"""FHIR R4: conditional creates, changes that keep what others wrote, and patients whom nobody makes."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from cloud.crm.connectors.door import Answer, Door
from cloud.crm.connectors.fhir import PRIORITIES, SYSTEM, Fhir
from cloud.crm.connectors.offered import MOST_OF_FHIR
from cloud.crm.port import Ambiguous, FoundContact, Remote, Shut, TryLater, Urgency
from deploy.receivers.fhir import Fault, FhirServer
from tests.cloud.crm.connectors.bitrix24.made import Courier, call, completion, contact, first, note, ticket, todo
from tests.fix_bitrix24 import SimulatedClock

TLS = ssl.create_default_context()
PHONE = "+4930901820"


@pytest.fixture
def server() -> Iterator[FhirServer]:
    made = FhirServer(token="a bearer's")
    made.start()
    try:
        yield made
    finally:
        made.stop()
    assert made.refused == []


@pytest.fixture
def fhir(server: FhirServer, simulated_clock: SimulatedClock) -> Fhir:
    return Fhir(
        door=Door(tls=TLS, now=simulated_clock, inside=True),
        url=server.url,
        token=server.token,
        now=simulated_clock,
    )


def test_a_todo_is_a_task_with_its_deadline_for_a_patient_named_by_our_identifier(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    attempt = first(simulated_clock)
    who = fhir.upsert_contact(contact(), attempt)
    assert who == Remote(remote_id="P7F3K")
    made = fhir.add_todo(todo(who.remote_id), attempt)
    task = server.resources["Task"][made.remote_id]
    assert task["identifier"] == [{"system": SYSTEM, "value": "C1001"}]
    assert task["for"] == {"type": "Patient", "identifier": {"system": SYSTEM, "value": "P7F3K"}}
    assert (task["status"], task["intent"], task["priority"]) == ("requested", "order", "asap")
    assert task["restriction"] == {"period": {"end": "2026-11-02T03:30:00+00:00"}}
    assert server.resources["Patient"] == {}


def test_the_sooner_somebody_has_to_act_the_higher_their_priority() -> None:
    """Of R4: asap is higher than urgent."""
    rising = (Urgency.ROUTINE, Urgency.SAME_SHIFT, Urgency.URGENT, Urgency.EMERGENCY)
    assert [PRIORITIES.get(urgency, "routine") for urgency in rising] == ["routine", "urgent", "asap", "stat"]


def test_a_patient_with_our_identifier_is_named_by_their_own_id_too(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    telecom = [{"system": "phone", "value": PHONE}]
    patient = {"identifier": [{"system": SYSTEM, "value": "P7F3K"}], "telecom": telecom}
    spouse = server.add("Patient", {"telecom": telecom, "name": [{"family": "Quill", "given": ["Ann", "Bee"]}]})
    known = server.add("Patient", patient)
    who = fhir.upsert_contact(contact(), first(simulated_clock))
    assert who == Remote(remote_id=f"Patient/{known}", found=True)
    made = fhir.add_todo(todo(who.remote_id), first(simulated_clock))
    assert server.resources["Task"][made.remote_id]["for"]["reference"] == f"Patient/{known}"
    found = fhir.find_contact_by_phone(PHONE, first(simulated_clock))
    assert list(found) == [
        FoundContact(remote_id=f"Patient/{spouse}", name="Ann Bee Quill"),
        FoundContact(remote_id=f"Patient/{known}", reference="P7F3K"),
    ]


@pytest.mark.parametrize("shy", [False, True])
@pytest.mark.parametrize("faults", [[Fault.DONE_AND_GONE], [Fault.GONE], [Fault.BROKEN, Fault.DONE_AND_GONE]])
def test_whatever_goes_wrong_each_stands_there_once(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock, faults: list[Fault], shy: bool
) -> None:
    courier, server.shy = Courier(simulated_clock), shy
    known: str | None = None
    for _ in range(2):
        server.faults.extend(faults)
        known = courier.deliver(lambda attempt: fhir.add_todo(todo("P7F3K"), attempt)).remote_id
        for make in (
            lambda attempt: fhir.add_note(note("P7F3K", simulated_clock()), attempt),
            lambda attempt: fhir.create_ticket(ticket("P7F3K"), attempt),
            lambda attempt: fhir.log_call(call("P7F3K", simulated_clock()), attempt),
        ):
            server.faults.extend(faults)
            courier.deliver(make)
    done = completion("P7F3K", known, simulated_clock(), "C1001")
    server.faults.extend(faults)
    courier.deliver(lambda attempt: fhir.complete_todo(done, attempt))
    values = [each["identifier"][0]["value"] for kind in server.resources for each in server.resources[kind].values()]
    assert sorted(values) == ["C1001", "L1", "N1", "T1"]
    assert fhir.is_completed(known or "", first(simulated_clock)) is True


def test_a_change_keeps_what_they_wrote_and_what_is_over_stays_over(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    made = fhir.add_todo(todo("P7F3K"), first(simulated_clock))
    tasks = server.resources["Task"]
    tasks[made.remote_id] |= {"status": "accepted", "owner": {"display": "Ward 3"}}
    worse = replace(todo("P7F3K", remote_id=made.remote_id), title="Emergency [C1001]")
    assert fhir.add_todo(worse, first(simulated_clock)) == Remote(remote_id=made.remote_id, found=True)
    changed = tasks[made.remote_id]
    assert (changed["description"], changed["status"]) == ("Emergency [C1001]", "accepted")
    assert changed["owner"] == {"display": "Ward 3"}
    tasks[made.remote_id]["status"] = "completed"
    fhir.add_todo(todo("P7F3K", remote_id=made.remote_id), first(simulated_clock))
    assert tasks[made.remote_id]["description"] == "Emergency [C1001]"


def test_a_task_without_an_id_of_ours_is_found_and_completed(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    made = fhir.add_todo(todo("P7F3K"), first(simulated_clock))
    fhir.complete_todo(completion("P7F3K", None, simulated_clock(), "C1001"), first(simulated_clock))
    assert server.resources["Task"][made.remote_id]["status"] == "completed"
    assert fhir.is_completed("999", first(simulated_clock)) is None


def test_a_note_is_about_its_task_and_a_call_that_reached_nobody_was_not_done(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    made = fhir.add_todo(todo("P7F3K"), first(simulated_clock))
    said = replace(note("P7F3K", simulated_clock()), todo_remote_id=made.remote_id)
    known = fhir.add_note(said, first(simulated_clock)).remote_id
    assert server.resources["Communication"][known]["about"] == [{"reference": f"Task/{made.remote_id}"}]
    missed = replace(call("P7F3K", simulated_clock()), outcome="not_reached")
    known = fhir.log_call(missed, first(simulated_clock)).remote_id
    assert server.resources["Communication"][known]["status"] == "not-done"


@dataclass(frozen=True, kw_only=True)
class Counting(Door):
    """How often it was asked."""

    times: list[str] = field(default_factory=list)

    def ask(self, method: str, url: str, **given: Any) -> Answer:
        self.times.append(method)
        return super().ask(method, url, **given)


def test_no_verb_takes_longer_than_the_dispatcher_waits(
    server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock
) -> None:
    """Each request has its part of what a verb may take; here is whichever asks most."""
    made = fhir.add_todo(todo("P7F3K"), first(simulated_clock))
    door = Counting(tls=TLS, now=simulated_clock, inside=True)
    done = completion("P7F3K", "gone", simulated_clock(), "C1001")
    replace(fhir, door=door).complete_todo(done, first(simulated_clock))
    assert server.resources["Task"][made.remote_id]["status"] == "completed"
    assert len(door.times) == MOST_OF_FHIR
    assert door.times.count("GET") == 2


def test_errors_are_the_ports(server: FhirServer, fhir: Fhir, simulated_clock: SimulatedClock) -> None:
    with pytest.raises(Shut):
        replace(fhir, token="another").add_todo(todo("P7F3K"), first(simulated_clock))
    with pytest.raises(Shut):
        replace(fhir, url=f"{server.url}/nowhere").add_todo(todo("P7F3K"), first(simulated_clock))
    server.faults.append(Fault.BROKEN)
    with pytest.raises(Ambiguous):
        fhir.add_todo(todo("P7F3K"), first(simulated_clock))
    server.faults.append(Fault.BROKEN)
    with pytest.raises(TryLater):
        fhir.upsert_contact(contact(), first(simulated_clock))
