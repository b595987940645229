"""The rules of billing codes as dated data. A new year's rules are a new entry; none is ever changed.

Remote physiologic monitoring in the United States. 99453 (set-up, once) is left out: which days it needs since 2026 is
not confirmed. One practitioner bills a patient's supply in 30 days, and the device must be a medical one: neither can
be told from readings and minutes, and both are the biller's to check.
"""

from datetime import date
from typing import Final

from cloud.crm.billing.models import Basis, CodeRule, Rulebook

RULEBOOKS: Final = (
    Rulebook(
        version="us-rpm-2026",
        since=date(2026, 1, 1),
        until=None,
        supply_days=30,
        source="CMS, physician fee schedule for 2026, final rule of November 2025, as five independent summaries agree;"
        " the primary text is to be read before anybody bills by it",
        source_read=date(2026, 11, 22),
        codes=(
            # Supply of devices, with readings on 2 to 15 days of a period of 30; new in 2026.
            CodeRule(code="99445", basis=Basis.DAYS, at_least=2, at_most=15, excluded_by=frozenset({"99454"})),
            # The same, on 16 to 30 days.
            CodeRule(code="99454", basis=Basis.DAYS, at_least=16, at_most=30, excluded_by=frozenset({"99445"})),
            # Management, the first 10 minutes of a calendar month, with a conversation; new in 2026.
            CodeRule(
                code="99470", basis=Basis.MINUTES, at_least=10, at_most=19, interactive=True,
                excluded_by=frozenset({"99457"}),
            ),
            # The first 20 minutes; in place of 99470, never beside it.
            CodeRule(
                code="99457", basis=Basis.MINUTES, at_least=20, interactive=True, excluded_by=frozenset({"99470"})
            ),
            # Each further 20 minutes.
            CodeRule(code="99458", basis=Basis.MINUTES, at_least=40, further=20, beyond="99457", interactive=True),
        ),
    ),
)  # fmt: skip
