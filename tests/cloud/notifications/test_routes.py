"""How I am reached, what I was paged with, and receipts: over HTTP, as people and gateways come."""

import base64
import json
from uuid import UUID

import httpx
import pytest

from cloud.db.connect import one, open_connection
from cloud.notifications.channels.signing import key_of, signed
from cloud.notifications.models import ChannelName, Route
from cloud.notifications.service import notify as notify_of_case
from cloud.notifications.service import notify_of_gap
from cloud.notify_config import HttpSettings, NotifySettings, SmtpSettings
from tests.cloud.notifications.made import new_address, new_case
from tests.fix_console import Console, Person

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
KEY = key_of(SECRET)


@pytest.fixture
def notify() -> NotifySettings:
    """SMS with receipts, and e-mail."""
    return NotifySettings(
        base_url="https://pulsepost.example",
        sms=HttpSettings(url="https://sms.example/", receipt_secret=SECRET),
        smtp=SmtpSettings(host="mail.example", port=587, security="starttls", sender="pulsepost@clinic.example"),
    )


def add(person: Person, channel: str, address: str) -> httpx.Response:
    return person.post("/me/addresses", {"channel": channel, "address": address})


def kept(console: Console) -> list[tuple[str, str, bool]]:
    rows = console.ward.admin.execute(
        "SELECT channel, address, verified_at IS NOT NULL FROM staff_address WHERE removed_at IS NULL ORDER BY position"
    )
    return [(channel, address, verified) for channel, address, verified in rows]


def code_of(console: Console, address: str) -> tuple[UUID, str]:
    """What the test page carries."""
    row = console.ward.admin.execute(
        "SELECT address_id, code FROM staff_address WHERE address = %s AND removed_at IS NULL", (address,)
    ).fetchone()
    address_id, code = one(row)
    return address_id, code


def page_of(console: Console, login: str = "nora", tier: str = "urgent") -> tuple[UUID, UUID]:
    """Somebody is paged: (notification, case)."""
    case_id = new_case(console.ward, tier=tier)
    with open_connection(console.ward.database.jobs_url, "test jobs") as jobs:
        made = notify_of_case(
            jobs, case_id=case_id, round=1, step=0, account_id=console.accounts[login], at=console.clock()
        )
    assert made is not None
    return made, case_id


def told_at_the_console(console: Console, notification_id: UUID) -> None:
    """What the delivery writes when it tells open pages."""
    console.ward.admin.execute(
        """INSERT INTO notification_attempt (notification_id, channel, idempotency_key, began_at, ended_at, outcome)
           VALUES (%s, 'console', gen_random_uuid(), now(), now(), 'sent')""",
        (notification_id,),
    )


def state(console: Console, notification_id: UUID) -> tuple[str, str | None]:
    row = console.ward.admin.execute(
        "SELECT state, confirmed_by FROM notification WHERE notification_id = %s", (notification_id,)
    ).fetchone()
    found, by = one(row)
    return found, by


def test_an_address_counts_once_its_test_page_came_back(console: Console) -> None:
    nora = console.sign_in("nora")
    assert add(nora, "sms", " +45 20 12 34 56 ").status_code == 303
    assert kept(console) == [("sms", "+4520123456", False)]
    tests = console.ward.rows("SELECT subject FROM notification")
    jobs = console.ward.rows("SELECT task_name FROM procrastinate_jobs")
    assert (tests, jobs) == ([("test",)], [("deliver_notification",)])

    address_id, code = code_of(console, "+4520123456")
    wrong = "000000" if code != "000000" else "000001"
    assert nora.post(f"/me/addresses/{address_id}/code", {"code": wrong}).status_code == 422
    assert kept(console) == [("sms", "+4520123456", False)]

    assert nora.post(f"/me/addresses/{address_id}/code", {"code": f" {code}"}).status_code == 303
    assert kept(console) == [("sms", "+4520123456", True)]
    assert console.ward.rows("SELECT state, confirmed_by FROM notification") == [("confirmed", "code")]


def test_a_code_does_not_count_for_ever_and_may_not_be_guessed(console: Console) -> None:
    nora = console.sign_in("nora")
    add(nora, "sms", "+4520123456")
    address_id, code = code_of(console, "+4520123456")
    path = f"/me/addresses/{address_id}"
    assert nora.post(f"{path}/test").status_code == 422  # one is under way

    wrong = "000000" if code != "000000" else "000001"
    for _ in range(5):
        nora.post(f"{path}/code", {"code": wrong})
    assert nora.post(f"{path}/code", {"code": code}).status_code == 422

    console.clock.forward(minutes=10)
    assert nora.post(f"{path}/code", {"code": code}).status_code == 422
    assert nora.post(f"{path}/test").status_code == 303
    _, newer = code_of(console, "+4520123456")
    assert nora.post(f"{path}/code", {"code": newer}).status_code == 303


