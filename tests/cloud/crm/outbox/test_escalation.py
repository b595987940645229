"""An hour without the CRM: escalations come at the minute at which they come without any CRM at all."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from alerting.tiers import Tier
from tests.cloud.crm.outbox.made import Telling
from tests.cloud.escalation.made import Clinic, made_clinic
from tests.cloud.made import Ward

TIERS = (Tier.EMERGENCY, Tier.URGENT, Tier.SAME_SHIFT, Tier.ROUTINE)


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    """People who are paged, and who do not answer."""
    with made_clinic(ward) as made:
        yield made


def hour(clinic: Clinic, telling: Telling, named: str) -> list[tuple[str, str, timedelta]]:
    """Cases of each tier, looked at when they are due; what happened to which, how long after they were raised."""
    began = telling.clock()
    cases = {telling.case(tier=tier, condition=f"{named}_{tier}"): tier for tier in TIERS}
    for _ in range(60):
        telling.clock.forward(minutes=1)
        if telling.health()["active"]:
            telling.turn()
        for case_id in due(clinic.ward, telling.clock()):
            clinic.look(case_id, telling.clock())
    rows = clinic.ward.rows("SELECT case_id, event, at FROM case_event ORDER BY event_id")
    return [(cases[case_id], event, at - began) for case_id, event, at in rows if case_id in cases]


def due(ward: Ward, at: datetime) -> list[UUID]:
    rows = ward.admin.execute("SELECT case_id FROM alert_case WHERE next_at <= %s ORDER BY next_at", (at,))
    return [case_id for (case_id,) in rows]


def test_an_hour_without_the_crm_changes_no_escalation_and_all_of_it_is_told_afterwards(
    clinic: Clinic, telling: Telling
) -> None:
    admin = clinic.ward.admin
    admin.execute("UPDATE crm_destination SET active = false")
    without = hour(clinic, telling, "without")
    admin.execute("UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = now()")
    admin.execute("UPDATE crm_destination SET active = true")
    telling.crm.down = True
    assert hour(clinic, telling, "down") == without
    assert sum(event == "escalate" for _, event, _ in without) >= 2
    assert telling.crm.taken == []
    assert telling.health()["down_since"] is not None

    telling.crm.down = False
    telling.clock.forward(minutes=8)
    telling.turn()
    told = [one.type.split(".")[3] for one in telling.crm.taken]
    assert told[0] == "upserted"
    assert sorted(told[1:]) == sorted(
        {"raise": "opened", "escalate": "escalated"}[event]
        for _, event, _ in without
        if event in ("raise", "escalate")
    )  # fmt: skip
    assert len(telling.crm.todos()) == len(TIERS)
    assert telling.crm.repeats == {}
    assert {state for _, state in telling.states()} == {"done"}
