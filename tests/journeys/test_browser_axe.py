"""axe-core finds nothing to object to on any page, on a screen and on a phone.

It comes from npm with the console's libraries, for tests alone; no page loads it.
"""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from playwright.sync_api import BrowserContext, Page

from alerting.tiers import Tier
from cloud.console import assets
from tests.cloud.made import GATEWAY, glucose, pressure, sent
from tests.cloud.made import expect as measures
from tests.cloud.worklist.made import planted_case
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_console import Console
from tests.journeys.test_browser_fleet import nothing_sticks_out, sign_in

AXE: Final = (assets.NODE_MODULES / "axe-core" / "axe.min.js").read_text
# Success criteria of WCAG 2.2 up to AA, and what axe calls best practice.
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# WCAG 2.5.8, target size (minimum), in CSS pixels: what axe does not measure of a page's own controls.
SMALLEST: Final = 24

PAGES: Final = {
    "nora": (
        "/worklist",
        "/worklist?show=retrospect",
        "/cases/{case}",
        "/cases/{own}",
        "/patients",
        "/patients/{patient}",
        "/patients/{patient}/plan",
        "/programmes",
        "/roster",
        "/technical",
        "/quarantine",
        "/me/reached",
        "/nowhere",
    ),
    "ada": ("/patients/{patient}/plan?limit=hypertension_systolic", "/what-if", "/what-if/{run}"),
    "lena": ("/roster", "/programmes"),
    "sam": ("/technical", "/gateways", "/gateways/{gateway}"),
    "asta": ("/me",),
    "carl": ("/",),
}

SMALL: Final = """smallest =>
    [...document.querySelectorAll('button, select, summary, input:not([type=hidden]), a.button, .bar a')]
    .filter(each => !each.closest('.skip') && !each.classList.contains('skip') && !each.closest('label'))
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < smallest || box.width < smallest))
    .map(([each, box]) => `${each.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""


def objections(page: Page) -> list[str]:
    """What axe finds, and controls too small for a thumb."""
    page.evaluate(AXE())
    found: dict[str, Any] = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)
    said = [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
    return [*said, *(f"small: {each}" for each in page.evaluate(SMALL, SMALLEST))]


def planted(console: Console) -> dict[str, str]:
    """Something to see on every page, and the ids that its pages have in their addresses."""
    ward = console.ward
    measures(ward.admin, ward.patient_id)
    ward.receive(sent(glucose("131")), sent(pressure("128", "82")))
    own = planted_case(ward, Tier.EMERGENCY)
    assert console.sign_in("nora").post(f"/cases/{own}/acknowledge").status_code == 200
    ward.admin.execute("UPDATE account SET role = 'lead_nurse', login = 'lena' WHERE login = 'eve'")
    [(run,)] = ward.admin.execute(
        "INSERT INTO what_if_run (asked_by, asked_at, programme_id, days, proposal)"
        " VALUES (%s, now(), 'standard', 28, '{}') RETURNING run_id",
        (console.accounts["ada"],),
    )
    case: UUID = planted_case(ward, Tier.URGENT, condition="hypoglycaemia_level_2")
    return {
        "case": str(case),
        "own": str(own),
        "patient": str(ward.patient_id),
        "run": str(run),
        "gateway": GATEWAY,
    }


def test_axe_is_there() -> None:
    assert Path(assets.NODE_MODULES / "axe-core" / "axe.min.js").is_file(), "run: make assets"


def test_no_page_has_anything_that_axe_objects_to(console: Console, profile: BrowserContext) -> None:
    known = planted(console)
    said = []
    for login, paths in PAGES.items():
        profile.clear_cookies()
        page = profile.new_page()
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        sign_in(page, console, login)
        for path in paths:
            for width, height in (DESKTOP, PHONE):
                page.set_viewport_size({"width": width, "height": height})
                page.goto(console.url + path.format(**known))
                page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
                said += [f"{login} {path} {width}: {each}" for each in objections(page)]
                if not nothing_sticks_out(page):
                    said.append(f"{login} {path} {width}: something sticks out")
        page.close()
    assert said == []


def test_the_sign_in_page_has_nothing_that_axe_objects_to(console: Console, page: Page) -> None:
    for language in ("en", "ru", "zh"):
        page.goto(f"{console.url}/login?language={language}")
        assert objections(page) == []
