"""Readings made up for the gateway's tests; values are of no interest here, identities are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from gateway.wire import v1

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
METER = DeviceIdentity(manufacturer="LifeScan", model="OneTouch UltraMini", serial_number="C0FFEE123")


def reading(number: int, device: DeviceIdentity = METER) -> Reading:
    """The ``number``th reading of a meter's memory, one a minute before NOW's wall clock."""
    local = (NOW - timedelta(minutes=number)).replace(tzinfo=None)
    return Reading(
        device=device,
        kind=Kind.GLUCOSE,
        components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, Quantity(Decimal(100 + number % 50), Unit.MG_DL)),),
        reported_time=ReportedTime(local.isoformat(), local),
        profile="lifescan-onetouch-ultramini",
        raw=number.to_bytes(8, "little"),
        sequence_number=number,
    )


def wire(number: int) -> v1.WireReading:
    """The same on the wire."""
    return v1.wire_reading(reading(number), NOW)


def session(number: int = 0) -> v1.WireSession:
    """The ``number``th visit to the meter."""
    stamp = CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None))
    return v1.wire_session(f"{number:032x}", METER, "lifescan-onetouch-ultramini", NOW, stamp, 500)


def receipts(
    message_id: str, *reading_ids: str, fate: v1.Fate = v1.Fate.STORED, whole: v1.Fate | None = None
) -> v1.ReceiptsMessage:
    """What the cloud answers."""
    return v1.ReceiptsMessage(
        v=1,
        message_id=message_id,
        committed_at=NOW,
        receipts=tuple(v1.Receipt(reading_id=reading_id, fate=fate) for reading_id in reading_ids),
        whole_message=whole,
    )
