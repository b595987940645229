"""What the database holds, read as its administrator."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg import sql

from cloud.db.connect import Connection, one, open_connection
from deploy.chaos.truth import Alerted, Case, Found, Held, Stored, Timed
from device_drivers.nomenclature import Mdc
from gateway.wire.v1 import WireReading

APPLICATION = "pulsepost-chaos"


def found(admin_url: str, devices: Mapping[str, str], patients: Mapping[UUID, str]) -> Found:
    """Everything there is. ``devices`` and ``patients``: our names of their ids. psycopg.Error."""
    with open_connection(admin_url, APPLICATION) as connection:
        return Found(
            stored=[*_glucose(connection, devices, patients), *_pressures(connection, devices, patients)],
            held=_held(connection, devices),
            alerts=[
                Alerted(reading_id=reading_id.hex, condition=condition, case_id=str(case_id))
                for reading_id, condition, case_id in connection.execute(
                    "SELECT reading_id, condition, case_id FROM alert"
                )
            ],
            cases=[
                Case(case_id=str(case_id), patient=patients[patient_id], condition=condition)
                for case_id, patient_id, condition in connection.execute(
                    "SELECT case_id, patient_id, condition FROM alert_case"
                )
            ],
            timers=[
                Timed(reading_id=reading_id.hex, condition=condition)
                for reading_id, condition in connection.execute("SELECT reading_id, condition FROM remeasure")
            ],
        )


def known(admin_url: str) -> int:
    """How many readings the ledger knows. psycopg.Error."""
    with open_connection(admin_url, APPLICATION) as connection:
        count: int = one(connection.execute("SELECT count(*) FROM ledger").fetchone())[0]
    return count


def _glucose(connection: Connection, devices: Mapping[str, str], patients: Mapping[UUID, str]) -> list[Stored]:
    rows = connection.execute(
        "SELECT reading_id, device_id, user_index, value, reported_time, effective_time, patient_id"
        " FROM glucose_observation"
    )
    return [
        Stored(
            reading_id=reading_id.hex,
            device=devices.get(device_id, device_id),
            user=user,
            figures=(("value", int(value)),),
            reported=_local(reported),
            effective=effective,
            patient=patients[patient_id],
        )
        for reading_id, device_id, user, value, reported, effective, patient_id in rows
    ]


def _pressures(connection: Connection, devices: Mapping[str, str], patients: Mapping[UUID, str]) -> list[Stored]:
    # What waits for "was it you?" is kept, dated and attributed as well.
    columns = sql.SQL(
        "reading_id, device_id, user_index, systolic, diastolic, pulse, reported_time, effective_time, patient_id"
    )
    rows = connection.execute(
        sql.SQL(
            "SELECT {0}, false FROM blood_pressure_observation UNION ALL SELECT {0}, true FROM held_reading"
        ).format(columns)
    )
    return [
        Stored(
            reading_id=reading_id.hex,
            device=devices.get(device_id, device_id),
            user=user,
            figures=(("systolic", int(systolic)), ("diastolic", int(diastolic)), ("pulse", int(pulse))),
            reported=_local(reported),
            effective=effective,
            patient=patients[patient_id],
            doubted=doubted,
        )
        for reading_id, device_id, user, systolic, diastolic, pulse, reported, effective, patient_id, doubted in rows
    ]


def _held(connection: Connection, devices: Mapping[str, str]) -> list[Held]:
    rows = connection.execute(
        "SELECT coalesce(reading_id, quarantine_id), coalesce(device_id, ''), reading_id IS NOT NULL, reason_code,"
        " payload, received_at FROM quarantine"
    )
    return [
        _held_reading(reading_id, devices.get(device_id, device_id), reason, payload)
        if is_reading
        else Held(reading_id.hex, "", None, (), None, reason, received_at)
        for reading_id, device_id, is_reading, reason, payload, received_at in rows
    ]


class _Payload(msgspec.Struct, frozen=True):
    """What the quarantine keeps of a reading (``cloud.ingest.arrivals.whole``)."""

    reading: WireReading


def _held_reading(reading_id: UUID, device: str, reason: str, payload: bytes) -> Held:
    wire = msgspec.json.decode(payload, type=_Payload).reading
    figures = {_FIGURE_OF.get(component.code, "value"): int(component.value or 0) for component in wire.components}
    figures.pop("mean", None)
    return Held(
        reading_id.hex,
        device,
        wire.user_index,
        tuple(figures.items()),
        _local(wire.reported_time),
        reason,
        wire.read_at,
    )


_FIGURE_OF = {
    Mdc.PRESS_BLD_NONINV_SYS.value: "systolic",
    Mdc.PRESS_BLD_NONINV_DIA.value: "diastolic",
    Mdc.PRESS_BLD_NONINV_MEAN.value: "mean",
    Mdc.PULS_RATE_NON_INV.value: "pulse",
}


def _local(reported: str) -> datetime:
    return datetime.fromisoformat(reported)
