"""What a telephone system tells us: verified, once, nothing of anybody in the answer; whoever it rings for sees it."""

import http.client
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from cloud.crm.telephony.store import EVENTS_A_MINUTE
from cloud.crm_config import CrmSettings
from tests.cloud.crm.telephony.made import (
    DAUGHTER,
    KEY,
    NUMBER,
    Exchange,
    at_the_desk,
    exchange_of,
    with_card,
)
from tests.cloud.live.reading import stream, until
from tests.cloud.made import new_patient
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person


@pytest.fixture
def crm_settings() -> CrmSettings:
    """With the key of the tests."""
    return CrmSettings(key=KEY)


@pytest.fixture
def exchange(console: Console) -> Exchange:
    return exchange_of(console)


@pytest.fixture
def nora(console: Console, exchange: Exchange) -> Person:
    """A nurse with a telephone, whose patient has a card."""
    nora = at_the_desk(console, exchange.system_id)
    with_card(nora, console)
    return nora


def test_a_genuine_event_is_heard_and_its_answer_is_empty(exchange: Exchange, nora: Person) -> None:
    answer = exchange.tell("ringing")
    assert (answer.status_code, answer.content) == (204, b"")
    assert exchange.calls("direction, number, extension, account_id, matching") == [
        ("in", NUMBER, "12", nora.account_id, 1)
    ]


def test_forged_stale_replayed_and_unreadable_requests_are_refused(console: Console, exchange: Exchange) -> None:
    body, now = exchange.body("ringing"), console.clock()
    forged = exchange.signed(body, now, "e-1", "b3RoZXIgc2VjcmV0IG9mIG90aGVycywgMzIgb2N0ZXRz")
    stale = exchange.signed(body, now - timedelta(minutes=6), "e-2")
    for headers, sent, why in (
        (forged, body, "forged"),
        (stale, body, "stale"),
        (exchange.signed(body, now, "e-3"), body.replace(b"ringing", b"answered"), "forged"),
        ({}, body, "forged"),
        (exchange.signed(b"{}", now, "e-4"), b"{}", "unreadable"),
    ):
        answer = exchange.post(headers, sent)
        assert (answer.status_code, answer.text) == (403, f"not taken: {why}\n")
    nobody = exchange.post(exchange.signed(body, now, "e-5"), body, "00000000-0000-0000-0000-000000000000")
    assert (nobody.status_code, nobody.text) == (403, "not taken: nobody listens here\n")
    assert exchange.calls() == []

    genuine = exchange.signed(body, now, "e-6")
    assert exchange.post(genuine, body).status_code == 204
    assert exchange.post(genuine, body).text == "not taken: replayed\n"
    # Their second try, because our answer was lost: signed anew, and nothing happens twice.
    again = exchange.signed(body, now + timedelta(seconds=5), "e-6")
    assert exchange.post(again, body).status_code == 204
    assert len(exchange.calls()) == 1


def test_more_than_a_telephone_system_can_have_to_say_is_refused_for_a_minute(
    console: Console, exchange: Exchange
) -> None:
    console.ward.admin.execute(
        "INSERT INTO telephone_event SELECT %s, 'x-' || n, %s, %s FROM generate_series(1, %s) n",
        (exchange.system_id, console.clock(), console.clock(), EVENTS_A_MINUTE),
    )
    answer = exchange.tell("ringing")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    console.clock.forward(seconds=61)
    assert exchange.tell("ringing").status_code == 204


