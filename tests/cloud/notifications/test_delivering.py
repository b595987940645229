"""A page is told, retried, falls to the next way, and ends: against gateways with faults, over a real database."""

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from cloud.db.connect import open_connection
from cloud.notifications.channels import post
from cloud.notifications.channels.gateway import Gateway as GatewayChannel
from cloud.notifications.channels.port import Channel
from cloud.notifications.channels.post import Poster
from cloud.notifications.models import ChannelName
from cloud.notifications.service import notify, notify_of_gap
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.made import Ward, new_nurse, wait_for_a_lock
from tests.cloud.notifications.made import Telling, acknowledge, new_address, telling

PATIENCE_S = 20
TLS = ssl.create_default_context()
SHAPE = '{"to": "{to}", "text": "{text}", "channel": "sms"}'


def sms(gateway: Gateway, *, answer_confirms: bool = False) -> Channel:
    return GatewayChannel(poster=Poster(gateway.url, TLS), shape=SHAPE, answer_confirms=answer_confirms)


@pytest.fixture
def told(ward: Ward, phone_gateway: Gateway) -> Iterator[Telling]:
    """A nurse with a telephone, reached by SMS and then by voice through one provider."""
    channels = {ChannelName.SMS: sms(phone_gateway), ChannelName.VOICE: sms(phone_gateway)}
    with telling(ward, channels) as made:
        new_address(ward, ChannelName.SMS, "+4520123456")
        new_address(ward, ChannelName.VOICE, "+4520123456")
        yield made


def test_a_person_is_told_once_for_each_round_and_step(told: Telling) -> None:
    ids = {"case_id": told.case_id, "account_id": told.ward.nurse_id, "at": told.clock()}

    assert notify(told.jobs, round=1, step=0, **ids) is not None  # type: ignore[arg-type]
    assert notify(told.jobs, round=1, step=0, **ids) is None  # type: ignore[arg-type]
    assert notify(told.jobs, round=1, step=1, **ids) is not None  # type: ignore[arg-type]
    assert notify(told.jobs, round=2, step=0, **ids) is not None  # type: ignore[arg-type]
    names = told.ward.rows("SELECT queueing_lock FROM procrastinate_jobs WHERE task_name = 'deliver_notification'")
    assert len(set(names)) == 3


def test_a_page_says_how_urgent_and_since_when_and_not_who(told: Telling, phone_gateway: Gateway) -> None:
    told.ward.admin.execute("UPDATE duty_site SET time_zone = 'Europe/Copenhagen'")
    page = told.page()
    told.delivery.look(page)

    [request] = phone_gateway.requests
    assert request.body.decode() == (
        '{"to": "+4520123456", "text": "Pulsepost: a case of tier urgent waits, since 13:00 (Europe/Copenhagen).'
        f' https://pulsepost.example/cases/{told.case_id}", "channel": "sms"}}'
    )
    assert told.outcomes(page) == [("sms", "sent"), ("console", "sent")]
    assert told.state(page) == ("sent", None)


def test_an_unconfirmed_page_goes_the_next_way_and_fails_and_the_case_goes_on(
    told: Telling, phone_gateway: Gateway
) -> None:
    page = told.page()
    told.delivery.look(page)
    told.clock.forward(seconds=60)
    told.delivery.look(page)
    assert told.outcomes(page)[-1] == ("voice", "sent")
    assert len(phone_gateway.pages) == 2  # a call is another page, with another key

    told.clock.forward(seconds=120)
    told.delivery.look(page)

    assert told.state(page) == ("failed", None)
    assert told.ward.rows("SELECT next_at FROM alert_case") == [(told.clock(),)]
    looks = told.ward.rows("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'look_at_case'")
    assert looks == [(told.clock(),)]


def test_an_answer_that_confirms_ends_it(ward: Ward, phone_gateway: Gateway) -> None:
    with telling(ward, {ChannelName.SMS: sms(phone_gateway, answer_confirms=True)}) as told:
        new_address(ward, ChannelName.SMS, "+4520123456")
        page = told.page()
        told.delivery.look(page)

        assert told.state(page) == ("confirmed", "answer")
        told.clock.forward(minutes=10)
        told.delivery.look(page)
        assert len(phone_gateway.requests) == 1


