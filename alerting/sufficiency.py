"""Whether there are enough readings for a figure. No average, index or share leaves this package without it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufficiency:
    """How many readings on how many of the patient's days there are, and how many the source asks for.

    ``off_scale`` counts HI and LO: they are readings, but no figures, so a mean leaves them out and says so.
    """

    readings: int
    days: int
    needed_readings: int
    needed_days: int
    source: str
    off_scale: int = 0

    @property
    def enough(self) -> bool:
        """True where a figure may be given."""
        return self.readings >= self.needed_readings and self.days >= self.needed_days
