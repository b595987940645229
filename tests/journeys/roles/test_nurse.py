"""A nurse: the worklist, a case with its call and script, an unknown caller, the end of a shift, the quarantine."""

from argparse import Namespace

from playwright.sync_api import expect

from cloud.language.languages import LANGUAGES
from cloud.planting import command as training
from tests.cloud.made import NOW
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre, wanting_an_owner


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_nurse_takes_a_case_calls_the_patient_and_closes_it(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    case = centre.three_cases()
    with centre.walk("nora", language, screen) as nora:
        page = nora.page
        nora.go("/worklist")
        expect(page.locator("li[data-case-id]")).to_have_count(3)
        nora.picture("worklist")
        nora.follow(page.locator(f"#case-{case} .case__condition"))
        expect(page.locator("#charts")).to_have_attribute("data-drawn", "1")
        nora.picture("case")
        nora.by("button", "Acknowledge").click()
        expect(page.locator("#case")).to_have_attribute("data-state", "acknowledged")
        nora.receives()
        page.locator("#calls summary").click()
        nora.send(nora.by("button", "Call begins", within=page.locator("#calls")))
        page.get_by_role("radio").first.check()
        page.locator("#call-note").fill("…")
        nora.receives()
        nora.picture("call", of="#calls")
        nora.send(nora.by("button", "Call ended"))
        expect(page.locator("#call-note")).to_have_count(0)
        nora.receives()
        page.locator("#triage summary").click()
        expect(page.locator("#triage-question")).to_be_visible()
        nora.picture("script", of="#triage")
        page.locator("#triage button[name=answer]").last.click()
        expect(page.locator("#triage .answered li")).to_have_count(1)
        nora.receives()
        nora.labelled("What became of it").select_option("advice_given")
        nora.picture("resolve", of="#resolve")
        nora.by("button", "Resolve", within=page.locator("#resolve")).click()
        expect(page.locator("#case")).to_have_attribute("data-state", "resolved")
        nora.fits()


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_a_nurse_finds_who_calls_and_hands_her_shift_over(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    case = centre.three_cases()
    with centre.walk("nora", language, screen) as nora:
        nora.go("/callers")
        nora.labelled("Telephone number").fill("+45 20 12 34 56")
        nora.by("button", "Find").click()
        expect(nora.page.locator(".caller h2")).to_have_text("Asta Example")
        nora.picture("callers")
        nora.is_unobjectionable()
        nora.go("/worklist")
        nora.by("button", "Acknowledge", within=nora.page.locator(f"#case-{case}")).click()
        expect(nora.page.locator(f"#case-{case}")).to_have_attribute("data-state", "acknowledged")
        nora.go("/shift")
        nora.page.locator("#to").select_option(str(centre.console.accounts["ben"]))
        nora.picture("hand-over")
        nora.by("button", "Offer").click()
        expect(nora.page.get_by_text(f"{nora.said('offered to')} Ben Ortega")).to_be_visible()
        nora.go("/quarantine")
        nora.picture("quarantine")
        nora.page.locator("tr[data-quarantine-id] a[href^='/quarantine/']").first.click()
        expect(nora.page.locator(".payload")).to_be_visible()
        nora.fits()
    with centre.walk("ben", language, screen) as ben:
        ben.go("/shift")
        ben.picture("accept")
        ben.by("button", "Accept").click()
        expect(ben.page.get_by_text(ben.said("Nothing is offered to you."))).to_be_visible()
        assert centre.ward.rows("SELECT owner FROM alert_case WHERE state = 'acknowledged'") == [
            (centre.console.accounts["ben"],)
        ]


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_nurse_says_whose_readings_are(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    wanting_an_owner(centre.ward, 1 + list(LANGUAGES).index(language) * 2 + screen[0] // 1000)
    with centre.walk("nora", language, screen) as nora:
        page = nora.page
        nora.go("/whose")
        part = page.locator("section.whose").first
        part.locator("input[name=item]").first.check()
        part.get_by_role("radio").first.check()
        part.locator("select[name=patient]").select_option(centre.ids["patient"])
        part.locator("input[name=reason]").fill("…")
        nora.show("h1")
        nora.picture("whose")
        nora.send(nora.by("button", "Say so", within=part))
        expect(page.get_by_text(nora.said("Said; it is being taken up.")).first).to_be_visible()
        nora.go("/questions")
        expect(page.locator(".held__one").first).to_be_visible()
        nora.picture("questions")
        nora.go("/patients/{patient}/questions")
        waiting = page.locator("section.waiting .held__one")
        before = waiting.count()
        waiting.first.locator("summary").click()
        waiting.first.get_by_role("radio").first.check()
        waiting.first.locator("input[name=reason]").fill("…")
        nora.fits()
        nora.send(nora.by("button", "Say so", within=waiting.first))
        expect(waiting).to_have_count(before - 1)


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_nurse_opens_a_patient_outside_her_care_team_and_the_lead_nurse_is_told(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    with centre.walk("nora", language, screen) as nora:
        nora.go("/break-glass")
        nora.page.fill("#patient_id", str(centre.console.other_patient_id))
        nora.page.fill("#reason", "112 ……………………")
        nora.picture("break-glass")
        nora.by("button", "Open the patient").click()
        expect(nora.page.locator("h1")).to_contain_text("Other Patient")
        nora.fits()
        nora.send(nora.by("button", "Close now"))
        expect(nora.page.locator("[data-break-glass-id]")).to_have_count(0)
    with centre.walk("lena", language, screen) as lena:
        lena.go("/worklist")
        notice = lena.page.locator("[data-break-glass-id]").first
        expect(notice).to_contain_text("Nora Quist")
        lena.picture("break-glass-notice")
        lena.send(lena.by("button", "I have seen it", within=notice))
        expect(lena.page.locator("[data-break-glass-id]")).to_have_count(0)


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_nurse_learns_with_patients_who_are_not_real(centre: Centre, language: str, screen: tuple[int, int]) -> None:
    if not centre.ward.count("training_course"):
        course = Namespace(deed="start", logins=["ben"], patients=3, seed=1)
        training.run(centre.ward.database.admin_url, course, NOW)
    with centre.walk("ben", language, screen) as ben:
        ben.go("/training")
        ben.picture("training")
        ben.follow(ben.by("link", "Open their worklist"))
        expect(ben.page.locator(".training-mark").first).to_be_visible()
        ben.follow(ben.page.locator(".case__condition").first)
        expect(ben.page.locator(".training-banner")).to_be_visible()
        ben.fits()