def test_a_refusal_for_now_is_tried_again_with_the_same_key(told: Telling, phone_gateway: Gateway) -> None:
    phone_gateway.faults.extend([Fault.BROKEN, Fault.DONE_AND_GONE])
    page = told.page()
    for _ in range(3):
        told.delivery.look(page)
        told.clock.forward(seconds=16)

    assert told.outcomes(page) == [("sms", "again"), ("console", "sent"), ("sms", "again"), ("sms", "sent")]
    assert len({request.key for request in phone_gateway.requests}) == 1
    assert len(phone_gateway.pages) == 1


def test_a_refusal_for_good_falls_to_the_next_way_at_once(told: Telling, phone_gateway: Gateway) -> None:
    phone_gateway.faults.append(Fault.REFUSED)
    page = told.page()
    told.delivery.look(page)

    assert told.outcomes(page) == [("sms", "never"), ("console", "sent"), ("voice", "sent")]


def test_nobody_is_paged_at_an_address_that_is_not_verified_or_was_removed(
    told: Telling, phone_gateway: Gateway
) -> None:
    told.ward.admin.execute("UPDATE staff_address SET verified_at = NULL WHERE channel = 'sms'")
    told.ward.admin.execute("UPDATE staff_address SET removed_at = now() WHERE channel = 'voice'")
    page = told.page()
    told.delivery.look(page)

    assert told.outcomes(page) == [("console", "sent")]
    assert phone_gateway.requests == []


def test_nothing_leaves_after_an_acknowledgement(told: Telling, phone_gateway: Gateway) -> None:
    other = new_nurse(told.ward.admin, "other")
    page, others = told.page(), told.page(other)
    told.delivery.look(page)
    told.acknowledge()

    for each in (page, others):
        told.delivery.look(each)
        told.clock.forward(minutes=5)
        told.delivery.look(each)

    assert told.state(page) == ("confirmed", "acknowledged")
    assert told.state(others) == ("withdrawn", None)
    assert len(phone_gateway.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alert_case SET round = 2",
        "UPDATE alert_case SET state = 'resolved', next_at = NULL",
    ],
)
def test_a_page_of_an_earlier_round_or_of_a_closed_case_is_withdrawn(
    told: Telling, phone_gateway: Gateway, change: str
) -> None:
    page = told.page()
    told.ward.admin.execute(change.encode())
    told.delivery.look(page)

    assert told.state(page) == ("withdrawn", None)
    assert phone_gateway.requests == []


def test_nothing_leaves_while_the_case_is_silenced(told: Telling, phone_gateway: Gateway) -> None:
    page = told.page()
    told.ward.admin.execute(
        "UPDATE alert_case SET silenced_until = %s, silenced_by = %s, silenced_why = 'called' WHERE case_id = %s",
        (told.clock() + timedelta(minutes=15), told.ward.nurse_id, told.case_id),
    )
    told.delivery.look(page)
    assert phone_gateway.requests == []
    assert told.state(page) == ("withdrawn", None)


def test_an_acknowledgement_waits_for_what_is_just_leaving_and_calls_off_what_is_not(
    told: Telling, phone_gateway: Gateway
) -> None:
    other = new_nurse(told.ward.admin, "other")
    new_address(told.ward, ChannelName.SMS, "+4520123457", account_id=other)
    page, others = told.page(), told.page(other)
    phone_gateway.held.clear()
    sending = threading.Thread(target=told.delivery.look, args=(page,))
    sending.start()
    assert phone_gateway.arrived.wait(PATIENCE_S)
    nurse = open_connection(told.ward.database.admin_url, "nurse", autocommit=True)
    taking = threading.Thread(target=acknowledge, args=(nurse, told.case_id, told.ward.nurse_id, told.clock()))
    taking.start()
    try:
        wait_for_a_lock(told.ward)
        told.delivery.look(others)  # while somebody waits to take the case, nothing more begins to leave
        assert told.ward.rows("SELECT state FROM alert_case") == [("raised",)]
        assert len(phone_gateway.requests) == 1
    finally:
        phone_gateway.held.set()
        sending.join(PATIENCE_S)
        taking.join(PATIENCE_S)
        nurse.close()

    told.clock.forward(seconds=30)
    told.delivery.look(others)
    assert told.ward.rows("SELECT state FROM alert_case") == [("acknowledged",)]
    assert told.state(page) == ("confirmed", "acknowledged")
    assert told.state(others) == ("withdrawn", None)
    assert len(phone_gateway.requests) == 1