def test_nobody_guesses_on_by_removing_the_address_and_adding_it_again(console: Console) -> None:
    nora = console.sign_in("nora")
    for _ in range(6):
        assert add(nora, "sms", "+4520123456").status_code == 303
        address_id, _ = code_of(console, "+4520123456")
        nora.post(f"/me/addresses/{address_id}/remove")

    answer = add(nora, "sms", "+4520123456")

    assert answer.status_code == 422
    assert "Try again tomorrow" in answer.text
    assert kept(console) == []
    assert len(console.ward.rows("SELECT FROM notification")) == 6
    # Nor does a colleague go on with the same telephone; their own is their own.
    ben = console.sign_in("ben")
    assert add(ben, "sms", "+4520123456").status_code == 422
    assert add(ben, "sms", "+4520123457").status_code == 303
    console.clock.forward(hours=24)
    assert add(console.sign_in("nora"), "sms", "+4520123456").status_code == 303


def test_nobody_has_one_telephone_after_another_ring(console: Console) -> None:
    nora = console.sign_in("nora")
    for number in range(12):
        assert add(nora, "sms", f"+45201234{number:02}").status_code == 303
        address_id, _ = code_of(console, f"+45201234{number:02}")
        nora.post(f"/me/addresses/{address_id}/remove")
    assert add(nora, "sms", "+4520123499").status_code == 422


@pytest.mark.parametrize(
    ("channel", "address", "says"),
    [
        ("sms", "20 12 34 56", "country code"),
        ("sms", "+45 1", "country code"),
        ("sms", "+4520123456; DROP TABLE", "country code"),
        ("email", "nora", "no e-mail address"),
        ("email", "nora@clinic.example\r\nBcc: x@y.example", "no e-mail address"),
        ("email", f"{'n' * 65}@clinic.example", "no e-mail address"),
        ("voice", "+4520123456", "not offered"),
        ("console", "x", "not offered"),
        ("pigeon", "x", "not offered"),
    ],
)
def test_what_is_no_address_is_refused_in_words_and_kept_in_the_form(
    console: Console, channel: str, address: str, says: str
) -> None:
    answer = add(console.sign_in("nora"), channel, address)

    assert answer.status_code == 422
    assert says in answer.text
    assert kept(console) == []


def test_addresses_have_an_order_an_end_and_a_limit(console: Console) -> None:
    nora = console.sign_in("nora")
    for number in range(6):
        assert add(nora, "email", f"nora{number}@clinic.example").status_code == 303
    assert add(nora, "email", "nora5@clinic.example").status_code == 303  # the same again
    assert "Remove one first" in add(nora, "email", "nora6@clinic.example").text
    last, _ = code_of(console, "nora5@clinic.example")

    assert nora.post(f"/me/addresses/{last}/first").status_code == 303
    assert kept(console)[0][1] == "nora5@clinic.example"
    assert nora.post(f"/me/addresses/{last}/remove").status_code == 303
    assert nora.post(f"/me/addresses/{last}/remove").status_code == 404
    assert [address for _, address, _ in kept(console)] == [f"nora{n}@clinic.example" for n in range(5)]
    assert "nora0@" not in json.dumps(console.ward.rows("SELECT subject, detail FROM audit"))


def test_nobody_sees_or_touches_anothers_address(console: Console) -> None:
    add(console.sign_in("nora"), "sms", "+4520123456")
    address_id, code = code_of(console, "+4520123456")
    ben = console.sign_in("ben")

    assert "+4520123456" not in ben.get("/me/reached").text
    assert ben.post(f"/me/addresses/{address_id}/code", {"code": code}).status_code == 422
    for act in ("first", "remove"):
        assert ben.post(f"/me/addresses/{address_id}/{act}").status_code == 404
    assert kept(console) == [("sms", "+4520123456", False)]
    assert console.sign_in("asta").get("/me/reached").status_code == 404


def test_an_open_page_fetches_what_its_person_was_paged_with_and_that_confirms_it(console: Console) -> None:
    page, case_id = page_of(console, tier="emergency")
    ben, nora = console.sign_in("ben"), console.sign_in("nora")

    assert ben.post("/me/pages").text.strip() == ""
    assert state(console, page) == ("waiting", None)

    shown = nora.post("/me/pages").text
    assert f"/cases/{case_id}" in shown
    assert 'data-tier="emergency"' in shown
    assert "Asta" not in shown
    assert state(console, page) == ("waiting", None)  # the delivery comes to the console behind her telephone
    told_at_the_console(console, page)
    nora.post("/me/pages")
    assert state(console, page) == ("confirmed", "console")
    assert shown == nora.post("/me/pages").text  # as long as the case waits

    assert ben.post(f"/cases/{case_id}/acknowledge").status_code == 200
    assert nora.post("/me/pages").text.strip() == ""


