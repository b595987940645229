"""From octets captured on a meter's line to the row in the hypertable: same value, unit, time and bytes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from cloud.devices import store as devices
from device_drivers.codecs.lifescan_ultramini import decode_frame, decode_record
from device_drivers.drivers.lifescan_ultramini import quantity
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Component, Kind, Reading, ReportedTime
from firmware_profiles.catalogue import catalogue
from gateway.wire import v1
from tests.cloud.made import Ward, arrival

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "lifescan_ultramini.json").read_text())
METER = DeviceIdentity(manufacturer="LifeScan", model="UltraMini", serial_number=CAPTURE["meter"]["serial_number"])
PROFILE = catalogue().get("lifescan-onetouch-ultramini")
CLOCK = datetime.fromisoformat(CAPTURE["meter"]["clock"])
READ_AT = datetime(2011, 9, 5, 19, 46, 14, tzinfo=UTC)  # the meter's clock was an hour ahead of UTC: British summer


def captured(index: int) -> Reading:
    """The reading in the frame with which the meter answered for that record."""
    [exchange] = [e for e in CAPTURE["session"] if e["what"] == f"record {index}"]
    octets = bytes.fromhex(
        next(f["octets"] for f in exchange["frames"] if f["from"] == "meter" and len(f["octets"]) > 12)
    )
    record = decode_record(decode_frame(octets).payload)
    return Reading(
        device=METER,
        kind=Kind.GLUCOSE,
        components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, quantity(record, PROFILE.firmware.values)),),
        reported_time=ReportedTime(record.local.isoformat(), record.local),
        profile=PROFILE.id,
        raw=octets,
    )


def test_the_rows_equal_the_octets_on_the_line(ward: Ward) -> None:
    devices.assign_device(
        ward.admin, devices.register_device(ward.admin, METER), ward.patient_id, READ_AT - timedelta(30)
    )
    readings = [captured(index) for index in range(3)]
    message = v1.ReadingsMessage(
        v=1,
        message_id="0" * 32,
        session=v1.WireSession(
            session_id="1" * 32,
            device=v1.wire_device(METER),
            started_at=READ_AT,
            profile=PROFILE.id,
            device_time=CLOCK.isoformat(),
            gateway_time=READ_AT,
        ),
        readings=tuple(v1.wire_reading(reading, READ_AT) for reading in readings),
    )
    ward.receive(arrival(message, at=READ_AT), at=READ_AT)

    rows = ward.rows(
        "SELECT g.value, g.unit, g.reported_time, g.effective_time, g.time_quality, l.raw FROM glucose g"
        " JOIN ledger l USING (reading_id) ORDER BY g.effective_time DESC"
    )
    assert rows == [
        (
            Decimal(record["mg_dl"]),
            "mg/dL",
            record["local"],
            datetime.fromisoformat(record["local"]).replace(tzinfo=UTC) - timedelta(hours=1),
            "synchronised",
            reading.raw,
        )
        for record, reading in zip(CAPTURE["records"], readings, strict=True)
    ]
