"""Sessions, timers, repetition and the patient's day, on the real database and under the role of the jobs process."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from msgspec.structs import replace

from cloud.alerts.reasons import from_json
from cloud.assessment import service
from cloud.assessment.service import assess, assess_all
from cloud.db.connect import Connection, open_connection
from device_drivers.readings import QuantityState, Reading, Sample
from tests.cloud.made import NOW, Ward, arrival, glucose, message, pressure, session

MINUTE = timedelta(minutes=1)


class Pool:
    """Connections of the jobs process's role, each in a transaction that its block ends."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with open_connection(self._url, "test jobs") as connection:
            yield connection


def look(ward: Ward, at: datetime) -> service.Assessed:
    """What the jobs process does in one turn."""
    return assess_all(Pool(ward.database.jobs_url), lambda: at, at + MINUTE)


def cases(ward: Ward) -> list[tuple[str, str, str]]:
    """Condition, tier and state of every case."""
    query = "SELECT condition, tier, state FROM alert_case ORDER BY condition, opened_at, state"
    return [(condition, tier, state) for condition, tier, state in ward.rows(query)]


def due(ward: Ward) -> dict[str, datetime]:
    """What is to be looked at, and when."""
    [(planned,)] = ward.rows("SELECT json_object_agg(what, due_at) FROM assessment_due")
    return {what: datetime.fromisoformat(at) for what, at in (planned or {}).items()}


def live(ward: Ward, *readings: Reading, at: datetime) -> None:
    """These readings of one device, which is read and reaches us at that time."""
    clock = at.replace(tzinfo=None).isoformat()
    visit = replace(session(readings[0].device), started_at=at, gateway_time=at, device_time=clock)
    ward.receive(arrival(message(*readings, visit=visit), at=at), at=at)


def allow_closing(ward: Ward) -> None:
    """The programme lets what was not confirmed close by itself."""
    ward.admin.execute("UPDATE programme SET automatic_closing = '{not_confirmed}'")


# Measure again --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("systolic", "timers"), [("179", 0), ("180", 1), ("181", 1)])
def test_a_crisis_starts_its_timer_at_its_limit_and_opens_nothing_yet(ward: Ward, systolic: str, timers: int) -> None:
    live(ward, pressure(systolic, "85", at=NOW), at=NOW)
    look(ward, NOW)

    assert (ward.count("remeasure"), cases(ward)) == (timers, [])
    assert due(ward).get("remeasure") == (NOW + 15 * MINUTE if timers else None)


def test_a_second_high_reading_confirms_and_opens_the_case_at_once(ward: Ward) -> None:
    live(ward, pressure("190", "85", at=NOW), at=NOW)
    look(ward, NOW)
    live(ward, pressure("185", "85", at=NOW + 2 * MINUTE), at=NOW + 3 * MINUTE)
    look(ward, NOW + 3 * MINUTE)

    assert cases(ward) == [("severe_hypertension_systolic", "urgent", "raised")]
    assert ward.rows("SELECT answer, answered_at, case_id IS NOT NULL FROM remeasure ORDER BY first_at") == [
        ("confirmed", NOW + 3 * MINUTE, True),
        ("confirmed", NOW + 3 * MINUTE, False),
    ]
    assert ward.rows("SELECT sentence FROM alert_case")[0][0].endswith("; confirmed by measuring again: 185 mmHg")


def test_nobody_who_measures_again_is_a_case_when_the_timer_is_due_and_not_before(ward: Ward) -> None:
    live(ward, pressure("190", "85", at=NOW), at=NOW)
    look(ward, NOW + 15 * MINUTE - timedelta(seconds=1))
    assert cases(ward) == []

    look(ward, NOW + 15 * MINUTE)
    assert cases(ward) == [("severe_hypertension_systolic", "urgent", "raised")]
    assert ward.rows("SELECT answer FROM remeasure WHERE measure = 'systolic' ORDER BY due LIMIT 1") == [
        ("unanswered",)
    ]


