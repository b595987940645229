"""`python -m deploy.rules`: every default limit with value, unit, source and evidence, and what each tier promises.

`print` prints the tables, `write` puts them into docs/alerting.md between its markers, and `unsigned` lists what a
clinician signs before it is used on patients. A house test holds the page and the data equal.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from alerting.limits import Relation
from alerting.regimes import REGIMES, Evidence, Figure, Regime, RegimeLimit, unsigned
from alerting.tiers import TERMS, Tier
from alerting.vigilance import WATCH
from device_drivers.nomenclature import Unit

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "alerting.md"
_BEGIN, _END = "<!-- rules:", "<!-- /rules -->"

_RELATION: Final[Mapping[Relation, str]] = {Relation.BELOW: "<", Relation.ABOVE: ">", Relation.AT_OR_ABOVE: "≥"}
_OURS: Final = (Evidence.UNCONFIRMED, Evidence.PROPOSED)


def tables() -> str:
    """Markdown: a table for each regime, one of the tiers, one of silence."""
    parts = [_section(f"`{regime.name}`", _of_regime(regime)) for regime in REGIMES.values()]
    parts.append(_section("What each tier promises", _of_tiers()))
    parts.append(_section("When nobody measures", _of_silence()))
    return "\n".join(parts)


def to_sign() -> str:
    """A line for each figure whose value or timer is not a published one."""
    lines = [
        f"{regime.name:9} {limit.condition:31} {_value(limit)}; {_to_sign(limit)}"
        for regime in REGIMES.values()
        for limit in unsigned(regime)
    ]
    lines.append(f"all       {'deadlines of the tiers':31} {', '.join(Tier)}: proposals")
    lines.append(f"all       {'silence, heightened period':31} proposals")
    return "".join(f"{line}\n" for line in lines)


def with_tables(page: str, written: str) -> str:
    """A page with these tables between its two markers. ValueError where it lacks one of them."""
    start = page.index("\n", page.index(_BEGIN)) + 1
    end = page.index(_END, start)
    return page[:start] + written + page[end:]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print, or write the page."""
    parser = argparse.ArgumentParser(prog="python -m deploy.rules", description=__doc__)
    parser.add_argument("command", choices=["print", "write", "unsigned"])
    match parser.parse_args(arguments).command:
        case "print":
            print(tables(), end="")
        case "unsigned":
            print(to_sign(), end="")
        case _:
            PAGE.write_text(with_tables(PAGE.read_text(), tables()))
            print(f"{PAGE.name}: {sum(len(regime.limits) for regime in REGIMES.values())} limits")
    return 0


def _section(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return f"### {title}\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _of_regime(regime: Regime) -> Iterator[tuple[str, ...]]:
    yield "Condition", "What is compared", "Limit", "Tier", "Measured again", "Source", "Evidence", "To be signed"
    for limit in regime.limits:
        yield (
            f"`{limit.condition}`", _figure(limit), _value(limit), _word(limit.tier), _again(limit), limit.source,
            _word(limit.evidence), _to_sign(limit),
        )  # fmt: skip
    for category in regime.home_categories:
        yield (
            f"category `{category.name}`", "home average, shown", _pair(category.systolic, category.diastolic), "none",
            "", category.source.text, _word(category.source.evidence), _value_to_sign(category.source.evidence),
        )  # fmt: skip


def _of_tiers() -> Iterator[tuple[str, ...]]:
    yield (
        "Tier",
        "Acknowledged within",
        "Patient spoken to within",
        "Goes on after",
        "To",
        "An owner has it for",
        "Pages",
    )
    for tier, terms in TERMS.items():
        days = " of working days" if terms.working_time else ""
        within = (terms.acknowledge_within, terms.contact_within, terms.escalate_after)
        to = ", ".join(_word(role) for role in terms.escalate_to)
        yield _word(tier), *(_span(span) + days for span in within), to, _span(terms.lease), _yes(terms.pages)


def _of_silence() -> Iterator[tuple[str, ...]]:
    yield "Period", "Patient reminded", "Cause looked for", "Patient called", "Cases may close by themselves"
    for watch in WATCH.values():
        silence = watch.silence
        spans = (silence.remind_patient, silence.check_technically, silence.call_patient)
        allowed = "where the programme allows it" if watch.may_close_automatically else "never"
        yield _word(watch.vigilance), *map(_span, spans), allowed


def _figure(limit: RegimeLimit) -> str:
    what = "a reading" if limit.figure is Figure.READING else _word(limit.figure)
    often = f", {limit.times} times" if limit.times > 1 else ""
    within = f" within {_span(limit.within)}" if limit.within else ""
    return f"{_word(limit.measure)}: {what}{often}{within}"


def _value(limit: RegimeLimit) -> str:
    shown = " / ".join(f"{value} {unit}" for unit, value in limit.values.items())
    if limit.figure is Figure.LOW_GLUCOSE_INDEX:
        shown = str(next(iter(limit.values.values())))
    return f"{_RELATION[limit.relation]} {shown}"


def _pair(systolic: Mapping[Unit, Decimal], diastolic: Mapping[Unit, Decimal] | None) -> str:
    high, low = systolic[Unit.MM_HG], diastolic[Unit.MM_HG] if diastolic else None
    return f"≥ {high} or {low} {Unit.MM_HG}" if low is not None else f"≥ {high} {Unit.MM_HG} systolic"


def _again(limit: RegimeLimit) -> str:
    confirm = limit.confirm
    if confirm is None:
        return "no"
    start = "case at once; " if confirm.at_once else ""
    follows = (("confirmed", confirm.confirmed), ("nobody answers", confirm.unanswered))
    tiers = "".join(f"; {what}: {_word(tier)}" for what, tier in follows if tier)
    return f"{start}after {_span(confirm.earliest)}, until {_span(confirm.due)}{tiers}"


def _to_sign(limit: RegimeLimit) -> str:
    timer = limit.confirm is not None and limit.confirm.source.evidence in _OURS
    parts = [word for word, ours in (("limit", limit.evidence in _OURS), ("timer", timer)) if ours]
    return " and ".join(parts) or "no"


def _value_to_sign(evidence: Evidence) -> str:
    return "limit" if evidence in _OURS else "no"


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _word(name: str) -> str:
    return str(name).replace("_", " ")


def _span(span: timedelta | None) -> str:
    minutes = int((span or timedelta()).total_seconds() // 60)
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


if __name__ == "__main__":
    sys.exit(main())
