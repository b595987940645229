"""A todo that is completed in Bitrix24 is a line on its case, after looking again; nothing is closed."""

from datetime import timedelta
from uuid import UUID

from cloud.crm.connectors.bitrix24.outgoing import Bitrix24Listener
from deploy.bitrix24.portal import Event
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.dispatched import Work, add_destination, raised
from tests.cloud.escalation.made import Clinic, made_clinic
from tests.cloud.made import NOW, Ward
from tests.fix_bitrix24 import SimulatedClock


def _told(ward: Ward, bitrix24: Bitrix24, destination_id: UUID, event: Event) -> None:
    """What the portal's outgoing webhook leads to."""
    listener = Bitrix24Listener(token=bitrix24.application_token)
    for hint in listener.heard({}, bitrix24.told(event), event.at):
        ward.admin.execute(
            "SELECT crm_hear(%s, %s, %s, %s, %s, %s, %s, %s)",
            (destination_id, hint.event_id, hint.kind, hint.remote_id, hint.echo_of, hint.at, None, event.at),
        )


def _outcomes(ward: Ward) -> list[str]:
    return [outcome for (outcome,) in ward.rows("SELECT outcome FROM crm_inbox ORDER BY heard_at, event_id")]


def test_what_they_tell_of_a_todo_is_looked_at_and_closes_nothing(
    ward: Ward, bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    simulated_clock.at = NOW
    destination_id = add_destination(ward, bitrix24)
    with made_clinic(ward) as clinic:
        work = Work(clinic, simulated_clock)
        case_id = raised(clinic, ward.patient_id, simulated_clock())
        work.tell()
        todo_id = int(str(bitrix24.portal.todos[0]["ID"]))
        _told(ward, bitrix24, destination_id, Event("ONCRMACTIVITYUPDATE", todo_id, simulated_clock()))
        work.settle()
        assert _outcomes(ward) == ["not_so"]
        simulated_clock.ahead(timedelta(seconds=1))
        _told(ward, bitrix24, destination_id, bitrix24.portal.employee_completes(todo_id))
        work.settle()
        assert _outcomes(ward) == ["not_so", "noted"]
        assert _state(clinic, case_id) == "raised"


def test_while_the_portal_is_away_a_hint_waits_and_nobody_asks(
    ward: Ward, bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    """And what else was heard is not lost behind it, nor said twice."""
    simulated_clock.at = NOW
    destination_id = add_destination(ward, bitrix24)
    with made_clinic(ward) as clinic:
        work = Work(clinic, simulated_clock)
        case_id = raised(clinic, ward.patient_id, simulated_clock())
        work.tell()
        todo_id = int(str(bitrix24.portal.todos[0]["ID"]))
        _told(ward, bitrix24, destination_id, bitrix24.portal.employee_completes(todo_id))
        bitrix24.go_down()
        for minute in range(60):
            simulated_clock.ahead(timedelta(minutes=1))
            if minute == 30:
                ward.admin.execute(
                    "INSERT INTO case_event (case_id, at, event, to_state) VALUES (%s, %s, 'escalate', 'escalated')",
                    (case_id, simulated_clock()),
                )
            work.settle()
            work.tell()
        assert _outcomes(ward) == [None]
        bitrix24.come_up()
        simulated_clock.ahead(timedelta(minutes=20))
        work.tell()
        work.settle()
        assert _outcomes(ward) == ["noted"]
        simulated_clock.ahead(timedelta(minutes=1))
        _told(ward, bitrix24, destination_id, Event("ONCRMACTIVITYUPDATE", todo_id, simulated_clock()))
        work.settle()
        assert _outcomes(ward) == ["noted", "nothing"]
        said = ward.rows("SELECT count(*) FROM case_event WHERE event = 'outside_done'")
        assert said == [(1,)]


def _state(clinic: Clinic, case_id: UUID) -> str:
    return str(clinic.case(case_id)["state"])