@pytest.mark.parametrize(
    ("allowed", "heightened", "state", "closed_as"),
    [
        (True, False, "resolved", "not_confirmed"),
        (False, False, "raised", None),
        (True, True, "raised", None),
    ],
)
def test_what_measuring_again_clears_closes_by_itself_only_where_it_may(
    ward: Ward, allowed: bool, heightened: bool, state: str, closed_as: str | None
) -> None:
    if allowed:
        allow_closing(ward)
    if heightened:
        ward.admin.execute(
            "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
            " VALUES (%s, 'standard', tstzrange(%s, NULL), %s)",
            (ward.patient_id, NOW - timedelta(days=1), NOW + timedelta(days=1)),
        )
    live(ward, pressure("190", "85", at=NOW), at=NOW)
    live(ward, pressure("150", "85", at=NOW + 2 * MINUTE), at=NOW + 3 * MINUTE)
    look(ward, NOW + 15 * MINUTE)

    assert ward.rows("SELECT tier, state, closed_automatically, next_at IS NULL FROM alert_case") == [
        ("routine", state, closed_as, closed_as is not None)
    ]
    events = [event for (event,) in ward.rows("SELECT event FROM case_event ORDER BY event_id")]
    assert events == (["raise", "close_automatically"] if closed_as else ["raise"])


def test_a_cleared_timer_joins_the_case_that_is_open(ward: Ward) -> None:
    allow_closing(ward)
    live(ward, pressure("190", "85", at=NOW), pressure("185", "85", at=NOW + MINUTE), at=NOW + MINUTE)
    look(ward, NOW + MINUTE)
    live(ward, pressure("190", "85", at=NOW + 30 * MINUTE), at=NOW + 30 * MINUTE)
    live(ward, pressure("150", "85", at=NOW + 32 * MINUTE), at=NOW + 32 * MINUTE)
    look(ward, NOW + 45 * MINUTE)

    assert cases(ward) == [("severe_hypertension_systolic", "urgent", "raised")]


def test_level_2_is_urgent_at_once_and_an_emergency_when_nobody_answers(ward: Ward) -> None:
    live(ward, glucose("53", at=NOW), at=NOW)
    assert cases(ward) == [("hypoglycaemia_level_2", "urgent", "raised")]

    look(ward, NOW + 20 * MINUTE)

    assert ward.rows("SELECT tier, state, round, raised_at, deadline, contact_by, next_at FROM alert_case") == [
        (
            "emergency",
            "raised",
            2,
            NOW + 20 * MINUTE,
            NOW + 25 * MINUTE,
            NOW + 35 * MINUTE,
            NOW + 20 * MINUTE,
        )
    ]


def test_an_answer_is_looked_at_with_the_next_turn(ward: Ward) -> None:
    live(ward, glucose("60", at=NOW), at=NOW)
    look(ward, NOW)
    live(ward, glucose("100", at=NOW + 12 * MINUTE), at=NOW + 13 * MINUTE)

    assert due(ward)["remeasure"] == NOW + 13 * MINUTE


# Sessions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("systolic", "timers"), [("160", 0), ("161", 1)])
def test_a_session_is_judged_once_it_is_closed_and_waits_for_the_next_one(
    ward: Ward, systolic: str, timers: int
) -> None:
    live(ward, pressure(systolic, "85", at=NOW), at=NOW)
    look(ward, NOW + 9 * MINUTE)
    assert ward.count("remeasure") == 0

    look(ward, NOW + 10 * MINUTE)
    assert (
        ward.rows("SELECT condition, due FROM remeasure")
        == [("hypertension_systolic", NOW + timedelta(hours=48))] * timers
    )


