"""Somebody who is taken in by carl, step by step, as the pages do it."""

import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx

from cloud.admission import forms
from cloud.devices import store as devices
from device_drivers.identity import DeviceIdentity
from tests.cloud.made import NOW, glucose, sent
from tests.fix_console import Console, Person

METER = DeviceIdentity(manufacturer="LifeScan", model="OneTouch Ultra 2", serial_number="NEW0001")
TAKEN_IN = NOW - timedelta(minutes=55)
HANDED_OUT = NOW - timedelta(minutes=52)
MEASURED = NOW - timedelta(minutes=50)
ENTERED = NOW - timedelta(minutes=45)
ACTIVATED = NOW - timedelta(minutes=30)

BERTA = {
    "display_name": "Berta Ny",
    "birth_date": "1950-03-04",
    "time_zone": "Europe/Copenhagen",
    "language": "en",
    "mrn": "A-17",
    "programme_id": "standard",
}
CARD = {"address": "Street 1", "emergency_number": "112"}
ANSWERS = {
    "q_acutely_ill": "no", "q_adult": "yes", "q_pregnant": "no", "q_irregular_pulse": "no", "q_arm": "yes",
    "q_able": "alone", "q_network": "yes", "q_telephone": "yes",
}  # fmt: skip
PAPER = {"decision": "given", "signed_on": "2026-11-21", "note": "in the folder"}


@dataclass
class Newcomer:
    """Berta, on the way; ``carl`` takes her in."""

    console: Console
    carl: Person
    patient_id: UUID

    @property
    def url(self) -> str:
        return f"/enrolments/{self.patient_id}"

    def post(self, act: str, form: dict[str, str] | None = None, by: Person | None = None) -> httpx.Response:
        return (by or self.carl).post(f"{self.url}/{act}", form)

    def page(self) -> str:
        answer = self.carl.get(self.url)
        assert answer.status_code == 200
        return answer.text

    def fill_in(self, **other: str) -> httpx.Response:
        return self.post("eligibility", ANSWERS | other)

    def agree(self) -> httpx.Response:
        return self.post("consent", PAPER)

    def plan(self, template: str = "glucose") -> httpx.Response:
        return self.post("plan", {"template": template})

    def staff(self) -> None:
        for login in ("nora", "ada"):
            assert self.post("care-team", {"account_id": str(self.console.accounts[login])}).status_code == 303

    def card(self) -> httpx.Response:
        return self.carl.post(f"/patients/{self.patient_id}/card", CARD)

    def hand_out(self) -> None:
        admin = self.console.ward.admin
        devices.assign_device(admin, devices.register_device(admin, METER), self.patient_id, HANDED_OUT)

    def teach(self, kind: str = "glucose", *, but: str = "") -> httpx.Response:
        items = {f"item_{item.item_id}": "1" for item in forms.checklists()[kind].items if item.item_id != but}
        return self.post("training", {"kind": kind, **items})

    def measure(self, value: str = "104") -> None:
        """A real reading, by the gateway, before anybody watches."""
        self.console.ward.receive(sent(glucose(value, MEASURED, device=METER)))

    def confirm(self) -> httpx.Response:
        return self.post("readings", {"seen": "yes"})

    def all_steps(self) -> None:
        self.fill_in()
        self.agree()
        self.plan()
        self.staff()
        self.card()
        self.hand_out()
        self.teach()
        self.measure()
        assert self.confirm().status_code == 303, self.confirm().text

    def activate(self) -> httpx.Response:
        self.console.clock.time = ACTIVATED
        answer = self.post("activate")
        self.console.clock.time = NOW if answer.status_code == 303 else ENTERED
        return answer

    def lacks(self) -> list[str]:
        """What the page says is missing before the activation, step by step."""
        found = re.search(r'<ul id="activate-steps">(.*?)</ul>', self.page(), re.DOTALL)
        return re.findall(r"</a>: (.*?)</li>", found[1]) if found else []

    def cases(self) -> list[str]:
        rows = self.console.ward.admin.execute(
            "SELECT condition FROM alert_case WHERE patient_id = %s ORDER BY 1", (self.patient_id,)
        )
        return [condition for (condition,) in rows]


def newcomer(console: Console, **other: str) -> Newcomer:
    """Taken in an hour ago, and it is shortly after that."""
    console.clock.time = TAKEN_IN
    carl = console.sign_in("carl")
    answer = carl.post("/enrolments", BERTA | other)
    assert answer.status_code == 303, answer.text
    console.clock.time = ENTERED
    return Newcomer(console, carl, UUID(answer.headers["location"].rsplit("/", 1)[1]))
