"""The Reading: what one device said, in its own value, unit and time.

A Reading is born in a driver, where the bytes are understood, and is never corrected afterwards. Attributed to a
patient it becomes an Observation (``cloud.observations``). This module depends on nothing outside the standard library.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit


class Kind(StrEnum):
    """The measurement as a whole; one hypertable each."""

    GLUCOSE = "glucose"
    BLOOD_PRESSURE = "blood_pressure"
    KETONE = "ketone"


class QuantityState(StrEnum):
    """Why a quantity is, or is not, a number. Only MEASURED carries a value."""

    MEASURED = "measured"
    ABOVE_RANGE = "above_range"  # the meter shows HI
    BELOW_RANGE = "below_range"  # the meter shows LO
    NOT_A_NUMBER = "not_a_number"
    NOT_AT_THIS_RESOLUTION = "not_at_this_resolution"
    POSITIVE_INFINITY = "positive_infinity"
    NEGATIVE_INFINITY = "negative_infinity"
    RESERVED = "reserved"


class Sample(StrEnum):
    """What was put on the strip. Only PATIENT may ever become a clinical figure."""

    PATIENT = "patient"
    CONTROL_SOLUTION = "control_solution"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure in the device's own unit.

    ``value`` is a number only in state MEASURED. HI and LO are states with the range limit in ``bound`` where the
    profile knows it; a bound is never a value, so nobody can average it by mistake.
    """

    value: Decimal | None
    unit: Unit
    state: QuantityState = QuantityState.MEASURED
    bound: Decimal | None = None

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.state is QuantityState.MEASURED):
            raise ValueError(f"a quantity in state {self.state} cannot have the value {self.value}")

    def __str__(self) -> str:
        match self.state:
            case QuantityState.MEASURED:
                return f"{self.value} {self.unit}"
            case QuantityState.ABOVE_RANGE:
                return f"HI (> {self.bound} {self.unit})" if self.bound is not None else f"HI ({self.unit})"
            case QuantityState.BELOW_RANGE:
                return f"LO (< {self.bound} {self.unit})" if self.bound is not None else f"LO ({self.unit})"
            case _:
                return f"{self.state.replace('_', ' ')} ({self.unit})"


@dataclass(frozen=True, slots=True)
class ReportedTime:
    """The time of measurement exactly as the device reported it.

    ``text`` is the device's own statement in a canonical spelling and is what identity is made of: an ISO local
    date and time, for the Glucose Service followed by its time offset (``2020-07-14T11:06:05+602min``), or with
    zeros where a field is unknown. ``local`` is the same as a naive wall-clock time, None where the device's clock
    was not set or the date does not exist.
    """

    text: str
    local: datetime | None

    def __post_init__(self) -> None:
        if self.local is not None and self.local.tzinfo is not None:
            raise ValueError("a reported time is the device's wall clock: naive by definition")


@dataclass(frozen=True)
class Component:
    """One coded figure of a reading (systolic, diastolic, mean, pulse; or the glucose concentration)."""

    code: Mdc
    quantity: Quantity

    @cached_property
    def statement(self) -> str:
        """What the identity of a reading takes of it."""
        return f"{self.code}={self.quantity.value} {self.quantity.unit} {self.quantity.state}"


@dataclass(frozen=True, kw_only=True, init=False)
class Reading:
    """One measurement as its device reported it.

    ``annotations`` are the device's own flags under the field's names (``irregular_pulse``, ``body_movement``,
    ``strip_type_incorrect``, ...); ``context`` holds meal, sample location and the like as name → code word.
    ``occurrence`` tells equal readings of one minute apart where the device gives neither seconds nor a sequence
    number; the oldest of them is 0. ``raw`` is the record's bytes as they came over the link. ``clock_went_back_to``
    is the earliest time that a newer record of the same memory shows, where that is before this one's: the clock was
    set back after this reading (``timestamps.MemoryOrder``).
    """

    device: DeviceIdentity
    kind: Kind
    components: tuple[Component, ...]
    reported_time: ReportedTime
    profile: str
    raw: bytes
    sample: Sample
    sequence_number: int | None
    occurrence: int
    user_index: int | None
    annotations: tuple[str, ...]
    context: dict[str, str]
    clock_went_back_to: datetime | None

    def __init__(
        self,
        *,
        device: DeviceIdentity,
        kind: Kind,
        components: tuple[Component, ...],
        reported_time: ReportedTime,
        profile: str,
        raw: bytes,
        sample: Sample = Sample.PATIENT,
        sequence_number: int | None = None,
        occurrence: int = 0,
        user_index: int | None = None,
        annotations: tuple[str, ...] = (),
        context: dict[str, str] | None = None,
        clock_went_back_to: datetime | None = None,
    ) -> None:
        # At once: the __init__ that a frozen dataclass gets sets one attribute after the other, and takes three times
        # as long. A cloud makes a hundred thousand of these in a second.
        self.__dict__.update(
            device=device,
            kind=kind,
            components=components,
            reported_time=reported_time,
            profile=profile,
            raw=raw,
            sample=sample,
            sequence_number=sequence_number,
            occurrence=occurrence,
            user_index=user_index,
            annotations=annotations,
            context={} if context is None else context,
            clock_went_back_to=clock_went_back_to,
        )

    def quantity(self, *codes: Mdc) -> Quantity | None:
        """The first component with one of these codes, or None."""
        return next((c.quantity for c in self.components if c.code in codes), None)

    @cached_property
    def reading_id(self) -> str:
        """32 hex digits: the identity of this reading, from what the device said and nothing that we corrected.

        Grammar (version 1, an opaque key; changing it needs a new wire version): SHA-256, first 16 octets, over the
        UTF-8 of these fields joined by U+001F: ``1``, device_id, kind, the cuff's user slot or empty, sequence number
        or empty, reported time's text, then per component ``code=value unit state``, and the occurrence.
        """
        fields = [
            "1",
            self.device.device_id,
            self.kind,
            "" if self.user_index is None else str(self.user_index),
            "" if self.sequence_number is None else str(self.sequence_number),
            self.reported_time.text,
            *[component.statement for component in self.components],
            str(self.occurrence),
        ]
        return hashlib.sha256("\x1f".join(fields).encode()).digest()[:16].hex()