def test_a_reading_that_joins_a_session_puts_its_end_off(ward: Ward) -> None:
    live(ward, pressure("170", "85", at=NOW), at=NOW)
    live(ward, pressure("165", "85", at=NOW + 8 * MINUTE), at=NOW + 8 * MINUTE)
    look(ward, NOW + 10 * MINUTE)

    assert ward.count("remeasure") == 0
    assert due(ward)["pressure"] == NOW + 18 * MINUTE
    look(ward, NOW + 18 * MINUTE)
    assert ward.rows("SELECT first -> 'figure' ->> 'value', first ->> 'readings' FROM remeasure") == [("167.5", "2")]


def test_the_next_session_confirms_a_high_one(ward: Ward) -> None:
    live(ward, pressure("170", "85", at=NOW), at=NOW)
    look(ward, NOW + 10 * MINUTE)
    evening = NOW + timedelta(hours=9)
    live(ward, pressure("168", "85", at=evening), at=evening)
    look(ward, evening + 10 * MINUTE)

    assert cases(ward) == [("hypertension_systolic", "same_shift", "raised")]


def test_a_high_session_that_nobody_repeats_is_routine(ward: Ward) -> None:
    live(ward, pressure("170", "85", at=NOW), at=NOW)
    look(ward, NOW + 10 * MINUTE)
    look(ward, NOW + timedelta(hours=48))

    assert cases(ward) == [("hypertension_systolic", "routine", "raised")]


# Repetition -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "hours", "found"),
    [
        ("251", "251", 5, True),
        ("250", "260", 5, False),
        ("251", "251", 24, False),
        ("251", "251", 23, True),
    ],
)
def test_a_second_high_glucose_within_a_day_is_a_case(
    ward: Ward, first: str, second: str, hours: int, found: bool
) -> None:
    for value, at in ((first, NOW), (second, NOW + timedelta(hours=hours))):
        live(ward, glucose(value, at=at), at=at)
        look(ward, at)

    assert cases(ward) == ([("hyperglycaemia", "same_shift", "raised")] if found else [])


# Late -----------------------------------------------------------------------------------------------------------------


def month_of_readings() -> Sequence[Reading]:
    """Two strips a day for a month, one in five of them beyond a limit."""
    return [
        glucose(str(45 + n) if n % 5 == 0 else "120", at=NOW - timedelta(days=30) + timedelta(hours=12 * n))
        for n in range(56)
    ]


def test_a_late_month_is_looked_at_in_retrospect_and_pages_nobody(ward: Ward) -> None:
    live(ward, *month_of_readings(), at=NOW)
    live(
        ward,
        *[pressure("190", "95", at=NOW - timedelta(days=20) + timedelta(hours=n)) for n in range(0, 200, 5)],
        at=NOW,
    )
    look(ward, NOW)
    look(ward, NOW + timedelta(hours=1))

    assert {tier for _, tier, _ in cases(ward)} == {"retrospective"}
    assert ward.count("remeasure") == 0
    assert {tier for (tier,) in ward.rows("SELECT DISTINCT tier FROM alert")} == {"retrospective"}


def test_a_late_strip_that_makes_an_old_one_the_second_is_retrospective(ward: Ward) -> None:
    old = NOW - timedelta(hours=10)
    live(ward, glucose("260", at=old), at=old)
    look(ward, old)
    live(ward, glucose("265", at=old - timedelta(hours=2)), at=NOW)
    look(ward, NOW)

    assert cases(ward) == [("hyperglycaemia", "retrospective", "raised")]


def test_sessions_that_were_looked_at_are_not_judged_by_newer_limits(ward: Ward) -> None:
    evening = NOW - timedelta(days=2)
    live(ward, pressure("150", "85", at=evening), at=evening)
    look(ward, evening + 10 * MINUTE)
    ward.admin.execute("UPDATE programme SET regimes = '{pregnancy,ada}' WHERE programme_id = 'standard'")
    live(ward, pressure("120", "70", at=evening - timedelta(days=3)), at=NOW)
    look(ward, NOW)

    assert cases(ward) == []


