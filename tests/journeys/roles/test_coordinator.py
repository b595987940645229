"""A coordinator: somebody new, step by step; the emergency card, and the patient's way in."""

from playwright.sync_api import expect

from cloud.language.languages import LANGUAGES
from tests.cloud.made import GATEWAY
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_coordinator_keeps_the_card_and_invites_the_patient(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("carl", language, screen) as carl:
        page = carl.page
        carl.go("/patients/{patient}/card")
        page.locator("[name=door_notes]").fill("code 4321")
        carl.picture("card")
        carl.send(carl.by("button", "Save the card"))
        expect(page.locator("[name=door_notes]")).to_have_value("code 4321")
        carl.go("/patients/{patient}/invitation")
        carl.fits()
        carl.by("button", "Make a link for the patient").click()
        expect(page.locator("#link")).to_contain_text("/invitation/")
        carl.picture("invitation")
        carl.is_unobjectionable()
        link = page.locator("#link").inner_text()
    with centre.stranger(language, screen) as asta:
        asta.page.goto(link)
        expect(asta.page.locator("#new-password")).to_be_visible()
        asta.picture("new-password")
        asta.is_unobjectionable()


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_coordinator_takes_somebody_in(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    name = f"Emil Model {language} {screen[0]}"
    with centre.walk("carl", language, screen) as carl:
        page = carl.page
        carl.go("/enrolments")
        carl.unfold("Take somebody in")
        page.fill("#person-display_name", name)
        page.fill("#person-birth_date", f"1952-03-{screen[0] % 28 + 1:02}")
        page.fill("#person-time_zone", "Europe/Copenhagen")
        carl.send(carl.by("button", "Take in"))
        expect(page.locator("h1")).to_have_text(name)
        # Not ill today, not pregnant, no irregular pulse; and yes to all the others.
        for number, question in enumerate(page.locator("#eligibility fieldset").all()):
            answers = question.get_by_role("radio")
            (answers.last if number in (0, 2, 3) else answers.first).check()
        carl.by("button", "Save the answers").click()
        expect(page.locator("#eligibility .answers")).to_be_visible()
        carl.show("h1")
        carl.picture("enrolment")
        carl.unfold("Enter a decision on paper")
        page.select_option("#consent-decision", "given")
        page.fill("#consent-signed_on", "2026-11-20")
        carl.by("button", "Enter this decision").click()
        expect(page.locator("#consent")).to_contain_text("Carl Coordinator")
        page.select_option("#plan-template", index=0)
        carl.by("button", "Show what it sets").click()
        carl.send(carl.by("button", "Save these times"))
        expect(page.locator("#plan .number").first).to_be_visible()
        for each in page.locator("#training input[type=checkbox]").all():
            each.check()
        carl.fits()
        expect(carl.by("button", "Activate: somebody watches from now on")).to_be_disabled()
        carl.go("/enrolments")
        expect(page.locator("tr[data-patient-id]").first).to_be_visible()
        carl.picture("enrolments")


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_coordinator_hands_a_meter_out_pairs_it_and_takes_it_back(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    serial = f"9231300{list(LANGUAGES).index(language)}"
    with centre.walk("carl", language, screen) as carl:
        page = carl.page
        carl.go("/stock")
        carl.unfold("Add a device")
        page.fill("#item-serial_number", serial)
        page.select_option("#item-profile", "roche-accu-chek-guide")
        carl.by("button", "Add a device", within=page.locator("#add")).click()
        expect(page.locator("h1")).to_contain_text(serial)
        carl.go("/stock")
        carl.picture("stock")
        carl.go("/patients/{patient}/devices")
        page.fill("#hand_out-scan", serial)
        carl.by("button", "Hand it out").click()
        mine = page.locator("tr[data-item-id]", has_text=serial)
        expect(mine).to_be_visible()
        carl.picture("patient-devices")
        carl.by("link", "Pair over Bluetooth").click()
        page.get_by_role("radio", name=serial).check()
        page.fill("#pair-gateway_id", GATEWAY)
        carl.picture("pairing")
        carl.by("button", "Begin").click()
        expect(page.locator(".press li").first).to_be_visible()
        carl.fits()
        carl.send(carl.by("button", "Stop"))
        carl.go("/patients/{patient}/devices")
        carl.send(carl.by("button", "It came back", within=mine))
        carl.go("/stock?q=" + serial)
        page.locator("input[name=way]").first.check()
        carl.by("button", "It was wiped").click()
        expect(page.get_by_text(carl.said("It can be handed out."))).to_be_visible()
