"""The console as people reach it: a real server on loopback over a real database, and people who sign in by HTTP."""

import queue
import re
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher

from cloud.app import create_app, server
from cloud.auth import cookies
from cloud.auth import store as accounts
from cloud.auth.models import Role
from cloud.config import ConsoleSettings
from cloud.crm_config import CrmSettings
from cloud.notify_config import NotifySettings
from cloud.sign_in_config import KEY_OCTETS, SignInSettings
from tests.cloud.made import NOW, Ward, new_patient

PASSWORD = "a password of the tests"
START_WITHIN_S = 20
# The console speaks HTTP on loopback; to read the machine's certificate authorities would take longer than a request.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Clock:
    """The console's clock, for tests to move."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass(frozen=True)
class Person:
    """Somebody at a browser: cookies, and the token that their pages carry."""

    client: httpx.Client
    account_id: UUID
    _tokens: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def csrf_token(self) -> str:
        """From the page that the person sees first; a session has one token for as long as it has its cookie."""
        session = self.client.cookies.get(cookies.SESSION)
        if session is None or session not in self._tokens:
            token = csrf_token_in(self.client.get("/", follow_redirects=True).text)
            if session is None or session != self.client.cookies.get(cookies.SESSION):
                return token
            self._tokens[session] = token
        return self._tokens[session]

    def post(self, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        """A form of ours, sent as htmx sends it."""
        form = {"csrf_token": self.csrf_token(), **(data or {})}
        return self.client.post(path, data=form, headers={"HX-Request": "true"})


@dataclass
class Console:
    """A running console and its people; ``ward``'s patient is in the care of nora, ben and ada, not of eve."""

    url: str
    clock: Clock
    ward: Ward
    accounts: dict[str, UUID]
    other_patient_id: UUID
    _clients: list[httpx.Client] = field(default_factory=list)

    def client(self) -> httpx.Client:
        """A browser that nobody has signed in with."""
        headers = {"Origin": self.url, "Accept": "text/html"}
        client = httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=NO_AUTHORITIES)
        self._clients.append(client)
        return client

    def sign_in(self, login: str, password: str = PASSWORD) -> Person:
        client = self.client()
        answer = submit_sign_in(client, login, password)
        assert answer.status_code == 303, answer.text
        return Person(client, self.accounts[login])

    def close(self) -> None:
        for client in self._clients:
            client.close()


def csrf_token_in(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def submit_sign_in(client: httpx.Client, login: str, password: str) -> httpx.Response:
    """Open the sign-in page and send its form."""
    token = csrf_token_in(client.get("/login").text)
    return client.post("/login", data={"login": login, "password": password, "csrf_token": token})


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Of PASSWORD, by Argon2id as the product's, but quickly: the console checks it with the cost that stands in it.

    What the product's own hashes cost is ``tests.cloud.auth``'s to look at; here thousands sign in.
    """
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def people(ward: Ward, password_hash: str) -> dict[str, UUID]:
    """Accounts of all kinds: login → account_id."""
    return made_people(ward, password_hash)


def made_people(ward: Ward, password_hash: str) -> dict[str, UUID]:
    """The accounts that ``console`` speaks of."""
    made = {
        login: accounts.create_account(
            ward.admin,
            login=login,
            display_name=name,
            role=role,
            password_hash=password_hash,
            patient_id=ward.patient_id if role is Role.PATIENT else None,
        )
        for login, name, role in (
            ("nora", "Nora Quist", Role.NURSE),
            ("ben", "Ben Ortega", Role.NURSE),
            ("eve", "Eve Stranger", Role.NURSE),
            ("ada", "Ada Weiss", Role.DOCTOR),
            ("asta", "Asta Example", Role.PATIENT),
            ("sam", "Sam Support", Role.SUPPORT),
            ("carl", "Carl Coordinator", Role.COORDINATOR),
            ("adam", "Adam Administrator", Role.ADMINISTRATOR),
        )
    }
    for login in ("nora", "ben", "ada"):
        ward.admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (ward.patient_id, made[login])
        )
    return made


@pytest.fixture
def notify() -> NotifySettings:
    """How the console's staff may be reached; a module of tests may say otherwise."""
    return NotifySettings()


@pytest.fixture
def sign_in_settings() -> SignInSettings:
    """With a key, drawn for this test; a module of tests may say otherwise."""
    return SignInSettings(key=secrets.token_bytes(KEY_OCTETS))


@pytest.fixture
def crm_settings() -> CrmSettings:
    """Without a key; a module of tests may say otherwise."""
    return CrmSettings()


@pytest.fixture
def console(
    ward: Ward,
    people: dict[str, UUID],
    notify: NotifySettings,
    sign_in_settings: SignInSettings,
    crm_settings: CrmSettings,
) -> Iterator[Console]:
    """The console on a free port of loopback, in a thread of its own, with a clock that stands at NOW."""
    clock = Clock()
    with running(ward.database.console_url, clock, notify, sign_in_settings, crm_settings) as url:
        made = Console(url, clock, ward, people, new_patient(ward.admin, "Other Patient"))
        try:
            yield made
        finally:
            made.close()


@contextmanager
def running(
    database_url: str,
    now: Callable[[], datetime],
    notify: NotifySettings | None = None,
    sign_in: SignInSettings | None = None,
    crm: CrmSettings | None = None,
) -> Iterator[str]:
    """Serve the console in a thread; its address."""
    ready: queue.SimpleQueue[str] = queue.SimpleQueue()
    settings = ConsoleSettings(
        database_url=database_url,
        notify=notify or NotifySettings(),
        sign_in=sign_in or SignInSettings(),
        crm=crm or CrmSettings(),
    )
    app = create_app(settings, now)
    serving = server(app, "127.0.0.1", 0, ready.put)
    thread = threading.Thread(target=serving.run, name="console")
    thread.start()
    try:
        yield ready.get(timeout=START_WITHIN_S)
    finally:
        serving.should_exit = True
        thread.join(START_WITHIN_S)