def test_an_acknowledgement_waits_no_longer_than_one_send_may_take(
    told: Telling, phone_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SEND_WITHIN_S", 0.5)
    phone_gateway.faults.append(Fault.SILENT)
    page = told.page()
    sending = threading.Thread(target=told.delivery.look, args=(page,))
    sending.start()
    assert phone_gateway.arrived.wait(PATIENCE_S)

    told.acknowledge()  # without anybody letting the gateway go

    sending.join(PATIENCE_S)
    [first, *begun_before_it_was_committed] = told.outcomes(page)
    assert first == ("sms", "again")
    assert {outcome for _, outcome in begun_before_it_was_committed} <= {"again", "lost", "withdrawn"}
    assert len(phone_gateway.requests) == 1
    assert told.state(page) == ("withdrawn", None)


def test_two_processes_look_at_one_notification_one_at_a_time(told: Telling, phone_gateway: Gateway) -> None:
    phone_gateway.held.clear()
    page = told.page()
    sending = threading.Thread(target=told.delivery.look, args=(page,))
    sending.start()
    assert phone_gateway.arrived.wait(PATIENCE_S)
    try:
        told.delivery.look(page)  # sees that somebody is at it, and leaves it alone
        assert len(phone_gateway.requests) == 1
    finally:
        phone_gateway.held.set()
        sending.join(PATIENCE_S)

    assert told.outcomes(page) == [("sms", "sent"), ("console", "sent")]


def test_a_try_that_a_dead_process_began_is_made_again_with_its_key(told: Telling, phone_gateway: Gateway) -> None:
    page = told.page()
    told.delivery.look(page)
    told.ward.admin.execute(
        "UPDATE notification_attempt SET outcome = 'sending', ended_at = NULL WHERE channel = 'sms'"
    )
    told.delivery.look(page)

    assert told.outcomes(page) == [("sms", "lost"), ("console", "sent"), ("sms", "sent")]
    assert len(phone_gateway.requests) == 2
    assert len(phone_gateway.pages) == 1


def test_a_try_that_a_dead_process_began_is_over_once_somebody_has_taken_the_case(told: Telling) -> None:
    page = told.page()
    told.ward.admin.execute(
        """INSERT INTO notification_attempt (notification_id, channel, idempotency_key, began_at)
           VALUES (%s, 'sms', %s, %s)""",
        (page, uuid4(), told.clock()),
    )
    told.acknowledge()
    assert told.outcomes(page) == [("sms", "lost")]


def test_somebody_is_told_of_a_gap_in_the_roster(told: Telling, phone_gateway: Gateway) -> None:
    told.ward.admin.execute("UPDATE account SET language = 'ru'")
    gap = {"gap": "nurse:2026-11-22T03:00Z", "account_id": told.ward.nurse_id, "at": told.clock()}
    page = notify_of_gap(told.jobs, **gap)  # type: ignore[arg-type]
    assert page is not None
    assert notify_of_gap(told.jobs, **gap) is None  # type: ignore[arg-type]
    told.delivery.look(page)

    [request] = phone_gateway.requests
    assert "с 03:00 (UTC) некого оповестить, роль: медсестра" in json.loads(request.body)["text"]


def test_what_does_not_exist_is_no_error(told: Telling) -> None:
    told.delivery.look(uuid4())
