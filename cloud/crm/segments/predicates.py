"""What a condition of the closed vocabulary asks of the database: predicates, with what was typed as parameters.

They are asked by the session's connection: row security shows whoever asks their own patients, and nobody else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.sql import SQL, Composed, Placeholder

from alerting.units import converted
from cloud.auth.care_team import IN_CARE_TEAM
from cloud.crm.segments.models import Condition, Kind
from cloud.crm.segments.vocabulary import tiers_from
from device_drivers.nomenclature import Unit

# Each asks for a set of patients that does not depend on the row: it is made once, and patients are looked up in it.
# {only} narrows it where one patient is asked about. What is open or current is asked at %(now)s. The day of a
# discharge is of the patient's calendar, and may be tomorrow here: it was never entered before it came.
_PREDICATES: Final[Mapping[Kind, LiteralString]] = {
    Kind.PROGRAMME: """(p.patient_id IN (SELECT x.patient_id FROM patient_programme x
             WHERE x.valid @> %(now)s AND x.programme_id = {programme} {only})
         OR {programme} = 'standard' AND p.patient_id NOT IN (
             SELECT x.patient_id FROM patient_programme x WHERE x.valid @> %(now)s {only}))""",
    Kind.PLAN: """p.patient_id IN (SELECT x.patient_id FROM follow_up x
         WHERE x.state = 'open' AND split_part(x.template, ':', 1) = {plan} {only})""",
    Kind.TAG: """p.patient_id IN (SELECT x.patient_id FROM patient_tag x
         WHERE x.removed_at IS NULL AND x.tag = {tag} {only})""",
    Kind.AGE: """(p.birth_date IS NOT NULL
         AND ({low}::int IS NULL OR p.birth_date <= %(today)s - make_interval(years => {low}::int))
         AND ({high}::int IS NULL OR p.birth_date > %(today)s - make_interval(years => {high}::int + 1)))""",
    Kind.CONTROL: """CASE WHEN {is} = 'not_enough'
         THEN p.patient_id NOT IN (SELECT x.patient_id FROM patient_measures x WHERE x.control <> 'not_enough' {only})
         ELSE p.patient_id IN (SELECT x.patient_id FROM patient_measures x WHERE x.control = {is} {only}) END""",
    Kind.PRESSURE: """p.patient_id IN (SELECT m.patient_id FROM (
             SELECT x.patient_id, CASE {measure} WHEN 'systolic' THEN x.systolic ELSE x.diastolic END AS value,
                    x.pressure_unit AS unit FROM patient_measures x WHERE x.systolic IS NOT NULL {only}) m
         WHERE {within})""",
    Kind.GLUCOSE: """p.patient_id IN (SELECT m.patient_id FROM (
             SELECT x.patient_id, x.glucose AS value, x.glucose_unit AS unit
             FROM patient_measures x WHERE x.glucose IS NOT NULL {only}) m
         WHERE {within})""",
    Kind.LAST_READING: """(p.patient_id IN (SELECT x.patient_id FROM patient_measures x
             WHERE x.last_reading_at > %(now)s - make_interval(days => {days}::int) {only})
         = ({relation} = 'at_most'))""",
    Kind.OPEN_CASES: """p.patient_id IN (SELECT x.patient_id FROM alert_case x
         WHERE x.state NOT IN ('resolved', 'expired') AND x.tier = ANY({tiers}) {only}
         GROUP BY 1 HAVING count(*) >= {many}::int)""",
    Kind.CASES: """p.patient_id IN (SELECT x.patient_id FROM alert_case x
         WHERE x.opened_at > %(now)s - make_interval(days => {days}::int) AND x.closed_automatically IS NULL
           AND x.tier = ANY({tiers}) {only}
         GROUP BY 1 HAVING count(*) >= {many}::int)""",
    Kind.ADHERENCE: """p.patient_id IN (SELECT x.patient_id FROM patient_measures x
         WHERE x.due > 0 AND (x.made * 100 < {percent}::int * x.due) = ({relation} = 'below') {only})""",
    Kind.DISCHARGE: """p.patient_id IN (SELECT x.patient_id FROM discharge_summary x
         WHERE x.discharged_on > %(today)s - {days}::int {only})""",
    Kind.HEIGHTENED: """p.patient_id IN (SELECT x.patient_id FROM patient_programme x
         WHERE x.valid @> %(now)s AND x.heightened_until > %(now)s {only})""",
    Kind.CARER: """p.patient_id IN (SELECT x.patient_id FROM care_team x
         WHERE x.account_id = {carer}::uuid AND x.since <= now() AND (x.until IS NULL OR x.until > now()) {only})""",
    Kind.LANGUAGE: "p.language = {language}",
    Kind.HOUSEHOLD: """(p.patient_id IN (SELECT x.patient_id FROM household_member x
             JOIN household_member y ON y.household_id = x.household_id AND y.patient_id <> x.patient_id
             WHERE x.left_at IS NULL AND y.left_at IS NULL {only}) = ({is} = 'with_others'))""",
}  # fmt: skip
# A limit is converted, never what was measured: to the digits that cuffs and meters show.
_BOUNDED: Final[LiteralString] = """CASE m.unit
    WHEN {unit_own} THEN ({low_own}::numeric IS NULL OR m.value >= {low_own})
                     AND ({high_own}::numeric IS NULL OR m.value < {high_own})
    ELSE ({low_other}::numeric IS NULL OR m.value >= {low_other})
     AND ({high_other}::numeric IS NULL OR m.value < {high_other}) END"""
_ONLY: Final = SQL("AND x.patient_id = ANY(%(only)s)")
_OTHER_UNIT: Final = {
    Unit.MM_HG: Unit.KPA, Unit.KPA: Unit.MM_HG, Unit.MG_DL: Unit.MMOL_L, Unit.MMOL_L: Unit.MG_DL,
}  # fmt: skip

# What holds of somebody whom a condition found: as JSON, for the sentence that says so.
_FOUND: Final[Mapping[Kind, LiteralString]] = {
    Kind.AGE: "SELECT to_jsonb(extract(year FROM age(%(today)s, p.birth_date))::int)",
    Kind.CONTROL: """SELECT jsonb_build_array(x.systolic::text, x.diastolic::text, x.pressure_unit, x.pressure_on)
        FROM patient_measures x WHERE x.patient_id = p.patient_id AND x.systolic IS NOT NULL""",
    Kind.PRESSURE: """SELECT jsonb_build_array(x.systolic::text, x.diastolic::text, x.pressure_unit, x.pressure_on)
        FROM patient_measures x WHERE x.patient_id = p.patient_id""",
    Kind.GLUCOSE: """SELECT jsonb_build_array(x.glucose::text, x.glucose_unit)
        FROM patient_measures x WHERE x.patient_id = p.patient_id""",
    Kind.LAST_READING: "SELECT to_jsonb(x.last_reading_at) FROM patient_measures x WHERE x.patient_id = p.patient_id",
    Kind.OPEN_CASES: """SELECT to_jsonb(count(*)) FROM alert_case x WHERE x.patient_id = p.patient_id
        AND x.state NOT IN ('resolved', 'expired') AND x.tier = ANY({tiers})""",
    Kind.CASES: """SELECT to_jsonb(count(*)) FROM alert_case x WHERE x.patient_id = p.patient_id
        AND x.opened_at > %(now)s - make_interval(days => {days}::int) AND x.closed_automatically IS NULL
        AND x.tier = ANY({tiers})""",
    Kind.ADHERENCE: """SELECT jsonb_build_array(x.made, x.due) FROM patient_measures x
        WHERE x.patient_id = p.patient_id""",
    Kind.DISCHARGE: """SELECT to_jsonb(max(x.discharged_on)) FROM discharge_summary x
        WHERE x.patient_id = p.patient_id""",
    Kind.HEIGHTENED: """SELECT to_jsonb(max(x.heightened_until)) FROM patient_programme x
        WHERE x.patient_id = p.patient_id AND x.valid @> %(now)s""",
}  # fmt: skip

# One's own patients, as long as somebody watches; a training patient is in no list.
OWN: Final = SQL(
    """NOT p.training AND {in_care_team}
       AND p.patient_id NOT IN (SELECT w.patient_id FROM participation w
                                WHERE w.is_newest AND w.watched_from IS NULL)"""
).format(in_care_team=IN_CARE_TEAM)


class Compiled:
    """Predicates, and the parameters that they need."""

    def __init__(self, account_id: UUID, now: datetime, only: Sequence[UUID] | None = None) -> None:
        self.parameters: dict[str, Any] = {"account_id": account_id, "now": now, "today": now.date()}
        self._only = SQL("") if only is None else _ONLY
        if only is not None:
            self.parameters["only"] = list(only)
        self._conditions = 0

    def all_of(self, conditions: Iterable[Condition]) -> Composed:
        """All of them hold."""
        return SQL(" AND ").join([SQL("({})").format(self._predicate(one)) for one in conditions])

    def found(self, condition: Condition) -> Composed:
        """What holds of the patient, or NULL where the condition says it all."""
        template = _FOUND.get(condition.kind)
        if template is None:
            return SQL("NULL::jsonb").format()
        return SQL("({})").format(SQL(template).format(**self._named(condition)))

    def _predicate(self, condition: Condition) -> Composed:
        named = self._named(condition)
        return SQL(_PREDICATES[condition.kind]).format(**named, only=self._only)

    def _named(self, condition: Condition) -> dict[str, Any]:
        """A placeholder for each field of the condition, under a name of its own."""
        self._conditions += 1
        values = _values(condition)
        names = {name: f"c{self._conditions}_{name}" for name in values}
        self.parameters |= {names[name]: value for name, value in values.items()}
        named: dict[str, Any] = {name: Placeholder(name_here) for name, name_here in names.items()}
        if condition.kind in (Kind.PRESSURE, Kind.GLUCOSE):
            named["within"] = SQL(_BOUNDED).format(**named)
        return named


def _values(condition: Condition) -> dict[str, Any]:
    """The parameters of one condition, empty bounds included."""
    values: dict[str, Any] = dict(condition.values)
    if "tier" in values:
        values["tiers"] = tiers_from(values.pop("tier"))
    if condition.kind is Kind.AGE:
        values = {"low": values.get("low"), "high": values.get("high")}
    if condition.kind in (Kind.PRESSURE, Kind.GLUCOSE):
        own = Unit(values.pop("unit"))
        values["unit_own"] = own.value
        for bound in ("low", "high"):
            text = values.pop(bound, None)
            value = None if text is None else Decimal(text)
            values[f"{bound}_own"] = value
            values[f"{bound}_other"] = None if value is None else converted(value, own, _OTHER_UNIT[own])
    return values
