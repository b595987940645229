"""Bitrix24 as a telephone system, against its imitation: the card, its end, the recording, and tokens that run out."""

from typing import Any

import pytest

from cloud.crm.outbox.sealing import sealed, secrets_of
from cloud.crm.telephony.models import System
from cloud.crm.telephony.port import Telephony
from cloud.crm.telephony.ringing import Systems
from cloud.crm_config import CrmSettings
from deploy.bitrix24.faults import Fault
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.telephony.made import (
    KEY,
    NUMBER,
    add_system,
    at_the_desk,
    ringer,
    with_card,
)
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

PLACE = "https://exchange.example/recordings/1.mp3"


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


def desk(console: Console, portal: Bitrix24, **settings: str) -> Person:
    """Nora, whose telephone is the portal's."""
    given = {"portal": portal.portal_url, "exchange": portal.exchange_url, "client_id": "local.1", "inside": "yes"}
    secrets = {"client_secret": "app", "refresh_token": portal.tokens[1]}
    system_id = add_system(console.ward.admin, "bitrix24", secrets, **given, **settings)
    nora = at_the_desk(console, system_id)
    with_card(nora, console)
    return nora


def stands(console: Console) -> list[tuple[Any, ...]]:
    return console.ward.rows("SELECT state, why, remote_id FROM telephone_ring ORDER BY asked_at")


def test_the_card_is_shown_with_the_number_closed_with_the_call_and_gets_the_recording(
    console: Console, bitrix24: Bitrix24
) -> None:
    nora = desk(console, bitrix24, recordings="yes")
    case_id = planted_case(console.ward)
    patient = f"/patients/{console.ward.patient_id}"
    with ringer(console) as (made, _):
        nora.post(f"{patient}/ring", {"to": f"patient:{NUMBER}", "case_id": str(case_id)})
        [(ring_id, call_id)] = console.ward.rows("SELECT ring_id, call_id FROM telephone_ring")
        made.ring(ring_id)
        assert stands(console) == [("shown", None, "externalCall.1")]
        card = bitrix24.portal.telephony.cards["externalCall.1"]
        assert (card["PHONE_NUMBER"], card["USER_PHONE_INNER"], card["TYPE"]) == (NUMBER, "12", 1)
        assert (card["CRM_CREATE"], card["EXTERNAL_CALL_ID"]) == (0, str(ring_id))
        assert "dial it there, or by hand" in nora.get("/me/calls").text

        console.clock.forward(minutes=3)
        nora.post(f"/cases/{case_id}/calls/{call_id}/end", {"outcome": "reached"})
        made.over(ring_id)
        made.over(ring_id)  # once
        ended = bitrix24.portal.telephony.ended["externalCall.1"]
        assert (ended["DURATION"], ended["STATUS_CODE"]) == (180, "200")

        # Its own exchange tells of the recording: with consent the portal may fetch it.
        nora.post(f"{patient}/calls/recording", {"decision": "given", "method": "told", "asked_at": "2026-11-21T12:00"})
        [(system_id,)] = console.ward.rows("SELECT system_id FROM telephone_system")
        console.ward.admin.execute(
            "WITH t AS (INSERT INTO telephone_call (system_id, remote_id, direction, patient_id, ring_id, started_at)"
            " VALUES (%s, 'c-1', 'out', %s, %s, %s) RETURNING telephone_call_id, patient_id, started_at)"
            " INSERT INTO call_recording (telephone_call_id, patient_id, state, reference, told_at, keep_until)"
            " SELECT telephone_call_id, patient_id, 'kept', %s, started_at, started_at FROM t",
            (system_id, console.ward.patient_id, ring_id, console.clock(), PLACE),
        )
        made.over(ring_id)
        assert bitrix24.portal.telephony.ended["externalCall.1"]["RECORD_URL"] == PLACE


