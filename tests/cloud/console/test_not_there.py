"""Not permitted looks like not existing: the same answer, octet for octet, and the same trail for whoever asked."""

import re
from collections.abc import Iterator
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest

from alerting.tiers import Tier
from cloud.auth.models import CLINICAL, Role
from cloud.console.edge import UNSAFE
from tests.cloud.console.test_who_may import FOR, ruled
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

# Whoever works with patients; for others their pages do not exist at all (test_who_may).
ROLES: Final = sorted(CLINICAL | {Role.COORDINATOR})
# What an answer has of its own, whatever was asked for.
OWN_HEADERS: Final = frozenset({"date"})


@pytest.fixture
def theirs(console: Console) -> dict[str, str]:
    """Ids that exist, of a patient of others, with a row of each kind that a path can name."""
    admin, ward, by = console.ward.admin, console.ward, console.accounts["ada"]
    [(assignment_id,)] = ward.rows("SELECT assignment_id FROM device_assignment LIMIT 1")
    found = {
        "patient_id": ward.patient_id,
        "case_id": planted_case(ward, Tier.SAME_SHIFT),
        "assignment_id": assignment_id,
    }
    for name, statement in (
        ("slot_id", "INSERT INTO measurement_slot (patient_id, kind, at, valid) VALUES"
         " (%(patient)s, 'glucose', '08:00', '[,]') RETURNING slot_id"),
        ("pause_id", "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%(patient)s, '[,]', 'holiday')"
         " RETURNING pause_id"),
        ("contact_id", "INSERT INTO contact_person (patient_id, place, name, relation, phones, may_be_told, added_by,"
         " added_at) VALUES (%(patient)s, 1, 'n', 'r', '{+4520123456}', true, %(by)s, now()) RETURNING contact_id"),
        ("medication_id", "INSERT INTO medication (patient_id, drug, dose, entered_by, entered_at)"
         " VALUES (%(patient)s, 'd', '1', %(by)s, now()) RETURNING medication_id"),
        ("change_id", "INSERT INTO treatment_change (patient_id, changed_on, what, why, noted_by, noted_at)"
         " VALUES (%(patient)s, '2026-11-01', 'w', 'w', %(by)s, now()) RETURNING change_id"),
        ("call_id", "INSERT INTO call (patient_id, case_id, account_id, started_at)"
         " VALUES (%(patient)s, %(case)s, %(by)s, now()) RETURNING call_id"),
        ("run_id", "INSERT INTO what_if_run (asked_by, asked_at, patient_id, days, proposal)"
         " VALUES (%(by)s, now(), %(patient)s, 28, '{}') RETURNING run_id"),
        ("break_glass_id", "INSERT INTO break_glass (account_id, patient_id, reason, until)"
         " VALUES (%(by)s, %(patient)s, 'An emergency', now() + interval '1 hour') RETURNING break_glass_id"),
        # What is asked for by its own id alone.
        ("question_id", "INSERT INTO patient_question (patient_id, body, asked_by, asked_at, about_symptoms, due_at,"
         " may_publish, may_publish_at) VALUES (%(patient)s, 'b', %(by)s, now(), false, now(), false, now())"
         " RETURNING question_id"),
        ("telephone_call_id", "WITH made AS (INSERT INTO telephone_system (name, kind, added_at) VALUES ('s',"
         " 'printing', now()) RETURNING system_id) INSERT INTO telephone_call (system_id, remote_id, direction,"
         " patient_id, started_at) SELECT system_id, 'c', 'in', %(patient)s, now() FROM made"
         " RETURNING telephone_call_id"),
        ("recording_id", "INSERT INTO call_recording (telephone_call_id, patient_id, state, told_at, keep_until)"
         " SELECT telephone_call_id, patient_id, 'no_consent', now(), now() FROM telephone_call"
         " RETURNING recording_id"),
        ("reference", "WITH made AS (INSERT INTO crm_destination (name, kind, added_at) VALUES ('c', 'printing', now())"
         " RETURNING destination_id) INSERT INTO crm_remote (destination_id, kind, reference, patient_id, thing_id,"
         " remote_id, made_at) SELECT destination_id, 'contact', gen_random_uuid(), %(patient)s, %(patient)s, '1',"
         " now() FROM made RETURNING reference"),
    ):  # fmt: skip
        given = {"patient": ward.patient_id, "by": by, "case": found["case_id"]}
        found[name] = admin.execute(statement, given).fetchall()[0][0]
    # Seen by a lead nurse already: what nobody has taken notice of is told to each of them, above every page.
    admin.execute("UPDATE break_glass SET seen_at = now(), seen_by = %s", (console.accounts["nora"],))
    return {name: str(value) for name, value in found.items()}