# Nothing clinical -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [Sample.CONTROL_SOLUTION, Sample.TEST])
def test_control_solution_and_test_strips_ask_for_nothing(ward: Ward, sample: Sample) -> None:
    live(ward, glucose("40", at=NOW, sample=sample), glucose("400", at=NOW - MINUTE, sample=sample), at=NOW)
    look(ward, NOW + timedelta(hours=1))

    assert (cases(ward), due(ward), ward.count("remeasure")) == ([], {}, 0)


def test_what_is_in_quarantine_or_nobodys_asks_for_nothing(ward: Ward) -> None:
    ward.admin.execute("DELETE FROM device_assignment")
    live(ward, glucose("40", at=NOW), glucose("900", at=NOW - MINUTE), at=NOW)

    assert (ward.count("quarantine"), cases(ward), due(ward)) == (2, [], {})


def test_a_failed_measurement_answers_no_timer(ward: Ward) -> None:
    live(ward, pressure("190", "85", at=NOW), at=NOW)
    failed = pressure(None, None, pulse=None, at=NOW + 2 * MINUTE, state=QuantityState.NOT_A_NUMBER)
    live(ward, failed, at=NOW + 3 * MINUTE)
    look(ward, NOW + 15 * MINUTE)

    assert ward.rows("SELECT answer FROM remeasure WHERE measure = 'systolic' ORDER BY due LIMIT 1") == [
        ("unanswered",)
    ]


# The patient's day ----------------------------------------------------------------------------------------------------


def a_week(ward: Ward, systolic: str, until: datetime, zone_hours: int = 1) -> None:
    """The 722 protocol for seven of the patient's days, each reading in time."""
    for day in range(7, 0, -1):
        for hour in (8, 20):
            for minute in (0, 1):
                at = until.replace(hour=hour - zone_hours, minute=minute) - timedelta(days=day)
                live(ward, pressure(systolic, "80", at=at), at=at)


@pytest.mark.parametrize(("systolic", "found"), [("134", False), ("135", True)])
def test_the_day_review_finds_a_home_average_at_its_limit(ward: Ward, systolic: str, found: bool) -> None:
    a_week(ward, systolic, NOW)
    review = NOW.replace(hour=5)  # 06:00 in Copenhagen
    look(ward, review - MINUTE)
    assert cases(ward) == []

    look(ward, review)
    assert ("home_average_systolic", "routine", "raised") in cases(ward) or not found
    assert bool(cases(ward)) == found


def test_a_trend_that_stays_true_rests_after_a_nurse_closed_its_case(ward: Ward) -> None:
    a_week(ward, "140", NOW)
    look(ward, NOW.replace(hour=4))
    look(ward, NOW.replace(hour=5))
    opened = len(cases(ward))
    ward.admin.execute(
        "UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = %s", (NOW.replace(hour=9),)
    )
    look(ward, NOW.replace(hour=5) + timedelta(days=1))

    assert opened > 0
    assert {state for _, _, state in cases(ward)} == {"resolved"}
    assert len(cases(ward)) == opened


def test_a_trend_that_stays_true_is_said_again_in_its_open_case_after_a_week_and_not_each_day(ward: Ward) -> None:
    for week in (0, 7):
        a_week(ward, "140", NOW + timedelta(days=week))
    look(ward, NOW.replace(hour=4))
    for day in range(8):
        look(ward, NOW.replace(hour=5) + timedelta(days=day))

    said = ward.rows("SELECT effective_time FROM alert WHERE condition = 'home_average_systolic' ORDER BY 1")
    assert said == [(NOW.replace(hour=5),), (NOW.replace(hour=5) + timedelta(days=7),)]
    assert ward.rows("SELECT count(*) FROM case_event e JOIN alert_case c USING (case_id) WHERE c.tier = 'routine'")[
        0
    ] <= (2 * len(cases(ward)),)


