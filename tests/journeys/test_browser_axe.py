"""axe-core finds nothing to object to on any page, in any language; no English is left, and nothing sticks out.

It comes from npm with the console's libraries, for tests alone; no page loads it.
"""

from typing import Final

import pytest
from fastapi.routing import iter_route_contexts
from playwright.sync_api import expect

from cloud.app import create_app
from cloud.config import ConsoleSettings
from cloud.language.languages import ENGLISH, LANGUAGES
from tests.cloud.language.english import english_in
from tests.fix_browser import DESKTOP, PHONE, listen
from tests.fix_centre import IN_EACH_LANGUAGE, Centre, sign_in
from tests.journeys.objecting import AXE, misfits, objections, resize
from tests.journeys.pages import NO_PAGES, PAGES
from tests.journeys.test_browser_languages import READ

# axe takes its time: it looks at each page in each language once, and in one of them on a phone.
LOOKED_AT: Final = {"en": DESKTOP, "ru": PHONE, "zh": DESKTOP}
ALSO_AT: Final = {"en": PHONE, "ru": DESKTOP, "zh": PHONE}
UNFOLD: Final = "document.querySelectorAll('details').forEach(each => { each.open = true })"
# Where it is open it lies over the page below: axe looks at it by itself.
MENU: Final = ".bar__more"
TURN_MENU: Final = f"open => document.querySelectorAll('{MENU}').forEach(each => {{ each.open = open }})"


def test_axe_is_there() -> None:
    assert AXE.is_file(), "run: python -m deploy.bootstrap python assets"


def test_every_page_of_the_console_is_looked_at() -> None:
    app = create_app(ConsoleSettings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    contexts = [each for each in iter_route_contexts(app.routes) if "GET" in (each.methods or ())]
    paths = {each.path or "" for each in contexts}
    looked_at = {shape(path, paths) for of in PAGES.values() for path in of}
    unseen = paths - looked_at - set(NO_PAGES)
    assert not unseen, f"give them their lines in tests/journeys/pages.py: {sorted(unseen)}"
    assert set(NO_PAGES) <= paths


def shape(path: str, known: set[str]) -> str:
    """The route of this address: ``/cases/{case_id}`` for ``/cases/{case}``; itself where there is none."""
    parts = path.partition("?")[0].split("/")
    for route in sorted(known):
        wanted = route.split("/")
        if len(wanted) == len(parts) and all(
            want == part or (want.startswith("{") and part.startswith("{"))
            for want, part in zip(wanted, parts, strict=True)
        ):
            return route
    return path


# Each test a few of them, so that they spread over the workers.
PIECES: Final = [(login, paths[at : at + 6]) for login, paths in PAGES.items() for at in range(0, len(paths), 6)]


@pytest.mark.parametrize(("login", "paths"), PIECES, ids=[f"{login}{paths[0]}" for login, paths in PIECES])
@IN_EACH_LANGUAGE
def test_no_page_has_anything_that_axe_objects_to(
    untouched_centre: Centre, login: str, paths: tuple[str, ...], language: str
) -> None:
    centre = untouched_centre
    profile = centre.browser.new_context()
    said: list[str] = []
    # What somebody called a programme may be a word of ours.
    named = {name for (name,) in centre.ward.rows("SELECT display_name FROM programme")}
    try:
        page = profile.new_page()
        complaints = listen(page)
        if login:
            centre.ward.admin.execute("UPDATE account SET language = %s WHERE login = %s", (language, login))
            sign_in(profile, centre.console, login)
        else:
            page.goto(centre.address(f"/login?language={language}"))
        for path in paths:
            resize(page, ALSO_AT[language])
            page.goto(centre.address(path))
            expect(page.locator("html")).to_have_attribute("lang", LANGUAGES[language].tag)
            page.evaluate(UNFOLD)
            said += [f"{path}, the other width: {each}" for each in misfits(page)]
            if language != ENGLISH:
                said += [f"{path}: English: {each}" for each in english_in(page.evaluate(READ), language) - named]
            resize(page, LOOKED_AT[language])
            page.evaluate(TURN_MENU, False)
            said += [f"{path}: {each}" for each in [*objections(page), *misfits(page)]]
        if page.locator(MENU).count():
            page.evaluate(TURN_MENU, True)
            said += [f"the menu: {each}" for each in [*objections(page, ".bar"), *misfits(page)]]
    finally:
        profile.close()
    assert said == []
    assert complaints == []
