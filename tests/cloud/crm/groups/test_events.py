"""A lecture from its announcement to what was said of it; and no more come than there are places."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import icalendar
import psycopg
import pytest

from cloud.crm.groups.judging import accompany
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.groups.made import LECTURE, announced, grouped, neighbour
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.made import Ward, new_patient
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

# The ward's clinic is on UTC.
BEGINS = datetime(2026, 11, 25, 15, tzinfo=UTC)


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def at(console: Console, told: Reaching, moment: datetime) -> None:
    """The clocks of the console and of the jobs."""
    console.clock.time = told.clock.time = moment


def states(console: Console) -> list[str]:
    return [state for (state,) in console.ward.rows("SELECT state FROM event_seat ORDER BY entered_at, seat_id")]


def test_a_patient_enrols_is_reminded_once_was_there_and_says_how_it_was(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    event = announced(console)
    asta = console.sign_in("asta")
    assert "2 places are left" in text(asta.get("/me/events"))
    assert asta.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303
    assert asta.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303, "said twice it is said once"
    assert "You have a place." in text(asta.get("/me/events"))
    assert "1 of 2 places" in text(console.sign_in("nora").get("/events"))
    calendar = asta.get(f"/me/events/{event}/file").content
    [made] = icalendar.Calendar.from_ical(calendar).walk("VEVENT")
    assert (made["SUMMARY"], made["LOCATION"]) == ("Eating with diabetes", "Room 4")
    assert isinstance(made, icalendar.Event)
    assert made.start == BEGINS
    assert b"Asta" not in calendar

    at(console, told, BEGINS - timedelta(hours=25))
    assert accompany(told.jobs, told.clock()) == 0
    at(console, told, BEGINS - timedelta(hours=23))
    assert [accompany(told.jobs, told.clock()), accompany(told.jobs, told.clock())] == [1, 0]
    told.look()
    assert told.states() == [("event", "sent", None)]
    assert phone_gateway.requests[0].body.decode().endswith('/me/events"}')

    nora = console.sign_in("nora")
    seat = f"/events/{event}/seats/{console.ward.patient_id}"
    assert nora.post(seat, {"state": "attended"}).status_code == 404, "it has not begun"
    at(console, told, BEGINS + timedelta(hours=2))
    nora, asta = console.sign_in("nora"), console.sign_in("asta")
    assert accompany(told.jobs, told.clock()) == 1, "how was it?"
    told.look()
    assert nora.post(seat, {"state": "absent"}).status_code == 303
    assert asta.post(f"/me/events/{event}/evaluation", {"useful": "5", "clear": "4"}).status_code == 404
    assert nora.post(seat, {"state": "attended"}).status_code == 303
    assert asta.post(f"/me/events/{event}/evaluation", {"useful": "9", "clear": "4"}).status_code == 422
    said = {"useful": "5", "clear": "4", "said": "More recipes, please."}
    assert asta.post(f"/me/events/{event}/evaluation", said).status_code == 303
    assert asta.post(f"/me/events/{event}/evaluation", {**said, "useful": "1"}).status_code == 303
    assert console.ward.rows("SELECT useful FROM event_evaluation") == [(5,)], "once"
    page = text(nora.get(f"/events/{event}"))
    assert "More recipes, please." in page
    assert "1 was there" in page
    assert "means from five answers on" in page


def test_a_coordinator_moves_and_cancels_an_event_and_whoever_comes_is_told(console: Console, told: Reaching) -> None:
    event = announced(console, login="carl")
    carl, asta, nora = (console.sign_in(login) for login in ("carl", "asta", "nora"))
    asta.post(f"/me/events/{event}", {"comes": "yes"})
    assert "Asta" not in text(carl.get(f"/events/{event}")), "he does not care for her: he sees a number"
    assert "1 of 2 places" in text(carl.get(f"/events/{event}"))
    assert "Asta" in text(nora.get(f"/events/{event}"))
    assert carl.post(f"/events/{event}/seats/{console.ward.patient_id}", {"state": "cannot"}).status_code == 404
    assert carl.post(f"/events/{event}", {**LECTURE, "starts_at": "2026-11-26T15:00"}).status_code == 303
    assert told.states() == [("event", "waiting", None)]
    moved = text(asta.get("/me/events"))
    assert "26 Nov 2026" in moved
    assert "the clinic’s clock: 15:00" in moved, "hers is another"
    assert carl.post(f"/events/{event}/cancel").status_code == 303
    assert sorted(told.states()) == [("event", "waiting", None), ("event", "withdrawn", None)]
    assert "It does not take place." in text(asta.get("/me/events"))
    assert asta.post(f"/me/events/{event}", {"comes": "no"}).status_code == 404
    assert b"STATUS:CANCELLED" in asta.get(f"/me/events/{event}/file").content
    at(console, told, BEGINS)
    assert accompany(told.jobs, told.clock()) == 0


def test_who_has_answered_is_not_told_that_they_were_asked(console: Console, told: Reaching) -> None:
    group, nora = grouped(console), console.sign_in("nora")
    nora.post(f"/groups/{group}/ask", {"patient": str(console.ward.patient_id)})
    nora.post(f"/groups/{group}/members/{console.ward.patient_id}", {"answer": "yes", "shown_as": ""})
    told.look()
    assert told.states() == [("event", "withdrawn", "needless")]


def test_an_invited_patient_answers_and_no_place_is_given_twice(
    console: Console, told: Reaching, password_hash: str
) -> None:
    event = announced(console, audience="invited", capacity="1")
    other = neighbour(console, password_hash, "boris")
    nora, asta, boris = (console.sign_in(login) for login in ("nora", "asta", "boris"))
    assert "Eating" not in text(asta.get("/me/events"))
    assert asta.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 404, "she was not invited"
    for patient_id in (console.ward.patient_id, other, console.other_patient_id):
        nora.post(f"/events/{event}/invite", {"patient": str(patient_id)})
    assert states(console) == ["invited", "invited"], "one is in nobody's care here"
    told.look()
    assert sorted(told.states()) == [("event", "page", "no_way"), ("event", "sent", None)], "one has a telephone"
    assert asta.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303
    full = boris.post(f"/me/events/{event}", {"comes": "yes"})
    assert (full.status_code, "All places are taken meanwhile" in full.text) == (409, True)
    assert nora.post(f"/events/{event}/seats/{other}", {"state": "coming"}).status_code == 409
    assert nora.post(f"/events/{event}", {**LECTURE, "capacity": "0"}).status_code == 422
    assert asta.post(f"/me/events/{event}", {"comes": "no"}).status_code == 303
    assert boris.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303
    assert sorted(states(console)) == ["cannot", "coming"]


def test_what_is_to_come_is_found_however_much_there_was(console: Console) -> None:
    event = announced(console)
    console.ward.admin.execute(
        "INSERT INTO learning_event (kind, title, language, place, starts_at, ends_at, capacity, audience, made_by,"
        " made_at, changed_at) SELECT 'lecture', 'Former one', 'en', 'p', at, at + interval '1 hour', 5, 'all', %s, at,"
        " at FROM generate_series(1, 120) n, LATERAL (SELECT %s::timestamptz - n * interval '12 hours' AS at) past",
        (console.accounts["nora"], console.clock()),
    )
    assert "Eating with diabetes" in text(console.sign_in("nora").get("/events"))
    asta = console.sign_in("asta")
    assert "Eating with diabetes" in text(asta.get("/me/events"))
    assert asta.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303


def test_fewer_places_than_people_come_are_refused(console: Console, password_hash: str) -> None:
    event = announced(console)
    neighbour(console, password_hash, "boris")
    for login in ("asta", "boris"):
        assert console.sign_in(login).post(f"/me/events/{event}", {"comes": "yes"}).status_code == 303
    answer = console.sign_in("nora").post(f"/events/{event}", {**LECTURE, "capacity": "1"})
    assert "2 people come already" in text(answer)


def test_forty_who_want_the_same_five_places_at_once_get_five(ward: Ward) -> None:
    """By the rows alone, so that no page stands between them."""
    [(event,)] = ward.admin.execute(
        "INSERT INTO learning_event (kind, title, language, place, starts_at, ends_at, capacity, audience, made_by,"
        " made_at, changed_at) VALUES ('lecture', 't', 'en', 'p', now() + interval '24 hours',"
        " now() + interval '25 hours', 5, 'all', %s, now(), now()) RETURNING event_id",
        (ward.nurse_id,),
    )
    patients = [new_patient(ward.admin, f"Person {n}") for n in range(40)]

    def come(some: list[UUID]) -> list[str | None]:
        """Why each had none; None: they had one."""
        why: list[str | None] = []
        with psycopg.connect(ward.database.admin_url, autocommit=True) as connection:
            for patient_id in some:
                try:
                    connection.execute(
                        "INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by,"
                        " changed_at) VALUES (%(e)s, %(p)s, 'coming', %(by)s, now(), %(by)s, now())",
                        {"e": event, "p": patient_id, "by": ward.nurse_id},
                    )
                    why.append(None)
                except psycopg.errors.CheckViolation as error:
                    why.append(error.diag.constraint_name)
        return why

    with ThreadPoolExecutor(8) as pool:
        found = Counter(why for some in pool.map(come, [patients[n::8] for n in range(8)]) for why in some)
    assert found == {None: 5, "event_places": 35}
    assert ward.rows("SELECT count(*) FROM event_seat") == [(5,)]
