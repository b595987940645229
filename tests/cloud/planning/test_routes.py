"""A patient's plan in the console: who reads it, who changes what, and what is refused in which words."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from cloud.plans.store import rules_of
from device_drivers.nomenclature import Unit
from tests.cloud.made import NOW
from tests.fix_console import Console, Person

LIMIT = {
    "condition": "hypertension_systolic",
    "unit": "mm[Hg]",
    "value": "145",
    "priority": "high",
    "expires_on": "2026-12-31",
    "reason": "frail, has fallen",
}
SLOT = {"kind": "blood_pressure", "at": "08:00", "before": "3", "after": "2", "day0": "1", "day2": "1"}


def url(console: Console, rest: str = "") -> str:
    """Of the plan of the ward's patient."""
    return f"/patients/{console.ward.patient_id}/plan{rest}"


def text(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def set_limit(person: Person, console: Console, **changed: str) -> httpx.Response:
    """The limit above, with changes."""
    return person.post(url(console, "/limits"), {**LIMIT, **changed})


def audited(console: Console) -> list[str]:
    """The actions of the audit trail that concern the plan, in order."""
    rows = console.ward.rows("SELECT action FROM audit ORDER BY audit_id")
    return [action for (action,) in rows if action.startswith(("alarm_limit", "measurement", "patient_programme"))]


def test_a_doctors_limit_holds_from_then_on_and_the_page_says_who_since_when_until_when_and_why(
    console: Console,
) -> None:
    ada = console.sign_in("ada")
    assert set_limit(ada, console).status_code == 303

    page = text(ada.get(url(console)))

    assert "Ada Weiss, since 21 Nov 2026, until 1 Jan 2027, 00:00" in page
    assert "frail, has fallen · version 1" in page
    held = rules_of(console.ward.ingest, [console.ward.patient_id], NOW)[console.ward.patient_id]
    [own] = [limit for limit in held.limits if limit.version]
    assert own.values == {Unit.MM_HG: 145}
    assert audited(console) == ["alarm_limit.set"]


def test_a_limit_of_another_version_and_its_withdrawal_stay_in_the_history(console: Console) -> None:
    ada = console.sign_in("ada")
    set_limit(ada, console)
    set_limit(ada, console, value="150,5", reason="too many calls")
    withdrawal = {"condition": LIMIT["condition"], "unit": "mm[Hg]", "reason": "stable"}

    assert ada.post(url(console, "/limits/withdraw"), withdrawal).status_code == 303

    assert console.ward.rows("SELECT version, value, superseded_at IS NULL FROM alarm_limit ORDER BY version") == [
        (1, 145, False),
        (2, 150.5, False),
        (3, 150.5, True),
    ]
    standings = re.findall(r'data-standing="(\w+)"', ada.get(url(console)).text)
    assert standings == ["withdrawal", "withdrawn", "replaced"]
    held = rules_of(console.ward.ingest, [console.ward.patient_id], NOW)[console.ward.patient_id]
    assert not [limit for limit in held.limits if limit.version]
    again = ada.post(url(console, "/limits/withdraw"), withdrawal)
    assert (again.status_code, "nothing to withdraw" in text(again)) == (422, True)
    assert audited(console) == ["alarm_limit.set", "alarm_limit.set", "alarm_limit.withdraw"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": "1450"}, "it must lie between 50 and 280 mmHg"),
        ({"value": "49"}, "it must lie between 50 and 280 mmHg"),
        ({"value": "high"}, "This is no number"),
        ({"unit": "mg/dL"}, "This limit has other units: mmHg, kPa"),
        ({"condition": "ennui"}, "This programme has no such limit"),
        ({"reason": "   "}, "Say why"),
        ({"reason": "x" * 501}, "at most 500 letters"),
        ({"expires_on": "2026-11-20"}, "This is over already"),
        ({"expires_on": "tomorrow"}, "This is no date"),
        ({"expires_on": "2062-12-31"}, "This is years away"),
        ({"expires_on": "9999-12-31"}, "This is no date"),
        ({"priority": "gravest"}, "Choose one."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_typed_is_lost(
    console: Console, changed: dict[str, str], said: str
) -> None:
    answer = set_limit(console.sign_in("ada"), console, **changed)

    assert answer.status_code == 422
    assert said in text(answer)
    assert console.ward.count("alarm_limit") == 0
    if "condition" not in changed:
        assert LIMIT["reason"] in answer.text or "reason" in changed


def test_today_is_the_last_day_of_a_limit_that_ends_today(console: Console) -> None:
    assert set_limit(console.sign_in("ada"), console, expires_on="2026-11-21").status_code == 303
    [(expires_at,)] = console.ward.rows("SELECT expires_at FROM alarm_limit")
    assert expires_at == NOW.replace(hour=23)  # midnight in Copenhagen


def test_a_nurse_reads_limits_and_sets_none_and_a_stranger_reads_nothing(console: Console) -> None:
    nora, eve = console.sign_in("nora"), console.sign_in("eve")

    assert nora.get(url(console)).status_code == 200
    assert "Change</a>" not in nora.get(url(console) + "?limit=hypertension_systolic").text
    assert set_limit(nora, console).status_code == 404
    assert nora.post(url(console, "/limits/withdraw"), LIMIT).status_code == 404
    assert eve.get(url(console)).status_code == 404
    assert eve.post(url(console, "/slots"), SLOT).status_code == 404
    assert console.sign_in("sam").get(url(console)).status_code == 404
    assert console.sign_in("asta").get(url(console)).status_code == 404
    assert console.ward.count("alarm_limit") == console.ward.count("measurement_slot") == 0


def test_doctors_who_set_the_same_limit_at_once_each_make_a_version(console: Console) -> None:
    doctors = [console.sign_in("ada") for _ in range(4)]
    with ThreadPoolExecutor(len(doctors)) as pool:
        answers = list(pool.map(lambda doctor: set_limit(doctor, console).status_code, doctors))
    assert answers == [303] * 4
    assert console.ward.rows("SELECT version FROM alarm_limit ORDER BY version") == [(1,), (2,), (3,), (4,)]
    assert console.ward.rows("SELECT count(*) FROM alarm_limit WHERE superseded_at IS NULL") == [(1,)]


def test_a_nurse_says_when_the_patient_measures_and_takes_it_back(console: Console) -> None:
    nora = console.sign_in("nora")
    assert nora.post(url(console, "/slots"), SLOT).status_code == 303

    page = text(nora.get(url(console)))
    assert "08:00 Mon, Wed" in page
    assert "from 3 h 0 min before to 2 h 0 min after" in page

    twice = nora.post(url(console, "/slots"), {**SLOT, "day6": "1"})
    assert (twice.status_code, "in the schedule already" in text(twice)) == (422, True)
    other_days = {name: value for name, value in SLOT.items() if not name.startswith("day")}
    assert nora.post(url(console, "/slots"), {**other_days, "day6": "1"}).status_code == 303

    console.clock.forward(minutes=10)
    [(slot_id,), _] = console.ward.rows("SELECT slot_id FROM measurement_slot ORDER BY weekdays")
    assert nora.post(url(console, f"/slots/{slot_id}/end")).status_code == 303
    assert nora.post(url(console, f"/slots/{slot_id}/end")).status_code == 404
    assert audited(console) == ["measurement_slot.add", "measurement_slot.add", "measurement_slot.end"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"at": "25:00"}, "This is no time"),
        ({"day0": "", "day2": ""}, "Choose at least one weekday"),
        ({"before": "13"}, "Give hours, from 0.25 to 12"),
        ({"kind": "mood"}, "Choose one."),
    ],
)
def test_a_time_that_cannot_be_is_refused(console: Console, changed: dict[str, str], said: str) -> None:
    answer = console.sign_in("nora").post(url(console, "/slots"), {**SLOT, **changed})
    assert (answer.status_code, said in text(answer)) == (422, True)


