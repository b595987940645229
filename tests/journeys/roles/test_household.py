"""The household: the gateway's own page, which is no page of the console."""

from playwright.sync_api import expect

from gateway.home.words import WORDS
from tests.fix_browser import PHONE
from tests.fix_centre import IN_EACH_LANGUAGE, Centre
from tests.gateway.home.made import at
from tests.journeys.test_browser_home import Gateway, a_morning, serving


@IN_EACH_LANGUAGE
def test_a_household_reads_what_is_due_measured_and_received(centre: Centre, language: str) -> None:
    gateway, words = Gateway(a_morning()), next(WORDS[code] for code in WORDS if code == language)
    with serving(gateway.page) as url, centre.stranger(language, PHONE) as asta:
        asta.page.goto(f"{url}/{language}")
        expect(asta.page.get_by_role("heading", level=1)).to_have_text(words.title)
        asta.picture("at-home")
        gateway.facts = a_morning(away_since=at(19, 55, days=-1))
        asta.page.reload()
        expect(asta.page.locator(".away")).to_contain_text(words.kept)
        asta.picture("at-home-away")
