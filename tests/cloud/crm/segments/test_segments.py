"""A segment from its form to the people whom it finds: counted, saved, shared, changed, retired, exported."""

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from alerting.tiers import Tier
from cloud.crm.segments.models import Kind
from tests.cloud.crm.groups.made import announced, grouped
from tests.cloud.crm.segments.made import cared_for, form, measured, saved
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.cloud.review.made import glucose_weeks, pressure_weeks
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console

# One condition of each kind that finds the ward's patient as ``planted`` has her, and one of the same that does not.
FINDS: Mapping[Kind, tuple[dict[str, str], dict[str, str]]] = {
    Kind.PROGRAMME: ({"programme": "aha"}, {"programme": "standard"}),
    Kind.PLAN: ({"plan": "diabetes"}, {"plan": "hypertension"}),
    Kind.TAG: ({"tag": "Frail"}, {"tag": "diver"}),
    Kind.AGE: ({"low": "70", "high": "80"}, {"high": "70"}),
    Kind.CONTROL: ({"is": "not_controlled"}, {"is": "not_enough"}),
    Kind.PRESSURE: (
        {"measure": "systolic", "low": "135", "high": "160", "unit": "mm[Hg]"},
        {"measure": "systolic", "high": "18", "unit": "kPa"},
    ),
    Kind.GLUCOSE: ({"low": "3", "high": "20", "unit": "mmol/L"}, {"high": "60", "unit": "mg/dL"}),
    Kind.LAST_READING: ({"relation": "at_most", "days": "1"}, {"relation": "at_least", "days": "2"}),
    Kind.OPEN_CASES: ({"many": "1", "tier": "same_shift"}, {"many": "1", "tier": "emergency"}),
    Kind.CASES: ({"many": "2", "tier": "urgent", "days": "30"}, {"many": "2", "tier": "urgent", "days": "3"}),
    Kind.ADHERENCE: ({"relation": "below", "percent": "60"}, {"relation": "at_or_above", "percent": "60"}),
    Kind.DISCHARGE: ({"days": "10"}, {"days": "3"}),
    Kind.HOUSEHOLD: ({"is": "with_others"}, {"is": "alone_or_unknown"}),
    Kind.LANGUAGE: ({"language": "ru"}, {"language": "zh"}),
}


def test_a_heap_of_shared_segments_takes_the_list_from_nobody(console: Console) -> None:
    """The database counts no more than 1,664 columns in one look."""
    nora, ben = console.sign_in("nora"), console.sign_in("ben")
    console.ward.admin.execute(
        """WITH made AS (INSERT INTO segment (owner, shared, made_at) SELECT %s, true, %s FROM generate_series(1, 210)
                         RETURNING segment_id), numbered AS (SELECT segment_id, row_number() OVER () AS n FROM made)
           INSERT INTO segment_version (segment_id, version, name, conditions, written_at)
           SELECT segment_id, 1, 'heap ' || n, (SELECT jsonb_agg(jsonb_build_object('kind', 'last_reading', 'relation',
               'at_least', 'days', (n * 8 + k)::text)) FROM generate_series(1, 8) k), %s FROM numbered""",
        (nora.account_id, NOW, NOW),
    )
    page = ben.get("/segments")
    assert page.status_code == 200
    assert "heap 210" in page.text
    refused = nora.post("/segments/form", form({"kind": "age", "low": "70"}, do="save"))
    assert refused.status_code == 422
    assert "There are too many already: at most 100." in text(refused)


