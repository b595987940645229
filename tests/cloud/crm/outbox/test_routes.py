"""The console's page of outside CRMs, its banner, links that lead back, and what CRMs tell us."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest
from standardwebhooks.webhooks import Webhook as Reference

from cloud.console.texts import CRM_EVENTS
from cloud.crm.connectors.envelopes import CONTACT_STEP
from cloud.crm.outbox import store
from cloud.crm.outbox.course import KEPT
from cloud.crm.outbox.models import key_of
from cloud.crm.outbox.work import ENDS, OF_PATIENT, OPENS, PREFIX
from cloud.crm_config import CrmSettings
from deploy.receivers.crm import Fault
from tests.cloud.crm.outbox.made import KEY, SECRET, Telling, made_telling, running_crm
from tests.cloud.notifications.made import Moment
from tests.fix_console import Console

DOCS: Final = Path(__file__).resolve().parents[4] / "docs" / "crm.md"


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@dataclass(frozen=True)
class Room:
    """A console and a CRM on the same ward."""

    console: Console
    telling: Telling

    def post(self, headers: dict[str, str], body: bytes, destination_id: UUID | None = None) -> httpx.Response:
        """What a CRM sends: no cookie, no origin."""
        path = f"/crm/inbound/{destination_id or self.telling.destination_id}"
        return httpx.post(f"{self.console.url}{path}", content=body, headers=headers, timeout=10)

    def todo_of(self, case_id: UUID) -> str:
        """What the CRM calls the case's todo."""
        [(remote_id,)] = self.telling.ward.rows(
            f"SELECT remote_id FROM crm_remote WHERE kind = 'todo' AND thing_id = '{case_id}'"  # noqa: S608 -- a UUID of ours
        )
        found: str = remote_id
        return found

    def inbox(self) -> list[tuple[str, str | None]]:
        return [
            (event, outcome) for event, outcome in self.telling.ward.rows("SELECT event_id, outcome FROM crm_inbox")
        ]


@pytest.fixture
def room(console: Console) -> Iterator[Room]:
    """Both clocks move together."""
    clock = Moment(console.clock.time)
    with running_crm(clock) as crm, made_telling(console.ward, crm, clock) as telling:
        yield Room(console, telling)


def said(
    remote_id: str, at: datetime, *, event_id: str = "ev-1", key: str | None = None
) -> tuple[dict[str, str], bytes]:
    """That a todo is done, signed by the reference implementation."""
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/crm",
            "type": "org.pulsepost.crm.todo.completed.v1",
            "data": {"remote_id": remote_id, "key": key},
        }
    )
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Reference(SECRET).sign(event_id, at, body),
    }, body.encode()


def test_the_page_says_what_leaves_and_what_a_person_is_to_do(room: Room) -> None:
    room.telling.ward.admin.execute(
        'UPDATE crm_destination SET settings = settings || \'{"surveys": "yes"}\', down_since = added_at,'
        " down_why = 'expired_token'"
    )
    page = room.console.sign_in("sam").get("/crm").text
    assert "Only work leaves" not in page
    assert "what patients answer to surveys" in page
    assert "The webhook has expired. Make a new one in Bitrix24." in page


def test_what_is_told_has_words_on_the_page() -> None:
    [listed] = re.findall(r"`type` is `org.pulsepost.` and one of (.*), and `.v1`", DOCS.read_text().replace("\n", " "))
    types = {f"org.pulsepost.{name}.v1" for name in re.findall(r"`([a-z.]+)`", listed)}
    assert types - {CONTACT_STEP} == CRM_EVENTS.keys()
    assert {f"{PREFIX}{name}" for name in (*OPENS, *ENDS, *OF_PATIENT)} < types


def test_the_page_shows_how_each_crm_stands_and_what_it_did_not_take(room: Room) -> None:
    room.telling.crm.faults.append(Fault.REFUSED)
    room.telling.case()
    room.telling.turn()
    page = room.console.sign_in("sam").get("/crm").text
    assert "Clinic CRM" in page
    assert "1 event was not taken" in page
    assert "refused: status 422" in page
    assert "Only work leaves" in page
    assert str(room.telling.ward.patient_id) not in page
    assert room.console.sign_in("nora").get("/crm").status_code == 404


def test_dead_letters_are_tried_again_with_a_reason_that_is_kept(room: Room) -> None:
    telling = room.telling
    telling.crm.faults.append(Fault.REFUSED)
    case_id = telling.case()
    telling.turn()
    path, sam = f"/crm/{telling.destination_id}/replay", room.console.sign_in("sam")
    refused = sam.post(path, {"seq": "", "reason": "x"})
    assert refused.status_code == 422
    assert "Say why, in five letters or more." in refused.text
    for seq in ("999", "0" * 20 + "9" * 5000):
        assert sam.post(path, {"seq": seq, "reason": "put right over there"}).status_code == 422
    assert sam.post(path, {"seq": "", "reason": "put right over there"}).status_code == 303
    assert telling.states() == [("case.opened", "waiting")]
    telling.turn()
    assert telling.crm.todos() == {telling.reference(case_id): "open"}
    assert telling.ward.rows("SELECT replay_why FROM crm_outbox") == [("put right over there",)]
    [(action, detail)] = telling.ward.rows("SELECT action, detail FROM audit WHERE action LIKE 'crm.%'")
    assert (action, detail) == ("crm.replay", {"letters": 1, "reason": "put right over there"})


