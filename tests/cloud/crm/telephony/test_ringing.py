"""A telephone is asked to ring once, never twice by itself, and what does not work says: dial by hand."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook as Reference

from cloud.crm_config import CrmSettings
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.crm.telephony.made import KEY, NUMBER, SECRET, Exchange, at_the_desk, exchange_of, ringer, with_card
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@pytest.fixture
def exchange(console: Console, phone_gateway: Gateway) -> Exchange:
    """One that takes what it is sent, with faults to order."""
    return exchange_of(console, phone_gateway.url)


@pytest.fixture
def nora(console: Console, exchange: Exchange) -> Person:
    nora = at_the_desk(console, exchange.system_id)
    with_card(nora, console)
    return nora


def ring(person: Person, console: Console, to: str = f"patient:{NUMBER}", **more: str) -> int:
    return person.post(f"/patients/{console.ward.patient_id}/ring", {"to": to, **more}).status_code


def rings(console: Console) -> list[tuple[UUID, str, str | None]]:
    return console.ward.rows("SELECT ring_id, state, why FROM telephone_ring ORDER BY asked_at")


def work(console: Console) -> str:
    """What the jobs do with what was asked last; how it stands then."""
    with ringer(console) as (made, _):
        made.ring(rings(console)[-1][0])
    return rings(console)[-1][1]


def test_the_request_is_signed_has_no_name_and_is_waited_for_by_nobody(
    console: Console, exchange: Exchange, nora: Person, phone_gateway: Gateway
) -> None:
    del exchange
    assert ring(nora, console, back="/callers") == 303
    assert phone_gateway.requests == []
    assert "The telephone system is asked" in text(nora.get("/me/calls"))
    assert work(console) == "rings"
    [request] = phone_gateway.requests
    ring_id = str(rings(console)[0][0])
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["webhook-signature"] == Reference(SECRET).sign(ring_id, console.clock(), request.body.decode())
    said = json.loads(request.body)
    assert said["type"] == "org.pulsepost.telephone.ring.v1"
    assert said["data"] == {"extension": "12", "number": NUMBER, "reference": ring_id}
    assert b"Asta" not in request.body
    assert "Your telephone rings, and then theirs. 12 → +45 20 12 34 56" in text(nora.get("/me/calls"))
    assert console.ward.rows("SELECT action, detail FROM audit WHERE action = 'telephone.ring'") == [
        ("telephone.ring", {})
    ]


@pytest.mark.parametrize(
    ("fault", "state", "said"),
    [
        (Fault.BROKEN, "unclear", "If your telephone stays silent, dial by hand."),
        (Fault.REFUSED, "failed", "The telephone system does not do it: dial by hand."),
        (Fault.DONE_AND_GONE, "unclear", "If your telephone stays silent, dial by hand."),
    ],
)
def test_what_does_not_work_says_dial_by_hand_with_the_number_and_is_not_tried_again(
    console: Console, exchange: Exchange, nora: Person, phone_gateway: Gateway, fault: Fault, state: str, said: str
) -> None:
    del exchange
    phone_gateway.faults.append(fault)
    ring(nora, console)
    assert work(console) == state
    assert work(console) == state
    assert len(phone_gateway.requests) == 1
    page = nora.get("/me/calls")
    assert said in text(page)
    assert f'href="tel:{NUMBER}"' in page.text


def test_a_system_that_is_away_or_leads_into_our_own_network_is_asked_nothing(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    console.ward.admin.execute('UPDATE telephone_system SET settings = settings || \'{"url": "http://127.0.0.1:1/"}\'')
    ring(nora, console)
    assert work(console) == "failed"
    console.clock.forward(minutes=1)
    console.ward.admin.execute(
        'UPDATE telephone_system SET settings = \'{"url": "https://169.254.169.254/latest", "inside": "yes"}\''
    )
    ring(nora, console)
    assert work(console) == "failed"
    assert rings(console)[-1][2] == "address not allowed"
    assert f'href="tel:{NUMBER}"' in nora.get("/me/calls").text
    del exchange


def test_whoever_waited_too_long_dials_by_hand_and_no_telephone_rings_out_of_the_blue(
    console: Console, exchange: Exchange, nora: Person, phone_gateway: Gateway
) -> None:
    del exchange
    ring(nora, console)
    console.clock.forward(seconds=16)
    assert "It took too long, and is not done any more: dial by hand." in text(nora.get("/me/calls"))
    assert work(console) == "late"
    assert phone_gateway.requests == []


def test_two_clicks_ring_once_and_only_numbers_of_the_card_ring(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    del exchange
    assert [ring(nora, console), ring(nora, console)] == [303, 303]
    assert len(rings(console)) == 1
    for to in ("patient:+4599999999", "patient:", "nobody:+4520123456", ""):
        assert ring(nora, console, to) == 409
    ben = console.sign_in("ben")
    assert ring(ben, console) == 409  # he has no telephone here
    assert ring(console.sign_in("eve"), console) == 404


def test_from_a_case_the_call_log_begins_and_the_systems_call_is_that_entry(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    back = f"/cases/{case_id}"
    answer = nora.post(
        f"/patients/{console.ward.patient_id}/ring",
        {"to": f"patient:{NUMBER}", "case_id": str(case_id), "back": back},
    )
    assert answer.headers["location"] == back
    [(ring_id, *_)] = rings(console)
    for what in ("ringing", "answered", "ended"):
        exchange.tell(what, direction="out", reference=str(ring_id))
        console.clock.forward(seconds=30)
    [(call_id,)] = console.ward.rows("SELECT call_id FROM call")
    assert exchange.calls("patient_id, call_id, joined_by, account_id") == [
        (console.ward.patient_id, call_id, "ring", nora.account_id)
    ]
    nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached", "note": "fine"})
    page = text(nora.get(f"/patients/{console.ward.patient_id}/calls"))
    assert "Outgoing call · +45 20 12 34 56" in page
    assert "Call log: reached · fine" in page
    assert "rung for from the case" in page


def test_a_training_patients_telephone_rings_nowhere(console: Console, exchange: Exchange, nora: Person) -> None:
    del exchange
    console.ward.admin.execute(
        "WITH made AS (INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING Bo', 'UTC', true)"
        " RETURNING patient_id), team AS (INSERT INTO care_team (patient_id, account_id) SELECT patient_id, %(who)s"
        " FROM made) INSERT INTO emergency_card (patient_id, address, emergency_number, phones, set_by, set_at)"
        " SELECT patient_id, 'a', '112', %(numbers)s, %(who)s, %(now)s FROM made",
        {"who": nora.account_id, "numbers": [NUMBER], "now": console.clock()},
    )
    [(training,)] = console.ward.rows("SELECT patient_id FROM patient WHERE training")
    assert nora.post(f"/patients/{training}/ring", {"to": f"patient:{NUMBER}"}).status_code == 303
    assert rings(console) == []


def test_the_pages_with_a_number_have_a_link_and_a_button_for_who_has_a_telephone(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    del exchange
    case_id = planted_case(console.ward)
    patient = f"/patients/{console.ward.patient_id}"
    for path in (f"/cases/{case_id}", patient, f"{patient}/card"):
        page = nora.get(path).text
        assert f'href="tel:{NUMBER}"' in page
        assert f'action="{patient}/ring"' in page
        other = console.sign_in("ben").get(path).text
        assert f'href="tel:{NUMBER}"' in other
        assert "/ring" not in other


def test_of_many_clicks_at_once_one_has_the_telephone_ring(console: Console, exchange: Exchange, nora: Person) -> None:
    del exchange
    path, form = f"/patients/{console.ward.patient_id}/ring", {"to": f"patient:{NUMBER}"}
    token = nora.csrf_token()
    with ThreadPoolExecutor(6) as fingers:
        asked = [fingers.submit(nora.client.post, path, data={**form, "csrf_token": token}) for _ in range(6)]
    assert {one.result().status_code for one in asked} == {303}
    assert len(rings(console)) == 1
