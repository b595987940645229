"""Somebody of 74 at a phone: what is due, what arrived, a message there and back, charts; large, and easy to touch."""

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.made import NOW, glucose, pressure, sent
from tests.cloud.made import expect as measures
from tests.fix_browser import PHONE
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import sign_in

SMALLEST_LETTERS_PX = 20
SMALLEST_TARGET_PX = 48

# What is read in letters that are too small, and what is too low for a thumb; a link in a sentence is text.
_TOO_SMALL = """([letters, target]) => {
  const seen = (element) => element.checkVisibility();
  const words = [...document.querySelectorAll(".self *, .bar *, .foot *")].filter((element) =>
    seen(element) && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    && !element.closest(".unseen") && parseFloat(getComputedStyle(element).fontSize) < letters);
  const touchable = ".self :is(a, button, select, textarea), .bar :is(a, button), .foot button";
  const touched = [...document.querySelectorAll(touchable)].filter((element) =>
    seen(element) && element.getBoundingClientRect().height < target - 0.5);
  return [...words, ...touched].map((element) => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`);
}"""


def is_for_old_eyes_and_thumbs(page: Page) -> None:
    assert nothing_sticks_out(page)
    assert page.evaluate(_TOO_SMALL, [SMALLEST_LETTERS_PX, SMALLEST_TARGET_PX]) == []


@pytest.mark.parametrize("profile", [PHONE], ids=["phone"], indirect=True)
def test_a_patient_at_a_phone_sees_what_is_due_and_what_arrived_and_writes(console: Console, page: Page) -> None:
    ward = console.ward
    measures(ward.admin, ward.patient_id, kind="blood_pressure", at="12:00")
    measures(ward.admin, ward.patient_id, at="13:00")
    ward.admin.execute("UPDATE duty_site SET phone = '+4533112233'")
    sign_in(page, console, "asta")
    page.goto(f"{console.url}/me")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live", timeout=15_000)
    expect(page.locator("#today li")).to_have_text(
        ["12:00 Blood pressure Now: until 14:00", "13:00 Glucose Now: until 15:00"]
    )

    ward.receive(sent(glucose("101")))
    expect(page.locator("#today")).to_contain_text("Done at 12:58")
    expect(page.locator("#measured li").first).to_contain_text("101 mg/dL")
    expect(page.locator("#measured li").first).to_contain_text("received by your care team")
    is_for_old_eyes_and_thumbs(page)

    page.get_by_role("link", name="Messages").click()
    page.get_by_label("Write to your care team").fill("The cuff is too tight.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".letter")).to_contain_text("The cuff is too tight.")
    expect(page.locator(".letter")).to_contain_text("not opened yet")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "live", timeout=15_000)
    nora = console.sign_in("nora")
    nora.post(f"/patients/{ward.patient_id}/messages", {"body": "I will call you."})
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".letter").first).to_contain_text("I will call you.")
    is_for_old_eyes_and_thumbs(page)

    ward.receive(sent(pressure("128", "81", at=NOW)))
    page.goto(f"{console.url}/me/measured")
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "2")
    expect(page.locator(".self__table")).to_have_count(2)
    is_for_old_eyes_and_thumbs(page)
    page.goto(f"{console.url}/me/plan")
    is_for_old_eyes_and_thumbs(page)
