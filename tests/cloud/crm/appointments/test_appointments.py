"""Appointments over HTTP: the staff books and says what became of it, the patient books, moves and cancels."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from tests.cloud.crm.appointments.made import NINE, at, open_hours, place_site, slot
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person

VISIT = {"way": "clinic", "by_day": "2026-12-05", "why": "to talk about your mornings"}
MINE = "/me/appointments"


@pytest.fixture
def asta(console: Console) -> Person:
    """The patient; the doctor sees patients on Monday from nine to noon, twenty minutes each."""
    open_hours(console.ward.admin, console.accounts["ada"])
    return console.sign_in("asta")


def of_patient(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/appointments{rest}"


def booked(console: Console) -> list[tuple[UUID, str]]:
    return [
        (appointment_id, f"{starts_at:%d %H:%M}")
        for appointment_id, starts_at in console.ward.rows(
            "SELECT appointment_id, starts_at FROM appointment WHERE state = 'booked' ORDER BY starts_at"
        )
    ]


def events(console: Console) -> list[tuple[str, str | None]]:
    return [
        (state, login)
        for state, login in console.ward.rows(
            "SELECT e.state, a.login FROM appointment_event e LEFT JOIN account a USING (account_id) ORDER BY event_id"
        )
    ]


def offered(page: str) -> list[str]:
    """The times of the page's buttons."""
    return re.findall(r'name="slot" value="([^"]+)"', page)


def test_a_patient_books_moves_and_cancels_and_each_step_stays(console: Console, asta: Person) -> None:
    times = offered(asta.get(MINE).text)
    assert times[0] == slot(console, 9)
    assert len(times) == 27, "nine on each of three Mondays: no more than are needed to choose from"
    assert asta.post(MINE, {"slot": times[0], "way": "clinic"}).status_code == 303
    [(appointment_id, when)] = booked(console)
    assert when == "23 08:00"
    page = asta.get(MINE)
    assert "23 Nov 2026, 09:00–09:20 Ada Weiss At the clinic: Room 4, Main Street 1" in text(page)
    assert slot(console, 9) not in offered(page.text), "what is taken is offered to nobody"
    assert "23 Nov 2026, 09:00–09:20 Ada Weiss" in text(asta.get("/me"))
    moved = asta.post(f"{MINE}/{appointment_id}/move", {"slot": slot(console, 11, 40), "way": "clinic"})
    assert moved.status_code == 303
    assert booked(console) == [(appointment_id, "23 10:40")]
    assert asta.post(f"{MINE}/{appointment_id}/cancel").status_code == 303
    assert booked(console) == []
    assert "Cancelled" in text(asta.get(MINE))
    assert slot(console, 11, 40) in offered(asta.get(MINE).text)
    assert asta.post(f"{MINE}/{appointment_id}/cancel").status_code == 404, "it is cancelled already"
    assert console.ward.count("outside_message") == 0, "nobody is told what they did themselves"
    assert events(console) == [("booked", "asta"), ("booked", "asta"), ("cancelled", "asta")]
    actions = [action for (action,) in console.ward.rows("SELECT action FROM audit ORDER BY audit_id")]
    assert [action for action in actions if action.startswith("appointment.")] == [
        "appointment.book", "appointment.move", "appointment.cancelled",
    ]  # fmt: skip


def test_a_nurse_books_for_a_patient_by_one_press_and_the_week_shows_it(console: Console, asta: Person) -> None:
    nora = console.sign_in("nora")
    assert "Appointments" in nora.get(f"/patients/{console.ward.patient_id}").text
    times = offered(nora.get(of_patient(console)).text)
    assert nora.post(of_patient(console), {"slot": times[1], "way": "clinic"}).status_code == 303
    assert "23 Nov 2026, 09:20–09:40" in text(nora.get(of_patient(console)))
    for address in ("/appointments?day=2026-11-23", "/appointments?view=week&day=2026-11-25"):
        assert "09:20–09:40 Asta Example At the clinic" in text(nora.get(address))
    assert "09:20–09:40" in text(asta.get(MINE))


