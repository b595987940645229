"""A case becomes a todo in a clinic's own CRM, is ticked there, and the CRM is shut out and let in again.

With the real console, jobs process and database, and a CRM that takes nothing that is not signed.
"""

import base64
import json
from collections.abc import Iterator

import httpx
import pytest
from standardwebhooks.webhooks import Webhook as Reference

from cloud.clock import now
from cloud.crm_config import CrmSettings
from deploy.receivers.crm import Crm
from tests.cloud.crm.outbox.made import KEY, SECRET, add_destination
from tests.cloud.jobs.test_worker import PATIENCE_S, Jobs, jobs, until
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console

DOWN = "The CRM Clinic CRM has not taken anything since"


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@pytest.fixture
def crm() -> Iterator[Crm]:
    """On the real clock, as the others here."""
    made = Crm(secret=base64.b64decode(SECRET), now=now)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def telling(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """The process that tells it."""
    console.clock.time = now()
    monkeypatch.setenv("PULSEPOST_CRM_KEY", base64.b64encode(KEY).decode())
    monkeypatch.setenv("PULSEPOST_CRM_EVERY_S", "0.1")
    with jobs(console.ward) as running:
        assert running.ready.wait(PATIENCE_S), "".join(running.said)
        yield running


def ticked(console: Console, crm_id: object, remote_id: str) -> httpx.Response:
    """What the CRM posts when somebody there has done a todo, signed by the reference implementation."""
    event = {"id": "ev-1", "type": "org.pulsepost.crm.todo.completed.v1", "data": {"remote_id": remote_id}}
    body, at = json.dumps({"specversion": "1.0", "source": "/crm", **event}), console.clock.time
    headers = {
        "webhook-id": "ev-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Reference(SECRET).sign("ev-1", at, body),
    }
    return httpx.post(f"{console.url}/crm/inbound/{crm_id}", content=body, headers=headers, timeout=10)


def test_from_a_case_to_the_tick_and_back_and_through_an_outage_of_the_crm(
    console: Console, crm: Crm, telling: Jobs
) -> None:
    ward, nora, sam = console.ward, console.sign_in("nora"), console.sign_in("sam")
    crm_id = add_destination(ward, crm.url)
    case_id = planted_case(ward, at=now())
    until(lambda: list(crm.todos().values()) == ["open"], "the CRM has a todo")
    [todo] = [one.data for one in crm.taken if one.data["verb"] == "add_todo"]
    link = f"/crm/open/{todo['link'].rpartition('/')[2]}"
    assert nora.get(link).headers["location"] == f"/cases/{case_id}"

    [(remote_id,)] = ward.rows("SELECT remote_id FROM crm_remote WHERE kind = 'todo'")
    assert [ticked(console, crm_id, remote_id).status_code for _ in range(2)] == [204, 403]
    until(lambda: ward.rows("SELECT outcome FROM crm_inbox") == [("noted",)], "the hint is settled")
    assert "Somebody said in an outside CRM that it is done" in text(nora.get(f"/cases/{case_id}"))
    assert ward.rows("SELECT state FROM alert_case") == [("raised",)]

    right, crm.secret = crm.secret, b"they have changed it and told us"
    planted_case(ward, at=now(), condition="another")
    until(lambda: ward.rows("SELECT down_why FROM crm_destination") == [("status 401",)], "it is down")
    assert DOWN in text(nora.get("/worklist"))
    assert "1 event waits" in text(sam.get("/crm"))
    crm.secret = right
    sam.post(f"/crm/{crm_id}/try")
    until(lambda: list(crm.todos().values()) == ["open", "open"], "it has caught up")
    until(lambda: ward.rows("SELECT down_since FROM crm_destination") == [(None,)], "it is up")
    assert DOWN not in text(nora.get("/worklist"))

    assert telling.end() == 0
    everything = "".join(telling.said) + repr([one.data for one in crm.taken])
    assert "Asta" not in everything
