"""Voices: a patient complains and answers a survey, a nurse takes a complaint down, the lead nurse answers it."""

import pytest
from playwright.sync_api import expect

from tests.cloud.crm.surveys.made import TABLES, sent
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_centre import IN_EACH_LANGUAGE, Centre, spoken_up


@pytest.fixture
def quiet(centre: Centre) -> Centre:
    """Nobody has said anything yet."""
    centre.ward.admin.execute(f"TRUNCATE {TABLES} CASCADE")
    return centre


@IN_EACH_LANGUAGE
def test_a_complaint_is_written_by_a_patient_answered_exported_and_not_the_end(quiet: Centre, language: str) -> None:
    with quiet.walk("asta", language, PHONE) as asta:
        page = asta.page
        asta.go("/me")
        asta.follow(asta.by("link", "Tell us what was not right"))
        page.get_by_role("radio").first.check()
        page.fill("#complaint-body", "…")
        asta.picture("my-complaint")
        asta.send(asta.by("button", "Send it"))
        expect(page.locator("article")).to_contain_text(asta.said("we have it"))
    [(complaint_id,)] = quiet.ward.rows("SELECT complaint_id FROM complaint")
    with quiet.walk("lena", language, DESKTOP) as lena:
        page = lena.page
        lena.go("/worklist")
        lena.follow(page.locator("#complaints-waiting"))
        lena.follow(page.locator(f"a[href='/complaints/{complaint_id}']"))
        lena.send(lena.by("button", "The patient was told that we have it"))
        lena.send(lena.by("button", "Begin work on it"))
        page.locator("summary", has_text=lena.said("Answer")).first.click()
        page.fill("#answer-words", "…")
        lena.send(lena.by("button", "Answer the patient"))
        lena.send(lena.by("button", "Tag it"))
        lena.picture("complaint")
        lena.is_unobjectionable()
        with page.expect_download() as download:
            lena.by("button", "Export the case file").click()
        assert download.value.suggested_filename.endswith(".zip")
        lena.send(lena.by("button", "Close it"))
        lena.go("/themes")
        lena.unfold("Write down what was done")
        page.fill("#done-body", "…")
        lena.send(lena.by("button", "Save"))
        expect(page.locator("tbody tr")).to_have_count(1)
        lena.picture("themes")
    with quiet.walk("asta", language, PHONE) as asta:
        asta.go("/me/complaints")
        asta.unfold("I am not content with this")
        asta.page.locator("details[open] textarea").fill("…")
        asta.send(asta.by("button", "Send it", within=asta.page.locator("details[open]")))
        expect(asta.page.locator("article")).to_contain_text(asta.said("we look at it again"))
        asta.is_unobjectionable()


def test_a_nurse_takes_one_down_and_reads_what_was_written_and_the_lead_nurse_switches_on(quiet: Centre) -> None:
    spoken_up(quiet.ward, quiet.console.accounts["nora"])
    with quiet.walk("nora", "en", DESKTOP) as nora:
        page = nora.page
        nora.go("/patients/{patient}")
        nora.follow(nora.by("link", "Complaints", within=page.locator(".heading")))
        page.get_by_role("radio").nth(1).check()
        page.fill("#complaint-body", "A chair in the corridor, please.")
        nora.fits()
        nora.send(nora.by("button", "Write it down"))
        expect(page.locator("#complaints-heading + ul li")).to_have_count(2)
        nora.go("/complaints")
        expect(page.locator("section", has_text="Overdue").locator("li")).to_have_count(1)
        nora.fits()
        nora.go("/surveys")
        nora.send(nora.by("button", "I have read it"))
        expect(page.locator("article")).to_contain_text("read by Nora Quist")
        nora.unfold("What it is about")
        nora.send(nora.by("button", "Tag it"))
        nora.fits()
    with quiet.walk("lena", "en", DESKTOP) as lena:
        lena.go("/surveys")
        expect(lena.page.locator("main")).to_contain_text("(n 5)")
        lena.unfold("After a conversation")
        lena.page.locator("#rule-contact [name=is_on]").check()
        lena.fits()
        lena.send(lena.by("button", "Save", within=lena.page.locator("#rule-contact")))
        expect(lena.page.locator("#rule-contact summary")).to_contain_text("on")


def test_a_patient_answers_a_survey_and_wants_no_more(quiet: Centre) -> None:
    sent_id = sent(quiet.ward)
    with quiet.walk("asta", "en", PHONE) as asta:
        page = asta.page
        asta.go("/me")
        asta.follow(page.locator(f"a[href='/me/surveys/{sent_id}']"))
        for name in ("q-overall", "q-understood"):
            page.locator(f"[name={name}]").first.check()
        page.fill("#answers-body", "She was kind.")
        asta.fits()
        asta.send(asta.by("button", "Send my answers"))
        expect(page.locator("main")).to_contain_text("Thank you. It helps us to do better.")
        asta.go("/me/complaints")
        asta.send(asta.by("button", "Do not ask me such things any more"))
        expect(asta.by("button", "You may ask me again")).to_be_visible()
        asta.is_unobjectionable()