def test_a_token_that_ran_out_is_exchanged_once_and_the_next_one_is_sealed(
    console: Console, bitrix24: Bitrix24
) -> None:
    nora = desk(console, bitrix24)
    with ringer(console) as (made, _):
        for _ in range(2):
            nora.post(f"/patients/{console.ward.patient_id}/ring", {"to": f"patient:{NUMBER}"})
            [(ring_id,)] = console.ward.rows("SELECT ring_id FROM telephone_ring ORDER BY asked_at DESC LIMIT 1")
            made.ring(ring_id)
            console.clock.forward(minutes=1)
            bitrix24.tokens = ("", bitrix24.tokens[1])
    assert [state for state, *_ in stands(console)] == ["shown", "shown"]
    assert bitrix24.tokens[1] == "renew2"
    [(system_id, kept)] = console.ward.rows("SELECT system_id, sealed FROM telephone_system")
    assert secrets_of(KEY, system_id, kept)["refresh_token"] == "renew2"


@pytest.mark.parametrize(
    ("given", "stand"),
    [
        ({"client_secret": "its next"}, {"client_secret": "its next", "refresh_token": "renew1"}),
        (
            {"refresh_token": "of a new installation"},
            {"client_secret": "app", "refresh_token": "of a new installation"},
        ),
    ],
)
def test_what_an_operator_gives_while_a_token_is_exchanged_is_kept(
    console: Console, bitrix24: Bitrix24, given: dict[str, str], stand: dict[str, str]
) -> None:
    nora = desk(console, bitrix24)
    [(system_id, kept)] = console.ward.rows("SELECT system_id, sealed FROM telephone_system")

    class Exchanging(Systems):
        """The operator is quick: it happens between the reading of the secrets and their use."""

        def __call__(self, system: System) -> Telephony:
            made = super().__call__(system)
            now = sealed(KEY, system_id, {**secrets_of(KEY, system_id, kept), **given})
            console.ward.admin.execute("UPDATE telephone_system SET sealed = %s", (now,))
            return made

    nora.post(f"/patients/{console.ward.patient_id}/ring", {"to": f"patient:{NUMBER}"})
    with ringer(console, Exchanging) as (made, _):
        made.ring(console.ward.rows("SELECT ring_id FROM telephone_ring")[0][0])

    assert stands(console) == [("shown", None, "externalCall.1")]
    [(after,)] = console.ward.rows("SELECT sealed FROM telephone_system")
    assert secrets_of(KEY, system_id, after) == stand


@pytest.mark.parametrize(
    ("fault", "state", "why"),
    [
        (Fault.DONE_AND_GONE, "unclear", None),
        (Fault.UNAVAILABLE, "unclear", None),
        (None, "failed", "Bitrix24 does not"),
    ],
)
def test_what_goes_wrong_is_said_and_not_tried_again(
    console: Console, bitrix24: Bitrix24, fault: Fault | None, state: str, why: str | None
) -> None:
    nora = desk(console, bitrix24)
    bitrix24.faults.extend([None, fault] if fault else [])
    if fault is None:
        bitrix24.tokens = ("", "renew7")  # the application was installed anew, and nobody told us
    nora.post(f"/patients/{console.ward.patient_id}/ring", {"to": f"patient:{NUMBER}"})
    with ringer(console) as (made, _):
        [(ring_id,)] = console.ward.rows("SELECT ring_id FROM telephone_ring")
        made.ring(ring_id)
        made.ring(ring_id)
    [(found, said, _)] = stands(console)
    assert found == state
    assert why is None or why in said
    assert len(bitrix24.portal.telephony.cards) <= 1


def test_with_a_line_of_the_portals_own_it_calls_back(console: Console, bitrix24: Bitrix24) -> None:
    nora = desk(console, bitrix24, line="reg1")
    nora.post(f"/patients/{console.ward.patient_id}/ring", {"to": f"patient:{NUMBER}"})
    with ringer(console) as (made, _):
        made.ring(console.ward.rows("SELECT ring_id FROM telephone_ring")[0][0])
    assert stands(console) == [("rings", None, "callback.1")]
    assert bitrix24.portal.telephony.called_back == [("reg1", NUMBER)]