def test_a_patient_hears_of_another_time_person_or_way_that_the_staff_chose(console: Console, asta: Person) -> None:
    open_hours(console.ward.admin, console.accounts["nora"])
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    [(appointment_id, _)] = booked(console)
    nora = console.sign_in("nora")
    others = ((slot(console, 9, whom="nora"), "clinic"), (slot(console, 10), "clinic"), (slot(console, 9), "video"))
    for told, (key, way) in enumerate(others, 1):
        moved = nora.post(of_patient(console, f"/{appointment_id}/move"), {"slot": key, "way": way})
        assert moved.status_code == 303
        assert console.ward.count("outside_message") == told, (key, way)
    assert console.ward.rows("SELECT until FROM outside_message ORDER BY reason")[2] == (NINE,), "no later than it was"


def test_whoever_cannot_be_told_in_time_stands_there_to_be_called(console: Console, asta: Person) -> None:
    for hour in (9, 10):
        assert asta.post(MINE, {"slot": slot(console, hour), "way": "clinic"}).status_code == 303
    nora = console.sign_in("nora")
    for appointment_id, _ in booked(console):
        assert nora.post(of_patient(console, f"/{appointment_id}/end"), {"outcome": "cancelled"}).status_code == 303
    said = "Moved or cancelled, and the patient will not hear of it in time: call Asta Example · 23 Nov 2026, "
    assert said not in text(nora.get("/appointments")), "it is on its way"
    # What the delivery does in quiet hours that last longer, and where no way is open.
    admin = console.ward.admin
    admin.execute("UPDATE outside_message SET next_at = until WHERE until = %s", (NINE,))
    assert f"{said}09:00" in text(nora.get("/appointments"))
    assert "Asta" not in text(console.sign_in("eve").get("/appointments"))
    admin.execute(
        "UPDATE outside_message SET state = CASE until WHEN %s THEN 'sent' ELSE 'page' END, next_at = NULL,"
        " ended_at = now()",
        (NINE,),
    )
    assert f"{said}10:00" in text(nora.get("/appointments"))
    console.clock.time = NINE + timedelta(hours=1)
    assert said not in text(console.sign_in("nora").get("/appointments")), "it is over"


def test_of_a_patient_of_others_it_is_said_only_that_the_time_is_taken(console: Console, asta: Person) -> None:
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    eve = console.sign_in("eve")
    page = text(eve.get("/appointments?day=2026-11-23"))
    assert "09:00–09:20 taken" in page
    assert "Asta" not in page
    [(appointment_id, _)] = booked(console)
    assert eve.get(of_patient(console)).status_code == 404
    assert eve.post(of_patient(console, f"/{appointment_id}/end"), {"outcome": "cancelled"}).status_code == 404
    assert len(booked(console)) == 1


def test_a_time_that_somebody_else_has_is_refused_with_other_times(console: Console, asta: Person) -> None:
    nora = console.sign_in("nora")
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.other_patient_id, console.accounts["nora"]),
    )
    assert nora.post(f"/patients/{console.other_patient_id}/appointments", {"slot": slot(console, 9), "way": "clinic"}
                     ).status_code == 303  # fmt: skip
    answer = asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"})
    assert answer.status_code == 409
    assert "Somebody has just taken this time." in answer.text
    assert offered(answer.text)[0] == slot(console, 9, 20)


def test_nobody_is_in_two_places_and_nobody_fills_the_week_alone(console: Console, asta: Person) -> None:
    open_hours(console.ward.admin, console.accounts["nora"])
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    elsewhere = asta.post(MINE, {"slot": slot(console, 9, whom="nora"), "way": "clinic"})
    assert elsewhere.status_code == 409
    assert "There is an appointment at this time already." in elsewhere.text
    for minute in (20, 40):
        assert asta.post(MINE, {"slot": slot(console, 9, minute), "way": "clinic"}).status_code == 303
    assert asta.post(MINE, {"slot": slot(console, 10), "way": "clinic"}).status_code == 303
    refused = asta.post(MINE, {"slot": slot(console, 11), "way": "clinic"})
    assert refused.status_code == 409
    assert "several appointments already" in refused.text


