"""Regimes: sets of limits as data, with value, unit, source and how well the source is known.

A programme names its regimes (one for blood pressure, one for glucose); a doctor overrides single limits for a patient.
Every limit compares in its own unit against the value published for that unit. No guideline publishes kPa: there the
conversion is the limit, to the 0.1 kPa that cuffs show.

``Evidence`` says for every figure whether it was published or is ours. What is UNCONFIRMED or PROPOSED needs a
clinician's signature before it is used on patients; ``unsigned`` lists it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from alerting.limits import AlarmLimit, Measure, PatientLimit, Relation
from alerting.tiers import PRIORITY_OF, TIER_OF, Tier
from device_drivers.nomenclature import Unit


class Evidence(StrEnum):
    """How well the source of a figure is known."""

    PUBLISHED = "published"  # the primary text was read
    SUMMARISED = "summarised"  # a page that quotes the primary text was read
    UNCONFIRMED = "unconfirmed"  # general knowledge: a clinician confirms it before release
    PROPOSED = "proposed"  # nobody publishes it; it is this project's choice
    PRESCRIBED = "prescribed"  # a doctor set it for this patient


class Figure(StrEnum):
    """What is held against the limit."""

    READING = "reading"
    SESSION_MEAN = "session_mean"
    HOME_AVERAGE = "home_average"
    MORNING_AVERAGE = "morning_average"
    MORNING_EXCESS = "morning_excess"  # morning average minus evening average
    WEEK_RISE = "week_rise"  # this week's home average minus that of the week before
    SESSION_RISE = "session_rise"  # this session's mean minus that of the session before
    FASTING_MEAN = "fasting_mean"  # mean of readings marked as fasting
    LOW_GLUCOSE_INDEX = "low_glucose_index"  # LBGI; the same number in both units


# Since when the regimes are in use as they stand. Whoever changes a figure gives its source the date of the change.
IN_USE_SINCE = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who says so, how well we know it, and since when our rules have gone by it."""

    text: str
    evidence: Evidence
    since: datetime = IN_USE_SINCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Measure again before anybody is called, or while somebody is: the timer of one limit, as data.

    A reading counts as the answer from ``earliest`` after the first one until ``due``, both included. ``at_once``: the
    first reading has the limit's tier on its own, and the answer can only make it graver; otherwise it waits.
    ``confirmed`` and ``unanswered`` are the tiers that follow (None: the limit's own); a cleared one may be closed
    automatically where the programme allows it.
    """

    earliest: timedelta
    due: timedelta
    source: Source
    at_once: bool = False
    confirmed: Tier | None = None
    unanswered: Tier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeLimit(AlarmLimit):
    """A limit that knows which figure it looks at, its tier, and its authority.

    ``times`` within ``within`` says that one reading beyond the limit is not enough. ``since`` is when our rules began
    to go by a default, and when a doctor set a limit. ``version`` and ``why`` are a doctor's: the defaults have none.
    """

    tier: Tier
    evidence: Evidence
    figure: Figure = Figure.READING
    confirm: Confirmation | None = None
    times: int = 1
    within: timedelta | None = None
    version: int | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A class of blood pressure: reached where the systolic OR the diastolic pressure is at or above its bound."""

    name: str
    systolic: Mapping[Unit, Decimal]
    diastolic: Mapping[Unit, Decimal] | None  # None: told by the systolic pressure alone
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One set of limits. ``control``: a home average below both values counts as controlled (a figure, no alert)."""

    name: str
    measures: frozenset[Measure]
    limits: tuple[RegimeLimit, ...]
    home_categories: tuple[Category, ...] = ()  # from the lowest to the gravest
    control: Mapping[Measure, Mapping[Unit, Decimal]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override(PatientLimit):
    """A doctor's own value for one patient, condition and unit. A newer version replaces the older for good."""

    reason: str
    version: int


class UnknownCondition(Exception):
    """No regime of the programme has this condition: there is nothing to override."""


class RegimesOverlap(Exception):
    """Two regimes speak of the same measure: a programme has one regime for each."""


def glucose(mg_dl: str, mmol_l: str) -> Mapping[Unit, Decimal]:
    """Both published values."""
    return {Unit.MG_DL: Decimal(mg_dl), Unit.MMOL_L: Decimal(mmol_l)}


def pressure(mmhg: str) -> Mapping[Unit, Decimal]:
    """The published value, and the same in kPa: 1 mm[Hg] = 0.133322 kPa (UCUM), to 0.1 kPa."""
    return {Unit.MM_HG: Decimal(mmhg), Unit.KPA: (Decimal(mmhg) * Decimal("0.133322")).quantize(Decimal("0.1"))}


def _per_min(value: str) -> Mapping[Unit, Decimal]:
    return {Unit.PER_MIN: Decimal(value)}


def _limit(
    condition: str,
    measure: Measure,
    relation: Relation,
    values: Mapping[Unit, Decimal],
    tier: Tier,
    source: Source,
    *,
    figure: Figure = Figure.READING,
    confirm: Confirmation | None = None,
    times: int = 1,
    within: timedelta | None = None,
) -> RegimeLimit:
    return RegimeLimit(
        condition=condition, measure=measure, relation=relation, values=values, priority=PRIORITY_OF[tier],
        source=source.text, since=source.since, tier=tier, evidence=source.evidence, figure=figure, confirm=confirm,
        times=times, within=within,
    )  # fmt: skip


def _said(text: str, evidence: Evidence) -> Source:
    return Source(text=text, evidence=evidence)


OURS = _said("a proposal of this project", Evidence.PROPOSED)
_ADA = _said("ADA Standards of Care, section 6", Evidence.SUMMARISED)
_ADA_URGENT = _said("CDC/ADA patient advice", Evidence.SUMMARISED)
_CGM = _said("CGM consensus, above range levels; repetition proposed by this project", Evidence.PROPOSED)
_HHS = _said("criteria of the hyperosmolar hyperglycaemic state", Evidence.UNCONFIRMED)
_KETONES = _said("Diabetes Care consensus table of cut points for ketosis", Evidence.PUBLISHED)
_KOVATCHEV = _said("Kovatchev and Cox 1998, risk of severe hypoglycaemia", Evidence.PUBLISHED)
_AHA = _said("2025 AHA/ACC high blood pressure guideline", Evidence.SUMMARISED)
_ESC = _said("2024 ESC elevated blood pressure guideline", Evidence.SUMMARISED)
_ESC_HOME = _said("2024 ESC guideline, home equivalents", Evidence.UNCONFIRMED)
# The guideline says above 180 and/or 120; the advice to patients includes the values themselves, and is the safer one.
_AHA_HOME = _said("AHA advice for home measurement", Evidence.UNCONFIRMED)
_BEAT_HF = _said("BEAT-HF trial, Trials 2014;15:124, table 1", Evidence.PUBLISHED)
# The trial has narrower limits for patients with symptoms. A cuff knows of none, so what lies between is asked about.
_BEAT_HF_SYMPTOMS = _said("BEAT-HF trial, Trials 2014;15:124, table 1, with symptoms", Evidence.PUBLISHED)
_BEAT_HF_PREGNANT = _said("BEAT-HF trial, table 1; not made for pregnancy", Evidence.UNCONFIRMED)
_HOPE_ASIA = _said("HOPE Asia Network 2022, morning hypertension", Evidence.PUBLISHED)
_MORNING_EXCESS = _said("literature on morning-dominant hypertension, 15 to 20 mm[Hg]", Evidence.UNCONFIRMED)
_PREGNANCY = _said("van den Heuvel, pregnancy telemonitoring", Evidence.PUBLISHED)

# AHA: wait 1 to 5 min, repeat. The rest of the 15 min is for the way of the reading to us.
_REPEAT_PRESSURE = Confirmation(
    earliest=timedelta(minutes=1), due=timedelta(minutes=15),
    source=_said("AHA: repeat after 1 to 5 min; answer due after 15 min (proposal)", Evidence.PROPOSED),
)  # fmt: skip
# The next session is another one (more than 10 min later), of the same day or the next.
_NEXT_SESSION = Confirmation(
    earliest=timedelta(minutes=11), due=timedelta(hours=48), unanswered=Tier.ROUTINE, source=OURS
)
_RETEST_LEVEL_2 = Confirmation(
    earliest=timedelta(minutes=10), due=timedelta(minutes=20), at_once=True,
    confirmed=Tier.EMERGENCY, unanswered=Tier.EMERGENCY,
    source=_said("ADA: 15 g and test again after 15 min; 5 min for the way (proposal)", Evidence.PROPOSED),
)  # fmt: skip
_RETEST_LEVEL_1 = Confirmation(
    earliest=timedelta(minutes=10), due=timedelta(minutes=30),
    source=_said("ADA: 15 g and test again after 15 min; 15 min for the way (proposal)", Evidence.PROPOSED),
)  # fmt: skip
_REPEAT_URGENT_HIGH = Confirmation(
    earliest=timedelta(minutes=15), due=timedelta(hours=2), unanswered=Tier.SAME_SHIFT,
    source=_said("CDC/ADA: above 300 twice; due after 2 h (proposal)", Evidence.PROPOSED),
)  # fmt: skip

_BELOW, _ABOVE, _FROM = Relation.BELOW, Relation.ABOVE, Relation.AT_OR_ABOVE
_SYSTOLIC, _DIASTOLIC, _PULSE, _GLUCOSE, _KETONE = (
    Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE, Measure.GLUCOSE, Measure.KETONE,
)  # fmt: skip

# Common to the regimes of adults who are not pregnant. A diastolic pressure below 60 is no alert: many healthy old
# people have it. In the order in which they are looked at: the gravest of one measure and direction comes first.
_CRISES: tuple[RegimeLimit, ...] = (
    _limit("severe_hypertension_systolic", _SYSTOLIC, _FROM, pressure("180"), Tier.URGENT, _AHA_HOME,
           confirm=_REPEAT_PRESSURE),
    _limit("severe_hypertension_diastolic", _DIASTOLIC, _FROM, pressure("120"), Tier.URGENT, _AHA_HOME,
           confirm=_REPEAT_PRESSURE),
    _limit("severe_hypotension_systolic", _SYSTOLIC, _BELOW, pressure("80"), Tier.URGENT, _BEAT_HF,
           confirm=_REPEAT_PRESSURE),
    _limit("hypotension_systolic", _SYSTOLIC, _BELOW, pressure("90"), Tier.URGENT, _BEAT_HF_SYMPTOMS,
           confirm=_REPEAT_PRESSURE),
    _limit("bradycardia", _PULSE, _BELOW, _per_min("40"), Tier.SAME_SHIFT, _BEAT_HF,
           confirm=_REPEAT_PRESSURE),
    _limit("tachycardia", _PULSE, _ABOVE, _per_min("110"), Tier.SAME_SHIFT, _BEAT_HF,
           confirm=_REPEAT_PRESSURE),
    _limit("hypertension_systolic", _SYSTOLIC, _ABOVE, pressure("160"), Tier.SAME_SHIFT, _BEAT_HF_SYMPTOMS,
           figure=Figure.SESSION_MEAN, confirm=_NEXT_SESSION),
)  # fmt: skip


def _averages(systolic: str, diastolic: str, source: Source) -> tuple[RegimeLimit, ...]:
    return (
        _limit("home_average_systolic", _SYSTOLIC, _FROM, pressure(systolic), Tier.ROUTINE, source,
               figure=Figure.HOME_AVERAGE),
        _limit("home_average_diastolic", _DIASTOLIC, _FROM, pressure(diastolic), Tier.ROUTINE, source,
               figure=Figure.HOME_AVERAGE),
        _limit("morning_hypertension_systolic", _SYSTOLIC, _FROM, pressure("135"), Tier.ROUTINE, _HOPE_ASIA,
               figure=Figure.MORNING_AVERAGE),
        _limit("morning_hypertension_diastolic", _DIASTOLIC, _FROM, pressure("85"), Tier.ROUTINE, _HOPE_ASIA,
               figure=Figure.MORNING_AVERAGE),
        _limit("morning_dominant_systolic", _SYSTOLIC, _FROM, pressure("15"), Tier.ROUTINE, _MORNING_EXCESS,
               figure=Figure.MORNING_EXCESS),
        _limit("weekly_rise_systolic", _SYSTOLIC, _FROM, pressure("10"), Tier.ROUTINE, OURS, figure=Figure.WEEK_RISE),
    )  # fmt: skip


def _category(name: str, systolic: str, diastolic: str | None, source: Source) -> Category:
    return Category(name=name, systolic=pressure(systolic),
                    diastolic=pressure(diastolic) if diastolic else None, source=source)  # fmt: skip


_OF_PRESSURE = frozenset({_SYSTOLIC, _DIASTOLIC, _PULSE})

AHA_2025 = Regime(
    name="aha2025",
    measures=_OF_PRESSURE,
    limits=_CRISES + _averages("130", "80", _AHA),
    home_categories=(
        _category("normal", "0", None, _AHA),
        _category("elevated", "120", None, _AHA),
        _category("hypertension_stage_1", "130", "80", _AHA),
        _category("hypertension_stage_2", "140", "90", _AHA),
    ),
    control={_SYSTOLIC: pressure("130"), _DIASTOLIC: pressure("80")},
)

ESC_2024 = Regime(
    name="esc2024",
    measures=_OF_PRESSURE,
    limits=_CRISES + _averages("135", "85", _ESC),
    home_categories=(
        _category("non_elevated", "0", None, _ESC_HOME),
        _category("elevated", "120", "70", _ESC_HOME),
        _category("hypertension", "135", "85", _ESC),
    ),
    control={_SYSTOLIC: pressure("135"), _DIASTOLIC: pressure("85")},
)

PREGNANCY = Regime(
    name="pregnancy",
    measures=_OF_PRESSURE,
    limits=(
        _limit("pregnancy_red_systolic", _SYSTOLIC, _ABOVE, pressure("150"), Tier.URGENT, _PREGNANCY,
               confirm=_REPEAT_PRESSURE),
        _limit("pregnancy_red_diastolic", _DIASTOLIC, _ABOVE, pressure("100"), Tier.URGENT, _PREGNANCY,
               confirm=_REPEAT_PRESSURE),
        _limit("pregnancy_rise_systolic", _SYSTOLIC, _ABOVE, pressure("20"), Tier.URGENT, _PREGNANCY,
               figure=Figure.SESSION_RISE),
        _limit("pregnancy_orange_systolic", _SYSTOLIC, _ABOVE, pressure("140"), Tier.SAME_SHIFT, _PREGNANCY,
               figure=Figure.SESSION_MEAN),
        _limit("pregnancy_orange_diastolic", _DIASTOLIC, _ABOVE, pressure("90"), Tier.SAME_SHIFT, _PREGNANCY,
               figure=Figure.SESSION_MEAN),
        _limit("severe_hypotension_systolic", _SYSTOLIC, _BELOW, pressure("80"), Tier.URGENT, _BEAT_HF_PREGNANT,
               confirm=_REPEAT_PRESSURE),
    ),
)  # fmt: skip

ADA = Regime(
    name="ada",
    measures=frozenset({_GLUCOSE, _KETONE}),
    limits=(
        _limit("hypoglycaemia_level_2", _GLUCOSE, _BELOW, glucose("54", "3.0"), Tier.URGENT, _ADA,
               confirm=_RETEST_LEVEL_2),
        _limit("hypoglycaemia_level_1", _GLUCOSE, _BELOW, glucose("70", "3.9"), Tier.SAME_SHIFT, _ADA,
               confirm=_RETEST_LEVEL_1),
        _limit("hyperglycaemia_extreme", _GLUCOSE, _FROM, glucose("600", "33.3"), Tier.URGENT, _HHS),
        _limit("hyperglycaemia_urgent", _GLUCOSE, _ABOVE, glucose("300", "16.7"), Tier.URGENT, _ADA_URGENT,
               confirm=_REPEAT_URGENT_HIGH),
        _limit("hyperglycaemia", _GLUCOSE, _ABOVE, glucose("250", "13.9"), Tier.SAME_SHIFT, _CGM,
               times=2, within=timedelta(hours=24)),
        _limit("hypoglycaemia_repeated", _GLUCOSE, _BELOW, glucose("70", "3.9"), Tier.ROUTINE, OURS,
               times=3, within=timedelta(days=7)),
        _limit("fasting_mean_high", _GLUCOSE, _ABOVE, glucose("180", "10.0"), Tier.ROUTINE, OURS,
               figure=Figure.FASTING_MEAN, within=timedelta(days=3)),
        _limit("hypoglycaemia_risk", _GLUCOSE, _ABOVE, glucose("2.5", "2.5"), Tier.ROUTINE, _KOVATCHEV,
               figure=Figure.LOW_GLUCOSE_INDEX),
        _limit("ketones_very_high", _KETONE, _ABOVE, {Unit.MMOL_L: Decimal("3.0")}, Tier.URGENT, _KETONES),
        _limit("ketones_high", _KETONE, _ABOVE, {Unit.MMOL_L: Decimal("1.5")}, Tier.SAME_SHIFT, _KETONES),
    ),
)  # fmt: skip

REGIMES: Mapping[str, Regime] = {regime.name: regime for regime in (AHA_2025, ESC_2024, PREGNANCY, ADA)}


def of_programme(*names: str) -> Regime:
    """The programme's regimes as one. KeyError for a name that nobody knows, RegimesOverlap for two of one measure."""
    chosen = [REGIMES[name] for name in names]
    measures: frozenset[Measure] = frozenset()
    for regime in chosen:
        if twice := measures & regime.measures:
            raise RegimesOverlap(f"{', '.join(names)}: more than one regime for {', '.join(sorted(twice))}")
        measures |= regime.measures
    return Regime(
        name="+".join(names),
        measures=measures,
        limits=tuple(limit for regime in chosen for limit in regime.limits),
        home_categories=tuple(category for regime in chosen for category in regime.home_categories),
        control={measure: values for regime in chosen for measure, values in (regime.control or {}).items()},
    )


def in_force(regime: Regime, overrides: Iterable[Override], at: datetime) -> tuple[RegimeLimit, ...]:
    """The regime's limits at this time, with the patient's own in their place.

    Of several versions for one condition and unit, the newest that is set by then speaks; where that has expired the
    regime does, never an older version. An override speaks for its own unit only: in the other unit the default stays.
    Raises UnknownCondition.
    """
    known = {limit.condition for limit in regime.limits}
    newest: dict[tuple[str, Unit], Override] = {}
    for override in sorted(overrides, key=lambda o: o.version):
        if override.condition not in known:
            raise UnknownCondition(f"{regime.name} has no limit for {override.condition}")
        if override.set_at <= at:
            newest[override.condition, override.unit] = override
    valid = [o for o in newest.values() if o.expires_at is None or o.expires_at > at]
    return tuple(
        own for limit in regime.limits for own in _split(limit, [o for o in valid if o.condition == limit.condition])
    )


def _split(limit: RegimeLimit, overrides: list[Override]) -> Iterable[RegimeLimit]:
    """The patient's own limits, and what the default still says in the other units."""
    own = {override.unit for override in overrides}
    rest = {unit: value for unit, value in limit.values.items() if unit not in own}
    if rest:
        yield replace(limit, values=rest)
    for override in overrides:
        yield replace(
            limit, values={override.unit: override.value}, priority=override.priority, tier=TIER_OF[override.priority],
            source=override.set_by, since=override.set_at, evidence=Evidence.PRESCRIBED, version=override.version,
            why=override.reason,
        )  # fmt: skip


def home_category(regime: Regime, systolic: Decimal, diastolic: Decimal, unit: Unit) -> Category | None:
    """The gravest category that a home average reaches; None where the regime has no categories."""
    reached = [
        category
        for category in regime.home_categories
        if systolic >= category.systolic[unit]
        or (category.diastolic is not None and diastolic >= category.diastolic[unit])
    ]
    return reached[-1] if reached else None


def controlled(regime: Regime, systolic: Decimal, diastolic: Decimal, unit: Unit) -> bool | None:
    """True where a home average is below both control values; None where the regime has none."""
    if not regime.control:
        return None
    return systolic < regime.control[_SYSTOLIC][unit] and diastolic < regime.control[_DIASTOLIC][unit]


def unsigned(regime: Regime) -> tuple[RegimeLimit, ...]:
    """The limits whose value or timer is not a published one: a clinician signs them before they are used."""
    ours = (Evidence.UNCONFIRMED, Evidence.PROPOSED)
    return tuple(
        limit
        for limit in regime.limits
        if limit.evidence in ours or (limit.confirm is not None and limit.confirm.source.evidence in ours)
    )
