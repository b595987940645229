"""Figures as one long table, as CSV and as Parquet: a row for each figure, by codes and ids, without a name."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any, Final

import arro3.core as arrow
from arro3.io import write_parquet

from cloud.crm.figures.models import COLUMNS, Figures, Promise, Row
from cloud.crm.spreadsheets import csv_of

_TYPES: Final[dict[str, Any]] = {"n": arrow.DataType.int64(), "value": arrow.DataType.float64()}


def csv_text(rows: Sequence[Row]) -> str:
    """RFC 4180; nothing in it is taken for a formula."""
    return csv_of(COLUMNS, map(astuple, rows))


def parquet(rows: Sequence[Row]) -> bytes:
    """The same columns: n is int64, value float64 (null: too few to tell), all others text."""
    columns: dict[str, Any] = {
        name: arrow.Array([getattr(row, name) for row in rows], type=_TYPES.get(name, arrow.DataType.utf8()))
        for name in COLUMNS
    }
    out = io.BytesIO()
    write_parquet(arrow.Table.from_pydict(columns), out)
    return out.getvalue()


def rows_of(figures: Figures) -> list[Row]:
    """Every figure that the page shows."""
    return [*_tiers(figures), *_workload(figures), *_programmes(figures), *_attended(figures), *_content(figures)]


def _tiers(figures: Figures) -> Iterator[Row]:
    for of in figures.tiers:
        tier = " ".join(of.tiers)
        for name, promise in (("acknowledge", of.acknowledged), ("contact", of.contacted)):
            for figure, n, value, unit in _promised(name, promise):
                yield _row(figures, figure=figure, tier=tier, n=n, value=value, unit=unit)


def _promised(name: str, promise: Promise) -> Iterator[tuple[str, int, float | None, str]]:
    yield f"time_to_{name}_p50", promise.spread.n, _minutes(promise.spread.p50), "min"
    yield f"time_to_{name}_p95", promise.spread.n, _minutes(promise.spread.p95), "min"
    yield f"{name}_late", promise.promised, None if promise.late is None else float(promise.late), "1"


def _workload(figures: Figures) -> Iterator[Row]:
    for of in figures.workload:
        for figure in ("acts", "taken", "closed", "calls", "messages", "minutes"):
            yield _row(
                figures, figure=f"work_{figure}", role=of.role, account_id=str(of.account_id), hours=of.hours or "",
                n=of.shifts, value=float(getattr(of, figure)), unit="min" if figure == "minutes" else "1",
            )  # fmt: skip


def _programmes(figures: Figures) -> Iterator[Row]:
    for of in figures.programmes:
        month, programme = f"{of.month:%Y-%m}", " ".join(of.programme_ids)
        for figure, n, value, unit in (
            ("patients", of.patients, float(of.patients), "1"),
            ("patients_measured", of.patients, float(of.measured), "1"),
            ("controlled", of.averaged, None if of.controlled is None else float(of.controlled), "%"),
            ("adherence", of.scheduled, None if of.adherence is None else float(of.adherence), "%"),
            ("readings", of.patients, float(of.readings), "1"),
            ("cases", of.patients, float(of.cases), "1"),
        ):
            yield Row(
                figure=figure, first_month=month, last_month=month, programme=programme, n=n, value=value, unit=unit
            )


def _attended(figures: Figures) -> Iterator[Row]:
    for of in figures.attended:
        yield _row(figures, figure="no_shows", way=" ".join(of.ways), n=of.n, value=float(of.percent), unit="%")


def _content(figures: Figures) -> Iterator[Row]:
    for of in figures.satisfaction:
        month = f"{of.month:%Y-%m}"
        for figure, value, unit in (("satisfied", of.percent, "%"), ("satisfaction_mark", of.mean, "1")):
            yield Row(
                figure=figure,
                first_month=month,
                last_month=month,
                survey=of.survey,
                n=of.n,
                value=float(value),
                unit=unit,
            )


def _row(figures: Figures, **of: Any) -> Row:
    return Row(first_month=f"{figures.period.first:%Y-%m}", last_month=f"{figures.period.last:%Y-%m}", **of)


def _minutes(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 60, 2)
