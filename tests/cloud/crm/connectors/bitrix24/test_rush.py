"""More at once than the portal takes: it goes at our own pace, is never refused, and nobody calls the CRM down."""

from datetime import timedelta

from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.dispatched import Work, add_destination, raised
from tests.cloud.escalation.made import made_clinic
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_bitrix24 import SimulatedClock

PATIENTS = 30  # each asks three times: for the contact, to make it, and for the todo


def test_a_rush_of_cases_arrives_at_two_a_second_and_is_no_outage(
    ward: Ward, bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    simulated_clock.at = NOW
    add_destination(ward, bitrix24)
    with made_clinic(ward) as clinic:
        work = Work(clinic, simulated_clock)
        for number in range(PATIENTS):
            raised(clinic, new_patient(ward.admin, f"Canary {number}"), simulated_clock())
        seconds = 0
        while work.states().keys() != {"done"}:
            work.tell()
            assert ward.rows("SELECT down_since FROM crm_destination") == [(None,)]
            simulated_clock.ahead(timedelta(seconds=1))
            seconds += 1
            assert seconds < 120
    assert len(bitrix24.portal.todos) == len(bitrix24.portal.contacts) == PATIENTS
    assert bitrix24.portal.refused == []
    assert 20 <= seconds <= 60  # 90 requests at 2 a second, of which some 30 at once
