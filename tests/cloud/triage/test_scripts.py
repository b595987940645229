"""Scripts as data: every one can be walked to an end, and one that cannot is refused with the place."""

import pytest

from alerting.regimes import ADA
from alerting.tiers import Tier
from cloud.console import texts
from cloud.triage.scripts import FOLDER, BadScript, all_scripts, all_versions, parse, script_for, version_of
from device_drivers.nomenclature import Unit

GOOD = (FOLDER / "no_measurement.toml").read_text(encoding="utf-8")


def test_every_script_is_a_proposal_until_a_clinician_signs_it_and_speaks_of_known_conditions() -> None:
    assert len(all_scripts()) == len(list(FOLDER.glob("*.toml")))
    for script in all_scripts():
        assert script.signed_by is None
        assert script.conditions <= set(texts.CONDITIONS)


def test_a_condition_has_at_most_one_script() -> None:
    found = script_for("severe_hypertension_systolic")
    assert found is not None
    assert found.script_id == "high_pressure"
    assert script_for("nothing_of_ours") is None
    assert Tier.EMERGENCY  # the tiers are the case's: a script only proposes what to do


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('to = "why"', 'to = "nowhere"', "well leads to nowhere"),
        ('to = "why"', 'to = "well"', "well leads back to itself"),
        ('to = "device" }', 'to = "advised" }', "nothing leads to device"),
        ('escalate_to = "doctor"', 'escalate_to = "porter"', "doctor: an end closes the case or escalates"),
        ('escalate_to = "doctor"', "", "doctor: an end closes the case or escalates"),
        ('disposition = "advice_given"', 'disposition = "healed"', "of the wrong kind"),
        ("version = 1", "", "missing"),
        ("version = 1", "version = 1\ncolour = 1", "unknown: colour"),
        ("version = 1", "version = 2", "says what changed"),
        ("version = 1", 'version = 1\nchanged = "All."', "says what changed"),
        ('{ id = "yes", text = "Yes", to = "why" }', '{ id = "no", text = "Yes", to = "why" }', "an id of its own"),
    ],
)
def test_a_script_that_cannot_be_walked_is_refused(old: str, new: str, said: str) -> None:
    assert parse(GOOD)
    assert old in GOOD
    with pytest.raises(BadScript, match=said):
        parse(GOOD.replace(old, new, 1))


def test_nobody_with_high_glucose_is_advised_before_ketones_were_asked_for() -> None:
    script = script_for("hyperglycaemia")
    assert script is not None
    assert script.questions["ketones"].text.startswith("Check ketones now")
    without = {name: question for name, question in script.questions.items() if name != "ketones"}
    reached, following = set[str](), [script.first]
    while following:
        name = following.pop()
        reached.add(name)
        following += [answer.to for answer in without[name].answers] if name in without else []
    assert "advised" not in reached


def test_whatever_asks_for_ketones_is_beyond_the_glucose_at_which_they_are_checked() -> None:
    """CDC/ADA patient advice: from 240 to 250 mg/dL on."""
    script = script_for("hyperglycaemia")
    assert script is not None
    of_glucose = [limit for limit in ADA.limits if limit.condition in script.conditions and Unit.MG_DL in limit.values]
    assert {limit.condition for limit in of_glucose} == {
        "hyperglycaemia", "hyperglycaemia_urgent", "hyperglycaemia_extreme",
    }  # fmt: skip
    assert all(limit.values[Unit.MG_DL] >= 250 for limit in of_glucose)


def test_an_earlier_version_is_still_there_to_be_read_and_is_in_force_for_nobody() -> None:
    versions = [one.version for one in all_versions() if one.script_id == "high_glucose"]
    assert versions == sorted(versions, reverse=True)
    assert versions[-1] == 1
    first, now = version_of("high_glucose", 1), script_for("hyperglycaemia")
    assert first is not None
    assert now is not None
    assert now.version == versions[0] > 1
    assert now.changed
    assert first.questions["ketones"].text != now.questions["ketones"].text
    assert version_of("high_glucose", 99) is None
