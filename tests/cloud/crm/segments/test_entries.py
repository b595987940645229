"""What is typed of a segment: only what the vocabulary has goes in, and what is wrong is said at its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.segments import entries
from cloud.crm.segments.models import MOST_CONDITIONS, Choices, Kind, Stratum
from cloud.crm.segments.vocabulary import FIELDS, Of
from cloud.plans.fields import Refused
from tests.cloud.crm.segments.made import form

THERE = Choices(of={"programme": [("standard", "Standard")], "language": [("en", "English")]})


@pytest.mark.parametrize(
    ("typed", "field", "code"),
    [
        ({"kind": "age", "low": "x"}, "low_0", "not_a_number"),
        ({"kind": "age", "low": "1.5"}, "low_0", "not_a_number"),
        ({"kind": "age"}, "low_0", "missing"),
        ({"kind": "age", "low": "80", "high": "70"}, "high_0", "bounds_crossed"),
        ({"kind": "cases", "many": "0", "tier": "urgent", "days": "30"}, "many_0", "out_of_range"),
        ({"kind": "cases", "many": "1", "tier": "grave", "days": "30"}, "tier_0", "choose"),
        ({"kind": "pressure", "measure": "pulse", "low": "90", "unit": "mm[Hg]"}, "measure_0", "choose"),
        ({"kind": "pressure", "measure": "systolic", "low": "90", "unit": "mg/dL"}, "unit_0", "choose"),
        ({"kind": "tag", "tag": "a;b"}, "tag_0", "not_a_tag"),
        ({"kind": "tag", "tag": " "}, "tag_0", "missing"),
        ({"kind": "tag", "tag": "a" * 31}, "tag_0", "too_long"),
        ({"kind": "programme", "programme": "nothing"}, "programme_0", "choose"),
        ({"kind": "heightened", "source": "x" * 201}, "source_0", "too_long"),
        ({"kind": "sql", "is": "1 = 1"}, "kind", "choose"),
        ({"kind": ""}, "kind", "no_condition"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(typed: dict[str, str], field: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.segment(form(typed), THERE)
    assert {name: one.code for name, one in refused.value.refusals.items()} == {field: code}


def test_a_segment_is_read_as_it_was_typed() -> None:
    wanted = entries.segment(
        form({"kind": "age", "low": " 70 "}, {"kind": "tag", "tag": " Needs  Dutch ", "source": "why"}, shared="yes"),
        THERE,
    )
    assert [(one.kind, dict(one.values), one.source) for one in wanted.conditions] == [
        (Kind.AGE, {"low": "70"}, ""),
        (Kind.TAG, {"tag": "needs dutch"}, "why"),
    ]
    assert wanted.shared
    assert entries.conditions(entries.form_of(wanted.conditions), THERE) == wanted.conditions, "and read again"


def test_a_condition_fits_in_as_long_as_there_is_room_and_another_moves_up() -> None:
    typed: dict[str, str] = {}
    for _ in range(MOST_CONDITIONS + 1):
        typed = entries.with_another(typed, "tag")
    assert [n for n, _ in entries.typed_kinds(typed)] == list(range(MOST_CONDITIONS))
    assert entries.with_another({}, "sql") == {}
    typed = form({"kind": "tag", "tag": "a"}, {"kind": "language", "language": "en"}, {"kind": "tag", "tag": "c"})
    assert entries.without(typed, 1) == form({"kind": "tag", "tag": "a"}, {"kind": "tag", "tag": "c"})


@given(st.dictionaries(st.sampled_from(["kind_0", "low_0", "tag_0", "days_0", "many_9", "kind_x", "_1"]), st.text()))
def test_whatever_is_typed_into_the_form_can_be_shown_again(typed: dict[str, str]) -> None:
    kinds = entries.typed_kinds(typed)
    assert len(kinds) == len(entries.typed_kinds(entries.without(typed, 7)))
    for n, kind in kinds:
        assert typed[f"kind_{n}"] == kind


def test_a_set_of_strata_is_read_in_its_order_without_what_is_empty() -> None:
    one = "11111111-1111-4111-8111-111111111111"
    found = entries.strata({"stratum_0": "high", "segment_0": "", "stratum_1": "stable", "segment_1": one})
    assert [(stratum, str(segment_id)) for stratum, segment_id in found] == [(Stratum.STABLE, one)]
    for wrong in ({}, {"stratum_0": "grave", "segment_0": one}, {"stratum_0": "high", "segment_0": "x"}):
        with pytest.raises(Refused):
            entries.strata(wrong)


def test_each_field_that_is_chosen_has_codes_or_a_source_of_them() -> None:
    of_choices = {"programme", "plan", "carer", "language"}
    for kind, fields in FIELDS.items():
        for field in fields:
            assert (field.of is Of.CHOICE) == bool(field.codes), kind
            assert (field.of is Of.CHOSEN) == (field.name in of_choices), kind
