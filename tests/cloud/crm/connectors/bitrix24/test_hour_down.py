"""Bitrix24 away for a simulated hour: nothing clinical is late for it, and afterwards each case has one todo there."""

from collections import Counter
from datetime import timedelta

from cloud.crm.outbox.words import short
from deploy.bitrix24.faults import Fault
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.dispatched import Work, add_destination, raised
from tests.cloud.escalation.made import join_team, made_clinic
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_bitrix24 import SimulatedClock

A_MINUTE = timedelta(minutes=1)
PATIENTS = 8
# What is due is looked at each minute here; the jobs process sweeps as often.
LATE = A_MINUTE


def away(bitrix24: Bitrix24, minute: int) -> None:
    """What is wrong from this minute on: no answer after doing the work, nobody there, an expired webhook, nothing."""
    match minute:
        case 0:
            bitrix24.faults.extend([None, Fault.DONE_AND_GONE] * 500)
        case 20:
            bitrix24.faults.clear()
            bitrix24.go_down()
        case 40:
            bitrix24.come_up()
            bitrix24.portal.expired = True
        case 60:
            bitrix24.portal.expired = False


def test_an_hour_without_bitrix24_makes_no_escalation_late_and_no_todo_double(
    ward: Ward, bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    simulated_clock.at = NOW
    add_destination(ward, bitrix24)
    with made_clinic(ward) as clinic:
        work = Work(clinic, simulated_clock)
        patients = [new_patient(ward.admin, f"Canary {number}") for number in range(PATIENTS)]
        for patient_id in patients:
            for person in (clinic.nurse, clinic.doctor, clinic.lead):
                join_team(ward.admin, patient_id, person)
        first = raised(clinic, patients[0], simulated_clock())
        bitrix24.faults.extend([None, None, Fault.DONE_AND_GONE])  # search, contact, and a todo whose answer is lost
        work.minute()
        assert len(bitrix24.portal.todos) == 1

        cases = [first]
        for minute in range(60):
            away(bitrix24, minute)
            simulated_clock.ahead(A_MINUTE)
            if minute < PATIENTS - 1:
                cases.append(raised(clinic, patients[minute + 1], simulated_clock()))
            work.minute()
        while_down = work.tries
        away(bitrix24, 60)
        for _ in range(15):
            simulated_clock.ahead(A_MINUTE)
            work.minute()

        escalated = Counter(
            case_id for (case_id,) in ward.rows("SELECT case_id FROM case_event WHERE event = 'escalate'")
        )
        references = {
            case_id: short(reference)
            for case_id, reference in ward.rows(
                "SELECT DISTINCT thing_id, reference FROM crm_outbox WHERE what = 'case'"
            )
        }
    assert work.latest < LATE
    assert all(escalated[case_id] > 0 for case_id in cases)
    assert while_down < 60
    assert work.states().keys() == {"done"}
    titles = Counter(str(each["SUBJECT"]).rpartition("[")[2].rstrip("]") for each in bitrix24.portal.todos)
    assert titles == {references[case_id]: 1 for case_id in cases}
    assert len(bitrix24.portal.contacts) == PATIENTS
    assert bitrix24.portal.refused == []
    assert "Canary" not in str(bitrix24.portal.asked)