def test_the_open_page_of_whose_telephone_it_is_hears_of_it_and_of_nothing_else(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    with stream(nora) as events:
        until(events, "worklist")
        exchange.tell("ringing")
        assert until(events, "call").data == ""
    page = text(nora.get("/me/calls"))
    assert "Your telephone rings. Asta Example, or somebody of theirs · +45 20 12 34 56" in page
    assert console.sign_in("ben").get("/me/calls").status_code == 204
    exchange.tell("answered")
    assert "You are on the telephone." in nora.get("/me/calls").text
    exchange.tell("ended")
    assert "telephone." not in text(nora.get("/me/calls"))


def test_who_calls_is_shown_with_readings_and_cases_and_the_call_is_written_into_one(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    case_id = planted_case(console.ward)
    exchange.tell("ringing", number=DAUGHTER)
    [(call,)] = exchange.calls("telephone_call_id")
    page = text(nora.get(f"/callers/{call}"))
    assert "Incoming call · +45 20 99 88 77" in page
    assert "Dora Example, daughter" in page
    assert "Open cases" in page
    assert "Last readings" in page
    assert console.sign_in("eve").get(f"/callers/{call}").status_code == 404
    # Ben cares for the patient, too: the call is theirs by now, and he may see it.
    assert console.sign_in("ben").get(f"/callers/{call}").status_code == 200

    exchange.tell("answered")
    answer = nora.post(f"/callers/{call}/case", {"case_id": str(case_id)})
    assert answer.headers["location"] == f"/cases/{case_id}#calls"
    assert console.ward.rows("SELECT direction, number, ended_at FROM call") == [("in", DAUGHTER, None)]
    assert nora.post(f"/callers/{call}/case", {"case_id": str(case_id)}).status_code == 409
    assert exchange.calls("joined_by, said_by") == [("person", None)]


def test_several_patients_with_one_number_are_all_shown_and_none_is_guessed(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    ward = console.ward
    other = new_patient(ward.admin, "Bo Example")
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (other, nora.account_id))
    ward.admin.execute(
        "INSERT INTO emergency_card (patient_id, address, emergency_number, phones, set_by, set_at)"
        " VALUES (%s, 'a', '112', %s, %s, %s)",
        (other, [NUMBER], nora.account_id, console.clock()),
    )
    case_id = planted_case(ward, patient_id=other)
    exchange.tell("ringing")
    assert exchange.calls("patient_id, matching") == [(None, 2)]
    assert "2 patients of yours have this number" in text(nora.get("/me/calls"))
    [(call,)] = exchange.calls("telephone_call_id")
    page = text(nora.get(f"/callers/{call}"))
    assert "Several patients have this number." in page
    assert "Asta Example" in page
    assert "Bo Example" in page
    nora.post(f"/callers/{call}/case", {"case_id": str(case_id)})
    assert exchange.calls("patient_id, said_by") == [(other, nora.account_id)]


def test_a_number_of_others_patients_is_unknown_and_one_that_is_withheld_is_nobodys(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    eve = at_the_desk(console, exchange.system_id, "eve", "13")
    exchange.tell("ringing", extension="13")
    assert "No patient of yours has this number · +45 20 12 34 56" in text(eve.get("/me/calls"))
    [(call,)] = exchange.calls("telephone_call_id")
    page = text(eve.get(f"/callers/{call}"))
    assert "No patient of yours, and none of their contact persons, has this number." in page
    assert "Asta" not in page
    exchange.tell("ended", extension="13")

    exchange.tell("ringing", call="c-2", number=None, extension="13")
    assert "The number is withheld." in text(eve.get("/me/calls"))
    exchange.tell("ringing", call="c-3", number="anonymous", extension="13")
    assert exchange.calls("number, patient_id, matching")[1:] == [(None, None, 0)] * 2
    assert nora.get("/me/calls").status_code == 200
    assert "telephone." not in text(nora.get("/me/calls"))


def test_a_number_without_a_country_is_one_of_the_systems_region(exchange: Exchange, nora: Person) -> None:
    exchange.tell("ringing", number="20 12 34 56")
    assert exchange.calls("number, account_id") == [(NUMBER, nora.account_id)]


def test_whoever_answers_has_the_call_and_the_others_telephones_fall_silent(
    console: Console, exchange: Exchange, nora: Person
) -> None:
    ada = at_the_desk(console, exchange.system_id, "ada", "14")
    exchange.tell("ringing")
    exchange.tell("ringing", extension="14")
    for person in (nora, ada):
        assert "Your telephone rings." in person.get("/me/calls").text
    exchange.tell("answered", extension="14")
    assert "telephone." not in text(nora.get("/me/calls"))
    assert "You are on the telephone." in ada.get("/me/calls").text
    assert exchange.calls("account_id") == [(ada.account_id,)]


def test_events_out_of_order_come_to_the_same(console: Console, exchange: Exchange, nora: Person) -> None:
    del nora
    began = console.clock()
    console.clock.forward(seconds=60)
    for what, after in (("ended", 50), ("answered", 10), ("ringing", 0)):
        exchange.tell(what, time=began + timedelta(seconds=after))
    [(started, answered, ended)] = exchange.calls("started_at, answered_at, ended_at")
    assert [(at - began).total_seconds() for at in (started, answered, ended)] == [0, 10, 50]


def test_an_extension_is_one_persons_and_takes_no_letters(console: Console, exchange: Exchange, nora: Person) -> None:
    del nora
    ben = console.sign_in("ben")
    for typed, said in (("12", "somebody else’s here"), ("abc", "at most 20 digits"), ("", "at most 20 digits")):
        answer = ben.post("/me/telephone", {"system": str(exchange.system_id), "extension": typed})
        assert answer.status_code == 422
        assert said in text(answer)
    assert ben.post("/me/telephone", {"system": "x", "extension": "15"}).status_code == 422
    assert "Exchange webhook" in text(ben.get("/callers"))


@pytest.mark.parametrize("door", ["/telephone/{}/events", "/crm/inbound/{}", "/receipts/sms"])
def test_a_body_of_which_nobody_knows_how_long_it_is_is_not_read(console: Console, door: str) -> None:
    address = urlsplit(console.url)
    sender = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    sender.putrequest("POST", door.format(uuid4()))
    # The pieces count, whatever length is said beside them: nobody who has no secret fills our memory.
    sender.putheader("Content-Length", "5")
    sender.putheader("Transfer-Encoding", "chunked")
    sender.endheaders(b"5\r\nhello\r\n0\r\n\r\n")
    assert sender.getresponse().status == 413
    sender.close()
