"""The signed webhook, against the reference implementation of Standard Webhooks."""

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from cloud.clock import now
from cloud.crm.connectors.addresses import resolve
from cloud.crm.connectors.given import Given, NotUsable
from cloud.crm.connectors.offered import connector, listener
from cloud.crm.connectors.webhook import WebhookListener
from cloud.crm.port import Contact, Event, HintKind, NotGenuine, Shut, Todo, Try, Urgency
from cloud.crm_config import CrmSettings, trusting
from cloud.notifications.channels.signing import signed
from deploy.receivers.crm import Crm, Fault
from tests.cloud.crm.outbox.made import running_crm
from tests.cloud.made import NOW
from tests.cloud.notifications.made import Moment

SECRET = f"whsec_{base64.b64encode(b'a secret of the tests, 32 octets').decode()}"
FORMER = f"whsec_{base64.b64encode(b'the former secret of the tests!!').decode()}"
KEYS = [base64.b64decode(text.removeprefix("whsec_")) for text in (SECRET, FORMER)]
TODO = Todo(
    reference="r", contact="c", contact_remote_id=None, title="t", link="l", urgency=Urgency.URGENT, deadline=NOW
)
EVENT = Event(event_id="e", type="org.pulsepost.case.opened.v1", source="/pulsepost", subject="s", at=NOW)
TRY = Try(key="0190b6d0-0000-7000-8000-000000000000", number=1, at=NOW, event=EVENT)


def given(crm: Crm, clock: Moment, **secrets: str) -> Given:
    settings = {"url": crm.url, "inside": "yes"}
    return Given(settings=settings, secrets=secrets or {"secret": SECRET}, tls=trusting(CrmSettings()), now=clock)


def test_what_leaves_is_a_cloud_event_whose_signature_the_reference_takes() -> None:
    clock = Moment(now())  # the reference reads the clock itself
    with running_crm(clock) as crm:
        connector("webhook", given(crm, clock)).add_todo(TODO, replace(TRY, at=clock.time))
        [request] = crm.requests
    Reference(SECRET).verify(request.body, request.headers)
    event = json.loads(request.body)
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["webhook-id"] == event["id"] == TRY.key
    assert {name: event[name] for name in ("specversion", "source", "type", "subject", "time")} == {
        "specversion": "1.0", "source": "/pulsepost", "type": EVENT.type, "subject": "s",
        "time": "2026-11-21T12:00:00Z",
    }  # fmt: skip
    assert event["data"] == {
        "verb": "add_todo", "reference": "r", "contact": "c", "title": "t", "link": "l", "urgency": "urgent",
        "deadline": "2026-11-21T12:00:00Z",
    }  # fmt: skip


def test_while_secrets_change_both_count() -> None:
    clock = Moment(now())
    with running_crm(clock) as crm:
        connector("webhook", given(crm, clock, secret=SECRET, former_secret=FORMER)).add_todo(TODO, TRY)
        [request] = crm.requests
    Reference(SECRET).verify(request.body, request.headers)
    Reference(FORMER).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Reference(base64.b64encode(b"nobody's secret of these tests!!").decode()).verify(request.body, request.headers)


def test_what_it_is_called_over_there_is_remembered_and_else_it_is_our_reference() -> None:
    clock = Moment()
    with running_crm(clock) as crm:
        webhook = connector("webhook", given(crm, clock))
        assert webhook.add_todo(TODO, TRY).remote_id == "crm-add_todo-r"
        crm.faults.append(Fault.TALKATIVE)
        contact = Contact(reference="ours", label="l", link="l")
        assert webhook.upsert_contact(contact, replace(TRY, key="2")).remote_id == "ours"
        assert webhook.find_contact_by_phone("+4520123456", TRY) == ()


def test_a_redirect_is_for_a_person_to_look_at() -> None:
    clock = Moment()
    with running_crm(clock) as crm:
        crm.faults.append(Fault.ELSEWHERE)
        with pytest.raises(Shut, match="status 302"):
            connector("webhook", given(crm, clock)).add_todo(TODO, TRY)
        assert len(crm.requests) == 1


