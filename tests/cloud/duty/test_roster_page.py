"""The roster at the console: who may change it, what it shows, and what it refuses."""

import re
from uuid import UUID

import httpx
import pytest

from cloud.auth import store as accounts
from cloud.auth.models import Role
from tests.cloud.live.reading import stream, until
from tests.cloud.made import NOW
from tests.fix_console import Console, Person

DAY_SHIFT = {"role": "nurse", "starts": "08:00", "ends": "20:00", "first_day": "2026-11-21", "order": "1"}
ALL_WEEK = {f"weekday_{day}": "on" for day in range(7)}


@pytest.fixture
def lena(console: Console, password_hash: str) -> Person:
    """A lead nurse."""
    console.accounts["lena"] = accounts.create_account(
        console.ward.admin,
        login="lena",
        display_name="Lena Lund",
        role=Role.LEAD_NURSE,
        password_hash=password_hash,
    )
    return console.sign_in("lena")


def add_shift(console: Console, by: Person, who: str = "nora", **fields: str) -> int:
    """The status of adding a nurse's day shift, each day unless told otherwise."""
    weekly = {} if "weekday_0" in fields else ALL_WEEK
    form = {**DAY_SHIFT, **weekly, "account_id": str(console.accounts[who]), **fields}
    return by.post("/roster/shifts", form).status_code