def test_a_gap_in_the_roster_is_shown_until_somebody_has_seen_to_it(console: Console) -> None:
    admin = console.ward.admin
    admin.execute(
        "INSERT INTO duty_gap (role, why, opened_at) VALUES ('doctor', 'nobody_on_duty', %s)", (console.clock(),)
    )
    with open_connection(console.ward.database.jobs_url, "test jobs") as jobs:
        gap = "doctor:2026-11-21T12:00Z"
        made = notify_of_gap(jobs, gap=gap, account_id=console.accounts["nora"], at=console.clock())
    assert made is not None
    told_at_the_console(console, made)
    nora = console.sign_in("nora")

    for _ in range(2):
        assert "Nobody is on duty." in nora.post("/me/pages").text
    assert state(console, made) == ("confirmed", "console")
    admin.execute("UPDATE duty_gap SET resolved_at = %s, next_at = NULL", (console.clock(),))
    assert nora.post("/me/pages").text.strip() == ""


def test_an_acknowledgement_calls_off_what_others_were_to_get(console: Console) -> None:
    page, case_id = page_of(console)
    console.sign_in("ben").post(f"/cases/{case_id}/acknowledge")

    assert state(console, page) == ("withdrawn", None)


def test_the_page_of_a_case_says_who_was_told_and_whether_it_arrived(console: Console) -> None:
    page, case_id = page_of(console)
    told_at_the_console(console, page)
    nora = console.sign_in("nora")
    nora.post("/me/pages")
    new_address(console.ward, ChannelName.SMS, "+4520123456", account_id=console.accounts["nora"])

    shown = nora.get(f"/cases/{case_id}").text

    assert "Who was told" in shown
    assert "seen by an open page" in shown
    assert "+4520123456" not in shown


def sent_by_sms(console: Console) -> tuple[UUID, str]:
    """A page that an SMS gateway has taken as msg-1: (notification, our key)."""
    page, _ = page_of(console)
    address_id = new_address(console.ward, ChannelName.SMS, "+4520123456", account_id=console.accounts["nora"])
    key = Route(channel=ChannelName.SMS, address_id=address_id, address="+4520123456").key(page)
    console.ward.admin.execute(
        """INSERT INTO notification_attempt (notification_id, channel, address_id, idempotency_key, began_at, ended_at,
                                             outcome, provider_id)
           VALUES (%s, 'sms', %s, %s, now(), now(), 'sent', 'msg-1')""",
        (page, address_id, key),
    )
    return page, str(key)


def report(console: Console, body: bytes, *, channel: str = "sms", key: bytes = KEY) -> int:
    """A gateway's receipt: no cookie, no origin."""
    headers = signed(key, "receipt-1", console.clock(), body)
    return httpx.post(f"{console.url}/receipts/{channel}", content=body, headers=headers).status_code


@pytest.mark.parametrize("by_key", [False, True])
def test_a_receipt_confirms_whether_it_names_the_gateways_id_or_our_key(console: Console, by_key: bool) -> None:
    page, key = sent_by_sms(console)
    body = json.dumps({"id": key if by_key else "msg-1", "status": "delivered"}).encode()

    assert report(console, body) == 204
    assert state(console, page) == ("confirmed", "receipt")
    assert report(console, body) == 404  # twice: there is nothing that waits for it


def test_a_receipt_that_says_no_brings_the_next_way(console: Console) -> None:
    page, _ = sent_by_sms(console)

    assert report(console, b'{"id": "msg-1", "status": "failed"}') == 204
    assert state(console, page) == ("waiting", None)
    assert console.ward.rows("SELECT outcome FROM notification_attempt") == [("undelivered",)]


def test_a_receipt_of_whom_we_do_not_know_changes_nothing(console: Console) -> None:
    page, _ = sent_by_sms(console)
    body = b'{"id": "msg-1", "status": "delivered"}'

    assert report(console, body, key=key_of(base64.b64encode(bytes(32)).decode())) == 403
    assert report(console, body, channel="voice") == 403
    assert report(console, b'{"id": "msg-2", "status": "delivered"}') == 404
    assert report(console, b'{"id": "msg-1", "status": "perhaps"}') == 404
    assert report(console, b"not json") == 404
    assert report(console, b'{"id": "\\u0000", "status": "delivered"}') == 404
    assert report(console, b'{"id": "\\ud800", "status": "delivered"}') == 404
    assert report(console, b'{"id": ' + b"[" * 10_000) == 404
    assert report(console, b"x" * 20_000) == 413
    assert state(console, page) == ("waiting", None)
