"""What there is to object to on a page that is open: axe-core's findings, small controls, what sticks out."""

from functools import cache
from typing import Any, Final

from playwright.sync_api import Page

from cloud.console import assets

AXE: Final = assets.NODE_MODULES / "axe-core" / "axe.min.js"
# Success criteria of WCAG 2.2 up to AA, and what axe calls best practice.
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# All our styles are of this origin: nothing has to be fetched again to be read.
OPTIONS: Final = {"runOnly": TAGS, "preload": False, "resultTypes": ["violations"]}
# WCAG 2.5.8, target size (minimum), in CSS pixels: what axe does not measure of a page's own controls.
SMALLEST: Final = 24

SMALL: Final = """smallest =>
    [...document.querySelectorAll('button, select, summary, input:not([type=hidden]), a.button, .bar a')]
    .filter(each => !each.closest('.skip') && !each.classList.contains('skip') && !each.closest('label'))
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < smallest || box.width < smallest))
    .map(([each, box]) => `${each.outerHTML.slice(0, 90)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
FITS: Final = "document.documentElement.scrollWidth <= innerWidth"
# The same, once what is drawn anew for another width has been drawn.
FITS_SOON: Final = """() => new Promise((resolve) => {
    const until = performance.now() + 10000;
    const look = () => {
        if (document.documentElement.scrollWidth <= innerWidth) resolve(true);
        else if (performance.now() > until) resolve(false);
        else requestAnimationFrame(look);
    };
    look();
})"""


@cache
def axe() -> str:
    return AXE.read_text()


def objections(page: Page, *within: str) -> list[str]:
    """What axe finds, and controls too small for a thumb. ``within``: selectors of the parts that it looks at."""
    page.wait_for_load_state()
    page.evaluate(axe())
    parts = [selector for selector in within if page.locator(selector).count()]
    found: dict[str, Any] = page.evaluate(
        "([parts, options]) => axe.run(parts.length ? {include: parts} : document, options)", [parts, OPTIONS]
    )
    said = [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
    return [*said, *(f"small: {each}" for each in page.evaluate(SMALL, SMALLEST))]


def nothing_sticks_out(page: Page) -> bool:
    """Whether the page, drawn with all its styles, fits the width of the screen."""
    page.wait_for_load_state()
    fits: bool = page.evaluate(FITS)
    return fits


def misfits(page: Page) -> list[str]:
    """What does not fit the screen as it is now, once the page is drawn with all its styles."""
    page.wait_for_load_state()
    return [*([] if page.evaluate(FITS_SOON) else ["something sticks out"]), *page.evaluate(SMALL, SMALLEST)]


def resize(page: Page, screen: tuple[int, int]) -> None:
    width, height = screen
    page.set_viewport_size({"width": width, "height": height})