def test_what_is_no_free_time_is_refused_in_words(console: Console, asta: Person) -> None:
    ada, nora = console.accounts["ada"], console.accounts["nora"]
    for chosen, way, said in (
        ("", "clinic", "not to be had"),
        ("x 2026", "clinic", "not to be had"),
        (f"{ada} 2026-11-23T08:07:00Z", "clinic", "not to be had"),
        (f"{ada} 2026-11-16T08:00:00Z", "clinic", "over already"),
        (f"{ada} 2026-11-23T08:00:00Z", "home", "not to be had"),
        (f"{nora} 2026-11-23T08:00:00Z", "clinic", "not to be had"),
    ):
        answer = asta.post(MINE, {"slot": chosen, "way": way})
        assert answer.status_code == 409, chosen
        assert said in answer.text, chosen
    assert booked(console) == []


def test_hours_of_the_staff_alone_are_no_patients_to_book(console: Console) -> None:
    open_hours(console.ward.admin, console.accounts["ada"], for_patients=False)
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    assert "No times can be booked here yet." in text(asta.get(MINE))
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 409
    assert nora.post(of_patient(console), {"slot": slot(console, 9), "way": "clinic"}).status_code == 303


def test_what_has_begun_is_moved_by_nobody_and_its_link_can_still_be_put_in(console: Console, asta: Person) -> None:
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "video"}).status_code == 303
    [(appointment_id, _)] = booked(console)
    console.clock.time = NINE + timedelta(minutes=5)
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    later = {"slot": slot(console, 11), "way": "video"}
    assert asta.post(f"{MINE}/{appointment_id}/move", later).status_code == 404, "who did not come stays on record"
    assert nora.post(of_patient(console, f"/{appointment_id}/move"), later).status_code == 404
    assert 'name="link"' in nora.get(of_patient(console)).text.split('id="times"')[0]
    path = of_patient(console, f"/{appointment_id}/link")
    assert nora.post(path, {"link": "https://video.example/r"}).status_code == 303
    assert 'href="https://video.example/r"' in asta.get(MINE).text


def test_no_time_is_shown_that_is_too_far_away_to_be_booked(console: Console, asta: Person) -> None:
    [*_, last] = offered(asta.get(f"{MINE}?from=2027-03-22").text)
    assert last.endswith("2027-03-22T10:40:00Z")
    assert asta.post(MINE, {"slot": last, "way": "clinic"}).status_code == 303
    assert offered(asta.get(f"{MINE}?from=2027-03-23").text) == []


def test_booked_with_somebody_who_is_away_or_has_left_stands_first_and_keeps_its_column(
    console: Console, asta: Person
) -> None:
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    carl, nora, eve = (console.sign_in(login) for login in ("carl", "nora", "eve"))
    said = "Booked, and whoever sees them is away or has left Asta Example · 23 Nov 2026, 09:00 · Ada Weiss"
    assert said not in text(nora.get("/appointments"))
    closed = {"account_id": str(console.accounts["ada"]), "starts": "2026-11-23T08:00", "ends": "2026-11-24T08:00"}
    assert carl.post("/appointments/closures", closed).status_code == 303
    assert said in text(nora.get("/appointments"))
    assert "Asta" not in text(eve.get("/appointments"))
    console.ward.admin.execute("UPDATE appointment_closure SET withdrawn_at = now()")
    assert said not in text(nora.get("/appointments"))
    console.ward.admin.execute(
        "INSERT INTO duty_absence (account_id, starts, ends, set_at) VALUES (%s, %s, %s, now())",
        (console.accounts["ada"], NOW, NOW + timedelta(days=4)),
    )
    assert said in text(nora.get("/appointments"))
    console.ward.admin.execute("UPDATE duty_absence SET withdrawn_at = now()")
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'ada'")
    page = text(nora.get("/appointments?day=2026-11-23"))
    assert said in page
    assert "09:00–09:20 Asta Example At the clinic" in page


