"""A nurse adds a way to reach her, is paged while a page is open, and takes the case: in a browser."""

import base64
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cloud import clock
from cloud.config import JobsSettings
from cloud.db.connect import open_connection
from cloud.jobs.delivering import Delivery
from cloud.jobs.desk import Desk
from cloud.notifications.channels.offered import offered
from cloud.notifications.service import notify as notify_of_case
from cloud.notify_config import HttpSettings, NotifySettings
from deploy.receivers.gateways import Gateway
from tests.cloud.notifications.made import new_case
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.steps import sign_in

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NAME = "Asta Example"


@pytest.fixture
def notify(phone_gateway: Gateway) -> NotifySettings:
    """SMS and calls by one provider."""
    http = HttpSettings(url=phone_gateway.url, receipt_secret=SECRET)
    return NotifySettings(base_url="https://pulsepost.example", sms=http, voice=http)


@contextmanager
def delivery(console: Console, notify: NotifySettings) -> Iterator[Delivery]:
    """What the jobs process does."""
    desk = Desk(JobsSettings(database_url=console.ward.database.jobs_url, notify=notify), console.clock)
    desk.pool.open()
    try:
        yield Delivery(desk, offered(notify, clock.now))
    finally:
        desk.pool.close()


def look(console: Console, delivering: Delivery) -> None:
    """In a thread, as the jobs process does: the browser's driver has this one's event loop."""
    for (notification_id,) in console.ward.rows("SELECT notification_id FROM notification WHERE next_at IS NOT NULL"):
        looking = threading.Thread(target=delivering.look, args=(notification_id,))
        looking.start()
        looking.join()


@ON_BOTH_SCREENS
def test_a_nurse_is_paged_where_she_has_shown_that_she_is_reached(
    console: Console, page: Page, phone_gateway: Gateway, notify: NotifySettings, tmp_path: Path
) -> None:
    with delivery(console, notify) as delivering:
        sign_in(page, console, "nora")
        page.get_by_role("link", name="Nora Quist").click()
        expect(page.locator("#nothing")).to_be_visible()

        page.get_by_label("Number with country code").fill("20 12 34 56")
        page.get_by_role("button", name="Add, and send a code there").click()
        expect(page.get_by_role("alert").filter(has_text="country code")).to_be_visible()
        page.get_by_label("Number with country code").fill("+45 20 12 34 56")
        page.get_by_role("button", name="Add, and send a code there").click()
        expect(page.get_by_label("Code", exact=True)).to_be_visible()
        look(console, delivering)
        [code] = re.findall(rb"\b\d{6}\b", phone_gateway.requests[-1].body.replace(b"+4520123456", b""))
        page.get_by_label("Code", exact=True).fill(code.decode())
        page.screenshot(path=tmp_path / "code.png", full_page=True)
        page.get_by_role("button", name="That is it").click()
        expect(page.get_by_text("Works")).to_be_visible()
        expect(page.locator("#nothing")).to_have_count(0)
        page.screenshot(path=tmp_path / "reached.png", full_page=True)

        page.goto(f"{console.url}/worklist")
        expect(page.locator("#live-state")).to_have_text("Live")
        case_id = new_case(console.ward, tier="emergency", at=console.clock())
        with open_connection(console.ward.database.jobs_url, "test") as jobs:
            notify_of_case(
                jobs, case_id=case_id, round=1, step=0, account_id=console.accounts["nora"], at=console.clock()
            )
        look(console, delivering)

        banner = page.locator("#paged .paged--emergency")
        expect(banner).to_contain_text("You were paged.")
        page.screenshot(path=tmp_path / "paged.png", full_page=True)
        banner.get_by_role("link", name="Open the case").click()
        expect(page.locator("#told li[data-state=confirmed]")).to_contain_text("Nora Quist")
        page.screenshot(path=tmp_path / "told.png", full_page=True)
        page.get_by_role("button", name="Acknowledge").first.click()
        expect(page.locator("#paged .paged")).to_have_count(0)

    sent = b"".join(request.body for request in phone_gateway.requests).decode("unicode_escape")
    assert str(case_id) in sent
    for secret in (NAME, "Asta", "41", "Glucose", "hypoglycaemia"):
        assert not re.search(rf"\b{secret}\b", sent), secret
    states = console.ward.rows("SELECT state, confirmed_by FROM notification WHERE subject = 'case'")
    assert states == [("confirmed", "console")]
