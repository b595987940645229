"""A real browser: Debian's Chromium, driven by Playwright, with a fresh profile for every test.

It is Chromium without the windows: the same pages, for a third of what each profile costs with a window around it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

# What is waited for comes at once on an idle machine; a busy one is given time.
WAIT_MS = 20_000
expect.set_options(timeout=WAIT_MS)

CHROMIUM = "/usr/bin/chromium-headless-shell"
# Nothing but our own pages: no update, no sync, no first-run page, no request of the browser's own.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One per module: Playwright keeps an event loop running in this thread, which async tests there could not bear."""
    with running_browser() as browser:
        yield browser


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser without profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


DESKTOP = (1366, 768)
PHONE = (390, 844)
# Put over a test to run it on both.
ON_BOTH_SCREENS = pytest.mark.parametrize("profile", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)


@pytest.fixture
def profile(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A profile of its own, on a nurse's screen unless the test says otherwise."""
    width, height = getattr(request, "param", DESKTOP)
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        yield context
    finally:
        context.close()


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """An empty page; at the end, nothing may have been thrown or refused by the content security policy on it."""
    page = profile.new_page()
    complaints = listen(page)
    yield page
    assert not complaints


def listen(page: Page) -> list[str]:
    """What is thrown, or refused by the content security policy, on this page from now on."""
    complaints: list[str] = []

    def note_error(error: Error) -> None:
        complaints.append(error.message)

    def note_message(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    page.on("pageerror", note_error)
    page.on("console", note_message)
    return complaints
