"""For any order of faults each piece of work stands there exactly once."""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.bitrix24.faults import Fault
from deploy.bitrix24.portal import Portal
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.made import (
    Courier,
    call,
    completion,
    connector_to,
    contact,
    note,
    ticket,
    todo,
)
from tests.fix_bitrix24 import SimulatedClock

# Without an answer that never comes: those take their time, and are told apart in nothing from one that hangs up.
QUICK = [fault for fault in Fault if "silent" not in fault]
FAULTS = st.lists(st.one_of(st.none(), st.sampled_from(QUICK)), max_size=14)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=FAULTS, heeds=st.booleans())
def test_whatever_goes_wrong_each_piece_of_work_stands_there_once(
    bitrix24: Bitrix24, faults: list[Fault | None], heeds: bool
) -> None:
    clock = SimulatedClock()
    bitrix24.portal = Portal(clock)
    bitrix24.requests.clear()
    bitrix24.faults.clear()
    bitrix24.faults.extend(faults)
    crm, courier = connector_to(bitrix24, clock), Courier(clock, heeds)

    owner = courier.deliver(lambda attempt: crm.upsert_contact(contact(), attempt)).remote_id
    made = courier.deliver(lambda attempt: crm.add_todo(todo(owner), attempt)).remote_id
    courier.deliver(lambda attempt: crm.add_note(note(owner, clock()), attempt))
    courier.deliver(lambda attempt: crm.create_ticket(ticket(owner), attempt))
    courier.deliver(lambda attempt: crm.log_call(call(owner, clock()), attempt))
    courier.deliver(lambda attempt: crm.complete_todo(completion(owner, made, clock(), "C1001"), attempt))
    clock.ahead(timedelta(hours=1))
    bitrix24.portal.settle()

    portal = bitrix24.portal
    assert [each["originId"] for each in portal.contacts.values()] == ["P7F3K"]
    assert [(each["ID"], each["COMPLETED"]) for each in portal.todos] == [(made, "Y")]
    assert Counter(str(each["COMMENT"])[-4:] for each in portal.comments.values()) == {"[N1]": 1, "[L1]": 1}
    assert len(portal.tasks) == 1
    assert not portal.refused


def test_a_request_that_is_carried_out_after_everybody_has_gone_is_waited_for(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm, courier = connector_to(bitrix24, simulated_clock), Courier(simulated_clock)
    owner = courier.deliver(lambda attempt: crm.upsert_contact(contact(), attempt)).remote_id
    bitrix24.faults.append(Fault.GONE_AND_DONE)
    found = courier.deliver(lambda attempt: crm.add_todo(todo(owner), attempt))
    assert found.found
    assert len(bitrix24.portal.todos) == 1


def test_somebody_who_comes_too_early_after_a_lost_request_makes_nothing(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    """Such as a person who presses Replay."""
    crm, courier = connector_to(bitrix24, simulated_clock), Courier(simulated_clock)
    owner = courier.deliver(lambda attempt: crm.upsert_contact(contact(), attempt)).remote_id
    bitrix24.faults.append(Fault.GONE_AND_DONE)
    impatient = Courier(simulated_clock, heeds=False)
    found = impatient.deliver(lambda attempt: crm.add_todo(todo(owner), attempt))
    assert found.found
    assert impatient.errors[0] == "Ambiguous"
    assert impatient.errors.count("NotYet") > 5
    assert len(bitrix24.portal.todos) == 1