def test_a_pause_is_of_the_patients_clock_and_ends_when_somebody_says_so(console: Console) -> None:
    nora = console.sign_in("nora")
    pause = {"since": "2026-11-22T09:00", "until": "2026-11-25T18:00", "reason": "in hospital"}
    assert nora.post(url(console, "/pauses"), pause).status_code == 303
    assert nora.post(url(console, "/pauses"), {"reason": "travels"}).status_code == 303

    page = text(nora.get(url(console)))
    assert "22 Nov 2026, 09:00 – 25 Nov 2026, 18:00 : in hospital" in page
    assert "until it is ended : travels" in page
    [(begun,), (to_come,)] = console.ward.rows("SELECT pause_id FROM measurement_pause ORDER BY lower(valid)")
    console.clock.forward(minutes=10)
    for pause_id in (begun, to_come):
        assert nora.post(url(console, f"/pauses/{pause_id}/end")).status_code == 303
    # What never began leaves no pause behind; what began has an end.
    assert console.ward.rows("SELECT upper(valid) FROM measurement_pause") == [(NOW + timedelta(minutes=10),)]
    backwards = nora.post(url(console, "/pauses"), {**pause, "until": "2026-11-22T08:59"})
    assert (backwards.status_code, "ends before it begins" in text(backwards)) == (422, True)