def test_nobody_waits_for_somebody_who_has_died(console: Console, asta: Person) -> None:
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "clinic"}).status_code == 303
    wish = {"way": "clinic", "seen_by": "", "first_day": "2026-11-21", "last_day": "2026-11-28"}
    assert asta.post(f"{MINE}/wishes", wish).status_code == 303
    nora = console.sign_in("nora")
    died = {"why": "died", "note": ""}
    assert nora.post(f"/enrolments/{console.ward.patient_id}/end", died).status_code == 303
    assert booked(console) == []
    assert events(console)[-1] == ("cancelled", "nora")
    assert console.ward.rows("SELECT count(*) FROM appointment_wish WHERE ended_at IS NULL") == [(0,)]


# Invitations ----------------------------------------------------------------------------------------------------------


def invited(console: Console) -> UUID:
    assert console.sign_in("ada").post(of_patient(console, "/invitations"), VISIT).status_code == 303
    [(visit_id,)] = console.ward.rows("SELECT visit_id FROM visit")
    found: UUID = visit_id
    return found


def test_an_invitation_is_arranged_by_the_patient_and_both_read_one_thing(console: Console, asta: Person) -> None:
    visit_id, nora = invited(console), console.sign_in("nora")
    assert "At the clinic Please choose a time by 5 Dec 2026." in text(asta.get("/me"))
    assert "Asta Example · At the clinic · no time yet, by 5 Dec 2026" in text(nora.get("/appointments"))
    assert asta.post(MINE, {"slot": slot(console, 10), "way": "clinic"}).status_code == 303
    assert console.ward.rows("SELECT visit_id FROM appointment") == [(visit_id,)]
    page = text(asta.get("/me"))
    assert "Please choose a time" not in page
    assert "23 Nov 2026, 10:00–10:20 Ada Weiss At the clinic: Room 4, Main Street 1 to talk about your mornings" in page
    assert "no time yet" not in text(nora.get("/appointments"))
    assert "Invitation: to talk about your mornings" in text(nora.get(of_patient(console)))


def test_an_invitation_waits_again_when_its_time_is_cancelled_and_ends_when_it_took_place(
    console: Console, asta: Person
) -> None:
    visit_id, nora = invited(console), console.sign_in("nora")
    form = {"slot": slot(console, 10), "way": "clinic", "visit": str(visit_id)}
    assert nora.post(of_patient(console), form).status_code == 303
    [(first, _)] = booked(console)
    assert nora.post(of_patient(console, f"/{first}/end"), {"outcome": "took_place"}).status_code == 404, (
        "it is to come"
    )
    assert nora.post(of_patient(console, f"/{first}/end"), {"outcome": "cancelled"}).status_code == 303
    assert console.ward.rows("SELECT what FROM outside_message") == [("visit",)], "the patient is told to look"
    assert "no time yet, by 5 Dec 2026" in text(nora.get(of_patient(console)))
    assert nora.post(of_patient(console), form).status_code == 303
    [(second, _)] = booked(console)
    console.clock.time = NINE + timedelta(hours=2)
    nora = console.sign_in("nora")
    assert nora.post(of_patient(console, f"/{second}/end"), {"outcome": "took_place"}).status_code == 303
    assert console.ward.rows("SELECT outcome FROM visit") == [("took_place",)]
    assert "no time yet" not in text(nora.get(of_patient(console)))


