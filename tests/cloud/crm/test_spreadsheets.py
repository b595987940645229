"""What is exported is shown by a spreadsheet, and reckoned by none."""

import csv
import io
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.spreadsheets import csv_of


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_no_cell_begins_as_a_formula_and_each_keeps_its_text(texts: list[str]) -> None:
    [_, row] = csv.reader(io.StringIO(csv_of(["c"] * len(texts), [texts]), newline=""))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row)
    assert [cell.removeprefix("'") for cell in row] == [text.removeprefix("'") for text in texts]


def test_numbers_days_and_times_are_what_they_are() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    text = csv_of(["a", "b", "c", "d"], [[-1.5, None, date(2026, 11, 21), at], ["-1", "＝1", " =1", "x"]])
    assert text.splitlines() == ["a,b,c,d", "-1.5,,2026-11-21,2026-11-21T12:00:00+00:00", "'-1,'＝1,' =1,x"]
