"""What becomes of a batch of messages, on the real database."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest

from cloud.devices import store as devices
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Sample
from gateway.wire import v1
from tests.cloud.made import (
    CUFF,
    GATEWAY,
    METER,
    NOW,
    Ward,
    arrival,
    changed,
    glucose,
    ketone,
    message,
    new_patient,
    pressure,
    sent,
    session,
)

STORED = (v1.Fate.STORED, None)
KNOWN = (v1.Fate.ALREADY_KNOWN, None)


def held(reason: str) -> tuple[v1.Fate, str]:
    """A quarantine receipt in short."""
    return v1.Fate.QUARANTINED, reason


def test_a_reading_is_stored_with_its_own_value_unit_and_time(ward: Ward) -> None:
    assert ward.fates(sent(glucose("5.0", unit=Unit.MMOL_L))) == [STORED]

    assert ward.rows(
        "SELECT value::text, unit, state, effective_time, time_quality, reported_time, patient_id FROM glucose"
    ) == [
        (
            "5.0",
            "mmol/L",
            "measured",
            NOW - timedelta(minutes=2),
            "synchronised",
            "2026-11-21T11:58:00",
            ward.patient_id,
        )
    ]


def test_a_blood_pressure_is_stored_in_one_row(ward: Ward) -> None:
    assert ward.fates(sent(pressure("128", "82", mean="97", pulse="64"))) == [STORED]

    assert ward.rows("SELECT systolic, diastolic, mean_pressure, unit, pulse, state FROM blood_pressure") == [
        (Decimal(128), Decimal(82), Decimal(97), "mm[Hg]", Decimal(64), "measured")
    ]


def test_ketones_have_a_table_of_their_own_and_raise_a_case(ward: Ward) -> None:
    assert ward.fates(sent(ketone("3.4"))) == [STORED]

    assert ward.rows("SELECT value, unit, state FROM ketone") == [(Decimal("3.4"), "mmol/L", "measured")]
    assert ward.rows("SELECT condition, priority FROM alert_case") == [("ketones_very_high", "high")]
    assert ward.count("glucose_observation") == 0


def test_a_redelivered_message_stores_nothing_twice(ward: Ward) -> None:
    again = sent(glucose("100"), glucose("101", at=NOW - timedelta(minutes=9)))

    assert ward.fates(again) == [STORED, STORED]
    assert ward.fates(again) == [KNOWN, KNOWN]
    assert (ward.count("ledger"), ward.count("glucose_observation"), ward.count("device_session")) == (2, 2, 1)


def test_a_meters_memory_read_a_hundred_times_with_a_drifting_clock_adds_no_row(ward: Ward) -> None:
    memory = [glucose(str(90 + n), at=NOW - timedelta(hours=n + 1)) for n in range(5)]
    first = ward.fates(sent(*memory))

    for seconds in range(100):
        drifted = session(METER, clock=NOW - timedelta(seconds=seconds))
        assert ward.fates(sent(*memory, visit=drifted)) == [KNOWN] * 5

    assert first == [STORED] * 5
    assert ward.count("glucose_observation") == 5


def test_the_same_reading_twice_in_one_batch_is_new_once(ward: Ward) -> None:
    assert ward.fates(sent(glucose("100")), sent(glucose("100"))) == [STORED, KNOWN]
    assert ward.count("glucose_observation") == 1


def test_receipts_name_the_message_and_follow_the_order_of_its_readings(ward: Ward) -> None:
    content = message(glucose("100"), glucose("4000", at=NOW - timedelta(minutes=8)))

    [outcome] = ward.receive(arrival(content))

    assert outcome.gateway_id == GATEWAY
    assert outcome.receipts.message_id == content.message_id
    assert [r.reading_id for r in outcome.receipts.receipts] == [r.reading_id for r in content.readings]
    assert [r.fate for r in outcome.receipts.receipts] == [v1.Fate.STORED, v1.Fate.QUARANTINED]


def test_the_device_and_its_session_are_recorded(ward: Ward) -> None:
    ward.receive(sent(pressure()))

    assert ward.rows("SELECT firmware, last_seen_at FROM device WHERE system_id IS NOT NULL") == [("1.0", NOW)]
    assert ward.rows("SELECT gateway_id, device_id, holds, device_time FROM device_session") == [
        (GATEWAY, CUFF.device_id, 3, NOW.replace(tzinfo=None))
    ]


def test_a_session_without_readings_is_recorded(ward: Ward) -> None:
    content = v1.ReadingsMessage(v=1, message_id="0" * 32, session=session(METER), readings=())

    [outcome] = ward.receive(arrival(content))

    assert outcome.receipts.receipts == ()
    assert ward.count("device_session") == 1


# Quarantine: every reason --------------------


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"v":1}',
        b'{"v":1,"message_id":"\\ud800"}',
        v1.encode(message(glucose())).replace(b"2026-11-21T12:00:00Z", b"2026-11-21T12:00:00"),
    ],
)
def test_a_payload_that_does_not_decode_is_held_whole(ward: Ward, payload: bytes) -> None:
    ward.receive(arrival(payload))

    assert ward.rows("SELECT payload FROM quarantine") == [(payload,)]
    assert ward.count("ledger") == 0


def test_a_message_of_which_nothing_could_be_made_out_is_receipted_as_a_whole(ward: Ward) -> None:
    [outcome] = ward.receive(arrival(b"not json"))

    assert outcome.receipts.message_id == "07" * 16
    assert (outcome.receipts.whole_message, outcome.receipts.reason) == (v1.Fate.QUARANTINED, "undecodable")
    assert v1.decode_receipts(v1.encode(outcome.receipts)) == outcome.receipts


def test_an_unknown_version_is_held_as_such_whatever_its_shape(ward: Ward) -> None:
    outcomes = ward.receive(arrival(b'{"v":2,"everything":"else"}'))

    assert [o.receipts.reason for o in outcomes] == ["unknown_version"]
    assert ward.rows("SELECT reason_code FROM quarantine") == [("unknown_version",)]


def test_a_gateway_that_is_not_enrolled_has_its_message_held_whole_and_its_readings_receipted(ward: Ward) -> None:
    stranger = arrival(message(glucose("100"), glucose("101")), gateway_id="gw-stranger")

    assert ward.fates(stranger, stranger) == [held("unknown_gateway")] * 4
    assert ward.rows("SELECT reason_code, gateway_id, seen, payload FROM quarantine") == [
        ("unknown_gateway", "gw-stranger", 2, stranger.payload)
    ]
    assert ward.count("ledger") == 0


def test_a_revoked_gateway_is_no_longer_listened_to(ward: Ward) -> None:
    devices.revoke_gateway(ward.admin, GATEWAY, NOW)
    assert ward.fates(sent(glucose("100"))) == [held("unknown_gateway")]

    devices.enrol_gateway(ward.admin, GATEWAY, NOW)
    assert ward.fates(sent(glucose("100"))) == [STORED]


def test_a_device_that_no_patient_has_is_held(ward: Ward) -> None:
    stray = DeviceIdentity(manufacturer="Bayer", model="Contour", serial_number="9")

    assert ward.fates(sent(glucose("100", device=stray))) == [held("unassigned_device")]
    assert ward.rows("SELECT device_id, reason FROM quarantine") == [
        (stray.device_id, "no patient had this device at 2026-11-21 11:58 UTC")
    ]


def test_a_reading_older_than_the_assignment_is_not_the_new_patients(ward: Ward) -> None:
    assert ward.fates(sent(glucose("100", at=NOW - timedelta(days=400)))) == [held("unassigned_device")]


def test_a_reading_belongs_to_who_had_the_device_when_it_was_measured(ward: Ward) -> None:
    [(assignment_id,)] = ward.rows("SELECT assignment_id FROM device_assignment WHERE device_id LIKE 'lifescan%'")
    handed_over = NOW - timedelta(days=2)
    devices.end_assignment(ward.admin, assignment_id, handed_over)
    second = new_patient(ward.admin, "Bo Example")
    devices.assign_device(ward.admin, METER.device_id, second, handed_over)

    ward.receive(sent(glucose("101", at=handed_over - timedelta(seconds=1)), glucose("102", at=handed_over)))

    assert ward.rows("SELECT value::int, patient_id FROM glucose ORDER BY value") == [
        (101, ward.patient_id),
        (102, second),
    ]


@pytest.mark.parametrize(
    ("visit", "at", "reason"),
    [
        (session(METER, clock=None), NOW, "unknown_timeline"),
        (session(METER), NOW + timedelta(minutes=6), "impossible_time"),
        (session(METER), datetime(2004, 12, 31, tzinfo=NOW.tzinfo), "impossible_time"),
        (session(METER, clock=datetime(9, 1, 1, tzinfo=NOW.tzinfo)), datetime(9999, 12, 31, tzinfo=NOW.tzinfo),
         "impossible_time"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_mapped_is_held(ward: Ward, visit: v1.WireSession, at: datetime, reason: str) -> None:
    assert ward.fates(sent(glucose("100", at=at), visit=visit)) == [held(reason)]


def test_a_device_whose_clock_is_off_is_mapped_through_the_coincident_time_stamp(ward: Ward) -> None:
    slow = session(METER, clock=NOW - timedelta(days=30))

    assert ward.fates(sent(glucose("100", at=NOW - timedelta(days=30, minutes=5)), visit=slow)) == [STORED]
    assert ward.rows("SELECT effective_time, time_quality, reported_time FROM glucose") == [
        (NOW - timedelta(minutes=5), "mapped", "2026-10-22T11:55:00")
    ]


def test_an_impossible_value_is_held_with_the_reading_and_its_session(ward: Ward) -> None:
    reading = glucose("601")

    assert ward.fates(sent(reading)) == [held("impossible_value")]
    [(payload, reading_id, fate)] = ward.rows(
        "SELECT payload, reading_id, (SELECT fate FROM ledger l WHERE l.reading_id = q.reading_id) FROM quarantine q"
    )
    kept = json.loads(payload)
    assert (reading_id.hex, fate) == (reading.reading_id, "quarantined")
    assert kept["reading"]["components"] == [{"code": 160184, "unit": "mg/dL", "value": "601"}]
    assert kept["session"]["device"]["serial_number"] == "XYZ1234"


def test_a_quarantined_reading_that_comes_again_keeps_its_one_row(ward: Ward) -> None:
    impossible = sent(glucose("601"))
    for _ in range(3):
        assert ward.fates(impossible) == [held("impossible_value")]

    assert ward.rows("SELECT seen FROM quarantine") == [(3,)]


def test_a_reading_held_for_its_device_stays_held_when_the_device_is_assigned_later(ward: Ward) -> None:
    stray = DeviceIdentity(manufacturer="Bayer", model="Contour", serial_number="9")
    ward.receive(sent(glucose("100", device=stray)))
    devices.assign_device(ward.admin, stray.device_id, ward.patient_id, NOW - timedelta(days=1))

    assert ward.fates(sent(glucose("100", device=stray))) == [held("unassigned_device")]
    assert ward.rows("SELECT seen, reason_code FROM quarantine") == [(2, "unassigned_device")]


def test_an_id_that_was_not_made_from_its_content_does_not_block_the_true_reading(ward: Ward) -> None:
    true = glucose("100")
    forged = changed(message(glucose("250")), reading_id=true.reading_id)

    assert ward.fates(arrival(forged)) == [held("content_mismatch")]
    assert ward.fates(arrival(forged)) == [held("content_mismatch")]
    assert ward.fates(sent(true)) == [STORED]
    assert ward.rows("SELECT reason_code, reading_id, seen FROM quarantine") == [("content_mismatch", None, 2)]


def test_an_unknown_unit_holds_its_reading_alone(ward: Ward) -> None:
    content = message(glucose("100"), glucose("101", at=NOW - timedelta(minutes=9)))
    foreign = v1.WireComponent(code=160184, unit="stone", value=Decimal(100))

    assert ward.fates(arrival(changed(content, components=(foreign,)))) == [held("undecodable"), STORED]


def test_what_the_database_refuses_is_held_alone(ward: Ward) -> None:
    good, other = glucose("100"), glucose("102", at=NOW - timedelta(minutes=9))
    nul = glucose("101", at=NOW - timedelta(minutes=5), annotations=("bad\0flag",))
    batch = [sent(pressure()), sent(good, nul, other), sent(glucose("103", at=NOW - timedelta(hours=1)))]

    expected = [STORED, STORED, held("refused_by_database"), STORED, STORED]
    assert ward.fates(*batch) == expected
    assert ward.fates(*batch) == [KNOWN, KNOWN, held("refused_by_database"), KNOWN, KNOWN]
    assert ward.rows("SELECT reading_id::text, seen, device_id FROM quarantine") == [
        (f"{nul.reading_id[:8]}-{nul.reading_id[8:12]}-{nul.reading_id[12:16]}-{nul.reading_id[16:20]}"
         f"-{nul.reading_id[20:]}", 2, None)
    ]  # fmt: skip
    assert ward.count("glucose_observation") == 3


def test_a_poison_message_in_the_middle_of_a_batch_stops_nobody(ward: Ward) -> None:
    good = [sent(glucose(str(100 + n), at=NOW - timedelta(minutes=n + 1))) for n in range(6)]

    outcomes = ward.receive(*good[:3], arrival(b"\x00poison"), *good[3:])

    assert [o.receipts.whole_message for o in outcomes] == [None] * 3 + [v1.Fate.QUARANTINED] + [None] * 3
    assert (ward.count("glucose_observation"), ward.count("quarantine")) == (6, 1)


def test_a_device_name_that_the_database_refuses_holds_each_reading_of_its_message(ward: Ward) -> None:
    odd = DeviceIdentity(manufacturer="LifeScan", model="Ultra\0", serial_number="XYZ1234")

    assert ward.fates(sent(glucose("100", device=odd)), sent(pressure())) == [held("refused_by_database"), STORED]


def test_a_database_fault_that_is_not_the_contents_comes_out_and_stores_nothing(ward: Ward) -> None:
    ward.admin.execute("REVOKE INSERT ON glucose_observation FROM pulsepost_ingest")
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ward.receive(sent(glucose("100")))
    finally:
        ward.admin.execute("GRANT INSERT ON glucose_observation TO pulsepost_ingest")

    assert (ward.count("ledger"), ward.count("quarantine")) == (0, 0)
    assert ward.fates(sent(glucose("100"))) == [STORED]


# What is not a number, and what is not a patient's --------------------


def test_a_failed_cuff_measurement_is_stored_with_its_state_and_raises_nothing(ward: Ward) -> None:
    failed = pressure(None, None, pulse=None, state=QuantityState.NOT_A_NUMBER)

    assert ward.fates(sent(failed)) == [STORED]
    assert ward.rows("SELECT systolic, state FROM blood_pressure") == [(None, "not_a_number")]
    assert ward.count("alert_case") == 0


def test_a_meter_that_shows_lo_is_stored_without_a_number_and_opens_a_case(ward: Ward) -> None:
    assert ward.fates(sent(glucose(None, state=QuantityState.BELOW_RANGE))) == [STORED]
    assert ward.rows("SELECT value, state FROM glucose") == [(None, "below_range")]
    assert ward.rows("SELECT condition, priority FROM alert_case") == [("hypoglycaemia_level_2", "high")]


def test_control_solution_is_stored_marked_and_raises_nothing(ward: Ward) -> None:
    assert ward.fates(sent(glucose("40", sample=Sample.CONTROL_SOLUTION))) == [STORED]
    assert ward.rows("SELECT sample FROM glucose") == [("control_solution",)]
    assert ward.count("alert_case") == 0


def test_quarantined_readings_raise_nothing(ward: Ward) -> None:
    ward.receive(sent(glucose("40", at=NOW - timedelta(days=400))))
    assert ward.count("alert_case") == 0


def test_the_live_stream_hears_ids_only_and_after_the_commit(ward: Ward) -> None:
    ward.admin.execute("LISTEN live")
    reading = glucose("40")

    ward.receive(sent(reading))

    notices = [json.loads(n.payload) for n in ward.admin.notifies(timeout=5, stop_after=2)]
    [(case_id, event_id)] = ward.rows("SELECT case_id, event_id FROM case_event")
    assert notices == [
        {"type": "reading", "patient_id": str(ward.patient_id), "reading_id": reading.reading_id, "kind": "glucose"},
        {"type": "case", "patient_id": str(ward.patient_id), "case_id": str(case_id), "event_id": event_id},
    ]


def test_of_a_reading_twice_in_a_batch_the_first_session_decides_for_ledger_and_table(ward: Ward) -> None:
    known, blind = glucose("100"), glucose("101")
    blind_session, good_session = session(clock=None), session()
    assert ward.fates(sent(known, visit=good_session), sent(known, visit=blind_session)) == [
        STORED,
        KNOWN,
    ]
    assert ward.fates(sent(blind, visit=blind_session), sent(blind, visit=good_session)) == [
        held("unknown_timeline"),
        held("unknown_timeline"),
    ]

    assert ward.rows("SELECT fate, count(*) FROM ledger GROUP BY fate ORDER BY fate") == [
        ("quarantined", 1),
        ("stored", 1),
    ]
    assert (ward.count("glucose_observation"), ward.count("quarantine")) == (1, 1)
    assert ward.fates(sent(known)) == [KNOWN]
    assert ward.fates(sent(blind)) == [held("unknown_timeline")]


def test_a_session_alone_that_the_database_refuses_is_held_whole(ward: Ward) -> None:
    odd = replace(METER, model="Ultra\0Mini")
    alone = arrival(v1.ReadingsMessage(v=1, message_id=uuid4().hex, session=session(odd), readings=()))

    [outcome] = ward.receive(alone)

    assert (outcome.receipts.whole_message, outcome.receipts.reason) == (v1.Fate.QUARANTINED, "refused_by_database")
    assert ward.rows("SELECT reason_code, payload FROM quarantine") == [("refused_by_database", alone.payload)]


def test_a_reason_that_quotes_a_whole_message_is_cut_and_the_payload_is_not(ward: Ward) -> None:
    odd = changed(message(glucose("100")), reading_id="x" * 200_000)
    ward.receive(arrival(odd))

    [(reason, octets)] = ward.rows("SELECT length(reason), octet_length(payload) FROM quarantine")
    assert reason <= 501
    assert octets > 200_000