def paths(role: Role, ids: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What the role may ask for, of a patient."""
    for method, path in ruled():
        names = re.findall(r"{(\w+)}", path)
        if names and set(names) <= set(ids) and role in FOR.get(f"{method} {path}", frozenset()):
            yield method, path.format(**ids)
    if role in CLINICAL:
        yield "GET", f"/live?patient_id={ids['patient_id']}"
    if role in (Role.DOCTOR, Role.LEAD_NURSE):
        yield "GET", f"/what-if?patient_id={ids['patient_id']}"


def answers(person: Person, role: Role, ids: dict[str, str], token: str) -> list[tuple[str, int, str, dict[str, str]]]:
    """Path, status, text and headers of each, without the ids."""
    found = []
    for method, path in paths(role, ids):
        form = {"csrf_token": token, "reason": "she asked", "outcome": "reached", "days": "28"}
        answer = person.client.request(method, path, data=form if method in UNSAFE else None)
        found.append((_plain(f"{method} {path}", ids), answer.status_code, _plain(answer.text, ids), _headers(answer)))
    return found


def test_a_patient_of_others_looks_like_none_at_all(console: Console, theirs: dict[str, str]) -> None:
    nobody = {name: str(uuid4()) for name in theirs}
    eve = console.sign_in("eve")
    token = eve.csrf_token()
    trails, asked = [], set()
    for role in ROLES:
        console.ward.admin.execute("UPDATE account SET role = %s WHERE login = 'eve'", (role,))
        told = answers(eve, role, theirs, token)
        trails.append(trail(console, eve.account_id, theirs))
        assert told == answers(eve, role, nobody, token)
        trails.append(trail(console, eve.account_id, nobody))
        assert {status for _, status, _, _ in told} == {404}
        asked |= {path for path, _, _, _ in told}
    assert len(asked) > 40, asked
    assert all(after == before for after, before in zip(trails[1::2], trails[::2], strict=True))
    # Nor is the patient told that somebody looked who saw nothing.
    assert "Eve Stranger" not in console.sign_in("asta").get("/me/access").text


def test_neither_does_a_patient_see_another(console: Console, theirs: dict[str, str]) -> None:
    asta = console.sign_in("asta")
    told = [asta.get(f"/live?patient_id={patient_id}") for patient_id in (console.other_patient_id, uuid4())]
    assert [(answer.status_code, answer.text) for answer in told] == [(404, told[0].text)] * 2


def test_a_trial_about_a_patient_of_others_is_one_about_nobody(console: Console, theirs: dict[str, str]) -> None:
    console.ward.admin.execute("UPDATE account SET role = 'doctor' WHERE login = 'eve'")
    eve = console.sign_in("eve")
    told = [eve.post("/what-if", {"patient_id": one, "days": "28"}) for one in (theirs["patient_id"], str(uuid4()))]
    assert [(answer.status_code, answer.text) for answer in told] == [(404, told[0].text)] * 2


def trail(console: Console, account_id: UUID, ids: dict[str, str]) -> list[str]:
    """What whoever asked can find out of the audit about what they did, oldest first; what was found last time, too."""
    rows = console.ward.admin.execute(
        "SELECT action, subject, patient_id::text, detail::text FROM audit"
        " WHERE account_id = %s AND action <> 'sign_in' ORDER BY audit_id",
        (account_id,),
    ).fetchall()
    return [_plain(repr(row), ids) for row in rows]


def _plain(text: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(value, name)
    return text


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN_HEADERS}
