"""A monitoring centre for browser journeys: a console with something on every page, a browser for each module, and
``Walk``: somebody at that console in a language, on a screen of some width.

Where ``PULSEPOST_PICTURES`` names a folder (``make docs`` does), ``Walk.picture`` puts there what the manual shows.
"""

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from alerting.tiers import Tier
from cloud.auth import store as accounts
from cloud.auth.codes import new_token, token_hash
from cloud.auth.models import Role
from cloud.language.languages import LANGUAGES
from cloud.language.words import Words, words_of
from cloud.notify_config import NotifySettings
from cloud.sign_in_config import KEY_OCTETS, SignInSettings
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Unit
from tests.cloud.contacts.test_card import CARD, PERSON
from tests.cloud.crm.discharges.made import octets, summary
from tests.cloud.crm.groups.planted import planted_learning
from tests.cloud.crm.quality.made import begun, called, closed_case, drawn, walked
from tests.cloud.crm.telephony.made import planted_call
from tests.cloud.made import CUFF, GATEWAY, NOW, Ward, arrival, glucose, made_ward, new_patient, pressure, sent
from tests.cloud.made import expect as measures
from tests.cloud.planted_fleet import Fleet
from tests.cloud.review.made import glucose_weeks, pressure_weeks
from tests.cloud.treatment.test_routes import CHANGE, DRUG
from tests.cloud.worklist.made import planted_case, reason_of
from tests.fix_browser import DESKTOP, PHONE, listen, running_browser
from tests.fix_console import Clock, Console, made_people, running
from tests.fix_services import Copies
from tests.journeys.objecting import FITS_SOON, misfits, objections

PICTURES: Final = os.environ.get("PULSEPOST_PICTURES")
# Those of ``made_people``, and two more; whoever looks after the ward's patient.
TEAM: Final = ("nora", "ben", "ada", "carl", "lena")
NEIGHBOURS: Final = {"boris": "Boris Sample", "clara": "Clara Model"}
THREE: Final = (
    (None, Tier.URGENT, reason_of()),
    ("boris", Tier.SAME_SHIFT, reason_of("262", Unit.MG_DL, "ada", "hyperglycaemia")),
    ("clara", Tier.ROUTINE, reason_of("164", Unit.MM_HG, "esc2024", "hypertension_systolic")),
)
"""Whose case (None: the ward's patient), its tier and why."""
IN_EACH_LANGUAGE: Final = pytest.mark.parametrize("language", LANGUAGES)
ON_EACH_SCREEN: Final = pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["1366", "390"])
AT_A_DESK: Final = pytest.mark.parametrize("screen", [DESKTOP], ids=["1366"])
"""Put the first and one of the others over a journey; ``Walk.fits`` looks at both screens anyway."""
ONCE_A_SCREEN: Final = pytest.mark.parametrize(
    ("language", "screen"),
    [("en", DESKTOP), ("ru", PHONE)]
    if PICTURES is None
    else [(language, screen) for language in LANGUAGES for screen in (DESKTOP, PHONE)],
)
ONCE_AT_A_DESK: Final = pytest.mark.parametrize(
    ("language", "screen"), [("zh", DESKTOP)] if PICTURES is None else [(language, DESKTOP) for language in LANGUAGES]
)
"""Instead of both, where texts are looked at elsewhere: in all languages only where the manual's pictures are taken."""
AriaRole = Literal["button", "link", "heading", "checkbox", "radio", "searchbox", "textbox", "combobox"]