def test_who_did_not_come_is_counted_and_an_invitation_that_is_called_off_takes_its_time_along(
    console: Console, asta: Person
) -> None:
    visit_id, nora = invited(console), console.sign_in("nora")
    for hour in (9, 10):
        form = {"slot": slot(console, hour), "way": "clinic", "visit": str(visit_id)}
        assert nora.post(of_patient(console), form).status_code == 303
        console.clock.time = NINE + timedelta(minutes=50) if hour == 9 else console.clock.time
        nora = console.sign_in("nora")
        if hour == 9:
            [(appointment_id, _)] = booked(console)
            path = of_patient(console, f"/{appointment_id}/end")
            assert nora.post(path, {"outcome": "no_show"}).status_code == 303
            assert "did not come 1 time in a year" in text(nora.get(of_patient(console)))
    path = of_patient(console, f"/invitations/{visit_id}/end")
    assert nora.post(path, {"outcome": "called_off"}).status_code == 303
    assert booked(console) == []
    assert console.ward.rows("SELECT outcome FROM visit") == [("called_off",)]
    assert nora.post(path, {"outcome": "called_off"}).status_code == 404


def test_an_invitation_that_cannot_be_taken_keeps_what_was_typed(console: Console) -> None:
    answer = console.sign_in("ada").post(of_patient(console, "/invitations"), {**VISIT, "by_day": "soon"})
    assert answer.status_code == 422
    assert "This is no date." in answer.text
    assert VISIT["why"] in answer.text
    assert console.ward.count("visit") == 0


def test_a_time_outside_the_hours_is_agreed_on_the_telephone_and_no_two_share_it(console: Console) -> None:
    place_site(console.ward.admin)
    nora = console.sign_in("nora")
    other = {"other": "yes", "starts_at": "2026-12-01T10:30", "minutes": "30", "way": "telephone",
             "seen_by": str(console.accounts["ada"])}  # fmt: skip
    assert nora.post(of_patient(console), other).status_code == 303
    assert booked(console)[0][1] == "01 09:30"
    again = nora.post(of_patient(console), {**other, "starts_at": "2026-12-01T10:45"})
    assert again.status_code == 409
    wrong = nora.post(of_patient(console), {**other, "starts_at": "2026-03-01T10:45", "seen_by": ""})
    assert wrong.status_code == 422
    assert "This is over already." in wrong.text
    assert "Choose one." in wrong.text


def test_a_video_consultation_has_a_link_of_the_staff_by_https_alone(console: Console, asta: Person) -> None:
    assert asta.post(MINE, {"slot": slot(console, 9), "way": "video"}).status_code == 303
    assert "Your care team will put the link here." in text(asta.get(MINE))
    [(appointment_id, _)] = booked(console)
    nora, path = console.sign_in("nora"), of_patient(console, f"/{appointment_id}/link")
    for bad in ("http://video.example/r", "javascript:alert(1)", "https://", "https://a:b@video.example", "https://[",
                "https://video.example/a b"):  # fmt: skip
        answer = nora.post(path, {"link": bad})
        assert answer.status_code == 422, bad
        assert "must begin with https://" in answer.text
    assert nora.post(path, {"link": "https://video.example/r/4711"}).status_code == 303
    # Staff has it at once; the patient's page leads there from ten minutes before on, and nothing that is sent does.
    assert 'href="https://video.example/r/4711"' in nora.get(of_patient(console)).text
    before = asta.get(MINE)
    assert "You can join the video consultation here from 08:50 on." in text(before)
    assert "video.example" not in before.text
    [(starts_at,)] = console.ward.rows("SELECT starts_at FROM appointment")
    console.clock.time = starts_at - timedelta(minutes=10)
    opened = console.sign_in("asta").get(MINE).text
    assert 'href="https://video.example/r/4711"' in opened
    assert 'rel="noopener noreferrer"' in opened


# Hours ----------------------------------------------------------------------------------------------------------------


HOURS = {
    "way_clinic": "on", "place": "Room 4", "starts": "09:00", "ends": "10:00", "slot_minutes": "30",
    "weekday_0": "on", "weekday_2": "on", "first_day": "2026-11-23", "for_patients": "on",
}  # fmt: skip


