"""The columnstore: which SQL, and as far as this TimescaleDB's licence lets it be tried."""

import psycopg
import pytest

from cloud.db.columnstore import HYPERTABLES, statements
from tests.cloud.made import Ward


@pytest.mark.parametrize("licence", ["apache", None, ""])
def test_nothing_is_asked_for_where_the_licence_does_not_give_it(licence: str | None) -> None:
    assert statements(licence) == ()


def test_every_hypertable_gets_the_columnstore_and_its_policy() -> None:
    wanted = statements("timescale")

    for table in HYPERTABLES:
        assert any(s.startswith(f"ALTER TABLE {table} SET (timescaledb.compress,") for s in wanted)
        assert any(f"add_compression_policy('{table}'" in s for s in wanted)


def test_the_hypertables_of_the_database_are_those(ward: Ward) -> None:
    found = ward.rows("SELECT hypertable_name FROM timescaledb_information.hypertables ORDER BY 1")
    assert found == [(table,) for table in sorted(HYPERTABLES)]


def test_the_columnstore_is_as_the_licence_says(ward: Ward) -> None:
    [(licence,)] = ward.rows("SELECT current_setting('timescaledb.license', true)")
    [(jobs,)] = ward.rows("SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'")
    if licence == "timescale":
        assert jobs == len(HYPERTABLES)
        return
    # The Apache edition knows the names and the arguments, and refuses them for its licence and for nothing else.
    assert jobs == 0
    for statement in statements("timescale"):
        with pytest.raises(psycopg.errors.FeatureNotSupported, match='under the current "apache" license'):
            ward.admin.execute(statement)


def test_a_misspelt_option_would_be_noticed_under_either_licence(ward: Ward) -> None:
    with pytest.raises(psycopg.Error, match="unrecognized parameter"):
        ward.admin.execute("ALTER TABLE glucose_observation SET (timescaledb.compres)")