def test_another_programme_begins_a_heightened_period_that_can_be_changed(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO programme (programme_id, display_name, regimes, heightened_for)"
        " VALUES ('births', 'Births', '{pregnancy}', '3 days')"
    )
    nora, ada = console.sign_in("nora"), console.sign_in("ada")
    set_limit(ada, console)

    changed = nora.post(url(console, "/programme"), {"programme_id": "births", "reason": "expects a child"})

    assert changed.status_code == 303
    page = nora.get(url(console))
    assert "expects a child" in page.text
    assert "until 24 Nov 2026, 13:00" in text(page)
    assert re.findall(r'data-standing="(\w+)"', page.text) == ["not_applied"]
    console.clock.forward(minutes=10)
    over = nora.post(url(console, "/heightened"), {"until": "", "reason": "knows it all"})
    assert over.status_code == 303
    assert console.ward.rows(
        "SELECT programme_id, heightened_until IS NULL, upper_inf(valid) FROM patient_programme ORDER BY lower(valid)"
    ) == [("births", False, False), ("births", True, True)]
    unknown = nora.post(url(console, "/programme"), {"programme_id": "none", "reason": "x"})
    assert unknown.status_code == 422


def test_every_default_says_its_source_and_what_no_clinician_has_confirmed(console: Console) -> None:
    page = text(console.sign_in("nora").get(url(console)))

    assert "default : ADA Standards of Care, section 6" in page.replace("default:", "default :")
    assert "not confirmed by a clinician" in page
    assert "measured again within 15 min" in page


def test_the_patients_page_leads_to_the_plan(console: Console) -> None:
    page = console.sign_in("nora").get(f"/patients/{console.ward.patient_id}").text
    assert f'href="{url(console)}"' in page


@pytest.mark.parametrize("since", ["0026-11-22T08:00", "2062-11-22T08:00"])
def test_a_pause_of_another_century_is_refused(console: Console, since: str) -> None:
    answer = console.sign_in("nora").post(url(console, "/pauses"), {"since": since, "until": "", "reason": "hospital"})
    assert answer.status_code == 422
    assert "This is years away" in text(answer)
    assert console.ward.rows("SELECT FROM measurement_pause") == []


def test_a_risk_index_has_no_unit(console: Console) -> None:
    for path in (url(console), f"/patients/{console.ward.patient_id}"):
        page = text(console.sign_in("ada").get(path))
        assert "Risk of low glucose" in page
        assert "2.5 mg/dL" not in page
        assert "2.5 mmol/L" not in page