@pytest.fixture
def planted(console: Console) -> Console:
    """The ward's patient with something of each kind, and Boris, about whom nothing is known, both of nora's."""
    ward, nora = console.ward, console.accounts["nora"]
    admin, asta = ward.admin, console.ward.patient_id
    boris = cared_for(ward, "Boris Sample", nora)
    pressure_weeks(ward, 20)
    glucose_weeks(ward, 14)
    admin.execute("UPDATE patient SET birth_date = '1952-03-01', language = 'ru' WHERE patient_id = %s", (asta,))
    admin.execute("INSERT INTO programme (programme_id, display_name, regimes) VALUES ('aha', 'AHA', '{aha2025}')")
    admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
        " VALUES (%s, 'aha', '[2026-01-01,)', %s)",
        (asta, NOW + timedelta(days=3)),
    )
    for at in ("07:00", "12:00"):
        admin.execute(
            "INSERT INTO measurement_slot (patient_id, kind, at, before, after, valid)"
            " VALUES (%s, 'blood_pressure', %s, '1 hour', '1 hour', '[2026-11-10 00:00+01,)')",
            (asta, at),
        )
    planted_case(ward, Tier.URGENT, NOW - timedelta(days=1), condition="hypertension_systolic")
    planted_case(ward, Tier.URGENT, NOW - timedelta(days=5), condition="hypertension_diastolic")
    admin.execute(
        "INSERT INTO discharge_summary (patient_id, discharged_on, about, entered_by, entered_at)"
        " VALUES (%s, %s, 'heart', %s, %s)",
        (asta, NOW.date() - timedelta(days=5), nora, NOW),
    )
    admin.execute(
        "INSERT INTO follow_up (patient_id, template, what, due_on, made_by, made_at)"
        " VALUES (%s, 'diabetes:1', 'call', %s, %s, %s)",
        (asta, NOW.date(), nora, NOW),
    )
    console.sign_in("nora").post(f"/patients/{asta}/tags", {"tag": "  FRAIL "})
    console.sign_in("nora").post(f"/patients/{asta}/household/members", {"patient_id": str(boris)})
    measured(ward)
    return console


def test_each_kind_of_condition_finds_whom_it_should_and_says_why(planted: Console) -> None:
    nora, asta = planted.sign_in("nora"), str(planted.ward.patient_id)
    finds = {
        **FINDS,
        Kind.CARER: ({"carer": str(planted.accounts["ada"])}, None),
        Kind.HEIGHTENED: ({}, None),
    }
    assert set(finds) == set(Kind), "a new kind of condition has its line here"
    said = {}
    for kind, (hit, miss) in finds.items():
        page = nora.get(saved(nora, {"kind": kind, **hit}))
        assert f'data-patient-id="{asta}"' in page.text, kind
        said[kind] = text(page)
        if miss is not None:
            page = nora.get(saved(nora, {"kind": kind, **miss}))
            assert f'data-patient-id="{asta}"' not in page.text, kind
    assert "2 cases in 30 days, Urgent or graver" in said[Kind.CASES]
    assert "blood pressure not controlled, last 30 days (home average 1" in said[Kind.CONTROL]
    assert "home average, systolic, from 135 mmHg to below 160 mmHg" in said[Kind.PRESSURE]
    assert "74 years old" in said[Kind.AGE]
    assert "measured 12 of 24 that were due in 28 days" in said[Kind.ADHERENCE]
    assert "home from hospital since 16 Nov 2026" in said[Kind.DISCHARGE]
    assert "watched more closely until 24 Nov 2026" in said[Kind.HEIGHTENED]
    assert "has the follow-up plan Diabetes, first three months" in said[Kind.PLAN]
    planted.ward.admin.execute("UPDATE account SET language = 'ru' WHERE login = 'nora'")
    assert "за 30 дней" in text(nora.get(saved(nora, {"kind": "cases", **FINDS[Kind.CASES][0]})))


def test_whoever_came_home_today_on_their_own_calendar_is_found_today(planted: Console) -> None:
    """Tomorrow begins in Auckland half a day before it does in UTC."""
    planted.ward.admin.execute("UPDATE discharge_summary SET discharged_on = %s", (NOW.date() + timedelta(days=1),))
    page = text(planted.sign_in("nora").get(saved(planted.sign_in("nora"), {"kind": "discharge", "days": "1"})))
    assert "home from hospital since 22 Nov 2026" in page


