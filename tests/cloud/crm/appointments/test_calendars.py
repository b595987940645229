"""Calendars for other programs, read again by the library that such programs use."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from cloud.console.spoken import spoken_in
from cloud.crm.appointments.calendars import calendar, uid
from cloud.crm.appointments.models import Appointment, State
from cloud.visits.models import Way
from tests.cloud.crm.appointments.made import open_hours, slot
from tests.cloud.crm.appointments.test_appointments import MINE, VISIT, booked, of_patient
from tests.cloud.made import NOW
from tests.fix_console import Console


def appointment(starts_at: datetime, *, state: State = State.BOOKED, way: Way = Way.CLINIC) -> Appointment:
    return Appointment(
        appointment_id=UUID(int=starts_at.hour + 1), patient_id=UUID(int=1), patient_name="Asta Example",
        time_zone="Europe/Helsinki", seen_by=UUID(int=2), seen_by_name="Ada Weiss", way=way, place="Room 4; Main, 1",
        link="https://v.example/r" if way is Way.VIDEO else "", starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=20), state=state, visit_id=None, why="your high glucose", answer_by=None,
        booked_by="Nora", booked_at=NOW, changed_at=NOW, sequence=3, remind_at=None, reminded_at=None,
        confirmed_at=None,
    )  # fmt: skip


def events_in(made: bytes) -> list[Event]:
    read = Calendar.from_ical(made)
    assert isinstance(read, Calendar)
    return read.events


def address(page: str) -> str:
    return page.split('id="address">')[1].split("<")[0]


def at_start(event: Event) -> datetime:
    assert isinstance(event.start, datetime)
    return event.start


def test_what_is_written_is_read_again_on_the_clinics_clock_through_both_edges_of_summer_time() -> None:
    moments = [
        datetime(2027, 3, 28, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2027, 10, 31, 2, 30, tzinfo=UTC), datetime(2027, 7, 1, 8, 0, tzinfo=UTC),
    ]  # fmt: skip
    made = calendar([appointment(at) for at in moments], spoken_in("en"), "Europe/Copenhagen", for_patient=True)
    read = Calendar.from_ical(made)
    assert [str(zone["TZID"]) for zone in read.walk("VTIMEZONE")] == ["Europe/Copenhagen"]
    events = events_in(made)
    assert [at_start(event).astimezone(UTC) for event in events] == moments
    assert {str(event["DTSTART"].params["TZID"]) for event in events} == {"Europe/Copenhagen"}
    assert [at_start(event).replace(tzinfo=None).isoformat() for event in events] == [
        at.astimezone(ZoneInfo("Europe/Copenhagen")).replace(tzinfo=None).isoformat() for at in moments
    ]
    assert {str(event["SUMMARY"]) for event in events} == {"Appointment with Ada Weiss"}
    assert {str(event["LOCATION"]) for event in events} == {"Room 4; Main, 1"}
    assert b"glucose" not in made
    assert b"Asta" not in made


def test_an_hour_that_comes_twice_is_told_apart_by_the_zone_alone_or_by_utc() -> None:
    first, second = (datetime(2027, 10, 31, hour, 30, tzinfo=UTC) for hour in (0, 1))
    made = calendar([appointment(first), appointment(second)], spoken_in("en"), "Europe/Copenhagen", for_patient=True)
    starts = [at_start(event).astimezone(UTC) for event in events_in(made)]
    assert starts == [first, second]


def test_a_cancelled_one_is_taken_out_and_the_staff_reads_no_name() -> None:
    made = calendar(
        [appointment(NOW, state=State.CANCELLED), appointment(NOW + timedelta(hours=1), way=Way.VIDEO)],
        spoken_in("ru"),
        "Asia/Shanghai",
        for_patient=False,
    )
    cancelled, video = events_in(made)
    assert (str(cancelled["STATUS"]), str(video["STATUS"])) == ("CANCELLED", "CONFIRMED")
    assert str(cancelled["UID"]) == uid(UUID(int=NOW.hour + 1))
    assert cancelled.sequence == 3
    for secret in (b"Asta", b"v.example", b"glucose"):
        assert secret not in made


def test_an_address_is_its_owners_is_shown_once_is_renewed_and_stopped(console: Console) -> None:
    open_hours(console.ward.admin, console.accounts["ada"])
    asta, ada, stranger = console.sign_in("asta"), console.sign_in("ada"), console.client()
    assert ada.post(of_patient(console, "/invitations"), VISIT).status_code == 303
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    [(appointment_id, _)] = booked(console)

    first = address(asta.post("/me/calendar").text)
    assert first.startswith(f"{console.url}/calendar/")
    feed = stranger.get(first)
    assert feed.headers["content-type"] == "text/calendar; charset=utf-8"
    assert feed.headers["cache-control"] == "no-store"
    [event] = events_in(feed.content)
    assert str(event["UID"]) == uid(appointment_id)
    assert at_start(event).astimezone(UTC) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert b"mornings" not in feed.content, "why somebody was invited is nothing for a calendar"
    file = asta.get(f"{MINE}/{appointment_id}/file")
    assert events_in(file.content)[0].start == event.start
    assert first not in asta.get(MINE).text, "it is shown once"

    second = address(asta.post("/me/calendar").text)
    assert stranger.get(first).status_code == 404
    assert stranger.get(second).status_code == 200
    doctors = stranger.get(address(ada.post("/me/calendar").text)).content
    [theirs] = events_in(doctors)
    assert str(theirs["SUMMARY"]) == "Appointment: At the clinic"
    assert b"Asta" not in doctors

    assert asta.post(f"{MINE}/{appointment_id}/cancel").status_code == 303
    [gone] = events_in(stranger.get(second).content)
    assert str(gone["STATUS"]) == "CANCELLED"
    assert asta.post("/me/calendar/end").status_code == 303
    assert stranger.get(second).status_code == 404
    for nobodys in ("x", "%00", "a" * 5000):
        assert stranger.get(f"/calendar/{nobodys}").status_code == 404
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'ada'")
    assert stranger.get(f"/calendar/{doctors!r}").status_code == 404


def test_a_calendar_keeps_what_took_place_whoever_cares_for_the_patient_and_the_lectures_they_come_to(
    console: Console,
) -> None:
    admin, patient_id = console.ward.admin, console.ward.patient_id
    open_hours(admin, console.accounts["ada"])
    asta, ada, stranger = console.sign_in("asta"), console.sign_in("ada"), console.client()
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    patients, doctors = (address(person.post("/me/calendar").text) for person in (asta, ada))
    admin.execute("DELETE FROM care_team WHERE account_id = %s", (ada.account_id,))
    admin.execute("UPDATE appointment SET state = 'took_place'")
    [(event_id,)] = admin.execute(
        "INSERT INTO learning_event (kind, title, language, place, starts_at, ends_at, capacity, audience, made_by,"
        " made_at, changed_at) VALUES ('lecture', 'Living with diabetes', 'en', 'Hall 1', '2026-12-01 17:00Z',"
        " '2026-12-01 18:00Z', 20, 'all', %s, %s, %s) RETURNING event_id",
        (ada.account_id, NOW, NOW),
    )
    admin.execute(
        "INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at)"
        " VALUES (%(event)s, %(patient)s, 'coming', %(by)s, %(at)s, %(by)s, %(at)s)",
        {"event": event_id, "patient": patient_id, "by": asta.account_id, "at": NOW},
    )

    def said(feed: str) -> list[tuple[str, str]]:
        return [(str(event["SUMMARY"]), str(event["STATUS"])) for event in events_in(stranger.get(feed).content)]

    assert said(doctors) == [("Appointment: At the clinic", "CONFIRMED")]
    assert said(patients) == [("Appointment with Ada Weiss", "CONFIRMED"), ("Lecture", "CONFIRMED")]
    assert b"diabetes" not in stranger.get(patients).content
    admin.execute("UPDATE learning_event SET cancelled_at = %s, sequence = 1", (NOW,))
    assert said(patients)[1] == ("Lecture", "CANCELLED")
    admin.execute("UPDATE event_seat SET state = 'cannot'")
    assert len(said(patients)) == 1