def test_a_timer_that_another_version_wrote_is_judged_by_the_limit_that_holds_now(ward: Ward) -> None:
    live(ward, pressure("190", "80", at=NOW), at=NOW)
    ward.admin.execute("""UPDATE remeasure SET first = '{"type": "of another version"}'""")
    look(ward, NOW + 20 * MINUTE)

    assert ("severe_hypertension_systolic", "urgent", "raised") in cases(ward)
    assert {answer for (answer,) in ward.rows("SELECT answer FROM remeasure WHERE due < now()")} <= {"unanswered"}


def test_an_answer_that_arrives_right_behind_a_late_crisis_is_an_answer(ward: Ward) -> None:
    late = NOW - timedelta(hours=2)
    live(ward, pressure("190", "80", at=late), at=NOW)
    look(ward, NOW + MINUTE / 6)
    live(ward, pressure("150", "80", at=late + 5 * MINUTE), at=NOW + MINUTE / 3)
    look(ward, NOW + MINUTE / 2)
    assert not [case for case in cases(ward) if case[1] in ("urgent", "emergency")]

    look(ward, NOW + 5 * MINUTE)
    assert [case for case in cases(ward) if case[1] in ("urgent", "emergency")] == []
    assert ward.rows("SELECT DISTINCT answer FROM remeasure WHERE first_at = earliest - interval '1 minute'") == [
        ("cleared",)
    ]


def test_a_day_without_any_reading_left_in_its_windows_is_the_last_to_be_reviewed(ward: Ward) -> None:
    live(ward, glucose("100", at=NOW), at=NOW)
    look(ward, NOW)
    assert due(ward) == {"day": NOW.replace(hour=5) + timedelta(days=1)}

    look(ward, NOW + timedelta(days=40))
    assert due(ward) == {}


@pytest.mark.parametrize(
    ("now", "review"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC)),  # clocks went forward at 01:00
        (datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 3, 28, 5, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC)),  # and back
        (datetime(2026, 10, 23, 12, tzinfo=UTC), datetime(2026, 10, 24, 4, tzinfo=UTC)),
    ],
)
def test_the_review_is_at_six_by_the_patients_clock_when_clocks_change(
    ward: Ward, now: datetime, review: datetime
) -> None:
    ward.admin.execute("UPDATE device_assignment SET valid = tstzrange('2020-01-01', NULL)")
    live(ward, glucose("100", at=now), at=now)
    look(ward, now)

    assert due(ward) == {"day": review}


# Again and again ------------------------------------------------------------------------------------------------------


def everything(ward: Ward) -> tuple[int, ...]:
    """How many rows there are of whatever an assessment writes."""
    return tuple(ward.count(table) for table in ("alert_case", "alert", "case_event", "remeasure"))


def test_an_assessment_that_dies_before_its_commit_is_done_again_and_once(ward: Ward) -> None:
    live(ward, glucose("53", at=NOW), at=NOW)
    live(ward, glucose("260", at=NOW + MINUTE), glucose("265", at=NOW + 40 * MINUTE), at=NOW + 40 * MINUTE)
    at = NOW + 41 * MINUTE
    dying = open_connection(ward.database.jobs_url, "test jobs")
    assert assess(dying, ward.patient_id, at)
    dying.close()  # without a commit, as by a kill
    asked = due(ward)
    look(ward, at)
    once = everything(ward)
    look(ward, at)
    ward.admin.execute(
        "INSERT INTO assessment_due (patient_id, what, due_at, since, heard_since)"
        " VALUES (%(p)s, 'glucose', %(t)s, %(t)s, %(t)s)",
        {"p": ward.patient_id, "t": NOW - timedelta(days=1)},
    )
    look(ward, at)

    assert asked["glucose"] == NOW
    assert everything(ward) == once
    assert ward.rows("SELECT count(*), count(DISTINCT condition) FROM alert_case") == [(2, 2)]


