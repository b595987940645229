"""A FHIR R4 server that keeps Tasks, Communications and Patients: conditional create, versions, and faults.

It refuses an element that R4 does not have, and a code that is not in the value set that R4 binds it to.
"""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from deploy.listening import LOOPBACK, Conversation, Listening


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS: Final[Mapping[str, frozenset[str]]] = {
    "Task": _words(
        "id meta identifier basedOn groupIdentifier partOf status statusReason businessStatus intent priority code"
        " description focus for encounter executionPeriod authoredOn lastModified requester performerType owner"
        " location reasonCode reasonReference insurance note relevantHistory restriction input output"
    ),
    "Communication": _words(
        "id meta identifier instantiatesCanonical basedOn partOf inResponseTo status statusReason category priority"
        " medium subject topic about encounter sent received recipient sender reasonCode reasonReference payload"
        " note"
    ),
    "Patient": _words("id meta identifier active name telecom"),
}
CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("Task", "status"): _words(
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
        " entered-in-error"
    ),
    ("Task", "intent"): _words("unknown proposal plan order original-order reflex-order filler-order"),
    ("Task", "priority"): _words("routine urgent asap stat"),
    ("Communication", "status"): _words(
        "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
    ),
}
Resource = dict[str, Any]


class Fault(StrEnum):
    """Of the next request."""

    BROKEN = "broken"  # 500, nothing done
    DONE_AND_GONE = "done_and_gone"  # done, and hangs up
    GONE = "gone"  # hangs up, nothing done


@dataclass(slots=True)
class FhirServer:
    """Listens from ``start`` to ``stop``. ``resources``: by kind and id. ``shy``: answers a create without a body."""

    token: str
    resources: dict[str, dict[str, Resource]] = field(default_factory=lambda: {kind: {} for kind in ELEMENTS})
    faults: deque[Fault] = field(default_factory=deque)
    refused: list[str] = field(default_factory=list)
    shy: bool = False
    port: int = 0
    _listening: Listening | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Its base."""
        return f"http://{LOOPBACK}:{self.port}/fhir"

    def start(self) -> None:
        """Listen."""
        outer = self

        class Ours(_Conversation):
            fhir = outer

        self._listening = Listening(Ours)
        self.port = self._listening.port

    def stop(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.stop()

    def add(self, kind: str, resource: Resource) -> str:
        """As somebody of the hospital does; its id."""
        known = str(sum(len(each) for each in self.resources.values()) + 1)
        self.resources[kind][known] = {**resource, "resourceType": kind, "id": known, "meta": {"versionId": "1"}}
        return known

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> "Said | None":
        """None where it hangs up."""
        with self._lock:
            fault = self.faults.popleft() if self.faults else None
            if fault is Fault.GONE:
                return None
            if fault is Fault.BROKEN:
                return _outcome(500)
            said = self._done(method, path, headers, body)
            return None if fault is Fault.DONE_AND_GONE else said

    def _done(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> "Said":
        if headers.get("authorization") != f"Bearer {self.token}":
            return _outcome(401)
        parts = urlsplit(path)
        kind, _, known = parts.path.removeprefix("/fhir/").partition("/")
        if kind not in ELEMENTS:
            return _outcome(404)
        match method, known:
            case "GET", "":
                return Said(200, _bundle(self._found(kind, parts.query)))
            case "GET", _:
                there = self.resources[kind].get(known)
                return Said(200, there) if there is not None else _outcome(404)
        resource = json.loads(body)
        if wrong := _wrong(kind, resource):
            self.refused.append(wrong)
            return _outcome(400)
        return (
            self._create(kind, resource, headers) if method == "POST" else self._update(kind, known, resource, headers)
        )

    def _create(self, kind: str, resource: Resource, headers: Mapping[str, str]) -> "Said":
        wanted = headers.get("if-none-exist")
        found = self._found(kind, wanted) if wanted else []
        if len(found) > 1:
            return _outcome(412)
        if found:
            return Said(200, found[0])
        known = self.add(kind, resource)
        place = (("Location", f"{self.url}/{kind}/{known}/_history/1"),)
        return Said(201, None if self.shy else self.resources[kind][known], place)

    def _update(self, kind: str, known: str, resource: Resource, headers: Mapping[str, str]) -> "Said":
        there = self.resources[kind].get(known)
        if there is None:
            return _outcome(404)
        version = there["meta"]["versionId"]
        if headers.get("if-match", f'W/"{version}"') != f'W/"{version}"':
            return _outcome(412)
        self.resources[kind][known] = {**resource, "meta": {"versionId": str(int(version) + 1)}}
        return Said(200, self.resources[kind][known])

    def _found(self, kind: str, query: str) -> list[Resource]:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        return [each for each in self.resources[kind].values() if _matches(each, asked)]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    resource: Resource | None
    headers: tuple[tuple[str, str], ...] = ()


def _matches(resource: Resource, asked: Mapping[str, str]) -> bool:
    for name, wanted in asked.items():
        if name == "identifier":
            there = {f"{each['system']}|{each['value']}" for each in resource.get("identifier", [])}
        elif name == "phone":
            there = {each["value"] for each in resource.get("telecom", []) if each["system"] == "phone"}
        else:
            return False  # a search that it does not understand finds nothing here, and everything on lenient servers
        if wanted not in there:
            return False
    return True


def _wrong(kind: str, resource: Resource) -> str | None:
    for name, value in resource.items():
        if name != "resourceType" and name not in ELEMENTS[kind]:
            return f"{kind}.{name}"
        if (kind, name) in CODES and value not in CODES[kind, name]:
            return f"{kind}.{name} = {value}"
    return None if resource.get("resourceType") == kind else f"{kind}.resourceType"


def _bundle(found: list[Resource]) -> Resource:
    entries = [{"resource": each} for each in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}


def _outcome(status: int) -> Said:
    return Said(status, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]})


class _Conversation(Conversation):
    """One request."""

    fhir: FhirServer

    def asked(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = self.fhir.answer(self.command, self.path, headers, body)
        self.close_connection = True
        if said is None:
            return
        octets = b"" if said.resource is None else json.dumps(said.resource).encode()
        self.say(said.status, octets, *said.headers, content="application/fhir+json")
