"""Whoever owns a follow-up hears that it is due: once a day, at work, and nothing of whom or what."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from cloud.crm.followups.judging import tell_owners
from cloud.notifications.channels.offered import offered
from cloud.notifications.models import ChannelName
from cloud.notify_config import HttpSettings, NotifySettings
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.escalation.made import join_team
from tests.cloud.made import Ward
from tests.cloud.notifications.made import Moment, Telling, new_address, telling

MONDAY_AT_NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def told(ward: Ward, phone_gateway: Gateway) -> Iterator[Telling]:
    """A nurse with a telephone, and a voice before it."""
    http = HttpSettings(url=phone_gateway.url)
    settings = NotifySettings(base_url="https://pulsepost.example", sms=http, voice=http)
    ward.admin.execute("UPDATE duty_site SET time_zone = 'UTC'")
    join_team(ward.admin, ward.patient_id, ward.nurse_id)
    with telling(ward, offered(settings, Moment()), settings) as made:
        made.clock.time = MONDAY_AT_NINE
        yield made


def due(ward: Ward, day: str = "2026-11-23", *, what: str = "call", owner: UUID | None = None) -> UUID:
    [(follow_up_id,)] = ward.admin.execute(
        "INSERT INTO follow_up (patient_id, what, due_on, owner, made_by, made_at, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'Quillfeather') RETURNING follow_up_id",
        (ward.patient_id, what, day, owner or ward.nurse_id, ward.nurse_id, MONDAY_AT_NINE),
    )
    found: UUID = follow_up_id
    return found


def notifications(ward: Ward) -> list[tuple[date, str, str | None]]:
    return ward.rows("SELECT day, state, confirmed_by FROM notification WHERE subject = 'follow_up' ORDER BY day")


def deliver(told: Telling) -> None:
    for (notification_id,) in told.ward.rows("SELECT notification_id FROM notification WHERE subject = 'follow_up'"):
        told.delivery.look(notification_id)


def test_the_owner_hears_once_a_day_by_a_way_that_rings_nobody_up_and_nothing_of_whom(
    told: Telling, phone_gateway: Gateway
) -> None:
    ward = told.ward
    new_address(ward, ChannelName.VOICE, "+4520000001")
    new_address(ward, ChannelName.SMS, "+4520000002")
    first, second = due(ward), due(ward, "2026-11-20", what="check")
    due(ward, "2026-11-24")
    assert tell_owners(told.jobs, MONDAY_AT_NINE) == 1
    assert tell_owners(told.jobs, MONDAY_AT_NINE) == 0
    deliver(told)
    deliver(told)
    [message] = phone_gateway.pages.values()
    said = message.body.decode()
    assert "+4520000002" in said
    assert "https://pulsepost.example/follow-ups" in said
    assert "Quillfeather" not in said
    assert str(ward.patient_id) not in said
    assert notifications(ward) == [(date(2026, 11, 23), "confirmed", "taken")]
    told_of = {i for (i,) in ward.rows("SELECT follow_up_id FROM follow_up WHERE owner_told_at IS NOT NULL")}
    assert told_of == {first, second}
    due(ward, what="check")  # somebody adds one at noon: of it they hear tomorrow
    told.clock.forward(hours=3)
    assert tell_owners(told.jobs, told.clock()) == 0
    told.clock.forward(hours=21)
    assert tell_owners(told.jobs, told.clock()) == 1
    assert tell_owners(told.jobs, told.clock()) == 0


def test_nobody_hears_of_it_at_night_on_a_day_off_or_of_what_is_done_or_not_theirs(told: Telling) -> None:
    ward = told.ward
    new_address(ward, ChannelName.SMS, "+4520000002")
    done, out = due(ward), due(ward, what="check")
    ward.admin.execute("UPDATE follow_up SET state = 'done', ended_at = now() WHERE follow_up_id = %s", (done,))
    for at in ("2026-11-23T07:59Z", "2026-11-23T18:00Z", "2026-11-28T10:00Z"):
        assert tell_owners(told.jobs, datetime.fromisoformat(at)) == 0
    ward.admin.execute("UPDATE care_team SET until = now() WHERE account_id = %s", (ward.nurse_id,))
    assert tell_owners(told.jobs, MONDAY_AT_NINE) == 0
    ward.admin.execute("UPDATE care_team SET until = NULL")
    ward.admin.execute("UPDATE follow_up SET owner = NULL WHERE follow_up_id = %s", (out,))
    assert tell_owners(told.jobs, MONDAY_AT_NINE) == 0
    assert notifications(ward) == []


def test_the_day_is_the_patients_and_a_refusal_is_the_end_of_it(told: Telling, phone_gateway: Gateway) -> None:
    ward = told.ward
    new_address(ward, ChannelName.SMS, "+4520000002")
    ward.admin.execute("UPDATE patient SET time_zone = 'Pacific/Kiritimati'")
    due(ward, "2026-11-24")
    assert tell_owners(told.jobs, MONDAY_AT_NINE) == 0  # there it is 23:00
    assert tell_owners(told.jobs, MONDAY_AT_NINE.replace(hour=10)) == 1  # and now it is the 24th
    phone_gateway.faults.extend([Fault.REFUSED])
    for _ in range(5):
        deliver(told)
        told.clock.forward(minutes=1)
    assert [state for _, state, _ in notifications(ward)] == ["failed"]
    assert ward.count("case_event") == 0
