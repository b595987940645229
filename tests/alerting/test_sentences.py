"""Each sentence names the value, the limit, who set it and since when; and it can be said in another language."""

import ast
import inspect
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from alerting import sentences
from alerting.reasons import (
    Answer,
    DifferenceReason,
    IndexReason,
    LateReason,
    LimitReason,
    Reason,
    RemeasureReason,
    RepeatedReason,
    RhythmReason,
    SilenceReason,
    SilenceStep,
    SustainedReason,
)
from alerting.regimes import OURS, Evidence, RegimeLimit
from alerting.rhythm import IRREGULAR_PULSE
from alerting.sentences import duration_text, sentence, sufficiency_sentence
from alerting.sufficiency import Sufficiency
from alerting.units import AS_MEASURED
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind
from tests.alerting.made import START, limit, quantity

WEEK = Sufficiency(readings=24, days=6, needed_readings=12, needed_days=3, source="722 protocol")
AVERAGE = LimitReason(
    figure=quantity("137.2", Unit.MM_HG), limit=limit("esc2024", "home_average_systolic"), readings=24, sufficiency=WEEK
)


def prescribed(condition: str) -> RegimeLimit:
    """Dr Holm's."""
    return replace(
        limit("esc2024", condition), values={Unit.MM_HG: Decimal("150")}, source="Dr Holm", since=START, version=3,
        why="frail, falls", evidence=Evidence.PRESCRIBED,
    )  # fmt: skip


def remeasured(answer: Answer, again: str | None) -> RemeasureReason:
    """A crisis of 190 at START."""
    first = LimitReason(figure=quantity("190", Unit.MM_HG), limit=limit("esc2024", "severe_hypertension_systolic"))
    return RemeasureReason(
        first=first, first_at=START, due=START + timedelta(minutes=15), answer=answer,
        again=quantity(again, Unit.MM_HG) if again else None, answers=1,
    )  # fmt: skip


