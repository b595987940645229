"""axe-core finds nothing on pages in states that no address opens: a form was refused, something failed, somebody is
only on the way in. ``test_browser_axe`` looks at every page as it opens; journeys look at what only they reach.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import pytest
from playwright.sync_api import Page, Route

from cloud.console import manual
from cloud.console.pages import fragment
from tests.fix_browser import PHONE
from tests.fix_centre import Centre, Walk
from tests.journeys.objecting import misfits, objections

# The longest words, on the narrowest screen.
LANGUAGE: Final = "ru"
# What a refused form shows beside itself, and the form: the rest of its page is looked at where it opens.
SAID: Final = "[role=alert]"
FORM: Final = "form:has([aria-invalid=true])"

# Who sends an empty form where; ids in braces are those of ``tests.fix_centre.planted``.
REFUSED: Final[Mapping[str, tuple[str, ...]]] = {
    "nora": (
        "/me/sign-in/second-factor",
        "/me/sign-in/second-factor/remove",
        "/me/sign-in/recovery-codes",
        "/me/sign-in/password",
        "/me/addresses",
        "/break-glass",
        "/callers",
        "/whose/answer",
        "/patients/{patient}/messages",
        "/patients/{patient}/review",
        "/patients/{patient}/card",
        "/patients/{patient}/card/contacts",
        "/patients/{patient}/treatment/medication",
        "/patients/{patient}/devices",
        "/patients/{patient}/devices/pair",
        "/patients/{patient}/devices/pair/{pairing}/digits",
        "/stock",
        "/stock/{thing}/lease",
        "/advice",
        "/patients/{patient}/appointments/wishes",
        "/patients/{patient}/billing/minutes",
        "/patients/{patient}/follow-ups",
        "/patients/{patient}/follow-ups/discharge",
        "/patients/{patient}/follow-ups/plan",
        "/patients/{patient}/questionnaires",
        "/patients/{patient}/questionnaires/{sent}",
        "/patients/{patient}/reach",
        "/patients/{patient}/reach/consent",
        "/patients/{patient}/reach/ways",
        "/patients/{patient}/reminders",
        "/patients/{patient}/reminders/doses",
    ),
    "ada": (
        "/patients/{patient}/plan/limits",
        "/patients/{patient}/plan/programme",
        "/patients/{patient}/plan/heightened",
        "/patients/{patient}/plan/slots",
        "/patients/{patient}/plan/pauses",
        "/patients/{patient}/treatment/changes",
        "/patients/{patient}/appointments/invitations",
        "/what-if",
        "/programmes",
        "/programmes/standard",
        "/programmes/standard/terms",
    ),
    "lena": (
        "/roster/shifts",
        "/roster/shifts/end",
        "/roster/absences",
        "/roster/holidays",
        "/roster/site",
        "/appointments/hours",
        "/appointments/closures",
    ),
    "asta": (
        "/me/messages",
        "/me/consent",
        "/me/consent/withdraw",
        "/me/sign-in/password",
        "/me/appointments/wishes",
        "/me/questionnaires/{sent}",
        "/me/reach",
        "/me/reach/consent",
    ),
    "adam": ("/accounts",),
}
# Of somebody who has just been taken in.
STEPS: Final = ("eligibility", "consent", "plan", "care-team", "training", "readings", "activate", "pause", "end")
NEWCOMER: Final = {
    "birth_date": "1950-03-04",
    "time_zone": "Europe/Copenhagen",
    "language": "en",
    "programme_id": "standard",
}

SEND: Final = """([action, withToken]) => {
    const form = Object.assign(document.createElement('form'), {method: 'post', action});
    const token = document.querySelector('[name=csrf_token]').cloneNode();
    if (withToken) form.append(token);
    document.body.append(form);
    form.submit();
}"""


def answer(page: Page, path: str, *, with_token: bool = True) -> int:
    """What a form with nothing in it is answered with; the answer is the open page."""
    with page.expect_navigation() as answered:
        page.evaluate(SEND, [path, with_token])
    return answered.value.status


def wrong_with_refusal(walk: Walk, path: str) -> list[str]:
    """What there is to object to where this empty form is refused, and where nothing says that it was."""
    page, address = walk.page, walk.centre.address(path)
    status = answer(page, address)
    if status != 422 or not page.locator(SAID).count():
        return [f"{path}: {status}, and nothing says what is wrong"]
    return [f"{path}: {each}" for each in [*objections(page, SAID, FORM), *misfits(page)]]


@pytest.mark.parametrize("login", REFUSED)
def test_a_refused_form_says_so_in_a_way_that_everybody_reads(centre: Centre, login: str) -> None:
    with centre.walk(login, LANGUAGE, PHONE) as walk:
        walk.go("/me/settings")
        assert [each for path in REFUSED[login] for each in wrong_with_refusal(walk, path)] == []


def test_the_way_in_is_readable_at_each_stage(centre: Centre) -> None:
    carl = centre.console.sign_in("carl")
    made = carl.post("/enrolments", {**NEWCOMER, "display_name": "Nina Newcomer"})
    newcomer = made.headers["location"]
    with centre.walk("carl", LANGUAGE, PHONE) as walk:
        walk.go(newcomer)
        said = [*objections(walk.page), *misfits(walk.page)]
        said += [each for step in STEPS for each in wrong_with_refusal(walk, f"{newcomer}/{step}")]
        assert carl.post(f"{newcomer}/end", {"why": "moved", "note": ""}).status_code == 303
        walk.go(newcomer)
        said += [*objections(walk.page), *misfits(walk.page)]
        assert said == []


def failed(code: int) -> str:
    """What is answered with where this has failed."""
    return fragment(
        "error.html", language=LANGUAGE, code=code, session=None, path="/", back="/", glass=(), opened=(),
        crm_down=(),
        manual_page=manual.address("error.html", LANGUAGE), about_training=False,
    )  # fmt: skip


def shown(route: Route, html: str) -> None:
    route.fulfill(body=html, content_type="text/html")


def test_whatever_fails_is_said_on_a_readable_page(centre: Centre) -> None:
    with centre.walk("nora", LANGUAGE, PHONE) as walk:
        walk.go("/me/settings")
        page = walk.page
        assert answer(page, centre.address("/me/settings"), with_token=False) == 403
        said = [*objections(page), *misfits(page)]
        for code in (409, 500, 503):
            page.unroute_all()
            page.route("**/failed", partial(shown, html=failed(code)))
            page.goto(centre.address("/failed"))
            said += [f"{code}: {each}" for each in [*objections(page), *misfits(page)]]
        assert said == []