def test_all_whom_a_segment_finds_are_invited_at_once_and_nobody_twice(planted: Console) -> None:
    nora = planted.sign_in("nora")
    asta = planted.ward.patient_id
    everybody = saved(nora, {"kind": "last_reading", "relation": "at_least", "days": "300"}, name="Silent")
    own = saved(nora, {"kind": "tag", "tag": "frail"})
    assert "Nothing is announced, and there is no group." in text(nora.get(own))
    lecture, group = announced(planted), grouped(planted)
    page = nora.get(own)
    assert "Invite 1 patient" in text(page)
    assert "Eating with diabetes, 25 Nov 2026, 15:00" in text(page)
    # Who declined stays as they said.
    assert nora.post(f"{own}/invite", {"to": f"events/{lecture}"}).headers["location"] == f"/events/{lecture}"
    planted.sign_in("asta").post(f"/me/events/{lecture}", {"comes": "no"})
    for _ in range(2):
        for to in (f"events/{lecture}", f"groups/{group}"):
            assert nora.post(f"{own}/invite", {"to": to}).status_code == 303
    assert nora.post(f"{everybody}/invite", {"to": f"events/{lecture}"}).status_code == 303
    assert planted.ward.rows(
        "SELECT p.display_name, s.state FROM event_seat s JOIN patient p USING (patient_id) ORDER BY 1"
    ) == [("Asta Example", "cannot"), ("Boris Sample", "invited")]
    assert planted.ward.rows("SELECT patient_id, state FROM group_member") == [(asta, "asked")]
    told = "SELECT count(*), count(DISTINCT j.id) FROM outside_message m JOIN procrastinate_jobs j"
    assert planted.ward.rows(f"{told} ON j.args ->> 'message_id' = m.message_id::text") == [(3, 3)]
    of_asta = "SELECT action FROM audit WHERE patient_id = %s AND action ~ 'invite|group.ask' ORDER BY audit_id"
    assert planted.ward.admin.execute(of_asta, (asta,)).fetchall() == [("event.invite",), ("group.ask",)]
    assert nora.post(f"{own}/invite", {"to": f"events/{asta}"}).status_code == 422
    assert planted.sign_in("eve").post(f"{own}/invite", {"to": f"events/{lecture}"}).status_code == 404
    nora.post(f"/events/{lecture}/cancel")
    assert nora.post(f"{own}/invite", {"to": f"events/{lecture}"}).status_code == 422
    planted.ward.admin.execute(
        "WITH made AS (INSERT INTO patient (display_name, time_zone, language) SELECT 'Many', 'UTC', 'zh'"
        " FROM generate_series(1, 1001) RETURNING patient_id)"
        " INSERT INTO care_team (patient_id, account_id) SELECT patient_id, %s FROM made",
        (planted.accounts["nora"],),
    )
    answer = nora.post(f"{saved(nora, {'kind': 'language', 'language': 'zh'})}/invite", {"to": f"groups/{group}"})
    assert answer.status_code == 422
    assert "It finds more than 1000 of your patients." in answer.text
    nora.post(f"{own}/retire")
    assert nora.post(f"{own}/invite", {"to": f"groups/{group}"}).status_code == 404


def test_all_conditions_have_to_hold_and_who_has_not_enough_data_is_a_group_of_its_own(planted: Console) -> None:
    nora = planted.sign_in("nora")
    controlled_and_old = ({"kind": "control", "is": "not_controlled"}, {"kind": "age", "low": "75"})
    assert "None of your patients." in text(nora.get(saved(nora, *controlled_and_old)))
    page = nora.get(saved(nora, {"kind": "control", "is": "not_enough"}))
    assert "Boris Sample" in page.text
    assert "1 of your own 2 patients" in text(page)
    assert "Boris Sample" in nora.get(saved(nora, {"kind": "last_reading", "relation": "at_least", "days": "9"})).text

    # A limit holds for cuffs of either unit, and the limit is what is converted.
    asta = planted.ward.patient_id
    pressure = {"kind": "pressure", "measure": "systolic", "low": "140", "unit": "mm[Hg]"}
    address = saved(nora, pressure)
    # 140 mmHg is 18.665 kPa: 18.7 as a cuff shows it.
    for value, found in (("18.6", False), ("18.7", True)):
        planted.ward.admin.execute(
            "UPDATE patient_measures SET systolic = %s, diastolic = 11, pressure_unit = 'kPa' WHERE patient_id = %s",
            (Decimal(value), asta),
        )
        assert (f'data-patient-id="{asta}"' in nora.get(address).text) is found, value


def test_a_count_is_shown_before_anything_is_saved_and_conditions_come_and_go(console: Console) -> None:
    nora = console.sign_in("nora")
    page = nora.post("/segments/form", {"do": "add", "name": "Some", "kind": "language"})
    assert page.status_code == 200
    typed = form({"kind": "language", "language": "en"}, {"kind": "tag", "tag": "frail"})
    counted = text(nora.post("/segments/form", {**typed, "do": "count"}))
    assert "0 of your own 1 patient, as of now. Nothing was saved yet." in counted
    less = nora.post("/segments/form", {**typed, "do": "remove-1"})
    assert 'name="kind_0"' in less.text
    assert 'name="kind_1"' not in less.text
    first = nora.post("/segments/form", {**typed, "do": "remove-0"})
    assert 'name="tag_0"' in first.text
    assert 'value="frail"' in first.text
    # What cannot be asked is said at its field.
    answer = nora.post("/segments/form", {**form({"kind": "age", "low": "x"}), "do": "save"})
    assert answer.status_code == 422
    assert "This is no number." in answer.text
    assert console.ward.rows("SELECT count(*) FROM segment WHERE owner IS NOT NULL") == [(0,)]


