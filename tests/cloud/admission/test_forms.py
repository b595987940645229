"""Forms as data: whoever writes one hears at once what is wrong with it."""

import pytest

from cloud.admission import entries, forms
from cloud.admission.forms import BadForm
from cloud.admission.models import Effect
from cloud.plans.fields import Refused
from device_drivers.readings import Kind

FORM = """
id = "f"
version = 1
title = "F"
programmes = []
[[questions]]
id = "ill"
text = "Ill?"
why = "So."
answers = [{ id = "yes", text = "Yes", effect = "excludes" }, { id = "no", text = "No" },
           { id = "unsure", text = "Unsure", effect = "asks_doctor" }]
"""
CHECKLIST = """
kind = "glucose"
version = 2
title = "G"
readings = 1
[[items]]
id = "hands"
text = "Washes the hands."
"""


def test_every_programme_has_a_form_and_measurement_times() -> None:
    assert forms.form_of("standard").questions
    assert forms.for_programme(forms.templates(), "whatever a clinic calls it")


def test_every_kind_of_measurement_has_a_checklist() -> None:
    assert set(forms.checklists()) == {kind.value for kind in Kind}


def test_a_programme_with_a_form_of_its_own_has_that_one() -> None:
    own = forms.parse_eligibility(FORM.replace("[]", '["mine"]', 1))
    default = forms.parse_eligibility(FORM.replace('"f"', '"g"', 1))
    assert forms.for_programme([own, default], "mine") == [own]
    assert forms.for_programme([own, default], "other") == [default]


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ('title = "F"', ""),
        ('title = "F"', 'title = "F"\nfoo = 1'),
        ('effect = "asks_doctor"', 'effect = "maybe"'),
        ('effect = "excludes"', 'effect = "none"'),
        ('id = "unsure"', 'id = "no"'),
        ("version = 1", "version = "),
    ],
)
def test_a_form_that_cannot_be_used_is_refused(found: str, instead: str) -> None:
    with pytest.raises(BadForm):
        forms.parse_eligibility(FORM.replace(found, instead))


@pytest.mark.parametrize(("found", "instead"), [("readings = 1", "readings = 0"), ('"glucose"', '"weight"')])
def test_a_checklist_that_asks_for_nothing_is_refused(found: str, instead: str) -> None:
    with pytest.raises(BadForm):
        forms.parse_checklist(CHECKLIST.replace(found, instead))


def test_measurement_times_without_any_are_refused() -> None:
    with pytest.raises(BadForm, match="nothing is measured"):
        forms.parse_template('id = "t"\nversion = 1\ntitle = "T"\nprogrammes = []\nslots = []')


def test_what_was_taught_by_another_version_of_a_list_is_another_point() -> None:
    first, second = (forms.parse_checklist(CHECKLIST.replace("= 2", f"= {n}")) for n in (1, 2))
    assert first.key(first.items[0]) != second.key(second.items[0])


def test_each_question_needs_one_of_its_answers() -> None:
    with pytest.raises(Refused) as refused:
        entries.answers({"q_ill": "perhaps"}, forms.parse_eligibility(FORM))
    assert list(refused.value.refusals) == ["q_ill"]


@pytest.mark.parametrize(
    ("answer", "effect"), [("yes", Effect.EXCLUDES), ("unsure", Effect.ASKS_DOCTOR), ("no", Effect.NONE)]
)
def test_the_gravest_answer_counts(answer: str, effect: Effect) -> None:
    assert entries.effect_of(forms.parse_eligibility(FORM), {"ill": answer}) is effect
