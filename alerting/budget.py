"""An alert budget: how many cases a programme may ask people to work, per patient and day, and how many there were.

Every case that a person works counts once, of whatever tier, those in retrospect included: they cost a nurse's time,
and the published 0.10 (van Steenkiste 2025) counts all manual work. What closed automatically does not count, nor does
a case that is raised again.

No ratio of a few days: it takes so many patient-days that a programme just within its budget would have had ten cases,
of which chance alone makes three more or less (proposal).
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

NEEDED_CASES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one programme asked of people in the last ``days``. ``budget`` is in cases per patient and day."""

    budget: Decimal
    days: int
    cases: int
    patient_days: Decimal

    @property
    def needed_patient_days(self) -> int:
        """From how many on there is a ratio."""
        return int((NEEDED_CASES / self.budget).to_integral_value(ROUND_CEILING))

    @property
    def enough(self) -> bool:
        """True where a ratio may be given."""
        return self.patient_days >= self.needed_patient_days

    @property
    def ratio(self) -> Decimal | None:
        """Cases per patient and day to four digits; None where there is too little to say."""
        if not self.enough:
            return None
        return (self.cases / self.patient_days).quantize(Decimal("0.0001"))

    @property
    def exceeded(self) -> bool:
        """True where there is enough to say so, and there were more cases than the budget allows."""
        return self.enough and self.cases > self.budget * self.patient_days