@dataclass(frozen=True)
class Centre:
    """What runs, and the ids that its pages have in their addresses."""

    console: Console
    browser: Browser
    ids: Mapping[str, str]

    @property
    def ward(self) -> Ward:
        return self.console.ward

    def address(self, path: str) -> str:
        """``/patients/{patient}`` as the browser asks for it."""
        return self.console.url + path.format(**self.ids)

    def three_cases(self) -> UUID:
        """An urgent one of the ward's patient, which is returned, one of each neighbour, and no other open case."""
        self.ward.admin.execute(
            "UPDATE alert_case SET state = 'resolved', lease_until = NULL, next_at = NULL, resolved_at = %s"
            " WHERE state <> 'resolved'",
            (NOW,),
        )
        planted = [
            planted_case(
                self.ward,
                tier,
                NOW - timedelta(minutes=4 * n + 3),
                condition=reason.limit.condition,
                patient_id=self.ward.patient_id if whose is None else UUID(self.ids[whose]),
                reason=reason,
            )
            for n, (whose, tier, reason) in enumerate(THREE)
        ]
        return planted[0]

    @contextmanager
    def walk(self, login: str, language: str, screen: tuple[int, int]) -> Iterator["Walk"]:
        """This person, signed in, in a profile of their own; at the end, nothing may have been thrown or refused."""
        self.ward.admin.execute("UPDATE account SET language = %s WHERE login = %s", (language, login))
        with self.stranger(language, screen) as walk:
            sign_in(walk.page.context, self.console, login)
            yield walk

    @contextmanager
    def stranger(self, language: str, screen: tuple[int, int]) -> Iterator["Walk"]:
        """The same for somebody who has not signed in."""
        width, height = screen
        profile = self.browser.new_context(viewport={"width": width, "height": height}, locale=LANGUAGES[language].tag)
        try:
            walk = Walk(self, profile.new_page(), language, words_of(language))
            complaints = listen(walk.page)
            yield walk
            assert complaints == []
        finally:
            profile.close()


@dataclass(frozen=True)
class Walk:
    """Somebody at the console. What is clicked is named as the English page names it, and found in their language."""

    centre: Centre
    page: Page
    language: str
    words: Words

    def go(self, path: str) -> None:
        """Open this page; a page with a live stream once it receives."""
        self.page.goto(self.centre.address(path))
        self.receives()

    def receives(self) -> None:
        """The page is in the reader's language, and its stream, where it has one, is live."""
        expect(self.page.locator("html")).to_have_attribute("lang", LANGUAGES[self.language].tag)
        self.page.wait_for_load_state("domcontentloaded")
        if self.page.locator("#live-state").count():
            expect(self.page.locator("#live-state")).to_have_attribute("data-state", "live")

    def said(self, message: str, **places: object) -> str:
        """A message of ours in the reader's language."""
        text = self.words.gettext(message)
        return text % places if places else text

    def by(self, role: AriaRole, message: str, *, within: Locator | None = None) -> Locator:
        """What has this role and begins with this message."""
        name = re.compile(r"^\s*" + re.escape(self.said(message)))
        return (within or self.page).get_by_role(role, name=name).first

    def labelled(self, message: str, *, within: Locator | None = None) -> Locator:
        """The field with this label."""
        return (within or self.page).get_by_label(self.said(message)).first

    def send(self, button: Locator) -> None:
        """Press what sends a form, and wait for the page that answers: what is gone in between is no answer."""
        with self.page.expect_event("domcontentloaded"):
            button.click()

    def follow(self, link: Locator) -> None:
        """Click what leads to another page, until that one is there and receives."""
        self.send(link)
        self.receives()

    def unfold(self, message: str) -> None:
        """Open what is folded away under this heading."""
        self.page.locator("summary", has_text=self.said(message)).first.click()

    def show(self, selector: str) -> None:
        """Bring this into the middle of what is seen."""
        self.page.locator(selector).first.evaluate("place => place.scrollIntoView({block: 'center'})")

    def fits(self) -> None:
        """Nothing makes the page scroll sideways, on a screen and on a phone."""
        self.page.wait_for_load_state()
        screen = self.page.viewport_size
        for width, height in (DESKTOP, PHONE):
            self.page.set_viewport_size({"width": width, "height": height})
            assert self.page.evaluate(FITS_SOON), f"{self.page.url} at {width}"
        if screen is not None:
            self.page.set_viewport_size(screen)

    def is_unobjectionable(self) -> None:
        """For a page that a form answers with: those with an address are all looked at by ``test_browser_axe``."""
        assert [*objections(self.page), *misfits(self.page)] == [], self.page.url

    def picture(self, name: str, *, of: str | None = None) -> None:
        """Nothing sticks out; and what the manual shows as ``name``: the screen, or only what ``of`` selects."""
        self.fits()
        size = self.page.viewport_size
        assert size is not None
        if PICTURES is None:
            return
        folder = Path(PICTURES) / self.language
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (f"{name}.png" if size["width"] == DESKTOP[0] else f"{name}-phone.png")
        if of is None:
            self.page.screenshot(path=path, animations="disabled", caret="hide")
        else:
            self.page.locator(of).first.screenshot(path=path, animations="disabled", caret="hide")