def test_staff_sees_a_banner_while_it_is_down_and_patients_do_not(room: Room) -> None:
    telling, banner = room.telling, "The CRM Clinic CRM has not taken anything since"
    telling.crm.faults.append(Fault.FORBIDDEN)
    telling.case()
    assert banner not in room.console.sign_in("nora").get("/worklist").text
    telling.turn()
    for login, path in (("nora", "/worklist"), ("sam", "/technical"), ("ada", "/patients")):
        assert banner in room.console.sign_in(login).get(path).text
    assert "Clinic CRM" not in room.console.sign_in("asta").get("/me").text
    assert room.console.sign_in("sam").post(f"/crm/{telling.destination_id}/try").status_code == 303
    telling.turn()
    assert banner not in room.console.sign_in("nora").get("/worklist").text
    assert room.console.sign_in("sam").post(f"/crm/{uuid4()}/try").status_code == 404


def test_a_link_leads_who_may_see_the_patient_to_the_page_and_nobody_else(room: Room) -> None:
    case_id = room.telling.case()
    case, patient = (room.telling.reference(thing) for thing in (case_id, room.telling.ward.patient_id))
    nora = room.console.sign_in("nora")
    assert nora.get(f"/crm/open/{case}").headers["location"] == f"/cases/{case_id}"
    assert nora.get(f"/crm/open/{patient}").headers["location"] == f"/patients/{room.telling.ward.patient_id}"
    for login in ("eve", "asta", "sam"):
        assert room.console.sign_in(login).get(f"/crm/open/{case}").status_code == 404
    assert nora.get(f"/crm/open/{uuid4()}").status_code == 404


def test_a_todo_that_is_done_over_there_is_a_line_on_the_timeline_and_closes_nothing(room: Room) -> None:
    telling = room.telling
    case_id = telling.case()
    telling.turn()
    headers, body = said(room.todo_of(case_id), room.console.clock.time)
    assert room.post(headers, body).status_code == 204
    assert telling.settle() == 1
    assert telling.settle() == 0
    assert room.inbox() == [("ev-1", "noted")]
    assert telling.ward.rows("SELECT state FROM alert_case") == [("raised",)]
    events = telling.ward.rows("SELECT event, from_state, to_state FROM case_event ORDER BY event_id")
    assert events == [("raise", None, "raised"), ("outside_done", "raised", "raised")]
    page = room.console.sign_in("nora").get(f"/cases/{case_id}").text
    assert "Somebody said in an outside CRM that it is done" in page
    telling.turn()
    assert telling.states() == [("case.opened", "done")]  # nothing of it goes back


def test_what_is_forged_stale_or_nobodys_is_refused_and_kept_nowhere(room: Room) -> None:
    case_id = room.telling.case()
    room.telling.turn()
    now = room.console.clock.time
    headers, body = said(room.todo_of(case_id), now)
    answers = {
        "forged": room.post(headers, body.replace(b"ev-1", b"ev-2")),
        "stale": room.post(*said("t", now - timedelta(minutes=6))),
        "unsigned": room.post({}, body),
        "nobody": room.post(headers, body, uuid4()),
        "large": room.post(headers, b"x" * 100_000),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "forged": 403, "stale": 403, "unsigned": 403, "nobody": 403, "large": 413,
    }  # fmt: skip
    assert answers["stale"].text == "not taken: stale\n"
    assert httpx.post(f"{room.console.url}/crm/inbound/x", content=b"{}", timeout=10).status_code == 403
    assert room.inbox() == []


def test_the_very_same_request_again_is_refused_and_who_says_it_again_later_is_heard_once(room: Room) -> None:
    room.telling.case()
    now = room.console.clock.time
    again = said("t", now + timedelta(seconds=30))
    answers = [room.post(*request) for request in (said("t", now), said("t", now), again, again, said("t", now))]
    assert [answer.status_code for answer in answers] == [204, 403, 204, 403, 403]
    assert answers[1].text == "not taken: replayed\n"
    assert room.inbox() == [("ev-1", None)]


def test_what_we_did_ourselves_is_no_news(room: Room) -> None:
    telling = room.telling
    case_id = telling.case()
    telling.turn()
    telling.happens(case_id, "resolve", "resolved")
    [(event_id,)] = telling.ward.rows("SELECT event_id FROM crm_outbox WHERE type LIKE '%resolved%'")
    todo, now = room.todo_of(case_id), room.console.clock.time
    # Their word is faster than our own writing down, and then comes once more.
    assert room.post(*said(todo, now, event_id="fast", key=key_of(event_id, "complete_todo"))).status_code == 204
    telling.settle()
    telling.turn()
    assert room.post(*said(todo, now, event_id="slow")).status_code == 204
    telling.settle()
    assert sorted(room.inbox()) == [("fast", "echo"), ("slow", "echo")]
    assert telling.ward.count("case_event") == 2


def test_what_they_told_us_is_gone_a_month_after_it_was_settled(room: Room) -> None:
    telling = room.telling
    telling.case()
    assert room.post(*said("nothing of ours", room.console.clock.time, event_id="waits")).status_code == 204
    assert room.post(*said("another", room.console.clock.time, event_id="over")).status_code == 204
    telling.ward.admin.execute(
        "UPDATE crm_inbox SET outcome = 'unknown', settled_at = %s WHERE event_id = 'over'", (telling.clock(),)
    )
    for spent, gone in ((KEPT, 0), (KEPT + timedelta(seconds=1), 1)):
        with telling.connect() as connection:
            assert store.forget_hints(connection, telling.clock() + spent - KEPT, 10) == gone
    assert room.inbox() == [("waits", None)]


def test_what_is_about_nothing_of_ours_is_given_up_after_a_while(room: Room) -> None:
    assert room.post(*said("somebody else's", room.console.clock.time)).status_code == 204
    for _ in range(12):
        room.telling.settle()
        room.telling.clock.forward(seconds=31)
    assert room.inbox() == [("ev-1", "unknown")]