def test_hours_are_entered_ended_and_closed_by_those_who_keep_them(console: Console) -> None:
    place_site(console.ward.admin)
    carl, asta = console.sign_in("carl"), console.sign_in("asta")
    form = {**HOURS, "account_id": str(console.accounts["ada"])}
    assert carl.post("/appointments/hours", form).status_code == 303
    assert console.ward.count("appointment_hours") == 2, "one for each weekday"
    assert offered(asta.get(MINE).text)[:3] == [slot(console, 9), slot(console, 9, 30), slot(console, 9, day=25)]
    closed = {"account_id": "", "starts": "2026-11-23T08:00", "ends": "2026-11-23T09:30"}
    assert carl.post("/appointments/closures", closed).status_code == 303
    assert offered(asta.get(MINE).text)[0] == slot(console, 9, 30)
    console.ward.admin.execute(
        "INSERT INTO duty_holiday (day, name, own_roster, set_at) VALUES ('2026-11-25', 'A holiday', false, now())"
    )
    assert slot(console, 9, day=25) not in offered(asta.get(MINE).text)
    console.ward.admin.execute(
        "INSERT INTO duty_absence (account_id, starts, ends, set_at) VALUES (%s, %s, %s, now())",
        (console.accounts["ada"], NOW, NOW + timedelta(days=4)),
    )
    assert offered(asta.get(MINE).text)[0] == slot(console, 9, day=30), "who is away on the roster sees nobody"
    for hours_id, closure_id in console.ward.rows(
        "SELECT hours_id, closure_id FROM appointment_hours, appointment_closure"
    ):
        assert carl.post(f"/appointments/hours/{hours_id}/end", {"last_day": "2026-11-21"}).status_code == 303
        carl.post(f"/appointments/closures/{closure_id}/end")
    assert offered(asta.get(MINE).text) == []
    assert carl.get("/appointments/hours").status_code == 200


def test_what_is_pressed_twice_is_entered_once(console: Console) -> None:
    place_site(console.ward.admin)
    carl, ada, asta = (console.sign_in(login) for login in ("carl", "ada", "asta"))
    closed = {"account_id": "", "starts": "2026-11-23T08:00", "ends": "2026-11-23T09:30"}
    wish = {"way": "clinic", "seen_by": "", "first_day": "2026-11-21", "last_day": "2026-11-28"}
    pressed = (
        (carl, "/appointments/hours", {**HOURS, "account_id": str(ada.account_id)}, "appointment_hours", 2),
        (carl, "/appointments/hours", {**HOURS, "account_id": str(ada.account_id), "weekday_0": "", "weekday_2": ""},
         "appointment_hours", 3),
        (carl, "/appointments/closures", closed, "appointment_closure", 1),
        (carl, "/appointments/closures", {**closed, "account_id": str(ada.account_id)}, "appointment_closure", 2),
        (ada, of_patient(console, "/invitations"), VISIT, "visit", 1),
        (asta, f"{MINE}/wishes", wish, "appointment_wish", 1),
    )  # fmt: skip
    for person, path, form, table, rows in pressed:
        token = person.csrf_token()
        with ThreadPoolExecutor(2) as thumbs:
            sent = [thumbs.submit(person.client.post, path, data={**form, "csrf_token": token}) for _ in range(2)]
        assert {one.result().status_code for one in sent} == {303}
        assert console.ward.count(table) == rows, path


def test_whose_clock_differs_from_the_clinics_reads_both(console: Console) -> None:
    open_hours(console.ward.admin, console.accounts["ada"])
    place_site(console.ward.admin, "Europe/Helsinki")
    nora = console.sign_in("nora")
    assert nora.post(of_patient(console), {"slot": f"{console.accounts['ada']} {at(8)}", "way": "clinic"}
                     ).status_code == 303  # fmt: skip
    assert "23 Nov 2026, 08:00–08:20 (the clinic’s clock: 09:00)" in text(nora.get(of_patient(console)))
