"""The gateway's page in the home, in a real browser: readable, up to date by itself, and honest when it is old."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gateway.home.facts import Facts
from gateway.home.page import page as written
from gateway.home.server import PageServer
from gateway.home.words import LANGUAGES, WORDS, Language
from tests.fix_browser import ON_BOTH_SCREENS
from tests.gateway.home.made import CUFF, METER, at, cards_of, due, facts, measured, plan, received, window
from tests.journeys.objecting import nothing_sticks_out, objections


@dataclass
class Gateway:
    """A page whose facts the test chooses."""

    facts: Facts
    url: str = ""

    def page(self, language: Language) -> str:
        return written(self.facts, language)


def a_morning(**changes: object) -> Facts:
    """Two people at one cuff, one of them done, and a meter."""
    known = plan(due(user=1), due(user=2), due(window(7), window(12), window(18), kind="glucose", device="meter"))
    taken = {
        "cuff": [received(measured(at(8, 12), user=1), after_s=120), measured(at(8, 16), user=1)],
        "meter": [received(measured(at(7, 2), "glucose"))],
    }
    return replace(facts(*cards_of(known, taken, (CUFF, METER)), waiting=1), **changes)  # type: ignore[arg-type]


@contextmanager
def serving(page: Callable[[Language], str]) -> Iterator[str]:
    """The server on an event loop of its own: Playwright keeps this thread's."""
    loop = asyncio.new_event_loop()
    server = PageServer("127.0.0.1", 0, frozenset(), page, "en")
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = asyncio.run_coroutine_threadsafe(server.run(), loop)
    try:
        asyncio.run_coroutine_threadsafe(server.listens.wait(), loop).result(10)
        yield f"http://127.0.0.1:{server.port}"
    finally:
        running.cancel()
        asyncio.run_coroutine_threadsafe(settled(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def settled() -> None:
    """Everything else on this loop has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    one = Gateway(a_morning())
    with serving(one.page) as url:
        one.url = url
        yield one


@ON_BOTH_SCREENS
def test_axe_objects_to_nothing_and_everything_fits(gateway: Gateway, page: Page) -> None:
    states = (a_morning(), a_morning(away_since=at(19, 55, days=-1)), facts(trouble=True))
    for language, shown in product(LANGUAGES, states):
        gateway.facts = shown
        page.goto(f"{gateway.url}/{language}")
        expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language].title)
        assert objections(page) == []
        assert nothing_sticks_out(page)


def test_type_is_large_and_its_contrast_holds_by_night_too(gateway: Gateway, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    gateway.facts = a_morning(away_since=at(8))
    page.goto(f"{gateway.url}/en")
    assert objections(page) == []
    size: float = page.evaluate("parseFloat(getComputedStyle(document.querySelector('dd')).fontSize)")
    assert size >= 20


def test_an_open_page_is_brought_up_to_date_by_itself(gateway: Gateway, page: Page) -> None:
    page.clock.install()
    page.goto(f"{gateway.url}/en")
    expect(page.get_by_text("Waiting to be sent: 1", exact=True)).to_be_visible()
    gateway.facts = a_morning(waiting=0)
    page.clock.run_for(21_000)
    expect(page.get_by_text("Waiting to be sent: 1", exact=True)).to_have_count(0)


def test_a_page_whose_gateway_is_gone_says_that_it_is_old_and_recovers(page: Page) -> None:
    one = Gateway(a_morning())
    page.clock.install()
    with serving(one.page) as url:
        page.goto(f"{url}/en")
        page.route("**/en", lambda route: route.abort())
        page.clock.run_for(21_000)
        expect(page.get_by_role("alert")).to_contain_text("what it shows is old")
        page.unroute("**/en")
        page.clock.run_for(21_000)
        expect(page.get_by_role("alert")).to_be_empty()


def test_without_script_the_page_asks_again_by_itself(gateway: Gateway, profile: BrowserContext) -> None:
    assert profile.browser is not None
    without = profile.browser.new_context(java_script_enabled=False)
    try:
        page = without.new_page()
        page.goto(f"{gateway.url}/en")
        expect(page.locator("head meta[http-equiv=refresh]")).to_have_attribute("content", "60")
        expect(page.get_by_text("By your care team 08:14")).to_be_visible()
    finally:
        without.close()