def sign_in(profile: BrowserContext, console: Console, login: str) -> None:
    """Without typing: that is a journey of its own."""
    client = console.sign_in(login).client
    cookies = [{"name": each.name, "value": each.value or "", "url": console.url} for each in client.cookies.jar]
    client.close()
    profile.add_cookies(cookies)  # type: ignore[arg-type]  # a TypedDict of which these are three keys


@contextmanager
def open_centre(
    copies: Copies, password_hash: str, ready: Callable[[Console], dict[str, str]]
) -> Iterator[tuple[Console, Mapping[str, str]]]:
    """A console over a database of its own, and what ``ready`` knows of it. Its clock stands at NOW."""
    with copies.fresh() as database:
        ward = made_ward(database)
        try:
            people = made_people(ward, password_hash)
            for login, name, role in (("lena", "Lena Lund", Role.LEAD_NURSE), ("otto", "Otto Audit", Role.AUDITOR)):
                people[login] = accounts.create_account(
                    ward.admin, login=login, display_name=name, role=role, password_hash=password_hash
                )
            settings = SignInSettings(key=secrets.token_bytes(KEY_OCTETS))
            clock = Clock()
            with running(database.console_url, clock, NotifySettings(), settings) as url:
                console = Console(url, clock, ward, people, new_patient(ward.admin, "Other Patient"))
                try:
                    yield console, ready(console)
                finally:
                    console.close()
        finally:
            ward.ingest.close()
            ward.admin.close()


@pytest.fixture(scope="session")
def busy_console(copies: Copies, password_hash: str) -> Iterator[tuple[Console, Mapping[str, str]]]:
    """One for all journeys of a worker: each plants what it changes, and counts on nothing that others leave."""
    with open_centre(copies, password_hash, planted) as opened:
        yield opened


@pytest.fixture(scope="module")
def centre(busy_console: tuple[Console, Mapping[str, str]]) -> Iterator[Centre]:
    """The busy console with a browser, which a module of asynchronous tests could not bear."""
    with running_browser() as browser:
        yield Centre(busy_console[0], browser, busy_console[1])


@pytest.fixture(scope="module")
def untouched_centre(copies: Copies, password_hash: str) -> Iterator[Centre]:
    """As it was planted: nobody has done anything yet."""
    with (
        open_centre(copies, password_hash, planted) as (console, ids),
        running_browser() as browser,
    ):
        yield Centre(console, browser, ids)


STRAY_METER: Final = DeviceIdentity(manufacturer="LifeScan", model="OneTouch Ultra 2", serial_number="STRAY01")


def wanting_an_owner(ward: Ward, number: int) -> None:
    """A reading of a device that nobody has, and one of a shared cuff that looks like somebody else's."""
    at = NOW - timedelta(minutes=20 + number)
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(glucose("118", at, device=STRAY_METER)), sent(pressure("108", "62", at=at)))


def handed_out_and_paired(console: Console) -> tuple[str, str]:
    """A meter of the stock that the patient has, and its pairing, under way; their ids."""
    nora, devices = console.sign_in("nora"), f"/patients/{console.ward.patient_id}/devices"
    made = nora.post("/stock", {"profile": "roche-accu-chek-guide", "serial_number": "92312001", "owner": "clinic"})
    thing = made.headers["location"].rpartition("/")[2]
    nora.post(devices, {"item_id": thing})
    begun = nora.post(f"{devices}/pair", {"what": thing, "gateway_id": GATEWAY})
    return thing, begun.headers["location"].rpartition("/")[2]