def test_everybody_sees_their_own_patients_in_a_shared_segment_and_nobody_anothers_own(planted: Console) -> None:
    nora, ben, eve = (planted.sign_in(login) for login in ("nora", "ben", "eve"))
    condition = {"kind": "language", "language": "en"}
    shared, own = saved(nora, condition, shared="yes"), saved(nora, condition)
    assert "Boris Sample" in nora.get(shared).text
    # Boris is nora's alone; the other patient of the ward is nobody's here.
    for person in (ben, eve):
        assert person.get(shared).status_code == 200
        assert "Boris Sample" not in person.get(shared).text
        assert person.get(own).status_code == 404
        assert person.get(f"/segments/new?of={own.rpartition('/')[2]}").status_code == 404
        assert person.get(f"{shared}/edit").status_code == 404
        assert person.post(f"{shared}/retire").status_code == 404
    assert "1 of your own 2 patients" in text(nora.get(shared))
    assert "0 of your own 1 patient" in text(ben.get(shared))


def test_a_change_is_a_version_with_author_and_time_and_what_is_retired_stays(console: Console) -> None:
    nora = console.sign_in("nora")
    address = saved(nora, {"kind": "language", "language": "en"}, shared="yes", description="To be called")
    known = {"segment_id": address.rpartition("/")[2], "version": "1"}
    assert "To be called" in nora.get(f"{address}/edit").text
    console.clock.forward(days=1)
    nora = console.sign_in("nora")
    assert saved(nora, {"kind": "language", "language": "ru"}, name="Other", **known) == address
    late = nora.post("/segments/form", {**form({"kind": "language", "language": "zh"}), **known, "do": "save"})
    assert late.status_code == 422
    assert "Somebody changed it meanwhile" in late.text
    page = text(nora.get(address))
    assert "version 2 · Nora Quist, 22 Nov 2026, own" in page
    assert "version 1 : Some · Nora Quist, 21 Nov 2026" in page
    assert nora.post(f"{address}/retire").status_code == 303
    assert "Other" not in text(nora.get("/segments"))
    assert "retired" in text(nora.get(address))
    actions = "SELECT action FROM audit WHERE action IN ('segment.write', 'segment.retire') ORDER BY audit_id"
    assert console.ward.rows(actions) == [("segment.write",), ("segment.write",), ("segment.retire",)]


def test_doctors_and_lead_nurses_export_and_each_patient_finds_it_in_their_record(planted: Console) -> None:
    asta = planted.ward.patient_id
    planted.ward.admin.execute("UPDATE patient SET display_name = '=Asta' WHERE patient_id = %s", (asta,))
    address = saved(planted.sign_in("nora"), {"kind": "tag", "tag": "frail"}, shared="yes")
    assert planted.sign_in("nora").get(f"{address}/people.csv").status_code == 404
    answer = planted.sign_in("ada").get(f"{address}/people.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows == [
        {
            "patient_id": str(asta), "name": "'=Asta", "born": "1952-03-01", "language": "ru", "programme": "AHA",
            "why": "tagged “frail”",
        }
    ]  # fmt: skip
    audited = "SELECT patient_id, detail ->> 'rows' FROM audit WHERE action LIKE 'segment.export%' ORDER BY audit_id"
    assert planted.ward.rows(audited) == [(None, "1"), (asta, None)]
    # Whom nobody watches is in no list.
    admin, nora = planted.ward.admin, planted.accounts["nora"]
    address = saved(planted.sign_in("nora"), {"kind": "language", "language": "en"})
    clara = cared_for(planted.ward, "Clara Model", nora, born=date(1950, 1, 1))
    admin.execute("INSERT INTO participation (patient_id, begun_at, begun_by) VALUES (%s, %s, %s)", (clara, NOW, nora))
    assert "1 of your own 2 patients" in text(planted.sign_in("nora").get(address))
    admin.execute("UPDATE participation SET activated_at = %s, activated_by = %s", (NOW, nora))
    assert "2 of your own 3 patients" in text(planted.sign_in("nora").get(address))
