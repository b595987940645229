"""The draw: of each person's closed cases, by stratum, so many of a hundred, rounded up. Pure, and the same each time.

Rule ``sha256-strata-1``: the cases that each person closed in the period are parted by tier (emergency; urgent; all
others), those that nobody closed are a part of their own. Within each part they are put in the order of the SHA-256 of
``{seed}:{case_id}`` (case_id in lower case, with hyphens), and the first ``ceil(percent × n / 100)`` of n are taken: at
least one of each part that has any, and so at least the percentage of what each person closed. The seed is drawn by
machine when the period is over, once.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import Final
from uuid import UUID

from cloud.crm.quality.models import Closed, Drawn, Stratum

RULE: Final = "sha256-strata-1"


def draw(closed: Iterable[Closed], seed: str, percent: int) -> list[Drawn]:
    """The sample, by person (nobody last), stratum and place."""
    parts: dict[tuple[UUID | None, Stratum], list[Closed]] = defaultdict(list)
    for one in closed:
        parts[one.closed_by, stratum_of(one)].append(one)
    found: list[Drawn] = []
    for (closed_by, stratum), of in sorted(parts.items(), key=lambda part: _order(*part[0])):
        taken = sorted(of, key=lambda one: (_sign(seed, one.case_id), one.case_id))[: -(-len(of) * percent // 100)]
        found += [
            Drawn(one.case_id, one.patient_id, closed_by, stratum, place) for place, one in enumerate(taken, start=1)
        ]
    return found


def stratum_of(one: Closed) -> Stratum:
    """Which part it belongs to."""
    if one.closed_by is None:
        return Stratum.AUTOMATIC
    return Stratum(one.tier) if one.tier in (Stratum.EMERGENCY, Stratum.URGENT) else Stratum.OTHER


def frame_of(closed: Iterable[Closed]) -> str:
    """The SHA-256 of all that is drawn from: a line for each case, ``case_id closed_by tier``, in their order."""
    lines = sorted(f"{one.case_id} {one.closed_by or '-'} {one.tier}\n" for one in closed)
    return sha256("".join(lines).encode()).hexdigest()


def _sign(seed: str, case_id: UUID) -> str:
    return sha256(f"{seed}:{case_id}".encode()).hexdigest()


def _order(closed_by: UUID | None, stratum: Stratum) -> tuple[bool, str, int]:
    return closed_by is None, str(closed_by), list(Stratum).index(stratum)
