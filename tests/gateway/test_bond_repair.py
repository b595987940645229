"""What a visit says about the way to a device."""

from datetime import UTC, datetime

import pytest

from device_drivers.errors import BondLost, BondMade, DeviceError, LinkError, LinkLost, LinkTimeout, ServiceGone
from gateway.bond_ladder import Sign
from gateway.bond_repair import sign_of
from gateway.visit import Outcome, VisitReport


@pytest.mark.parametrize(
    ("outcome", "cause", "sign"),
    [
        (Outcome.COMPLETE, None, Sign.REACHED),
        (Outcome.UNREACHABLE, LinkTimeout, Sign.TIMED_OUT),
        (Outcome.UNREACHABLE, LinkLost, Sign.TIMED_OUT),  # a lost bond on Linux 6.12
        (Outcome.UNREACHABLE, LinkError, Sign.FAILED),
        (Outcome.UNREACHABLE, BondLost, Sign.REFUSED),
        (Outcome.UNREACHABLE, BondMade, Sign.REACHED),
        (Outcome.CUT, LinkLost, Sign.NOTHING),
        (Outcome.UNREACHABLE, ServiceGone, Sign.NOTHING),  # bluetoothd's death is not the device's fault
    ],
)
def test_a_visit_is_a_sign(outcome: Outcome, cause: type[DeviceError] | None, sign: Sign) -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert sign_of(VisitReport(name="meter", outcome=outcome, reason="", started_at=at, cause=cause)) is sign
