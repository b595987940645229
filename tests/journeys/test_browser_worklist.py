"""A nurse at a real browser: a case comes without a reload, is taken by keyboard, and a dead stream is said aloud."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.made import Ward, glucose, ketone, pressure, sent
from tests.fix_browser import ON_BOTH_SCREENS
from tests.journeys.objecting import nothing_sticks_out, objections
from tests.journeys.steps import is_live, sign_in

BANNER_WITHIN_MS = 10_000


@dataclass
class ConsoleProcess:
    """``python -m cloud console`` as an operator starts it."""

    process: subprocess.Popen[str]
    url: str

    def freeze(self) -> None:
        """Its connections stay open and say nothing more: the worst way to lose a stream."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self.process.terminate()
        self.process.communicate(timeout=15)


def started(ward: Ward, port: int = 0) -> ConsoleProcess:
    """A console that has said that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cloud", "console", "--port", str(port)],
        env={**os.environ, "PULSEPOST_DATABASE_URL": ward.database.console_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    word, _, url = process.stdout.readline().strip().partition(" ")
    assert word == "ready"
    return ConsoleProcess(process, url)


@pytest.fixture
def operated(ward: Ward, people: dict[str, UUID]) -> Iterator[ConsoleProcess]:
    """The console in a process of its own, on a free port."""
    console = started(ward)
    try:
        yield console
    finally:
        if console.process.poll() is None:
            console.stop()


@ON_BOTH_SCREENS
def test_a_case_arrives_without_a_reload_and_is_taken_by_keyboard(
    operated: ConsoleProcess, ward: Ward, page: Page
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    expect(page.get_by_text("No open cases")).to_be_visible()
    page.evaluate("window.notReloaded = true")
    ward.receive(sent(ketone("1.6")))
    ward.receive(sent(glucose("48")))
    rows = page.locator("li[data-case-id]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("48 mg/dL: below the limit of 54 mg/dL")
    expect(rows.first).to_contain_text("Urgent")
    expect(page.locator("#announcements")).to_contain_text("Glucose 48 mg/dL")
    expect(page).to_have_title("(2) Worklist · Pulsepost")

    button = rows.first.get_by_role("button", name="Acknowledge")
    _tab_to(page, "Acknowledge")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows.first).to_have_attribute("data-state", "acknowledged")
    expect(rows.first).to_contain_text("you")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")  # twice by accident: nothing more happens
    assert page.evaluate("window.notReloaded") is True
    assert ward.rows("SELECT event FROM case_event WHERE actor IS NOT NULL") == [("acknowledge",)]

    rows.first.get_by_label("Outcome").select_option("advice_given")
    rows.first.get_by_role("button", name="Resolve").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Blood ketones 1.6 mmol/L")
    assert nothing_sticks_out(page)


def test_a_frozen_console_is_said_within_ten_seconds_and_what_was_missed_is_caught_up(
    operated: ConsoleProcess, ward: Ward, page: Page
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    banner = page.locator("#not-receiving")
    expect(banner).to_be_hidden()
    operated.freeze()
    expect(banner).to_be_visible(timeout=BANNER_WITHIN_MS)
    expect(page.locator("#live-state")).to_contain_text("Not receiving")
    assert objections(page) == []
    ward.receive(sent(glucose("48")))
    operated.thaw()
    expect(page.locator("li[data-case-id]")).to_have_count(1, timeout=BANNER_WITHIN_MS)
    expect(banner).to_be_hidden()


def test_a_console_that_stops_is_said_and_found_again_when_it_is_back(
    operated: ConsoleProcess, ward: Ward, page: Page
) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    operated.stop()
    expect(page.locator("#not-receiving")).to_be_visible(timeout=BANNER_WITHIN_MS)
    ward.receive(sent(glucose("48")))
    again = started(ward, int(operated.url.rpartition(":")[2]))
    try:
        expect(page.locator("li[data-case-id]")).to_have_count(1, timeout=BANNER_WITHIN_MS)
        expect(page.locator("#not-receiving")).to_be_hidden()
    finally:
        again.stop()


def test_signing_out_elsewhere_is_said_on_the_open_page(operated: ConsoleProcess, ward: Ward, page: Page) -> None:
    sign_in(page, operated, "nora")
    is_live(page)
    ward.admin.execute("DELETE FROM login_session")
    expect(page.locator("#signed-out")).to_be_visible(timeout=BANNER_WITHIN_MS)
    assert objections(page) == []


def test_what_the_page_asks_by_itself_leads_nowhere_when_signed_out(
    operated: ConsoleProcess, ward: Ward, page: Page
) -> None:
    with page.expect_response("**/messages/waiting"):  # it asks once its stream has begun
        sign_in(page, operated, "nora")
        is_live(page)
    ward.admin.execute("DELETE FROM login_session")
    with page.expect_response("**/messages/waiting") as answer:
        page.evaluate("document.body.dispatchEvent(new CustomEvent('live:messages'))")
    assert answer.value.status == 401
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page).to_have_url(f"{operated.url}/worklist")


@ON_BOTH_SCREENS
def test_a_patients_page_draws_and_follows_new_readings(operated: ConsoleProcess, ward: Ward, page: Page) -> None:
    ward.receive(sent(glucose("101")))
    sign_in(page, operated, "nora")
    is_live(page)
    page.goto(f"{operated.url}/patients/{ward.patient_id}")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "1")
    expect(page.locator("#charts canvas")).to_have_count(1)
    ward.receive(sent(pressure("128", "81")))
    expect(page.locator("#readings")).to_contain_text("128/81 mmHg")
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "2")
    ward.receive(sent(glucose("48", sequence_number=2)))
    expect(page.locator("#cases li")).to_have_count(1)
    assert nothing_sticks_out(page)


def _tab_to(page: Page, label: str, most: int = 30) -> None:
    """Press Tab until something with this label has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()").startswith(label):
            return
    raise AssertionError(f"Tab does not reach {label}")
