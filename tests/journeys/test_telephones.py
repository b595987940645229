"""A call from the click to its entry in the log, with the real console, jobs process and database, and an exchange."""

import base64
import json
from collections.abc import Iterator

import pytest

from cloud.clock import now
from cloud.crm_config import CrmSettings
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.telephony.made import KEY, NUMBER, Exchange, at_the_desk, exchange_of, with_card
from tests.cloud.jobs.test_worker import PATIENCE_S, Jobs, jobs, until
from tests.cloud.live.reading import stream
from tests.cloud.live.reading import until as next_of
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@pytest.fixture
def exchange(console: Console, phone_gateway: Gateway) -> Exchange:
    console.clock.time = now()
    return exchange_of(console, phone_gateway.url)


@pytest.fixture
def ringing(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """The process that asks the exchange."""
    monkeypatch.setenv("PULSEPOST_CRM_KEY", base64.b64encode(KEY).decode())
    with jobs(console.ward) as running:
        assert running.ready.wait(PATIENCE_S), "".join(running.said)
        yield running


def test_from_the_click_to_the_entry_in_the_log_and_where_the_recording_is(
    console: Console, exchange: Exchange, ringing: Jobs, phone_gateway: Gateway
) -> None:
    ward = console.ward
    nora, case_id = at_the_desk(console, exchange.system_id), planted_case(ward, at=now())
    with_card(nora, console)
    patient = f"/patients/{ward.patient_id}"
    nora.post(f"{patient}/calls/recording", {"decision": "given", "method": "told", "asked_at": ""})
    console.clock.time = now()
    with stream(nora) as events:
        next_of(events, "worklist")
        nora.post(f"{patient}/ring", {"to": f"patient:{NUMBER}", "case_id": str(case_id)})
        until(lambda: ward.rows("SELECT state FROM telephone_ring") == [("rings",)], "the telephone was rung")
        next_of(events, "call")
    [request] = phone_gateway.requests
    asked = json.loads(request.body)["data"]
    assert (asked["extension"], asked["number"]) == ("12", NUMBER)
    assert "Your telephone rings, and then theirs." in text(nora.get("/me/calls"))

    for what in ("ringing", "answered", "ended"):
        console.clock.forward(seconds=30)
        assert exchange.tell(what, direction="out", reference=asked["reference"]).status_code == 204
    assert exchange.tell("recorded", recording={"reference": "https://exchange.example/1"}).status_code == 204
    [(call_id,)] = ward.rows("SELECT call_id FROM call")
    nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached", "note": "she is better"})
    page = nora.get(f"{patient}/calls")
    assert "Call log: reached · she is better" in text(page)
    assert "Where it is" in text(page)
    assert ward.rows("SELECT origin, call_id FROM care_minutes WHERE activity = 'call'") == [("call", call_id)]
    assert ringing.end() == 0
    said = "".join(ringing.said)
    assert NUMBER not in said
    assert "Asta" not in said
