"""A nurse's telephone: it rings, she sees who it is, writes the call into the case, and finds it with its recording."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from playwright.sync_api import expect

from tests.cloud.crm.telephony.made import NUMBER
from tests.cloud.made import NOW
from tests.fix_browser import DESKTOP
from tests.fix_centre import IN_EACH_LANGUAGE, Centre

HEAR = """
SELECT telephone_hear(%(system)s, %(event)s, %(now)s, %(now)s, 300, %(what)s, %(call)s, 'in', %(number)s, '77', NULL,
                      %(at)s, %(place)s, sha256('r'), 'the exchange')
"""


def tells(centre: Centre, call: str, what: str, at: datetime, place: str | None = None) -> None:
    """What a telephone system told us, and the console has verified."""
    said = {
        "system": UUID(centre.ids["telephone_system"]), "event": uuid4().hex, "now": NOW, "what": what, "call": call,
        "number": NUMBER, "at": at, "place": place,
    }  # fmt: skip
    assert centre.ward.admin.execute(HEAR, said).fetchone() == ("new",)


@IN_EACH_LANGUAGE
def test_a_nurse_sees_who_calls_on_whatever_page_she_has_open(centre: Centre, language: str) -> None:
    case, call = centre.three_cases(), f"walk-{language}"
    patient = f"/patients/{centre.ward.patient_id}"
    with centre.walk("nora", language, DESKTOP) as nora:
        page = nora.page
        nora.go("/callers")
        page.locator("#telephone summary").click()
        page.locator("#telephone-extension").fill("77")
        nora.send(nora.by("button", "That is mine"))
        nora.receives()
        expect(page.locator("#telephone")).to_contain_text("77")

        nora.go("/worklist")
        tells(centre, call, "ringing", NOW - timedelta(minutes=3))
        rings = page.locator("#ringing [data-call] a[href*='/callers/']")
        expect(rings).to_be_visible()
        expect(page.locator("#ringing")).to_contain_text(nora.said("Your telephone rings."))
        nora.picture("telephone-rings", of="#ringing")
        nora.follow(rings)
        expect(page.locator(".caller")).to_contain_text("Asta Example")
        nora.picture("who-calls")
        tells(centre, call, "answered", NOW - timedelta(minutes=2))
        expect(page.locator("#ringing")).to_contain_text(nora.said("You are on the telephone."))
        nora.send(page.locator(f"form:has(input[name=case_id][value='{case}']) button").first)
        nora.receives()
        tells(centre, call, "ended", NOW)
        expect(page.locator("#ringing [data-call]")).to_have_count(0)
        page.locator("#calls input[type=radio]").first.check()
        nora.send(nora.by("button", "Call ended"))

        nora.go(patient)
        page.locator("#card summary").click()
        nora.send(page.locator(f"#card form[action='{patient}/ring'] button").first)
        nora.receives()
        expect(page.locator("#ringing [data-ring]")).to_contain_text(nora.said("The telephone system is asked …"))

        tells(centre, call, "recorded", NOW, "https://exchange.example/r/2")
        nora.go(f"{patient}/calls")
        expect(page.locator("main")).to_contain_text(nora.said("as somebody said"))
        nora.picture("calls")
        nora.follow(page.locator("a[href^='/recordings/']").first)
        expect(page.locator("main a[href^='https://exchange.example']")).to_be_visible()
        nora.is_unobjectionable()
        nora.go("/callers")
        nora.send(nora.by("button", "It is not mine any more"))
        nora.fits()


def test_a_lead_nurse_chooses_the_words_for_what_leaves(centre: Centre) -> None:
    with centre.walk("lena", "en", DESKTOP) as lena:
        page = lena.page
        lena.go("/outside-texts")
        section = page.locator("section:has(#words-zh)")
        section.locator("summary").click()
        section.locator("input[name=body]").fill("{link} {name}")
        lena.send(lena.by("button", "Use these words", within=section))
        expect(page.locator("#refused")).to_be_visible()
        lena.is_unobjectionable()
        section.locator("input[name=body]").fill("诊所有消息给您:{link}")
        lena.send(lena.by("button", "Use these words", within=section))
        expect(section).to_contain_text("Lena Lund")
        lena.fits()
        section.locator("summary").click()
        lena.send(lena.by("button", "Back to the words of this software", within=section))