SENTENCES: list[tuple[Reason, str]] = [
    (
        LimitReason(figure=quantity("53", Unit.MG_DL), limit=limit("ada", "hypoglycaemia_level_2")),
        "Glucose 53 mg/dL: below the limit of 54 mg/dL (set by ADA Standards of Care, section 6"
        ", in use since 2026-11-22)",
    ),
    (
        LimitReason(figure=quantity("LO", Unit.MMOL_L), limit=limit("ada", "hypoglycaemia_level_2")),
        "Glucose below the meter's range (LO): below the limit of 3.0 mmol/L "
        "(set by ADA Standards of Care, section 6, in use since 2026-11-22)",
    ),
    (
        LimitReason(figure=quantity("HI", Unit.MG_DL), limit=limit("ada", "hyperglycaemia_extreme")),
        "Glucose above the meter's range (HI): at or above the limit of 600 mg/dL "
        "(set by criteria of the hyperosmolar hyperglycaemic state, not confirmed by a clinician"
        ", in use since 2026-11-22)",
    ),
    (
        AVERAGE,
        "Systolic pressure, home average of 24 readings on 6 days, 137.2 mmHg: at or above the limit of 135 mmHg "
        "(set by 2024 ESC elevated blood pressure guideline, in use since 2026-11-22)",
    ),
    (
        replace(AVERAGE, limit=prescribed("home_average_systolic"), figure=quantity("151", Unit.MM_HG)),
        "Systolic pressure, home average of 24 readings on 6 days, 151 mmHg: at or above the limit of 150 mmHg "
        "(set by Dr Holm since 2026-03-02, version 3, frail, falls)",
    ),
    (
        replace(AVERAGE, sufficiency=replace(WEEK, off_scale=1)),
        "Systolic pressure, home average of 24 readings on 6 days, 137.2 mmHg: at or above the limit of 135 mmHg "
        "(set by 2024 ESC elevated blood pressure guideline"
        ", in use since 2026-11-22); 1 reading of HI or LO is left out",
    ),
    (
        LimitReason(
            figure=quantity("162.5", Unit.MM_HG), limit=limit("esc2024", "hypertension_systolic"), readings=2
        ),
        "Systolic pressure, mean of a session of 2 readings, 162.5 mmHg: above the limit of 160 mmHg "
        "(set by BEAT-HF trial, Trials 2014;15:124, table 1, with symptoms, in use since 2026-11-22)",
    ),
    (
        DifferenceReason(
            now=quantity("141", Unit.MM_HG), before=quantity("129", Unit.MM_HG), difference=Decimal(12),
            unit=Unit.MM_HG, limit=limit("esc2024", "weekly_rise_systolic"), sufficiency=WEEK,
        ),
        "Systolic pressure: home average 141 mmHg, 12 mmHg more than 129 mmHg in the week before: "
        "at or above the limit of 10 mmHg (set by a proposal of this project, in use since 2026-11-22)",
    ),
    (
        RepeatedReason(
            worst=quantity("58", Unit.MG_DL), occurrences=3, within=timedelta(days=7),
            limit=limit("ada", "hypoglycaemia_repeated"),
        ),
        "Glucose below the limit of 70 mg/dL 3 times within 7 days, 58 mg/dL at worst; 3 times is the limit "
        "(set by a proposal of this project, in use since 2026-11-22)",
    ),
    (
        IndexReason(
            value=Decimal("3.10"), unit=Unit.MG_DL, band="moderate", limit=limit("ada", "hypoglycaemia_risk"),
            sufficiency=replace(WEEK, readings=30, days=14),
        ),
        "Low blood glucose index 3.10 (moderate risk) of 30 readings on 14 days: above the limit of 2.5 "
        "(set by Kovatchev and Cox 1998, risk of severe hypoglycaemia, in use since 2026-11-22)",
    ),
    (
        remeasured(Answer.CONFIRMED, "186"),
        "Systolic pressure 190 mmHg: at or above the limit of 180 mmHg (set by AHA advice for home measurement, "
        "not confirmed by a clinician, in use since 2026-11-22); confirmed by measuring again: 186 mmHg",
    ),
    (
        remeasured(Answer.CLEARED, "150"),
        "Systolic pressure 190 mmHg: at or above the limit of 180 mmHg (set by AHA advice for home measurement, "
        "not confirmed by a clinician, in use since 2026-11-22); not confirmed by measuring again: 150 mmHg",
    ),
    (
        remeasured(Answer.UNANSWERED, None),
        "Systolic pressure 190 mmHg: at or above the limit of 180 mmHg (set by AHA advice for home measurement, "
        "not confirmed by a clinician, in use since 2026-11-22); nobody measured again until 2026-03-02 08:15 UTC",
    ),
    (
        remeasured(Answer.WAITING, None),
        "Systolic pressure 190 mmHg: at or above the limit of 180 mmHg (set by AHA advice for home measurement, "
        "not confirmed by a clinician"
        ", in use since 2026-11-22); asked to measure again, an answer is due at 2026-03-02 08:15 UTC",
    ),
    (
        SustainedReason(weeks=(AVERAGE, AVERAGE)),
        "Systolic pressure, home average of 24 readings on 6 days, 137.2 mmHg: at or above the limit of 135 mmHg "
        "(set by 2024 ESC elevated blood pressure guideline, in use since 2026-11-22); for 2 weeks running",
    ),
    (
        RhythmReason(
            sessions=3, on_days=(date(2026, 3, 2), date(2026, 3, 7)), needed_days=2, within=timedelta(days=30),
            source=IRREGULAR_PULSE.source,
        ),
        "Irregular pulse seen by the cuff in 3 sessions on 2 days within 30 days, from 2026-03-02 to 2026-03-07; "
        "2 days is the limit (set by Watanabe 2021, 2 of 3 readings; on 2 days within 30 (proposal)"
        ", in use since 2026-11-22): "
        "confirm with an ECG",
    ),
    (
        SilenceReason(
            kind=Kind.BLOOD_PRESSURE, step=SilenceStep.CALL_PATIENT, missed_since=START, missed=2,
            limit=timedelta(hours=24), source=OURS, heightened=True,
        ),
        "No blood-pressure reading since one was due at 2026-03-02 08:00 UTC, 2 measurements missed: "
        "call the patient after 24 hours (set by a proposal of this project"
        ", in use since 2026-11-22); heightened attention",
    ),
    (
        LateReason(
            finding=LimitReason(figure=quantity("53", Unit.MG_DL), limit=limit("ada", "hypoglycaemia_level_2")),
            effective_time=START, received_at=START + timedelta(hours=9),
            late_after=timedelta(hours=6), source=OURS,
        ),
        "In retrospect: Glucose 53 mg/dL: below the limit of 54 mg/dL (set by ADA Standards of Care, section 6"
        ", in use since 2026-11-22); "
        "measured at 2026-03-02 08:00 UTC, reached us at 2026-03-02 17:00 UTC, "
        "later than 6 hours (set by a proposal of this project, in use since 2026-11-22)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "expected"), SENTENCES)
def test_a_reason_is_one_sentence(reason: Reason, expected: str) -> None:
    assert sentence(reason) == expected


@pytest.mark.parametrize("reason", [reason for reason, _ in SENTENCES])
def test_a_reason_can_be_stored_as_data(reason: Reason) -> None:
    """A case keeps its reason as JSON beside the sentence, with the limit's own authority."""
    stored = msgspec.json.encode(reason)
    assert b"source" in stored
    assert b"NaN" not in stored


def test_sufficiency_says_what_there_is_and_what_is_needed() -> None:
    assert sufficiency_sentence(WEEK) == (
        "Enough readings: 24 readings on 6 days; 12 readings on 3 days are needed (set by 722 protocol)"
    )
    assert sufficiency_sentence(replace(WEEK, readings=1, days=1)) == (
        "Too few readings for a figure: 1 reading on 1 day; 12 readings on 3 days are needed (set by 722 protocol)"
    )


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(minutes=1), "1 minute"), (timedelta(minutes=90), "90 minutes"), (timedelta(hours=1), "1 hour"),
        (timedelta(hours=24), "24 hours"), (timedelta(hours=36), "36 hours"), (timedelta(days=2), "2 days"),
    ],
)  # fmt: skip
def test_a_duration_is_said_exactly(duration: timedelta, expected: str) -> None:
    assert duration_text(duration) == expected


