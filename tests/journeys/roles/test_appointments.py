"""Appointments: the staff enters hours and books by two presses, the patient books, moves and cancels."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.cloud.crm.appointments.made import open_hours
from tests.cloud.made import NOW
from tests.fix_centre import ONCE_A_SCREEN, ONCE_AT_A_DESK, Centre


@pytest.fixture
def with_hours(centre: Centre) -> Centre:
    """The doctor sees patients on Mondays; nobody has booked anything."""
    admin = centre.ward.admin
    admin.execute(
        "TRUNCATE appointment_event, appointment, appointment_wish, appointment_hours, appointment_freed,"
        " calendar_address"
    )
    admin.execute("DELETE FROM visit")
    open_hours(admin, centre.console.accounts["ada"], ends="10:00", link="https://video.example/ada")
    return centre


@ONCE_AT_A_DESK
def test_a_coordinator_enters_hours_and_closes_a_day(
    with_hours: Centre, language: str, screen: tuple[int, int]
) -> None:
    with with_hours.walk("carl", language, screen) as carl:
        page = carl.page
        carl.go("/appointments/hours")
        carl.unfold("Add hours")
        page.select_option("#hours-account_id", str(with_hours.console.accounts["nora"]))
        page.fill("#hours-starts", "09:00")
        page.fill("#hours-ends", "10:00")
        page.locator("[name=weekday_1]").check()
        carl.picture("hours")
        carl.send(carl.by("button", "Add hours"))
        expect(page.locator("tr[data-hours-id]")).to_have_count(2)
        carl.unfold("Add an exception")
        page.fill("#closure-starts", "2026-11-24T00:00")
        page.fill("#closure-ends", "2026-11-25T00:00")
        carl.send(carl.by("button", "Add", within=page.locator("#closures form.entry")))
        expect(page.locator("#closures .pause")).to_have_count(1)
        carl.send(carl.by("button", "Withdraw", within=page.locator("#closures")))
        expect(page.locator("#closures .pause")).to_have_count(0)
        carl.fits()


@ONCE_A_SCREEN
def test_a_nurse_books_from_the_patients_page_by_keyboard_and_sees_the_day_and_the_week(
    with_hours: Centre, language: str, screen: tuple[int, int]
) -> None:
    with with_hours.walk("ada", language, (1366, 768)) as ada:
        ada.go("/patients/{patient}/appointments")
        ada.unfold("Invite to a visit")
        ada.page.fill("#visit-by_day", "2026-12-04")
        ada.page.fill("#visit-why", "…")
        ada.send(ada.by("button", "Invite to a visit"))
    with with_hours.walk("nora", language, screen) as nora:
        page = nora.page
        nora.go("/appointments")
        page.locator("#waiting a").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        first = page.locator("button[name=slot]").first
        first.focus()
        nora.picture("patient-appointments")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("[data-appointment-id]")).to_have_count(1)
        expect(nora.by("link", "Choose a time")).to_have_count(0)
        nora.is_unobjectionable()
        nora.go("/appointments?day=2026-11-23")
        expect(page.locator("tr", has_text="Asta Example")).to_have_count(1)
        nora.picture("appointments")
        nora.follow(nora.by("link", "Week"))
        expect(page.locator("tr", has_text="Asta Example")).to_have_count(1)
        nora.fits()
        # A time that somebody else has just taken.
        nora.go("/patients/{patient}/appointments")
        with_hours.ward.admin.execute(
            """INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, booked_by, booked_at,
                                        changed_at)
               VALUES (%(patient)s, %(ada)s, 'clinic', '2026-11-23 08:20Z', '2026-11-23 08:40Z', 'booked', %(ada)s,
                       %(now)s, %(now)s)""",
            {"patient": with_hours.ids["boris"], "ada": with_hours.console.accounts["ada"], "now": NOW},
        )
        nora.send(page.locator("button[name=slot]").first)
        expect(page.locator("#not-booked")).to_be_visible()
        expect(page.locator("button[name=slot]").first).to_be_visible()
        nora.is_unobjectionable()


@ONCE_A_SCREEN
def test_a_patient_books_moves_says_that_they_come_and_cancels(
    with_hours: Centre, language: str, screen: tuple[int, int]
) -> None:
    admin = with_hours.ward.admin
    with with_hours.walk("asta", language, screen) as asta:
        page = asta.page
        asta.go("/me")
        asta.follow(asta.by("link", "Appointments", within=page.locator(".self__ways")))
        mine = page.locator("[data-appointment-id]")
        page.select_option("#search-way", "video")
        asta.send(asta.by("button", "Show free times"))
        asta.send(page.locator("button[name=slot]").first)
        expect(mine).to_have_count(1)
        expect(mine).to_contain_text(
            asta.said("You can join the video consultation here from %(time)s on.").split("%")[0]
        )
        asta.picture("my-appointments")
        asta.unfold("Move or cancel")
        asta.send(asta.by("link", "Move to another time"))
        chosen = page.locator("button[name=slot]").nth(1)
        time = chosen.inner_text()[:5]
        asta.send(chosen)
        expect(mine).to_contain_text(time)
        admin.execute("UPDATE appointment SET reminded_at = %s WHERE state = 'booked'", (NOW + timedelta(minutes=1),))
        asta.go("/me")
        asta.fits()
        asta.send(asta.by("button", "Yes, I will come"))
        expect(page.locator("main")).to_contain_text(asta.said("You said that you will come."))
        asta.go("/me/appointments")
        asta.unfold("Wait for a time that comes free")
        page.fill("#wish-last_day", "2026-12-24")
        asta.send(asta.by("button", "Put on the waiting list"))
        expect(asta.by("button", "Wait no more")).to_be_visible()
        asta.is_unobjectionable()
        asta.unfold("Move or cancel")
        asta.send(asta.by("button", "Cancel it"))
        expect(mine).to_have_count(0)
        asta.send(asta.by("button", "Make an address"))
        expect(page.locator("#address")).to_contain_text("/calendar/")
        asta.is_unobjectionable()
