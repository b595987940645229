"""Tables as CSV that no spreadsheet takes for formulas (RFC 4180; OWASP, CSV injection)."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final

# A cell that begins with one of these may be reckoned instead of shown; full-width signs are signs to some programs.
_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table with its head. Numbers stay numbers; times and days are ISO 8601; None is empty."""
    return head_of(columns) + lines_of(rows)


def head_of(columns: Sequence[str]) -> str:
    """The first line."""
    return lines_of([columns])


def lines_of(rows: Iterable[Sequence[object]]) -> str:
    """Some of the others: of a large table part after part, which together are ``csv_of``."""
    out = io.StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()


def cell(value: object) -> object:
    """What is written for a value; text that would be reckoned has an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, StrEnum):
        value = value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(" \0").startswith(_BEGINS):
        return f"'{value}"
    return value