class Shouting:
    """A language in which one can see which words were asked for."""

    units = AS_MEASURED

    def gettext(self, message: str) -> str:
        """Marked."""
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Marked, by number."""
        return f"«{msgid1 if n == 1 else msgid2}»"

    def number(self, value: Decimal) -> str:
        """With its own decimal sign."""
        return f"{value:f}".replace(".", "·")

    def day(self, day: date) -> str:
        """Marked."""
        return f"«{day:%Y-%m-%d}»"

    def moment(self, moment: datetime) -> str:
        """Marked."""
        return f"«{moment:%Y-%m-%d %H:%M}»"


def test_every_word_can_be_another_languages() -> None:
    found = sentence(AVERAGE, Shouting())
    for words in ("«Systolic pressure»", "«24 readings»", "«6 days»", "«at or above the limit of «135 mmHg»»"):
        assert words in found


def test_a_moment_is_said_in_the_zone_that_it_carries() -> None:
    berlin = remeasured(Answer.UNANSWERED, None)
    berlin = replace(berlin, due=berlin.due.astimezone(ZoneInfo("Europe/Berlin")))
    assert sentence(berlin).endswith("until 2026-03-02 09:15 CET")


def test_every_message_is_a_literal_so_that_babel_finds_it() -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(sentences)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("gettext", "ngettext")
    ]
    assert len(calls) > 60
    for call in calls:
        if ast.unparse(call) in ("words.gettext(source.text)", "words.gettext(reason.title)"):
            continue  # Babel finds it where the source, or the questionnaire, is made
        messages = call.args[: 2 if isinstance(call.func, ast.Attribute) and call.func.attr == "ngettext" else 1]
        assert all(isinstance(message, ast.Constant) for message in messages), ast.unparse(call)
