"""The figures, their limits, and how they are shown and kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure has to keep: at least, or at most."""

    bound: float
    at_least: bool

    def holds(self, value: float) -> bool:
        """Whether the figure keeps it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


def _at_least(bound: float) -> Limit:
    return Limit(bound, at_least=True)


def _at_most(bound: float) -> Limit:
    return Limit(bound, at_least=False)


# Every figure; None: shown without a limit.
LIMITS: Mapping[str, Limit | None] = {
    "ingest_single.ratio": _at_least(0.6),
    "ingest_batch.ratio": _at_least(0.4),
    "ingest_batch.alerting_share": _at_most(0.2),
    "latency.p50_ms": None,
    "latency.p99_ms": _at_most(500),
    "storm.critical_p99_ms": _at_most(2000),
    "storm.lost": _at_most(0),
    "gateway.rss_mb": _at_most(45),
    "gateway.start_s": _at_most(2),
    "gateway.drain_per_s": _at_least(2000),
    "growth.ratio": _at_least(0.9),
    "workers.ratio": None,
    "pages.worklist_p95_ms": _at_most(50),
    "pages.patients_p95_ms": _at_most(50),
    "pages.patient_p95_ms": _at_most(50),
    "pages.case_p95_ms": _at_most(50),
    "pages.review_p95_ms": None,
    "pages.streams_lost": _at_most(0),
    "pages.streams_told_strangers": _at_most(0),
    "pages.streams_p99_ms": _at_most(500),
    # The longest judgement as a share of the time between two: three times as slow it would still keep up.
    "fleet.turn_share": _at_most(0.33),
    "fleet.list_p95_ms": _at_most(50),
}


@dataclass(slots=True)
class Rounds:
    """What the rounds of one figure gave, by name: figures of LIMITS, and the raw values behind them."""

    values: dict[str, list[float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, **values: float) -> None:
        """One round."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)

    @property
    def medians(self) -> dict[str, float]:
        """The middle of each."""
        return {name: median(values) for name, values in self.values.items()}


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that so much of all does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def as_json(figures: Mapping[str, Rounds], about: Mapping[str, object]) -> dict[str, object]:
    """The contents of results.json: each figure's medians under its name, and all rounds beside them."""
    return {
        "about": dict(about),
        **{
            name: {
                **{key: _short(value) for key, value in rounds.medians.items()},
                "rounds": {key: [_short(value) for value in values] for key, values in rounds.values.items()},
                **({"remarks": rounds.remarks} if rounds.remarks else {}),
            }
            for name, rounds in figures.items()
        },
    }


def write(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def table(figures: Mapping[str, Rounds]) -> Sequence[str]:
    """Lines for the screen: the figures with limits first, the raw values of each below it."""
    lines = [f"{'figure':38}{'median':>12}{'limit':>10}   rounds"]
    for name, rounds in figures.items():
        ordered = sorted(rounds.values, key=lambda key: f"{name}.{key}" not in LIMITS)
        lines += [_line(f"{name}.{key}", rounds.values[key]) for key in ordered]
        lines += [f"    {remark}" for remark in rounds.remarks]
    return lines


def _line(name: str, values: Sequence[float]) -> str:
    middle = median(values)
    limit = LIMITS.get(name)
    verdict = "" if limit is None else "  met" if limit.holds(middle) else "  MISSED"
    rounds = " ".join(f"{_short(value):g}" for value in values)
    indent = "" if name in LIMITS else "  "
    return f"{indent + name:38}{_short(middle):>12g}{limit or ''!s:>10}   {rounds}{verdict}"


def _short(value: float) -> float:
    return round(value) if abs(value) >= 1000 else float(f"{value:.3g}")
