"""Following up at a browser: a link at a phone by keyboard alone, the nurse's list, how somebody is reached, advice."""

from typing import Final

import psycopg
from playwright.sync_api import FilePayload, expect

from cloud.crm.advice.judging import advise
from tests.cloud.crm.discharges.made import octets, summary
from tests.cloud.made import NOW
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_centre import Centre, asked
from tests.journeys.test_browser_own import is_for_old_eyes_and_thumbs

QUESTIONS: Final = 6


def test_a_link_is_answered_at_a_phone_by_keyboard_alone_and_says_whom_to_call(centre: Centre) -> None:
    _, token = asked(centre.ward)
    with centre.stranger("en", PHONE) as walk:
        page = walk.page
        page.goto(centre.address(f"/q/{token}?language=en"))
        expect(page.get_by_role("heading", level=1)).to_have_text("How you are recovering")
        assert "Asta" not in page.content()
        is_for_old_eyes_and_thumbs(page)
        page.locator("input[type=radio]").first.focus()
        for n in range(QUESTIONS):
            page.keyboard.press("Space")
            if n == 1:  # pain in the chest: the second answer
                page.keyboard.press("ArrowDown")
            page.keyboard.press("Tab")
        with page.expect_event("domcontentloaded"):
            page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("call your local emergency number at once")
        expect(page.get_by_role("status")).to_contain_text("Your care team has your answers")
        walk.is_unobjectionable()
        page.goto(centre.address(f"/q/{token}?language=ru"))
        expect(page.locator("main")).to_contain_text("На это уже ответили")


def test_a_nurse_takes_a_hospitals_document_and_dates_what_names_no_day(centre: Centre) -> None:
    centre.ward.admin.execute(
        "UPDATE patient SET birth_date = '1948-05-09' WHERE patient_id = %s", (centre.ward.patient_id,)
    )
    with centre.walk("nora", "en", DESKTOP) as walk:
        page = walk.page
        walk.go("/patients/{patient}/follow-ups")
        walk.unfold("Discharge summary: what the hospital asks for")
        walk.follow(page.get_by_role("link", name="The hospital has sent a FHIR document"))
        file = FilePayload(name="summary.json", mimeType="application/json", buffer=octets(summary()))
        page.get_by_label("A FHIR document of a hospital").set_input_files(file)
        walk.send(walk.by("button", "Keep it and look at it"))
        expect(page.locator("main")).to_contain_text("Compare, and say so below")
        walk.is_unobjectionable()
        walk.fits()
        call = page.get_by_role("group", name="Ask for the weight")
        call.get_by_label("Make a follow-up of it").check()
        call.get_by_label("Due on").fill("2026-11-22")
        walk.send(walk.by("button", "Make the follow-ups"))
        expect(page.locator("#refused")).to_contain_text("once you have compared")
        expect(call.get_by_label("Due on")).to_have_value("2026-11-22")
        page.get_by_label("I have compared").check()
        walk.send(walk.by("button", "Make the follow-ups"))
        expect(page.locator("main")).to_contain_text("Ask for the weight")
        expect(page.locator("main")).not_to_contain_text("X-ray")
        walk.is_unobjectionable()


def test_a_nurse_writes_down_a_discharge_and_closes_what_is_overdue(centre: Centre) -> None:
    centre.ward.admin.execute("DELETE FROM follow_up")  # other walks' and the planted ones
    with centre.walk("nora", "en", DESKTOP) as walk:
        walk.go("/patients/{patient}/follow-ups")
        walk.unfold("Discharge summary: what the hospital asks for")
        page = walk.page
        page.get_by_label("Left the hospital on").fill("2026-11-18")
        page.get_by_label("What for, as the summary says").fill("Pneumonia")
        page.get_by_label("Instruction 1").select_option("call")
        page.get_by_label("days after leaving").first.fill("2")
        walk.send(walk.by("button", "Make the follow-ups"))
        expect(page.locator("main")).to_contain_text("Pneumonia")
        walk.is_unobjectionable()
        walk.go("/follow-ups")
        expect(page.locator("main")).to_contain_text("Overdue (1)")
        walk.fits()
        walk.follow(page.get_by_role("link", name="Asta Example").first)
        first = page.locator("article").first
        first.get_by_label("What came of it").fill("spoken with her")
        walk.send(first.get_by_role("button", name="Done"))
        walk.go("/follow-ups")
        expect(page.locator("main")).to_contain_text("Overdue (0)")


def test_a_nurse_and_the_patient_say_how_the_patient_is_reached(centre: Centre) -> None:
    with centre.walk("nora", "en", DESKTOP) as walk:
        walk.go("/patients/{patient}/reach")
        walk.labelled("By").select_option("sms")
        walk.labelled("Number with country code, or address").fill("+45 20 12 34 56")
        walk.send(walk.by("button", "Add the address"))
        expect(walk.page.locator("main")).to_contain_text("not asked yet: nothing is sent there")
        walk.is_unobjectionable()
    with centre.walk("asta", "zh", PHONE) as walk:
        walk.go("/me/reach")
        walk.send(walk.by("button", "You may write to me there"))
        expect(walk.page.locator("main")).to_contain_text(walk.said("You agreed: we write to you there."))
        is_for_old_eyes_and_thumbs(walk.page)
    assert centre.ward.rows("SELECT method FROM channel_consent") == [("screen",)]


def test_medication_is_said_to_be_taken_with_one_touch(centre: Centre) -> None:
    centre.ward.admin.execute(
        "INSERT INTO medication_time (patient_id, medication_id, at, set_by, set_at)"
        " SELECT patient_id, medication_id, '08:00', entered_by, %s FROM medication LIMIT 1",
        (NOW,),
    )
    with centre.walk("asta", "en", PHONE) as walk:
        walk.go("/me")
        walk.send(walk.by("button", "I have taken it"))
        expect(walk.page.locator("#medication")).to_contain_text("taken")
        is_for_old_eyes_and_thumbs(walk.page)


def test_advice_is_drafted_by_a_nurse_approved_by_a_doctor_given_by_its_rule_and_read(centre: Centre) -> None:
    with centre.walk("nora", "en", DESKTOP) as walk:
        walk.go("/advice")
        walk.labelled("Name, in small letters").fill("salt")
        walk.labelled("Mean of a week of").select_option("systolic")
        walk.labelled("Bound").fill("135")
        walk.page.locator("#advice-unit").select_option("mm[Hg]")
        for code, text in (("en", "Less salt may help."), ("ru", "Помогает меньше соли."), ("zh", "少盐有益。")):
            walk.page.locator(f"#advice-text_{code}").fill(text)
        walk.send(walk.by("button", "Keep the draft"))
        walk.is_unobjectionable()
    with centre.walk("ada", "ru", DESKTOP) as walk:
        walk.go("/advice")
        walk.send(walk.by("button", "Approve"))
        expect(walk.page.locator("main")).to_contain_text(walk.said("in force"))
        walk.fits()
    with psycopg.connect(centre.ward.database.jobs_url) as jobs:
        assert advise(jobs, NOW) >= 1  # and whoever else of the ward has such a week
    with centre.walk("asta", "en", PHONE) as walk:
        walk.go("/me/advice")
        expect(walk.page.locator("main")).to_contain_text("Less salt may help.")
        is_for_old_eyes_and_thumbs(walk.page)
    with centre.walk("nora", "en", DESKTOP) as walk:
        walk.go("/patients/{patient}")
        walk.unfold("Advice that was given")
        expect(walk.page.locator("#advised")).to_contain_text("opened 21 Nov")
