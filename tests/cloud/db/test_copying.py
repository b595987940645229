"""Rows in the binary format: what goes in comes out, with all its digits."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.db.connect import Connection, open_connection
from cloud.db.copying import Table, bytea, int2, int4, jsonb, numeric, text, text_array, timestamptz, uuid
from tests.fix_services import Database

TYPES = "(o bytea, t text, u uuid, i int2, j int4, at timestamptz, n numeric, w jsonb, a text[])"
COLUMNS = Table("copied", ("o", "t", "u", "i", "j", "at", "n", "w", "a"))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """With a table of every type that we write."""
    with open_connection(database.admin_url, "test", autocommit=True) as opened:
        opened.execute("CREATE TEMPORARY TABLE copied " + TYPES)
        yield opened


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.binary(max_size=20),
    st.none() | texts,
    st.uuids(),
    st.none() | st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    instants,
    st.none() | decimals,
    st.dictionaries(texts, texts, max_size=3),
    st.lists(texts, max_size=3).map(tuple),
)
def test_what_is_copied_is_read_again(
    connection: Connection,
    octets: bytes,
    words: str | None,
    id_: UUID,
    small: int | None,
    number: int,
    at: datetime,
    figure: Decimal | None,
    context: dict[str, str],
    list_: tuple[str, ...],
) -> None:
    row = b"".join(
        (
            bytea(octets),
            text(words),
            uuid(id_.hex),
            int2(small),
            int4(number),
            timestamptz(at),
            numeric(figure),
            jsonb(context),
            text_array(list_),
        )
    )

    connection.execute("TRUNCATE copied")
    COLUMNS.copy(connection, [row, row])

    [first, second] = connection.execute("SELECT *, n::text FROM copied").fetchall()
    assert first == second
    assert first[:-1] == (octets, words, id_, small, number, at, figure, context, list(list_))
    assert (first[-1] is None) == (figure is None)
    if figure is not None and not figure.is_zero():
        assert Decimal(first[-1]).as_tuple()[1:] == Decimal(f"{figure:f}").as_tuple()[1:]


@pytest.mark.parametrize("digits", ["5", "5.0", "5.00", "0.1", "0.10", "180", "1800"])
def test_a_figure_keeps_its_digits(connection: Connection, digits: str) -> None:
    row = b"".join((*[b"\xff\xff\xff\xff"] * 6, numeric(Decimal(digits)), *[b"\xff\xff\xff\xff"] * 2))

    COLUMNS.copy(connection, [row])

    assert connection.execute("SELECT n::text FROM copied").fetchone() == (digits,)


def test_a_uuid_may_have_hyphens() -> None:
    id_ = UUID(int=2**127 + 5)
    assert uuid(str(id_)) == uuid(id_.hex) == b"\0\0\0\x10" + id_.bytes


def test_a_text_that_the_database_cannot_hold_is_refused_by_it(connection: Connection) -> None:
    row = b"".join((b"\xff\xff\xff\xff", text("a\0b"), *[b"\xff\xff\xff\xff"] * 7))
    with pytest.raises(psycopg.DataError):
        COLUMNS.copy(connection, [row])
