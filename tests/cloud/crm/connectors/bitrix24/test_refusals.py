"""What each of their errors means: try later, a person has to act, never, or nobody knows."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from cloud.console.texts import CRM_WHYS
from cloud.crm.connectors.bitrix24.rest import BLOCKED_FOR, FOR_A_PERSON, NO_PORTAL, SETTLES_AFTER, WEBHOOK_REFUSED
from cloud.crm.port import Ambiguous, CrmError, NotYet, Paced, Refused, Shut, TryLater, Unreachable
from deploy.bitrix24.faults import Fault
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.made import connector_to, contact, first, todo
from tests.fix_bitrix24 import SimulatedClock


def _raised(doing: Callable[[], object]) -> CrmError:
    with pytest.raises(CrmError) as caught:
        doing()
    return caught.value


@pytest.mark.parametrize(
    "fault",
    [
        Fault.BROKEN,
        Fault.DONE_AND_BROKEN,
        Fault.BAD_GATEWAY,
        Fault.UNAVAILABLE,
        Fault.GONE,
        Fault.DONE_AND_GONE,
        Fault.DONE_AND_GARBLED,
    ],
)
def test_nobody_knows_whether_a_write_that_failed_was_done(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock, fault: Fault
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    bitrix24.faults.append(fault)
    error = _raised(lambda: crm.add_todo(todo(owner), first(simulated_clock)))
    assert type(error) is Ambiguous
    assert error.retry_after == SETTLES_AFTER


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.BAD_GATEWAY, Fault.GONE, Fault.DONE_AND_GARBLED])
def test_a_read_that_failed_is_tried_later(bitrix24: Bitrix24, simulated_clock: SimulatedClock, fault: Fault) -> None:
    bitrix24.faults.append(fault)
    crm = connector_to(bitrix24, simulated_clock)
    error = _raised(lambda: crm.find_contact_by_phone("+4930901820", first(simulated_clock)))
    assert type(error) is TryLater


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.DONE_AND_SILENT])
def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_agreed(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock, fault: Fault
) -> None:
    owner = connector_to(bitrix24, simulated_clock).upsert_contact(contact(), first(simulated_clock)).remote_id
    crm = connector_to(bitrix24, simulated_clock, within_s=0.3)
    bitrix24.faults.append(fault)
    error = _raised(lambda: crm.add_todo(todo(owner), first(simulated_clock)))
    assert type(error) is Ambiguous
    assert error.what == "no answer in time"


def test_a_portal_that_is_down_was_sent_nothing(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    bitrix24.go_down()
    assert type(_raised(lambda: crm.upsert_contact(contact(), first(simulated_clock)))) is Unreachable
    bitrix24.come_up()
    assert crm.upsert_contact(contact(), first(simulated_clock)).remote_id


def test_their_limit_on_requests_is_waited_out(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    bitrix24.faults.append(Fault.BUSY)
    error = _raised(lambda: crm.upsert_contact(contact(), first(simulated_clock)))
    assert isinstance(error, TryLater)
    assert error.what == "QUERY_LIMIT_EXCEEDED"
    assert error.retry_after == timedelta(seconds=10.5)
    assert isinstance(_raised(lambda: crm.upsert_contact(contact(), first(simulated_clock))), Paced)
    simulated_clock.ahead(error.retry_after)
    assert crm.upsert_contact(contact(), first(simulated_clock)).remote_id


def test_a_method_that_has_worked_too_long_rests_until_its_reset_and_others_go_on(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    bitrix24.portal.costs_s["crm.activity.todo.add"] = 250.0
    for number in range(2):
        crm.add_todo(todo(owner, f"C{number}"), first(simulated_clock))
        simulated_clock.ahead(timedelta(minutes=2))
    error = _raised(lambda: crm.add_todo(todo(owner, "C2"), first(simulated_clock)))
    assert isinstance(error, NotYet)
    assert error.what == "OPERATION_TIME_LIMIT"
    assert error.retry_after == timedelta(minutes=6)  # ten minutes after the first of them
    assert crm.upsert_contact(contact(remote_id=owner), first(simulated_clock)).found
    simulated_clock.ahead(timedelta(minutes=6))
    assert crm.add_todo(todo(owner, "C2"), first(simulated_clock)).remote_id
    assert bitrix24.portal.refused == ["OPERATION_TIME_LIMIT"]


def test_an_expired_webhook_shuts_with_what_to_do(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    bitrix24.portal.expired = True
    error = _raised(lambda: connector_to(bitrix24, simulated_clock).upsert_contact(contact(), first(simulated_clock)))
    assert type(error) is Shut
    assert CRM_WHYS[error.what] == "The webhook has expired. Make a new one in Bitrix24."


def test_an_overload_block_is_not_knocked_at(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    bitrix24.portal.overloaded = True
    error = _raised(lambda: connector_to(bitrix24, simulated_clock).upsert_contact(contact(), first(simulated_clock)))
    assert type(error) is Shut
    assert error.retry_after == BLOCKED_FOR
    assert "Only its support opens it again" in CRM_WHYS[error.what]
    assert len(bitrix24.requests) == 1


def test_a_right_that_is_missing_is_named(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    bitrix24.portal.scopes = frozenset({"task"})
    error = _raised(lambda: connector_to(bitrix24, simulated_clock).upsert_contact(contact(), first(simulated_clock)))
    assert type(error) is Shut
    assert "Give it crm and task" in CRM_WHYS[error.what]


def test_of_each_error_for_a_person_the_page_says_what_to_do() -> None:
    assert CRM_WHYS.keys() == {*FOR_A_PERSON, WEBHOOK_REFUSED, NO_PORTAL}


def test_another_secret_than_theirs_shuts(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    bitrix24.secret = "changed0secret"
    assert type(_raised(lambda: crm.upsert_contact(contact(), first(simulated_clock)))) is Shut


def test_what_they_do_not_describe_is_refused(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    """The imitation refuses it, so that no test of ours passes with a misspelt field."""
    crm = connector_to(bitrix24, simulated_clock)
    rest = crm._rest()
    misspelt: list[dict[str, object]] = [{"filter": {"SUBJEKT": "x"}}, {"filter": {"OWNER_ID": "3"}}, {"filtre": {}}]
    for asked in misspelt:
        with pytest.raises(Refused):
            rest.read("crm.activity.list", asked)
    with pytest.raises(Refused):
        rest.write("crm.activity.todo.add", {"ownerTypeId": 3, "ownerId": 1, "title": "without a deadline"})


def test_the_address_is_in_no_error_and_in_no_log(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    crm = connector_to(bitrix24, simulated_clock)
    said = [repr(crm)]
    for fault in (None, Fault.GONE, Fault.BROKEN, Fault.BAD_GATEWAY):
        if fault is not None:
            bitrix24.faults.append(fault)
        try:
            crm.upsert_contact(contact(), first(simulated_clock))
        except CrmError as failed:
            said += [repr(failed), failed.what, repr(failed.__cause__)]
    bitrix24.go_down()
    error = _raised(lambda: crm.upsert_contact(contact(), first(simulated_clock)))
    said += [repr(error), error.what, repr(error.__cause__)]
    bitrix24.come_up()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("cloud", "httpx"))]
    assert bitrix24.secret not in "\n".join(said + ours)