def asked(ward: Ward) -> tuple[str, str]:
    """A questionnaire that waits for its answers, and the token of a link to it."""
    token = new_token()
    [(sent_id,)] = ward.admin.execute(
        "INSERT INTO questionnaire_sent (patient_id, questionnaire, version, sent_at, until)"
        " VALUES (%s, 'recovery', 1, %s, %s) RETURNING sent_id",
        (ward.patient_id, NOW - timedelta(hours=2), NOW + timedelta(days=12)),
    )
    ward.admin.execute(
        "INSERT INTO questionnaire_link (token_hash, sent_id, patient_id, made_at) VALUES (%s, %s, %s, %s)",
        (token_hash(token), sent_id, ward.patient_id, NOW),
    )
    return str(sent_id), token


def spoken_up(ward: Ward, nora: UUID) -> dict[str, str]:
    """A complaint that nora wrote down, a comment, marks of five, and links to a survey and to write by."""
    admin, tokens = ward.admin, {"survey_link": new_token(), "voice_link": new_token()}
    [(complaint,)] = admin.execute(
        "SELECT keep_complaint(%s, 'complaint', 'telephone', 'Three days without an answer.', true, true, %s, NULL,"
        " ARRAY[%s, %s]::timestamptz[], %s)",
        (ward.patient_id, nora, NOW - timedelta(hours=1), NOW + timedelta(days=9), NOW - timedelta(days=1)),
    )
    admin.execute(
        "INSERT INTO survey_comment (patient_id, kind, body, written_at)"
        " VALUES (%s, 'contact', 'The cuff pinches.', %s)",
        (ward.patient_id, NOW - timedelta(hours=5)),
    )
    sent = [
        admin.execute(
            "INSERT INTO survey_sent (patient_id, kind, about, survey, version, sent_at, until)"
            " VALUES (%s, 'contact', gen_random_uuid(), 'contact', 1, %s, %s) RETURNING sent_id",
            (ward.patient_id, NOW - timedelta(days=1), NOW + timedelta(days=13)),
        ).fetchall()[0][0]
        for _ in range(6)
    ]
    for sent_id in sent[1:]:
        admin.execute(
            "INSERT INTO survey_answer (sent_id, patient_id, survey, version, answers, answered_at)"
            """ VALUES (%s, %s, 'contact', 1, '{"overall": "rather", "understood": "yes"}', %s)""",
            (sent_id, ward.patient_id, NOW - timedelta(hours=2)),
        )
    admin.execute(
        "WITH ask AS (INSERT INTO complaint_ask (patient_id, asked_by, asked_at, until) VALUES (%(patient)s, %(nora)s,"
        " %(now)s, %(now)s::timestamptz + interval '9 days') RETURNING ask_id), way AS (INSERT INTO complaint_link"
        " (token_hash, ask_id, patient_id, made_at) SELECT %(voice)s, ask_id, %(patient)s, %(now)s FROM ask)"
        " INSERT INTO survey_link (token_hash, sent_id, patient_id, made_at)"
        " VALUES (%(survey)s, %(sent)s, %(patient)s, %(now)s)",
        {"patient": ward.patient_id, "nora": nora, "now": NOW, "sent": sent[0],
         "voice": token_hash(tokens["voice_link"]), "survey": token_hash(tokens["survey_link"])},
    )  # fmt: skip
    return {"complaint": str(complaint), "survey": str(sent[0]), **tokens}


def audited(console: Console) -> tuple[str, str]:
    """The drawn sample of a month, and an audit that is under way; their ids."""
    ward, nora = console.ward, console.accounts["nora"]
    case_id = closed_case(ward, nora)
    walked(ward, case_id, nora, version=1)
    called(ward, case_id, nora)
    closed_case(ward, None, Tier.ROUTINE, condition="hypertension_systolic")
    otto = console.sign_in("otto")
    sample = drawn(otto)
    return sample.rpartition("/")[2], begun(otto, sample, case_id).rpartition("/")[2]