def text_of(page: str) -> str:
    """The page's words, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def refusals(page: str) -> list[str]:
    """What has to be mended."""
    return [text.strip() for text in re.findall(r'<span class="refusal"[^>]*>(.*?)</span>', page)]


def test_without_a_roster_the_page_says_that_the_care_team_is_on_duty(console: Console, lena: Person) -> None:
    page = text_of(lena.get("/roster").text)

    assert page.count("There is no roster: everybody of the patient’s care team is told.") == 3
    assert "Nobody has said yet in which time zone this clinic is." in page
    assert "hole" not in page


def test_a_lead_nurse_adds_shifts_and_sees_the_holes_that_they_leave(console: Console, lena: Person) -> None:
    assert lena.post("/roster/site", {"time_zone": "Europe/Copenhagen", **ALL_WEEK}).status_code == 303
    assert add_shift(console, lena) == 303
    page = lena.get("/roster").text

    # It is 13:00 in Copenhagen.
    assert "Nora Quist</strong> until 20:00" in page
    words = text_of(page)
    assert "08:00–20:00 Nora Quist" in words
    assert "20:00–24:00 nobody" in words
    # Two a day, but for the morning of today, which is over.
    assert "27 holes in the coming 14 days" in words


def test_the_same_person_cannot_be_on_duty_twice_for_a_role(console: Console, lena: Person) -> None:
    add_shift(console, lena)
    answer = lena.post(
        "/roster/shifts",
        {
            **DAY_SHIFT,
            "account_id": str(console.accounts["nora"]),
            "starts": "19:00",
            "ends": "03:00",
            "weekday_5": "on",
        },
    )

    assert answer.status_code == 422
    assert refusals(answer.text) == [
        "This person is on duty for the same role then already. End that shift first, or choose other hours."
    ]
    assert add_shift(console, lena, starts="20:00", ends="08:00") == 303
    assert add_shift(console, lena, who="ben") == 303


def test_what_cannot_be_is_said_at_its_field(console: Console, lena: Person) -> None:
    for fields, why in (
        ({"starts": "8 o'clock"}, "This is no time. Write it as 08:00."),
        ({"ends": "25:00"}, "This is no time. Write it as 08:00."),
        ({"first_day": "21.11.2026"}, "This is no date. Write it as 2026-12-31."),
        ({"first_day": "2026-11-20"}, "This is over already. Choose a later day."),
        ({"first_day": "2062-11-21"}, "This is years away. Is the year right?"),
        ({"first_day": "2026-11-23", "last_day": "2026-11-22"}, "It ends before it begins."),
        ({"order": "0"}, "It must lie between 1 and 9."),
        ({"role": "porter"}, "Choose one."),
        ({"role": "doctor"}, "This person’s account cannot be on duty for that."),
        ({"account_id": "somebody"}, "Choose one."),
    ):
        form = {**DAY_SHIFT, **ALL_WEEK, "account_id": str(console.accounts["nora"]), **fields}
        answer = lena.post("/roster/shifts", form)
        assert (answer.status_code, refusals(answer.text)) == (422, [why])
    never = {"weekday_0": "on", "first_day": "2026-11-24", "last_day": "2026-11-26"}
    answer = lena.post("/roster/shifts", {**DAY_SHIFT, "account_id": str(console.accounts["nora"]), **never})
    assert refusals(answer.text) == ["None of these weekdays comes before the last day."]
    assert console.ward.count("duty_shift") == 0


def test_somebody_away_is_covered_or_leaves_a_hole(console: Console, lena: Person) -> None:
    add_shift(console, lena, starts="00:00", ends="00:00")
    away = {"account_id": str(console.accounts["nora"]), "starts": "2026-11-23T08:00", "ends": "2026-11-24T08:00"}
    assert lena.post("/roster/absences", away).status_code == 303
    assert "1 hole in the coming" not in text_of(lena.get("/roster").text)
    assert "2 holes in the coming 14 days" in text_of(lena.get("/roster").text)

    [(absence_id,)] = console.ward.rows("SELECT absence_id FROM duty_absence")
    assert lena.post(f"/roster/absences/{absence_id}/end").status_code == 303
    assert lena.post("/roster/absences", {**away, "cover": str(console.accounts["ben"])}).status_code == 303
    page = text_of(lena.get("/roster").text)
    assert "Ben Ortega for Nora Quist" in page
    assert "hole" not in page


def test_an_absence_that_cannot_be_is_said(console: Console, lena: Person) -> None:
    nora, ada = str(console.accounts["nora"]), str(console.accounts["ada"])
    away = {"account_id": nora, "starts": "2026-11-23T08:00", "ends": "2026-11-24T08:00"}
    for fields, why in (
        ({"ends": "2026-11-23T07:00"}, "It ends before it begins."),
        ({"starts": "2026-11-01T07:00", "ends": "2026-11-02T07:00"}, "This is over already. Choose a later day."),
        ({"starts": "soon"}, "This is no date with a time. Write it as 2026-12-31 08:00."),
        ({"cover": nora}, "Nobody stands in for themselves. Choose somebody else."),
        ({"cover": ada}, "This person’s account cannot be on duty for that."),
    ):
        answer = lena.post("/roster/absences", {**away, **fields})
        assert (answer.status_code, refusals(answer.text)) == (422, [why])


def test_a_holiday_has_its_own_roster(console: Console, lena: Person) -> None:
    add_shift(console, lena, starts="00:00", ends="00:00")
    holiday = {"day": "2026-11-26", "name": "Thanksgiving", "own_roster": "on"}
    assert lena.post("/roster/holidays", holiday).status_code == 303
    assert "1 hole in the coming 14 days" in text_of(lena.get("/roster").text)
    again = lena.post("/roster/holidays", holiday)
    assert (again.status_code, refusals(again.text)) == (422, ["This time is in the schedule already."])

    # Nora would have been on duty anyway: on that day she is only by what is said of it.
    form = {**DAY_SHIFT, "account_id": str(console.accounts["nora"]), "starts": "00:00", "ends": "00:00"}
    assert lena.post("/roster/shifts", {**form, "first_day": "2026-11-26"}).status_code == 303
    assert "hole" not in text_of(lena.get("/roster").text)
    assert lena.post("/roster/holidays/2026-11-26/end").status_code == 303
    assert console.ward.count("duty_holiday") == 0


def test_a_shift_is_ended_and_stays_in_the_past(console: Console, lena: Person) -> None:
    add_shift(console, lena)
    shifts = [str(row[0]) for row in console.ward.rows("SELECT shift_id FROM duty_shift ORDER BY weekday")]

    def end(last_day: str, *shift_ids: str) -> httpx.Response:
        return lena.post("/roster/shifts/end", {"shift_ids": " ".join(shift_ids), "last_day": last_day})

    too_early = end("2026-11-01", *shifts)
    assert (too_early.status_code, refusals(too_early.text)) == (422, ["This is over already. Choose a later day."])
    assert "every day, 08:00–20:00" in text_of(lena.get("/roster").text)
    assert end("2026-11-30", shifts[0]).status_code == 303
    assert "Tue, Wed, Thu, Fri, Sat, Sun, 08:00–20:00" in text_of(lena.get("/roster").text)
    # Before it began: it never counted.
    assert end("2026-11-20", *shifts[1:3]).status_code == 303
    assert end("2026-11-30", shifts[1]).status_code == 404
    assert end("2026-11-30", "no id").status_code == 404

    kept = console.ward.rows("SELECT last_day::text, withdrawn_at IS NOT NULL FROM duty_shift ORDER BY weekday LIMIT 2")
    assert kept == [("2026-11-30", False), (None, True)]


def test_those_who_care_read_the_roster_and_change_nothing_and_others_have_none(console: Console) -> None:
    for login in ("nora", "ada"):
        person = console.sign_in(login)
        page = person.get("/roster")
        assert page.status_code == 200
        assert '<form class="entry"' not in page.text
        assert add_shift(console, person) == 404
        assert person.post("/roster/site", {"time_zone": "UTC", **ALL_WEEK}).status_code == 404
    for login in ("sam", "carl", "asta"):
        assert console.sign_in(login).get("/roster").status_code == 404


def test_every_change_has_its_audit_row(console: Console, lena: Person) -> None:
    add_shift(console, lena, first_day="2026-11-23")
    lena.post("/roster/site", {"time_zone": "Europe/Copenhagen", **ALL_WEEK})
    actions = console.ward.rows("SELECT DISTINCT action FROM audit WHERE action LIKE 'duty.%' ORDER BY action")
    assert actions == [("duty.add_shift",), ("duty.place",)]


def open_gap(console: Console, why: str = "nobody_on_duty") -> UUID:
    """As the escalation opens it."""
    row = console.ward.admin.execute(
        "INSERT INTO duty_gap (role, why, opened_at, next_at) VALUES ('nurse', %s, %s, %s) RETURNING gap_id",
        (why, NOW, NOW),
    ).fetchone()
    assert row
    gap_id: UUID = row[0]
    return gap_id


def test_a_gap_stands_above_the_lead_nurses_worklist_until_it_is_over(console: Console, lena: Person) -> None:
    gap_id = open_gap(console)
    console.ward.admin.execute(
        "INSERT INTO notification (subject, account_id, gap, created_at, next_at)"
        " VALUES ('duty_gap', %s, 'nurse:nobody_on_duty:2026-11-21T12:00:00Z:1', %s, %s)",
        (lena.account_id, NOW, NOW),
    )
    page = text_of(lena.get("/worklist").text)
    assert "Nurse: nobody is on duty since 21 Nov, 12:00; 0 cases wait." in page

    assert lena.post(f"/duty-gaps/{gap_id}/acknowledge").status_code == 303
    assert "Being seen to by Lena Lund" in text_of(lena.get("/worklist").text)
    assert console.ward.rows("SELECT next_at FROM duty_gap") == [(None,)]
    assert console.ward.rows("SELECT state FROM notification") == [("withdrawn",)]
    console.ward.admin.execute("UPDATE duty_gap SET resolved_at = now()")
    assert "nobody is on duty" not in lena.get("/worklist").text


def test_a_gap_appears_at_the_open_worklist_and_goes_without_a_reload(console: Console, lena: Person) -> None:
    with stream(lena) as events:
        assert "nobody is on duty" not in until(events, "our_side").data
        gap_id = open_gap(console)
        assert "Nurse: nobody is on duty" in until(events, "our_side").data
        console.ward.admin.execute(
            "UPDATE duty_gap SET resolved_at = now(), next_at = NULL WHERE gap_id = %s", [gap_id]
        )
        assert "nobody is on duty" not in until(events, "our_side").data


def test_a_nurse_sees_no_gap_unless_she_stands_in_for_the_lead_nurse(console: Console, lena: Person) -> None:
    gap_id = open_gap(console)
    nora = console.sign_in("nora")
    assert "nobody is on duty" not in nora.get("/worklist").text
    assert nora.post(f"/duty-gaps/{gap_id}/acknowledge").status_code == 404

    add_shift(console, lena, role="lead_nurse")
    assert "nobody is on duty" in nora.get("/worklist").text
    assert nora.post(f"/duty-gaps/{gap_id}/acknowledge").status_code == 303


def test_the_number_that_patients_call_is_written_down_and_read_back_as_people_write_it(
    console: Console, lena: Person
) -> None:
    site = {"time_zone": "Europe/Copenhagen", **ALL_WEEK}
    refused = lena.post("/roster/site", {**site, "phone": "ask Nora"})
    assert refused.status_code == 422
    assert "telephone" in refused.text
    assert lena.post("/roster/site", {**site, "phone": "33 11 22 33"}).status_code == 303
    assert 'value="+45 33 11 22 33"' in lena.get("/roster").text
    assert console.ward.rows("SELECT phone FROM duty_site") == [("+4533112233",)]
    assert lena.post("/roster/site", site).status_code == 303
    assert console.ward.rows("SELECT phone FROM duty_site") == [("",)]
