"""The live stream: who hears what, and that nobody believes in a stream that is dead."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from alerting.familiarity import NEEDED
from tests.cloud.live.reading import stream, until
from tests.cloud.made import CUFF, NOW, Ward, glucose, pressure, sent
from tests.cloud.worklist.test_worklist import case_ids
from tests.fix_console import Console


def test_a_case_that_the_ingest_opens_arrives_as_a_row(console: Console) -> None:
    with stream(console.sign_in("nora")) as events:
        assert case_ids(until(events, "worklist").data) == []
        console.ward.receive(sent(glucose("48")))
        case = until(events, "case")
    [(case_id, event_id)] = console.ward.rows("SELECT case_id, max(event_id) FROM case_event GROUP BY case_id")
    assert case_ids(case.data) == [str(case_id)]
    assert case.id == str(event_id)
    for text in ("Asta Example", "48 mg/dL", 'data-priority="high"', 'data-state="raised"', 'data-open="true"'):
        assert text in case.data


def test_a_reading_is_announced_by_its_ids_and_nothing_else(console: Console) -> None:
    reading = glucose("101")
    with stream(console.sign_in("nora")) as events:
        until(events, "worklist")
        console.ward.receive(sent(reading))
        announced = until(events, "reading").json()
    assert announced == {
        "reading_id": reading.reading_id,
        "patient_id": str(console.ward.patient_id),
        "kind": "glucose",
    }


def test_an_answer_to_was_it_you_is_announced_to_whoever_has_the_patients_page_open(console: Console) -> None:
    ward = console.ward
    ward.receive(sent(*(pressure("125", "80", at=NOW - timedelta(days=n + 1)) for n in range(NEEDED))))
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(pressure("165", "81")))
    [(reading_id,)] = ward.rows("SELECT reading_id FROM held_reading")
    with stream(console.sign_in("nora"), f"/live?patient_id={ward.patient_id}") as events:
        until(events, "worklist")
        console.sign_in("asta").post(f"/me/questions/{reading_id}", {"answer": "no"})
        assert until(events, "held").data == "answered"


def test_an_acknowledgement_reaches_the_other_nurse(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    nora, ben = console.sign_in("nora"), console.sign_in("ben")
    with stream(ben) as events:
        [case_id] = case_ids(until(events, "worklist").data)
        nora.post(f"/cases/{case_id}/acknowledge")
        taken = until(events, "case").data
        assert 'data-state="acknowledged"' in taken
        assert 'data-mine="false"' in taken
        assert "Nora Quist" in taken
        nora.post(f"/cases/{case_id}/resolve", {"disposition": "advice_given"})
        assert 'data-open="false"' in until(events, "case").data


def test_who_comes_back_sees_what_happened_meanwhile_whatever_the_last_event_id(console: Console) -> None:
    nora = console.sign_in("nora")
    with stream(nora) as events:
        last = until(events, "worklist").id
    console.ward.receive(sent(glucose("48")))
    for last_event_id in (last or "", "999999999", "nonsense"):
        with stream(nora, **{"Last-Event-ID": last_event_id}) as events:
            caught_up = until(events, "worklist")
        assert len(case_ids(caught_up.data)) == 1
        assert int(caught_up.id or 0) > int(last or 0)


def test_a_nurse_outside_the_care_team_hears_nothing_but_the_beat(console: Console) -> None:
    with stream(console.sign_in("eve")) as strangers, stream(console.sign_in("nora")) as events:
        assert case_ids(until(strangers, "worklist").data) == []
        until(events, "worklist")
        console.ward.receive(sent(glucose("48")))
        until(events, "case")
        assert next(strangers).name == "beat"


def test_a_patient_hears_of_their_own_readings_and_of_no_case(console: Console) -> None:
    reading = glucose("48")
    with stream(console.sign_in("asta")) as events:
        assert next(events).name == "beat"
        console.ward.receive(sent(reading))
        heard = [next(events), next(events)]
    assert [event.name for event in heard] == ["reading", "beat"]
    assert heard[0].json()["reading_id"] == reading.reading_id


def test_a_patients_own_readings_are_not_another_patients(console: Console) -> None:
    with stream(console.sign_in("asta")) as events:
        assert next(events).name == "beat"
        _notify(console.ward, console.other_patient_id)
        assert next(events).name == "beat"


def test_a_stream_for_one_patient_is_about_that_patient(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.other_patient_id, console.accounts["nora"]),
    )
    with stream(console.sign_in("nora"), f"/live?patient_id={console.ward.patient_id}") as events:
        until(events, "worklist")
        _notify(console.ward, console.other_patient_id)
        _notify(console.ward, console.ward.patient_id)
        assert until(events, "reading").json()["patient_id"] == str(console.ward.patient_id)


@pytest.mark.parametrize("login", ["sam", "carl"])
def test_for_a_role_with_nothing_to_see_there_is_no_stream(console: Console, login: str) -> None:
    assert console.sign_in(login).get("/live").status_code == 404


def test_a_browser_that_is_signed_out_is_told_so_in_its_own_language(console: Console) -> None:
    answer = console.client().get("/live", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.text) == (200, "event: signed_out\ndata: \n\n")
    assert console.client().get("/live").headers["location"] == "/login"


def test_signing_out_ends_the_open_stream(console: Console) -> None:
    nora = console.sign_in("nora")
    with stream(nora) as events:
        until(events, "worklist")
        nora.post("/logout")
        assert [event.name for event in events][-1] == "signed_out"


def test_an_open_stream_does_not_keep_an_idle_session_alive(console: Console) -> None:
    with stream(console.sign_in("nora")) as events:
        until(events, "worklist")
        console.clock.forward(hours=2)
        assert [event.name for event in events][-1] == "signed_out"


def test_when_the_database_is_lost_every_stream_ends_and_a_new_one_has_the_whole_truth(console: Console) -> None:
    nora = console.sign_in("nora")
    with stream(nora) as events:
        until(events, "worklist")
        console.ward.admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name IN ('pulsepost-live', 'pulsepost-console')"
        )
        console.ward.receive(sent(glucose("48")))
        names = [event.name for event in events]
    assert "signed_out" not in names
    _wait_until_healthy(console)
    with stream(nora) as events:
        assert len(case_ids(until(events, "worklist").data)) == 1


def test_a_notification_that_is_none_of_ours_disturbs_nobody(console: Console) -> None:
    with stream(console.sign_in("nora")) as events:
        until(events, "worklist")
        for payload in ("", "nonsense", '{"type":"case"}', '{"type":"else"}'):
            console.ward.admin.execute("SELECT pg_notify('live', %s)", (payload,))
        _notify(console.ward, console.ward.patient_id)
        assert until(events, "reading").json()["kind"] == "glucose"


def _notify(ward: Ward, patient_id: UUID) -> None:
    """What the ingest says when it has stored a reading."""
    ward.admin.execute(
        "SELECT pg_notify('live', json_build_object('type', 'reading', 'reading_id', gen_random_uuid(),"
        " 'patient_id', %s::uuid, 'kind', 'glucose')::text)",
        (patient_id,),
    )


def _wait_until_healthy(console: Console) -> None:
    client = console.client()
    pause = threading.Event()
    for _ in range(200):
        if client.get("/healthz").text == "ok\n":
            return
        pause.wait(0.05)
    raise AssertionError("the console did not listen again")
