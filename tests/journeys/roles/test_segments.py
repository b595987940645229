"""Segments and households at a browser: built, counted, saved and opened; who lives together, and what one may tell."""

from playwright.sync_api import expect

from tests.cloud.crm.segments.made import measured
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, Centre


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_nurse_builds_a_segment_without_code_and_sees_whom_it_finds_and_why(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    measured(centre.ward)
    with centre.walk("nora", language, screen) as nora:
        page = nora.page
        nora.go("/segments")
        nora.picture("segments")
        nora.fits()
        nora.follow(nora.by("link", "Build a segment"))
        for kind in ("control", "open_cases"):
            page.select_option("#segment-kind", kind)
            nora.send(nora.by("button", "Add this condition"))
        page.select_option("#segment-is_0", "not_controlled")
        page.fill("#segment-many_1", "1")
        page.select_option("#segment-tier_1", "urgent")
        page.fill("#segment-name", "A")
        # Enter in a field counts, and takes nothing away.
        page.locator("#segment-name").focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("#counted strong")).to_have_text("1")
        nora.picture("segment-form")
        nora.is_unobjectionable()
        nora.fits()
        nora.send(nora.by("button", "Save"))
        expect(page.locator("tr[data-patient-id]")).to_have_count(1)
        nora.unfold("Invite them to a lecture, activity or group")
        nora.is_unobjectionable()
        nora.fits()
        nora.follow(nora.by("link", "Change"))
        expect(page.locator("#segment-name")).to_have_value("A")
        nora.is_unobjectionable()
        nora.fits()
        page.go_back()
        segment = page.url
        nora.unfold("Invite them to a lecture, activity or group")
        page.select_option("#invite-to", index=1)
        nora.send(page.locator("#invite button"))
        expect(page.locator("[data-seat-id]", has_text="Asta")).to_be_visible()
        page.goto(segment)
        nora.follow(page.locator("tr[data-patient-id] a"))
        nora.receives()
        expect(page.locator("#stratum strong")).to_be_visible()
        nora.go("/patients/{patient}/household")
        nora.picture("household")


def test_a_coordinator_says_who_lives_together_and_what_the_daughter_may_be_told(centre: Centre) -> None:
    admin = centre.ward.admin
    admin.execute("TRUNCATE household_member, contact_consent")
    admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (centre.ids["boris"], centre.console.accounts["carl"]),
    )
    with centre.walk("carl", "en", DESKTOP) as carl:
        page = carl.page
        carl.go("/patients/{patient}/household")
        page.fill("#search-name", "boris")
        carl.send(carl.by("button", "Find"))
        page.get_by_label("Who they are there").fill("husband")
        carl.send(page.locator("#search button", has_text="They live together"))
        expect(page.locator("[data-member-id]")).to_have_count(1)
        carl.unfold("Write down what the patient says")
        for topic in ("readings", "treatment"):
            page.locator(f"[name=topic_{topic}]").uncheck()
        carl.send(page.locator("#talking button", has_text="Write it down"))
        expect(page.locator("[data-contact-id]")).to_contain_text("may be told: that we try to reach the patient")
        carl.is_unobjectionable()
        carl.fits()
    with centre.walk("nora", "en", PHONE) as nora:
        page = nora.page
        nora.go("/callers")
        page.fill("#number", "+45 20 99 88 77")
        nora.send(nora.by("button", "Find"))
        expect(page.locator(".caller")).to_contain_text("number of Dora Example, daughter of Asta Example")
        nora.fits()
        nora.follow(page.locator(".caller h2 a"))
        nora.receives()
        expect(page.locator("#household")).to_contain_text("Lives with Boris Sample (husband).")
        nora.unfold("Add a tag")
        page.fill("#tag-tag", "frail")
        nora.send(nora.by("button", "Add", within=page.locator("#segments")))
        nora.receives()
        expect(page.locator(".patient-tag")).to_contain_text("frail")
        nora.fits()
