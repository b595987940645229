"""A slot that comes free: offered to whoever waited longest and can come, then to the next, then to everybody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from cloud.config import JobsSettings
from cloud.jobs import keeping_appointments as keeping
from cloud.jobs.desk import Desk
from tests.cloud.crm.appointments.made import open_hours, slot
from tests.cloud.crm.appointments.test_appointments import MINE, booked, offered
from tests.cloud.made import new_patient
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person


@pytest.fixture
def asta(console: Console) -> Person:
    open_hours(console.ward.admin, console.accounts["ada"], ends="09:20")
    return console.sign_in("asta")


@pytest.fixture
def desk(console: Console) -> Iterator[Desk]:
    """The jobs of this centre, on the same clock."""
    made = Desk(JobsSettings(database_url=console.ward.database.jobs_url), console.clock)
    made.pool.open()
    yield made
    made.pool.close()


def waits(
    console: Console,
    name: str,
    at: datetime,
    *,
    first: str = "2026-11-23",
    last: str = "2026-12-24",
    way: str = "clinic",
    training: bool = False,
) -> UUID:
    """Somebody of nora's patients who waits since then."""
    patient_id = new_patient(console.ward.admin, name, training=training)
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts["nora"])
    )
    console.ward.admin.execute(
        "INSERT INTO appointment_wish (patient_id, way, first_day, last_day, asked_by, asked_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (patient_id, way, first, last, console.accounts["nora"], at),
    )
    return patient_id


def offers(console: Console) -> list[tuple[str, str]]:
    return [
        (name, state)
        for name, state in console.ward.rows(
            """SELECT p.display_name, t.state FROM appointment t JOIN patient p USING (patient_id)
               WHERE t.wish_id IS NOT NULL ORDER BY t.booked_at"""
        )
    ]


def test_a_freed_slot_goes_to_the_first_whom_it_fits_then_to_the_next_and_then_to_everybody(
    console: Console, asta: Person, desk: Desk
) -> None:
    now, key = console.clock.time, slot(console, 9)
    assert asta.post(MINE, {"slot": key, "way": "clinic"}).status_code == 303
    waits(console, "At home", now - timedelta(days=9), way="home")
    gone = waits(console, "Gone", now - timedelta(days=7))
    console.ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
        " VALUES (%(p)s, %(at)s, %(at)s, %(at)s, %(by)s, 'moved')",
        {"p": gone, "at": now, "by": console.accounts["nora"]},
    )
    waits(console, "TRAINING One", now - timedelta(days=10), training=True)
    waits(console, "In December", now - timedelta(days=8), first="2026-12-01")
    first, second = (waits(console, name, now - timedelta(days=n)) for name, n in (("First", 5), ("Second", 4)))
    console.clock.forward(minutes=1)
    [(mine, _)] = booked(console)
    assert asta.post(f"{MINE}/{mine}/cancel").status_code == 303
    assert key not in offered(asta.get(MINE).text), "it is kept for whoever waits until the jobs have looked"
    keeping.sweep(desk)
    assert offers(console) == [("First", "offered")]
    assert key not in offered(asta.get(MINE).text), "it is kept for them"
    assert console.ward.rows("SELECT patient_id, what FROM outside_message") == [(first, "visit")]
    keeping.sweep(desk)
    assert len(offers(console)) == 1, "looked at twice it is offered once"
    day = text(console.sign_in("nora").get("/appointments?day=2026-11-23"))
    assert "09:00–09:20 First At the clinic offered until 21 Nov, 15:01" in day, "so that somebody can call them"

    console.clock.forward(hours=2, minutes=1)
    keeping.sweep(desk)
    assert offers(console) == [("First", "lapsed"), ("Second", "offered")]
    nora = console.sign_in("nora")
    [(late, open_one)] = console.ward.rows(
        """SELECT a.appointment_id, b.appointment_id FROM appointment a, appointment b
           WHERE a.state = 'lapsed' AND b.state = 'offered'"""
    )
    assert nora.post(f"/patients/{first}/appointments/{late}/answer", {"answer": "yes"}).status_code == 404
    assert "offered until" in text(nora.get(f"/patients/{second}/appointments"))
    assert nora.post(f"/patients/{second}/appointments/{open_one}/answer", {"answer": "no"}).status_code == 303
    keeping.sweep(desk)
    assert offers(console) == [("First", "lapsed"), ("Second", "declined")]
    assert console.ward.rows("SELECT settled_at IS NOT NULL FROM appointment_freed") == [(True,)]
    assert key in offered(asta.get(MINE).text), "now it is everybody's"


def test_a_wish_that_is_over_keeps_no_time_from_anybody(console: Console, asta: Person) -> None:
    key = slot(console, 9)
    assert asta.post(MINE, {"slot": key, "way": "clinic"}).status_code == 303
    waits(console, "Last month", console.clock.time, first="2026-10-01", last="2026-10-31")
    [(mine, _)] = booked(console)
    assert asta.post(f"{MINE}/{mine}/cancel").status_code == 303
    assert key in offered(asta.get(MINE).text)
    assert console.ward.count("appointment_freed") == 0


def test_a_patient_waits_takes_what_is_offered_and_waits_no_more(console: Console, asta: Person, desk: Desk) -> None:
    nora = console.sign_in("nora")
    other = waits(console, "Somebody Else", console.clock.time, way="home")
    # The first two Mondays are somebody else's.
    assert nora.post(f"/patients/{other}/appointments", {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    wish = {"way": "clinic", "seen_by": "", "first_day": "2026-11-21", "last_day": "2026-11-28"}
    assert asta.post(f"{MINE}/wishes", wish).status_code == 303
    assert "On the clinic" not in text(asta.get(MINE))
    [(theirs, _)] = booked(console)
    assert nora.post(f"/patients/{other}/appointments/{theirs}/end", {"outcome": "cancelled"}).status_code == 303
    keeping.sweep(desk)
    for page in ("/me", MINE):
        assert "This time came free. It is kept for you until 21 Nov, 15:00." in text(asta.get(page))
    [(offer,)] = console.ward.rows("SELECT appointment_id FROM appointment WHERE state = 'offered'")
    assert asta.post(f"{MINE}/{offer}/answer", {"answer": "yes"}).status_code == 303
    assert [appointment_id for appointment_id, _ in booked(console)] == [offer]
    assert console.ward.rows("SELECT count(*) FROM appointment_wish WHERE ended_at IS NULL AND way = 'clinic'") == [
        (0,)
    ]
    keeping.sweep(desk)
    assert console.ward.rows("SELECT count(*) FROM appointment_freed WHERE settled_at IS NULL") == [(0,)]
    console.clock.forward(hours=3)
    assert asta.post(f"{MINE}/{offer}/answer", {"answer": "yes"}).status_code == 409
