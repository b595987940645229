"""Invitations to a visit: who asks, who arranges, what the patient reads, and what became of it."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cloud.plans.fields import Refused
from cloud.visits import entries
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

VISIT = {"way": "clinic", "by_day": "2026-12-05", "why": "to talk about your mornings"}
HELSINKI = ZoneInfo("Europe/Helsinki")


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/visits{rest}"


def asked(console: Console) -> UUID:
    assert console.sign_in("ada").post(url(console), VISIT).status_code == 303
    [(visit_id,)] = console.ward.rows("SELECT visit_id FROM visit")
    found: UUID = visit_id
    return found


def test_a_doctor_invites_somebody_arranges_and_all_of_it_stays_with_names(console: Console) -> None:
    visit_id = asked(console)
    nora = console.sign_in("nora")
    assert "no time yet, by 5 Dec 2026" in text(nora.get("/visits"))
    assert nora.post(url(console, f"/{visit_id}/time"), {"starts_at": "2026-12-01T10:30"}).status_code == 303
    assert "1 Dec 2026, 10:30" in text(nora.get("/visits"))
    assert nora.post(url(console, f"/{visit_id}/time"), {"starts_at": "2026-12-02T09:00"}).status_code == 303
    page = text(nora.get(url(console)))
    assert "2 Dec 2026, 09:00" in page
    assert "1 Dec 2026, 10:30" not in page
    assert console.ward.count("visit_time") == 2, "what was arranged before stays"
    assert nora.post(url(console, f"/{visit_id}/end"), {"outcome": "took_place"}).status_code == 303
    assert "Took place Nora Quist" in text(nora.get(url(console)))
    assert "No visit is to come" in text(nora.get("/visits"))
    for rest, form in (("/time", {"starts_at": "2026-12-03T09:00"}), ("/end", {"outcome": "called_off"})):
        assert nora.post(url(console, f"/{visit_id}{rest}"), form).status_code == 404
    actions = [action for (action,) in console.ward.rows("SELECT action FROM audit ORDER BY audit_id")]
    assert [action for action in actions if action.startswith("visit.")] == [
        "visit.ask", "visit.arrange", "visit.arrange", "visit.took_place",
    ]  # fmt: skip


def test_the_patient_reads_of_it_and_when_it_will_be_on_their_own_clock(console: Console) -> None:
    visit_id, asta = asked(console), console.sign_in("asta")
    page = text(asta.get("/me"))
    assert "At the clinic Your care team will arrange a time with you, by 5 Dec 2026." in page
    assert "Ada Weiss: to talk about your mornings" in page
    console.sign_in("nora").post(url(console, f"/{visit_id}/time"), {"starts_at": "2026-12-01T10:30"})
    assert "At the clinic: 1 Dec 2026, 10:30" in text(asta.get("/me"))
    console.sign_in("nora").post(url(console, f"/{visit_id}/end"), {"outcome": "called_off"})
    assert "mornings" not in text(asta.get("/me"))


def test_only_a_doctor_invites(console: Console) -> None:
    for login in ("nora", "ben"):
        assert console.sign_in(login).post(url(console), VISIT).status_code == 404
    assert console.ward.count("visit") == 0


@pytest.mark.parametrize("login", ["eve", "asta", "carl"])
def test_for_whoever_is_not_of_the_care_team_there_are_no_visits(console: Console, login: str) -> None:
    visit_id, person = asked(console), console.sign_in(login)
    assert person.get(url(console)).status_code == 404
    assert person.post(url(console, f"/{visit_id}/end"), {"outcome": "called_off"}).status_code == 404
    assert f"{console.ward.patient_id}/visits" not in person.get("/visits").text
    assert console.ward.rows("SELECT outcome FROM visit") == [(None,)]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("why", " ", "Say why"),
        ("way", "pigeon", "This is needed."),
        ("by_day", "soon", "This is no date."),
        ("by_day", "2026-11-20", "This is over already."),
        ("by_day", "2036-11-20", "Is the year right?"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_what_was_typed_is_kept(
    console: Console, field: str, typed: str, said: str
) -> None:
    answer = console.sign_in("ada").post(url(console), {**VISIT, field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert field == "why" or VISIT["why"] in answer.text
    assert console.ward.count("visit") == 0


def test_a_time_that_cannot_be_taken_is_said_at_the_visit_that_it_was_typed_for(console: Console) -> None:
    visit_id = asked(console)
    answer = console.sign_in("nora").post(url(console, f"/{visit_id}/time"), {"starts_at": "2026-11-01T10:00"})
    assert answer.status_code == 422
    assert "This is over already." in answer.text
    assert console.ward.count("visit_time") == 0


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2027-03-28T03:30", "clocks_change"),  # skipped in Helsinki
        ("2027-10-31T03:30", "clocks_change"),  # shown twice
        ("2026-11-21T13:00+02:00", "not_a_moment"),
        ("tomorrow", "not_a_moment"),
        ("0001-01-01T00:00", "past"),
        ("9999-12-31T23:59", "too_far"),
        ("2027-12-01T10:00", "too_far"),
    ],
)
def test_a_time_that_the_patients_clock_does_not_show_once_is_asked_for_again(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.starts_at({"starts_at": typed}, HELSINKI, NOW)
    assert refused.value.refusals["starts_at"].code == code


def test_a_time_is_the_patients() -> None:
    assert entries.starts_at({"starts_at": "2026-12-01T10:30"}, HELSINKI, NOW) == datetime(
        2026, 12, 1, 8, 30, tzinfo=UTC
    )