def planted(console: Console) -> dict[str, str]:
    """Something to see on every page, and the ids that its pages have in their addresses."""
    ward, admin = console.ward, console.ward.admin
    for login in TEAM:
        admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (ward.patient_id, console.accounts[login]),
        )
    neighbours = {key: new_patient(admin, name) for key, name in NEIGHBOURS.items()}
    for patient_id in neighbours.values():
        for login in ("nora", "ben"):
            admin.execute(
                "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts[login])
            )
    measures(admin, ward.patient_id)
    pressure_weeks(ward, 28)
    glucose_weeks(ward, 28)
    ward.receive(sent(glucose("131", sequence_number=999)), arrival(b'{"v": 1, "message_id": \xff'))
    wanting_an_owner(ward, 0)
    ada, patient = console.sign_in("ada"), f"/patients/{ward.patient_id}"
    ada.post(f"{patient}/card", CARD)
    ada.post(f"{patient}/card/contacts", PERSON)
    ada.post(f"{patient}/treatment/medication", DRUG)
    ada.post(f"{patient}/treatment/changes", CHANGE)
    fleet = Fleet(admin)
    fleet.gateway(GATEWAY, software="0.1.0", outbox_depth=0)
    fleet.device(GATEWAY, "cuff", outcome="cut", visited_at=NOW - timedelta(hours=3), reason="the connection was lost")
    for kind in ("ingest", "jobs"):
        fleet.component(f"{kind}-1", kind, NOW)
    fleet.alarm("device_silent", "device:a", gateway_id=GATEWAY, device_name="cuff")
    own = planted_case(ward, Tier.EMERGENCY, NOW - timedelta(minutes=3), condition="hypoglycaemia_level_2")
    assert console.sign_in("nora").post(f"/cases/{own}/acknowledge").status_code == 200
    case = planted_case(ward, Tier.URGENT, NOW - timedelta(minutes=12))
    planted_case(ward, Tier.ROUTINE, NOW - timedelta(minutes=50), condition="hypertension_systolic")
    [(run,)] = admin.execute(
        "INSERT INTO what_if_run (asked_by, asked_at, programme_id, days, proposal)"
        " VALUES (%s, %s, 'standard', 28, '{}') RETURNING run_id",
        (console.accounts["ada"], NOW),
    )
    [(item,)] = admin.execute("SELECT quarantine_id FROM quarantine LIMIT 1")
    thing, pairing = handed_out_and_paired(console)
    sample, audit = audited(console)
    questionnaire, link = asked(ward)
    voices = spoken_up(ward, console.accounts["nora"])
    for due, what in ((-1, "call"), (0, "check"), (7, "visit")):
        admin.execute(
            "INSERT INTO follow_up (patient_id, what, due_on, note, made_by, made_at)"
            " VALUES (%s, %s, %s, 'Asta', %s, %s)",
            (ward.patient_id, what, NOW.date() + timedelta(days=due), console.accounts["ada"], NOW),
        )
    [(discharge,)] = admin.execute(
        "INSERT INTO discharge_document (patient_id, octets, received_by, received_at) VALUES (%s, %s, %s, %s)"
        " RETURNING document_id",
        (ward.patient_id, octets(summary()), console.accounts["ada"], NOW),
    )
    [(segment,)] = admin.execute("SELECT segment_id FROM segment_version WHERE name = 'Not enough data'")
    heard = planted_call(admin, ward.patient_id, console.accounts["nora"], NOW)
    return {
        **heard,
        **planted_learning(admin, ward.patient_id, console.accounts, NOW),
        **voices,
        "sent": questionnaire,
        "discharge": str(discharge),
        "link": link,
        "sample": sample,
        "audited": audit,
        "thing": thing,
        "pairing": pairing,
        "case": str(case),
        "own": str(own),
        "patient": str(ward.patient_id),
        "run": str(run),
        "segment": str(segment),
        "wording": "consent",
        "stratum": "high",
        "gateway": GATEWAY,
        "item": str(item),
        "nothing": str(uuid4()),
        **{key: str(patient_id) for key, patient_id in neighbours.items()},
    }
