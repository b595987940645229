"""Requests that nobody thought of, to every route, in each role: no 5xx, and nothing of another's patient.

The routes come from the app's own OpenAPI schema, the fields of its forms from the pages themselves, and schemathesis
makes the requests, the same ones in each run.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from alerting.tiers import Tier
from cloud.app import create_app
from cloud.auth.models import Role
from cloud.config import ConsoleSettings
from tests.cloud.console.test_who_may import ids
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

LOGIN_OF: Final[Mapping[Role, str]] = {
    Role.NURSE: "nora",
    Role.LEAD_NURSE: "ben",
    Role.DOCTOR: "ada",
    Role.COORDINATOR: "carl",
    Role.SUPPORT: "sam",
    Role.ADMINISTRATOR: "adam",
    Role.AUDITOR: "eve",
    Role.PATIENT: "asta",
}
# Nobody here cares for this patient: whatever is known of them stands in no answer to anybody.
CANARY: Final = "Quillfeather"
# What an answer must never tell, whoever asks.
INNARDS: Final = ("Traceback (most recent", "psycopg", "SELECT ", "/site-packages/")
# Streams have no end; signing out and in belongs to tests of their own, and would end this one's.
LEFT_OUT: Final = ("/live", "/logout", "/login", "/receipts", "/healthz", "/me/sign-in", "/static")
PARTS: Final = 2
EXAMPLES: Final = 3
LIKELY: Final = ("", "0", "1", "yes", "2026-12-01", "2026-12-01T10:00", "08:00", "Asta", "\u202e<b>", "9" * 40)
NOBODYS_ID: Final = "00000000-0000-4000-8000-000000000000"


@dataclass
class Forms(HTMLParser):
    """The forms and the links of a page."""

    links: set[str] = field(default_factory=set)
    fields: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    _action: str | None = None
    _select: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and told.get("href", "").startswith("/"):
            self.links.add(urlsplit(told["href"]).path)
        elif tag == "form":
            self._action = urlsplit(told.get("action", "")).path
            self.fields.setdefault(self._action, {})
        elif self._action is not None and tag in ("input", "textarea", "select", "button") and told.get("name"):
            known = self.fields[self._action].setdefault(told["name"], set())
            if tag == "select":
                self._select = told["name"]
            elif told.get("value"):
                known.add(told["value"])
        elif self._action is not None and self._select and tag == "option":
            self.fields[self._action][self._select].add(told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._action = None
        elif tag == "select":
            self._select = None


@pytest.fixture
def cast(console: Console) -> Mapping[Role, Person]:
    """One of each role, signed in; nurse, lead nurse, doctor and coordinator care for the ward's patient."""
    for role, login in LOGIN_OF.items():
        console.ward.admin.execute("UPDATE account SET role = %s WHERE login = %s", (role, login))
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.ward.patient_id, console.accounts["carl"]),
    )
    other = console.other_patient_id
    console.ward.admin.execute(
        "UPDATE patient SET display_name = %s WHERE patient_id = %s", (f"Canary {CANARY}", other)
    )
    planted_case(console.ward, Tier.URGENT, patient_id=other)
    return {role: console.sign_in(login) for role, login in LOGIN_OF.items()}


@pytest.fixture
def schema(console: Console, cast: Mapping[Role, Person]) -> Mapping[str, Any]:
    """The app's own, with ids that exist, ids that do not, and the fields of every form that somebody is shown."""
    known = defaultdict(lambda: NOBODYS_ID, ids(console, planted_case(console.ward, Tier.SAME_SHIFT)))
    fields = forms_shown(cast, [path.format_map(known) for path in _paths("get")])
    told = create_app(ConsoleSettings(database_url="postgresql://nobody@127.0.0.1:1/none")).openapi()
    for path, operations in told["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    name = parameter["name"]
                    other = {"patient_id": str(console.other_patient_id)}.get(name, NOBODYS_ID)
                    parameter["schema"] = {"type": "string", "enum": [known[name], other, "none"]}
        if "post" in operations:
            told["paths"][path]["post"]["requestBody"] = _body(fields.get(path.format_map(known), {}))
    return told


def forms_shown(people: Mapping[Role, Person], paths: list[str]) -> dict[str, dict[str, set[str]]]:
    """Address of a form → its fields, each with the values that a page offers."""
    found = Forms()
    for person in people.values():
        for path in paths:
            answer = person.get(path)
            if "text/html" in answer.headers.get("content-type", ""):
                found.feed(answer.text)
    return found.fields


def _paths(method: str) -> list[str]:
    told = create_app(ConsoleSettings(database_url="postgresql://nobody@127.0.0.1:1/none")).openapi()["paths"]
    return [path for path in told if method in told[path] and not path.startswith(LEFT_OUT)]


def _body(fields: Mapping[str, set[str]]) -> dict[str, Any]:
    properties = {
        name: {"anyOf": [{"enum": sorted({*values, *LIKELY})}, {"type": "string", "maxLength": 60}]}
        for name, values in sorted(fields.items())
        if name != "csrf_token"
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": not properties}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def operations(schema: Mapping[str, Any], part: int) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Every PARTS-th operation."""
    found = [
        one.ok() for one in schemathesis.openapi.from_dict(dict(schema)).get_all_operations() if isinstance(one, Ok)
    ]
    asked = sorted((one for one in found if not one.path.startswith(LEFT_OUT)), key=lambda one: (one.path, one.method))
    yield from asked[part::PARTS]


def session(console: Console, person: Person) -> requests.Session:
    """The same person, by the library that schemathesis asks with."""
    made = requests.Session()
    made.cookies.update(dict(person.client.cookies))
    made.headers.update({"Origin": console.url, "X-CSRF-Token": person.csrf_token(), "Accept": "text/html"})
    return made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_asked_in_whatever_role_nothing_breaks_and_nothing_leaks(
    console: Console, cast: Mapping[Role, Person], schema: Mapping[str, Any], part: int
) -> None:
    sessions = {role: session(console, person) for role, person in cast.items()}
    asked = 0
    for operation in operations(schema, part):

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            for role, own in sessions.items():
                answer = case.call(base_url=console.url, session=own, allow_redirects=False)
                asked += 1
                told = answer.content.decode(errors="replace") + str(dict(answer.headers))
                where = f"{role} {case.as_curl_command()}"
                assert answer.status_code < 500, where
                assert CANARY not in told, where
                assert not [word for word in INNARDS if word in told], where

        ask()
    for own in sessions.values():
        own.close()
    assert asked > 500
    # The search would find it.
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.other_patient_id, console.accounts[LOGIN_OF[Role.NURSE]]),
    )
    assert CANARY in console.sign_in(LOGIN_OF[Role.NURSE]).get("/patients").text