def test_two_jobs_processes_assess_each_patient_once(ward: Ward) -> None:
    live(ward, pressure("190", "85", at=NOW), pressure("185", "84", at=NOW + MINUTE), at=NOW + MINUTE)
    live(ward, glucose("60", at=NOW), at=NOW + MINUTE)
    together = Barrier(2)

    def work(_: int) -> service.Assessed:
        together.wait()
        return look(ward, NOW + 31 * MINUTE)

    with ThreadPoolExecutor(2) as workers:
        turns = list(workers.map(work, [0, 1]))

    assert sum(turn.failed for turn in turns) == 0
    assert sorted(condition for condition, _, _ in cases(ward)) == [
        "hypoglycaemia_level_1",
        "severe_hypertension_systolic",
    ]
    assert ward.rows("SELECT event, count(*) FROM case_event GROUP BY event") == [("raise", 2)]


def test_the_ingest_and_two_jobs_processes_on_one_patient_wait_for_nobody_for_ever(ward: Ward) -> None:
    together = Barrier(3)

    def ingest() -> int:
        together.wait()
        for n in range(15):
            at = NOW + n * MINUTE
            live(ward, glucose(str(40 + n), at=at), glucose(str(300 + n), at=at - MINUTE / 2), at=at)
            live(ward, pressure(str(185 + n), "85", at=at), at=at)
        return 0

    def assessing() -> int:
        together.wait()
        return sum(look(ward, NOW + n * MINUTE).failed for n in range(30))

    with ThreadPoolExecutor(3) as workers:
        turns = [workers.submit(ingest), workers.submit(assessing), workers.submit(assessing)]
        assert [turn.result() for turn in turns] == [0, 0, 0]
    look(ward, NOW + timedelta(days=3))

    assert ward.rows("SELECT count(*) FROM remeasure WHERE answer = 'waiting'") == [(0,)]
    assert ward.rows("SELECT max(n) FROM (SELECT count(*) AS n FROM alert_case GROUP BY condition) AS of") == [(1,)]


def test_whoever_is_being_assessed_is_left_alone(ward: Ward) -> None:
    live(ward, glucose("60", at=NOW), at=NOW)
    with open_connection(ward.database.jobs_url, "test jobs") as other:
        assert assess(other, ward.patient_id, NOW) is not None
        assert look(ward, NOW).patients == 0


def test_a_patient_who_cannot_be_assessed_holds_nobody_up_and_is_tried_again(ward: Ward) -> None:
    live(ward, glucose("60", at=NOW), at=NOW)
    ward.admin.execute("UPDATE patient SET time_zone = time_zone")
    ward.admin.execute("REVOKE SELECT ON patient_zone FROM pulsepost_jobs")
    turn = look(ward, NOW)
    ward.admin.execute("GRANT SELECT ON patient_zone TO pulsepost_jobs")

    assert (turn.failed, turn.patients) == (1, 0)
    assert set(due(ward).values()) == {NOW + service.TRIED_AGAIN_AFTER}
    assert look(ward, NOW + service.TRIED_AGAIN_AFTER).patients == 1


def test_each_change_of_a_case_wakes_the_escalation(ward: Ward) -> None:
    live(ward, glucose("53", at=NOW), at=NOW)
    [(case_id,)] = ward.rows("SELECT case_id FROM alert_case")

    assert ward.rows(
        "SELECT task_name, args, scheduled_at FROM procrastinate_jobs WHERE task_name = 'look_at_case'"
    ) == [("look_at_case", {"case_id": str(case_id)}, NOW)]


def test_a_stored_reason_reads_as_it_was_written(ward: Ward) -> None:
    live(ward, glucose("53", at=NOW), at=NOW)
    look(ward, NOW + 20 * MINUTE)
    [(reason,)] = ward.rows("SELECT reason FROM alert_case")

    assert from_json(reason) is not None
