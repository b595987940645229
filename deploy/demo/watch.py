"""The console as a script sees it: signing in, the live stream, acknowledging."""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|name="csrf-token"[^>]*content="([^"]+)"')


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One server-sent event and when it was here."""

    name: str
    data: str
    at: datetime


class NotSignedIn(Exception):
    """The console did not let us in."""


@asynccontextmanager
async def signed_in(console: str, login: str, password: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session of its own at the console."""
    async with httpx.AsyncClient(base_url=console, headers={"Origin": console}, timeout=10) as client:
        form = await client.get("/login")
        token = token_in(form.text)
        answer = await client.post("/login", data={"login": login, "password": password, "csrf_token": token})
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise NotSignedIn(f"signing in as {login} was answered with {answer.status_code}")
        yield client


async def live(client: httpx.AsyncClient, now: Callable[[], datetime]) -> AsyncIterator[LiveEvent]:
    """The console's own live stream, event by event, for as long as it lasts."""
    async with client.stream("GET", "/live", timeout=httpx.Timeout(10, read=30)) as stream:
        stream.raise_for_status()
        name, data = "message", list[str]()
        async for line in stream.aiter_lines():
            field, _, value = line.partition(":")
            match field:
                case "event":
                    name = value.removeprefix(" ")
                case "data":
                    data.append(value.removeprefix(" "))
                case "" if not line:
                    if data:
                        yield LiveEvent(name, "\n".join(data), now())
                    name, data = "message", []


async def acknowledge(client: httpx.AsyncClient, case_id: str) -> None:
    """Take the case; httpx.HTTPStatusError where it was not ours to take."""
    await _decide(client, case_id, "acknowledge")


async def resolve(client: httpx.AsyncClient, case_id: str, disposition: str = "no_action_needed") -> None:
    """Close the case, with what became of it; httpx.HTTPStatusError where it was not ours to close."""
    await _decide(client, case_id, "resolve", {"disposition": disposition})


async def _decide(
    client: httpx.AsyncClient, case_id: str, decision: str, form: Mapping[str, str] | None = None
) -> None:
    page = await client.get("/worklist")
    headers = {"X-CSRF-Token": token_in(page.text)}
    answer = await client.post(f"/cases/{case_id}/{decision}", data=form, headers=headers)
    if answer.status_code not in (httpx.codes.OK, httpx.codes.SEE_OTHER):
        answer.raise_for_status()


def token_in(html: str) -> str:
    """The token that a form of this page sends with it; NotSignedIn where it carries none."""
    found = CSRF.search(html)
    if found is None:
        raise NotSignedIn("the page carries no CSRF token")
    return found[1] or found[2]