def said(
    at: datetime, *, secret: str = SECRET, event_id: str = "ev-1", data: dict[str, object] | None = None
) -> tuple[dict[str, str], bytes]:
    """What a CRM posts, signed by the reference."""
    event = {
        "specversion": "1.0", "id": event_id, "source": "/crm", "type": "org.pulsepost.crm.todo.completed.v1",
        "data": {"remote_id": "todo-1", **(data or {})},
    }  # fmt: skip
    body = json.dumps(event)
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Reference(secret).sign(event_id, at, body),
    }
    return headers, body.encode()


LISTENER = WebhookListener(keys=KEYS)


@pytest.mark.parametrize("secret", [SECRET, FORMER])
def test_what_the_reference_signs_is_heard(secret: str) -> None:
    [hint] = LISTENER.heard(*said(NOW, secret=secret, data={"key": "k"}), NOW + timedelta(minutes=4))
    assert (hint.kind, hint.event_id, hint.remote_id, hint.echo_of) == (
        HintKind.TODO_COMPLETED, "ev-1", "todo-1", "k",
    )  # fmt: skip


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24])
def test_what_is_older_than_five_minutes_or_from_the_future_is_stale(minutes: int) -> None:
    headers, body = said(NOW)
    with pytest.raises(NotGenuine, match="stale"):
        LISTENER.heard(headers, body, NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "ev-2"},
        {"webhook-timestamp": str(int((NOW + timedelta(seconds=1)).timestamp()))},
        {"webhook-timestamp": "²"},
        {"webhook-timestamp": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1a,é"},
    ],
)
def test_what_is_forged_is_nothing(change: dict[str, str]) -> None:
    headers, body = said(NOW)
    with pytest.raises(NotGenuine, match="forged"):
        LISTENER.heard({**headers, **change}, body, NOW)
    with pytest.raises(NotGenuine, match="forged"):
        LISTENER.heard(headers, body + b" ", NOW)


@pytest.mark.parametrize(
    "data", [{"remote_id": ""}, {"remote_id": 5}, {"remote_id": "\x00"}, {"remote_id": "x" * 201}, {"key": "\x00"}]
)
def test_what_cannot_be_read_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(NotGenuine, match="unreadable"):
        LISTENER.heard(*said(NOW, data=data), NOW)


@pytest.mark.parametrize("body", [b"\xff", b'{"id": "e", "type": "\xff"}', b'{"x": ' + b"[" * 30_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    headers = signed(KEYS[0], "e", NOW, body)  # the reference signs text alone
    with pytest.raises(NotGenuine, match="unreadable"):
        LISTENER.heard(headers, body, NOW)


def test_what_does_not_concern_us_is_heard_and_nothing() -> None:
    body = json.dumps({"id": "e", "type": "org.example.other"})
    headers = {
        "webhook-id": "e",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": Reference(SECRET).sign("e", NOW, body),
    }
    assert LISTENER.heard(headers, body.encode(), NOW) == ()


@pytest.mark.parametrize(
    ("settings", "secrets", "why"),
    [
        ({}, {"secret": SECRET}, "Set url"),
        ({"url": "http://crm.example"}, {"secret": SECRET}, "https"),
        ({"url": "https://[crm.example"}, {"secret": SECRET}, "https"),
        ({"url": "https://crm.example:99999"}, {"secret": SECRET}, "https"),
        ({"url": "https://us:password@crm.example"}, {"secret": SECRET}, "without a password"),
        ({"url": "https://crm.example"}, {}, "secret"),
        ({"url": "https://crm.example"}, {"secret": "short"}, "24 random octets"),
        ({"url": "https://crm.example", "colour": "red"}, {"secret": SECRET}, "no setting colour"),
        ({"url": "https://crm.example", "values": "maybe"}, {"secret": SECRET}, "yes or no"),
        ({"url": "https://crm.example", "language": "xx"}, {"secret": SECRET}, "language"),
        ({"url": "https://crm.example"}, {"secret": SECRET, "pin": "1"}, "no secret pin"),
    ],
)
def test_half_a_destination_is_refused(settings: dict[str, str], secrets: dict[str, str], why: str) -> None:
    half = Given(settings=settings, secrets=secrets, tls=trusting(CrmSettings()), now=lambda: NOW, resolve=resolve)
    with pytest.raises(NotUsable, match=why):
        connector("webhook", half)
    with pytest.raises(NotUsable, match="no kind"):
        connector("telegraph", half)


def test_who_prints_hears_nothing() -> None:
    assert listener("printing", Given(settings={}, secrets={}, tls=trusting(CrmSettings()), now=lambda: NOW)) is None
