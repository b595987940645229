"""A patient is told outside, once, by a way they agreed to, out of quiet hours: over a gateway with faults."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud.crm.reach import store
from cloud.crm.reach.models import What
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.made import NOW, Ward, new_patient


@pytest.fixture
def told(ward: Ward, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(ward, phone_gateway) as made:
        made.agree()
        yield made


def outcomes(told: Reaching) -> list[tuple[str, str]]:
    return told.ward.rows("SELECT channel, outcome FROM outside_attempt ORDER BY attempt_id")


def test_what_leaves_says_that_there_is_something_and_where_and_nothing_else(
    told: Reaching, phone_gateway: Gateway
) -> None:
    told.ward.admin.execute("UPDATE patient SET language = 'ru'")
    told.tell()
    told.look()
    [request] = phone_gateway.requests
    said = {"to": "+4520123456", "text": "Для вас есть сообщение: https://pulsepost.example/me"}
    assert json.loads(request.body) == said
    assert told.states() == [("visit", "sent", None)]
    assert outcomes(told) == [("sms", "sent")]


def test_nobody_is_told_twice_of_one_reason(told: Reaching, phone_gateway: Gateway) -> None:
    assert told.tell() is not None
    assert told.tell() is None
    told.look()
    assert told.tell() is None
    told.clock.forward(days=3)
    told.look()
    assert len(phone_gateway.pages) == 1


def test_a_try_that_was_lost_is_made_again_with_its_key(told: Reaching, phone_gateway: Gateway) -> None:
    phone_gateway.faults.append(Fault.DONE_AND_GONE)
    message_id = told.tell()
    assert message_id is not None
    told.look()
    told.clock.forward(minutes=1)
    told.look()
    # A process that died in the middle of a try: its row stands, and somebody looks after a while.
    told.ward.admin.execute("UPDATE outside_attempt SET outcome = 'sending', ended_at = NULL WHERE outcome = 'sent'")
    told.ward.admin.execute(
        "UPDATE outside_message SET state = 'waiting', ended_at = NULL, next_at = %s", (told.clock(),)
    )
    told.look()
    assert len(phone_gateway.requests) == 3
    assert len(phone_gateway.pages) == 1
    assert [outcome for _, outcome in outcomes(told)] == ["again", "lost", "sent"]


def test_nothing_leaves_for_somebody_who_has_died_and_nothing_automatic_for_whoever_has_left(
    told: Reaching, phone_gateway: Gateway
) -> None:
    ward = told.ward
    told.tell("advice:1", What.ADVICE)
    told.tell("appointment:1")
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
        " VALUES (%(p)s, %(at)s, %(at)s, %(at)s, %(by)s, 'moved')",
        {"p": ward.patient_id, "at": NOW, "by": ward.nurse_id},
    )
    told.look()
    assert told.states() == [("advice", "withdrawn", "needless"), ("visit", "sent", None)]
    ward.admin.execute("UPDATE participation SET end_reason = 'died'")
    told.tell("appointment:2")
    told.look()
    assert [state for _, state, _ in told.states()] == ["withdrawn", "sent", "withdrawn"]
    assert len(phone_gateway.pages) == 1


def test_in_quiet_hours_nothing_leaves_until_they_are_over(told: Reaching, phone_gateway: Gateway) -> None:
    told.clock.time = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)  # 23:30 in Copenhagen
    told.tell()
    told.look()
    assert phone_gateway.requests == []
    assert told.ward.rows("SELECT next_at FROM outside_message") == [(datetime(2026, 11, 22, 7, 0, tzinfo=UTC),)]
    told.ward.admin.execute("UPDATE patient SET time_zone = 'Asia/Shanghai'")  # they travel: it is 15:00 there
    told.clock.time = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    told.look()
    assert len(phone_gateway.pages) == 1


def test_without_consent_it_stands_on_the_page_alone_and_without_a_page_it_has_failed(
    told: Reaching, phone_gateway: Gateway
) -> None:
    told.agree(decision="withdrawn")
    told.tell("test:1")
    told.look()
    assert told.states() == [("visit", "failed", "no_way")]
    told.ward.admin.execute(
        "INSERT INTO account (login, display_name, role, password_hash, patient_id)"
        " VALUES ('p-1', 'Asta', 'patient', '-', %s)",
        (told.ward.patient_id,),
    )
    told.tell("test:2")
    told.look()
    assert told.states()[1] == ("visit", "page", "no_way")
    assert phone_gateway.requests == []


def test_a_way_that_refuses_gives_way_to_the_next_and_all_of_it_is_written_down(
    told: Reaching, phone_gateway: Gateway
) -> None:
    told.agree("webhook", "asta@chat")
    phone_gateway.faults.append(Fault.REFUSED)
    told.tell()
    told.look()
    assert outcomes(told) == [("sms", "never"), ("webhook", "sent")]
    phone_gateway.faults.extend([Fault.REFUSED, Fault.REFUSED])
    told.tell("test:2")
    told.look()
    assert told.states() == [("visit", "sent", None), ("visit", "failed", "refused")]


def test_one_that_is_broken_is_tried_less_and_less_often(told: Reaching, phone_gateway: Gateway) -> None:
    never_quiet = "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
    told.ward.admin.execute(
        f"{never_quiet} VALUES (%s, '03:00', '03:00', 'en', %s, %s)",
        (told.ward.patient_id, told.ward.nurse_id, NOW),
    )
    phone_gateway.faults.extend([Fault.BROKEN] * 15)
    told.tell()
    waits = []
    while told.states() == [("visit", "waiting", None)]:
        told.look()
        for (next_at,) in told.ward.rows("SELECT next_at FROM outside_message WHERE next_at IS NOT NULL"):
            waits.append((next_at - told.clock()) // timedelta(minutes=1))
            told.clock.time = next_at
    assert waits == [1, 2, 4, 8, 16, 32, *[60] * 9]
    assert told.states() == [("visit", "sent", None)]

    phone_gateway.faults.extend([Fault.BROKEN] * 16)
    told.tell("test:2")
    for _ in range(16):
        told.look()
        told.clock.forward(hours=1)
    assert told.states()[1] == ("visit", "failed", "refused")


def test_a_way_that_stays_broken_gives_way_to_the_next(told: Reaching, phone_gateway: Gateway) -> None:
    told.agree("webhook", "asta@chat")
    phone_gateway.faults.extend([Fault.BROKEN] * 5)
    told.tell()
    for _ in range(5):
        told.look()
        told.clock.forward(minutes=8)
    assert outcomes(told) == [("sms", "again")] * 5 + [("webhook", "sent")]


def test_what_is_of_no_use_any_more_is_called_off(told: Reaching, phone_gateway: Gateway) -> None:
    store.tell(told.jobs, told.ward.patient_id, What.VISIT, "visit:1", NOW, until=NOW + timedelta(minutes=5))
    told.clock.forward(minutes=5)
    told.look()
    assert told.states() == [("visit", "withdrawn", "too_late")]
    assert phone_gateway.requests == []


def test_a_message_of_the_care_team_tells_the_patient_unless_they_have_read_it(
    told: Reaching, phone_gateway: Gateway
) -> None:
    admin, written = told.ward.admin, []
    for read_at in (None, NOW):
        written.append(uuid4())
        admin.execute(
            "INSERT INTO patient_message (message_id, patient_id, from_patient, written_by, written_at, body, read_at,"
            " read_by) VALUES (%s, %s, false, %s, %s, 'b', %s, %s)",
            (written[-1], told.ward.patient_id, told.ward.nurse_id, NOW, read_at,
             told.ward.nurse_id if read_at else None),
        )  # fmt: skip
    told.look()
    assert sorted(told.states()) == [("message", "sent", None), ("message", "withdrawn", "needless")]
    assert phone_gateway.requests[0].body.decode().endswith('/me/messages"}')
    waiting = told.ward.rows("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'deliver_outside'")
    assert waiting == [(2,)]


def test_of_a_training_patient_nobody_is_told(told: Reaching, phone_gateway: Gateway) -> None:
    made = new_patient(told.ward.admin, "Somebody")
    told.ward.admin.execute(
        "INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING One', 'UTC', true)"
    )
    [(training,)] = told.ward.rows("SELECT patient_id FROM patient WHERE training")
    told.ward.admin.execute("UPDATE patient_channel SET patient_id = %s", (training,))
    told.ward.admin.execute("UPDATE channel_consent SET patient_id = %s", (training,))
    for patient_id in (made, training):
        store.tell(told.jobs, patient_id, What.VISIT, "v", NOW)
    told.look()
    assert [state for _, state, _ in told.states()] == ["failed", "failed"]
    assert phone_gateway.requests == []


def test_a_clinics_own_words_leave_in_its_language_with_the_link_and_no_other_field(
    told: Reaching, phone_gateway: Gateway
) -> None:
    told.ward.admin.execute(
        "INSERT INTO outside_text (language, subject, body, set_by, set_at)"
        " VALUES ('en', 'News', 'The clinic has news for you {link} {name}', %(who)s, %(at)s),"
        " ('ru', 'x', 'x {link}', %(who)s, %(at)s)",
        {"who": told.ward.nurse_id, "at": NOW},
    )
    told.tell()
    told.look()
    [request] = phone_gateway.requests
    assert json.loads(request.body)["text"] == "The clinic has news for you https://pulsepost.example/me {name}"
