"""What TimescaleDB's own licence allows: the columnstore, and the policy that moves old chunks into it.

Debian's build is the Apache edition and has neither. The columnstore holds a patient's readings of one chunk together,
newest first, which is how they are asked for.
"""

from collections.abc import Sequence
from typing import LiteralString

HYPERTABLES: tuple[LiteralString, ...] = ("glucose_observation", "ketone_observation", "blood_pressure_observation")


def statements(licence: str | None) -> Sequence[LiteralString]:
    """The SQL to run under this ``timescaledb.license``: none unless it is 'timescale'."""
    if licence != "timescale":
        return ()
    made: list[LiteralString] = []
    for table in HYPERTABLES:
        made.append(
            "ALTER TABLE " + table + " SET (timescaledb.compress, timescaledb.compress_segmentby = 'patient_id',"
            " timescaledb.compress_orderby = 'effective_time DESC')"
        )
        # Late readings may still arrive for a while; a chunk two months old is quiet.
        made.append("SELECT add_compression_policy('" + table + "', compress_after => INTERVAL '60 days')")
    return made
