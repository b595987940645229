"""Each sentence names the value, the limit, who set it and since when: every limit, every override, every reason."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest

from alerting.familiarity import SOURCE as WRONG_PERSON
from alerting.limits import Measure, Priority
from alerting.reasons import (
    Answer,
    DifferenceReason,
    HeldReason,
    IndexReason,
    LateReason,
    LimitReason,
    QuestionnaireReason,
    Reason,
    RedFlag,
    RemeasureReason,
    RepeatedReason,
    RhythmReason,
    SilenceReason,
    SilenceStep,
    SustainedReason,
    SymptomReason,
    UnfamiliarReason,
)
from alerting.red_flags import AHA_SYMPTOMS, HYPOTENSION, KETOACIDOSIS, LEVEL_3
from alerting.regimes import IN_USE_SINCE, OURS, REGIMES, Figure, Override, RegimeLimit, Source, in_force
from alerting.rhythm import IRREGULAR_PULSE
from alerting.sentences import figure_text, sentence, source_text
from alerting.sufficiency import Sufficiency
from alerting.vigilance import WATCH
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity
from tests.alerting.made import START

ENOUGH = Sufficiency(readings=24, days=6, needed_readings=12, needed_days=3, source="722 protocol")
VALUE = Decimal("123.4")  # of whatever is held against the limit: no limit has it
DIFFERENCES = (Figure.WEEK_RISE, Figure.MORNING_EXCESS, Figure.SESSION_RISE)
SET_AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def reason_of(limit: RegimeLimit, unit: Unit) -> Reason:
    """Why this limit would be spoken of."""
    figure = Quantity(VALUE, unit)
    if limit.figure in DIFFERENCES:
        return DifferenceReason(now=figure, before=Quantity(Decimal(1), unit), difference=VALUE, unit=unit, limit=limit)
    if limit.figure is Figure.LOW_GLUCOSE_INDEX:
        return IndexReason(value=VALUE, unit=unit, band="high", limit=limit, sufficiency=ENOUGH)
    if limit.times > 1:
        return RepeatedReason(worst=figure, occurrences=3, within=limit.within or timedelta(days=1), limit=limit)
    average = limit.figure not in (Figure.READING, Figure.SESSION_MEAN)
    return LimitReason(figure=figure, limit=limit, readings=2, sufficiency=ENOUGH if average else None)


def every_limit() -> Iterator[tuple[RegimeLimit, Unit]]:
    """The defaults, in each of their units."""
    for regime in REGIMES.values():
        for limit in regime.limits:
            for unit in limit.values:
                yield limit, unit


def every_override() -> Iterator[tuple[RegimeLimit, Unit]]:
    """Each of the limits, set anew by a doctor for one patient in one unit."""
    for regime in REGIMES.values():
        for limit in regime.limits:
            for unit in limit.values:
                own = Override(
                    condition=limit.condition, unit=unit, value=Decimal("77.7"), priority=Priority.MEDIUM,
                    set_by="Dr Holm", set_at=SET_AT, reason="frail, falls", version=3,
                )  # fmt: skip
                yield next(x for x in in_force(regime, [own], START) if x.version == 3), unit


def value_and_limit(limit: RegimeLimit, unit: Unit) -> tuple[str, str]:
    """As they must be readable in the sentence: an index has no unit."""
    bound = limit.values[unit]
    if limit.figure is Figure.LOW_GLUCOSE_INDEX:
        return f"{VALUE:f}", f"the limit of {bound:f}"
    return figure_text(VALUE, unit, limit.measure), f"the limit of {figure_text(bound, unit, limit.measure)}"


@pytest.mark.parametrize(
    ("limit", "unit"), [pytest.param(limit, unit, id=f"{limit.condition} {unit}") for limit, unit in every_limit()]
)
def test_a_sentence_of_a_default_names_value_limit_source_and_since_when(limit: RegimeLimit, unit: Unit) -> None:
    said = sentence(reason_of(limit, unit))
    for words in value_and_limit(limit, unit):
        assert words in said
    source = source_text(Source(text=limit.source, evidence=limit.evidence))
    assert f"(set by {source}, in use since 2026-11-22)" in said
    assert limit.since == IN_USE_SINCE


@pytest.mark.parametrize(
    ("limit", "unit"), [pytest.param(limit, unit, id=f"{limit.condition} {unit}") for limit, unit in every_override()]
)
def test_a_sentence_of_an_override_names_value_limit_doctor_and_since_when(limit: RegimeLimit, unit: Unit) -> None:
    said = sentence(reason_of(limit, unit))
    for words in value_and_limit(limit, unit):
        assert words in said
    assert "(set by Dr Holm since 2026-01-05, version 3, frail, falls)" in said


FIRST = LimitReason(
    figure=Quantity(Decimal(53), Unit.MG_DL),
    limit=next(x for x in REGIMES["ada"].limits if x.condition == "hypoglycaemia_level_2"),
)
DOUBT = UnfamiliarReason(
    measure=Measure.SYSTOLIC, figure=Quantity(Decimal(165), Unit.MM_HG), usual=Decimal(125), difference=Decimal(40),
    far=Decimal(30), readings=20, within=timedelta(days=60), source=WRONG_PERSON,
)  # fmt: skip
# The reasons that no limit of a regime makes by itself, each with the value and the limit that must be readable.
OTHERS: list[tuple[Reason, tuple[str, ...]]] = [
    (
        RemeasureReason(first=FIRST, first_at=START, due=START, answer=Answer.CONFIRMED,
                        again=Quantity(Decimal(52), Unit.MG_DL), answers=1),
        ("53 mg/dL", "52 mg/dL", "the limit of 54 mg/dL", "set by ADA Standards of Care, section 6"),
    ),
    (SustainedReason(weeks=(FIRST, FIRST)), ("53 mg/dL", "the limit of 54 mg/dL", "2 weeks", "set by ADA Standards")),
    (
        RhythmReason(sessions=3, on_days=(date(2026, 3, 2), date(2026, 3, 7)), needed_days=2,
                     within=timedelta(days=30), source=IRREGULAR_PULSE.source),
        ("3 sessions on 2 days", "2 days is the limit", "set by Watanabe 2021"),
    ),
    (
        SilenceReason(kind=Kind.GLUCOSE, step=SilenceStep.CALL_PATIENT, missed_since=START, missed=2,
                      limit=timedelta(hours=24), source=OURS, heightened=False),
        ("2 measurements missed", "after 24 hours", "set by a proposal of this project"),
    ),
    (
        LateReason(finding=FIRST, effective_time=START, received_at=START + timedelta(hours=9),
                   late_after=timedelta(hours=6), source=OURS),
        ("53 mg/dL", "the limit of 54 mg/dL", "later than 6 hours", "set by a proposal of this project"),
    ),
    (
        SymptomReason(finding=FIRST, flags=(RedFlag.CONFUSION,), asked_at=START, source=LEVEL_3),
        ("53 mg/dL", "the limit of 54 mg/dL", "confusion", "set by ADA Standards of Care, section 6, level 3"),
    ),
    (DOUBT, ("165 mmHg", "the usual 125 mmHg", "from 30 mmHg on", "set by wrong-person rule: proposal")),
    (
        HeldReason(finding=FIRST, doubt=DOUBT),
        ("53 mg/dL", "the limit of 54 mg/dL", "165 mmHg", "Was it the patient?", "set by wrong-person rule: proposal"),
    ),
    (
        QuestionnaireReason(title="How you feel", version=1, flags=(RedFlag.CHEST_PAIN,), concerns=(),
                            answered_at=START, source=OURS),
        ("“How you feel”", "chest pain", "an emergency", "set by a proposal of this project"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "needed"), OTHERS)
def test_a_sentence_of_another_reason_names_value_limit_source_and_since_when(
    reason: Reason, needed: tuple[str, ...]
) -> None:
    said = sentence(reason)
    for words in (*needed, "in use since 2026-11-22"):
        assert words in said


def test_no_kind_of_reason_is_left_out() -> None:
    tested = {type(reason_of(limit, unit)) for limit, unit in every_limit()} | {type(reason) for reason, _ in OTHERS}
    assert tested == set(get_args(Reason))


@pytest.mark.parametrize(
    "source", [OURS, IRREGULAR_PULSE.source, AHA_SYMPTOMS, KETOACIDOSIS, HYPOTENSION, LEVEL_3]
    + [watch.silence.source for watch in WATCH.values()]
)  # fmt: skip
def test_every_source_says_since_when(source: Source) -> None:
    assert source.since == IN_USE_SINCE
    assert source.text


def test_a_changed_figure_has_a_date_of_its_own() -> None:
    changed = replace(FIRST.limit, since=datetime(2027, 4, 1, tzinfo=UTC))
    assert "in use since 2027-04-01" in sentence(replace(FIRST, limit=changed))
