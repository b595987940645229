"""Risk strata: a proposal that says what it rests on; the first segment that finds a patient speaks; tags."""

import html
import re
from datetime import timedelta
from uuid import UUID

from alerting.tiers import Tier
from cloud.console import texts
from tests.cloud.crm.segments.made import cared_for, lowered, measured, saved
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.cloud.review.made import pressure_weeks
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console

SEGMENT_OF = "SELECT segment_id::text FROM segment_version WHERE name = %s"


def stratum(console: Console, patient_id: UUID | None = None) -> str:
    """What a nurse reads on the patient's page."""
    page = console.sign_in("nora").get(f"/patients/{patient_id or console.ward.patient_id}")
    line = page.text[page.text.index('<p id="stratum">') :]
    return html.unescape(re.sub(r"<[^>]+>", "", line[: line.index("</p>")]))


def test_a_patients_stratum_follows_what_happens_and_says_why(console: Console) -> None:
    measured(console.ward)
    assert stratum(console).startswith("Not enough data: not enough blood pressure readings for an average")
    pressure_weeks(console.ward, 20, systolic=118)
    lowered(console.ward)
    measured(console.ward)
    assert stratum(console).startswith("Stable: blood pressure controlled, last 30 days (home average 115/")
    planted_case(console.ward, Tier.URGENT, NOW - timedelta(days=1))
    assert stratum(console).startswith("Rising: 1 case in 30 days, Urgent or graver.")
    planted_case(console.ward, Tier.URGENT, NOW - timedelta(days=2), condition="hypertension_systolic")
    assert stratum(console).startswith("High: 2 cases in 30 days, Urgent or graver. By a proposal that nobody")
    console.clock.forward(days=28, hours=1)
    assert stratum(console).startswith("Rising: 1 case in 30 days"), "nothing was written down of it"


def test_the_proposal_says_what_each_limit_rests_on_and_counts_each_patient_in_the_first_place_that_finds_them(
    console: Console,
) -> None:
    rows = console.ward.rows(
        """SELECT v.name, c ->> 'source' FROM strata_member JOIN segment_version v USING (segment_id, version),
                  jsonb_array_elements(v.conditions) c ORDER BY place"""
    )
    assert {name for name, _ in rows} == set(texts.SHIPPED_SEGMENTS), "each name has its words"
    assert {source for _, source in rows} == set(texts.SEGMENT_SOURCES.values()), "each source has its words"
    nora = console.accounts["nora"]
    boris = cared_for(console.ward, "Boris Sample", nora)
    cared_for(console.ward, "Clara Model", nora)
    for patient_id, days in ((boris, 1), (boris, 2), (console.ward.patient_id, 1)):
        planted_case(console.ward, Tier.URGENT, NOW - timedelta(days=days), condition=f"c{days}", patient_id=patient_id)
    measured(console.ward)
    page = text(console.sign_in("nora").get("/segments"))
    assert "Proposal, not signed." in page
    for line in (
        "High Two urgent cases lately version 1 at least 2 cases in 30 days, Urgent or graver [{}] 1",
        "Rising Urgent case lately version 1 at least 1 case in 30 days, Urgent or graver [{}] 1",
    ):
        assert line.format(texts.SEGMENT_SOURCES["ours"]) in page
    assert "In no stratum – – 0" in page
    # Who they are: each in one stratum alone, by its first segment that finds them.
    for of, names in (("high", ["Boris Sample"]), ("rising", ["Asta Example"]), ("not_enough", ["Clara Model"])):
        listed = console.sign_in("nora").get(f"/strata/{of}")
        assert "1 of your own 3 patients" in text(listed), of
        assert [name for name in ("Asta Example", "Boris Sample", "Clara Model") if name in listed.text] == names
        assert "<td" not in console.sign_in("eve").get(f"/strata/{of}").text
    assert "Two urgent cases lately 2 cases in 30 days, Urgent or graver" in text(
        console.sign_in("nora").get("/strata/high")
    )
    assert console.sign_in("nora").get("/strata/grave").status_code == 404
    assert console.sign_in("nora").get("/strata/high?page=2").status_code == 200


def test_a_lead_nurse_proposes_a_set_and_a_doctor_signs_it_as_it_was_written(console: Console) -> None:
    admin = console.ward.admin
    admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'ben'")
    ben, ada, nora = (console.sign_in(login) for login in ("ben", "ada", "nora"))
    own = saved(ben, {"kind": "tag", "tag": "frail"}, name="Frail", shared="yes").rpartition("/")[2]
    secret = saved(ben, {"kind": "tag", "tag": "x"}, name="Mine").rpartition("/")[2]
    [(shipped,)] = admin.execute(SEGMENT_OF, ("Blood pressure controlled",)).fetchall()
    wanted = {"stratum_0": "high", "segment_0": own, "stratum_1": "stable", "segment_1": shipped}
    assert nora.post("/strata", wanted).status_code == 404, "who works by them does not write them"
    for wrong in (
        {"segment_0": ""},
        {"stratum_0": "grave", "segment_0": own},
        {"stratum_0": "high", "segment_0": secret},
    ):
        assert ben.post("/strata", wrong).status_code == 422
    assert ben.post("/strata", wanted).status_code == 303
    console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/tags", {"tag": "frail"})
    assert stratum(console).startswith("High: tagged “frail”. By a proposal")
    # The set keeps the version that it was written with.
    known = {"segment_id": own, "version": "1"}
    saved(ben, {"kind": "tag", "tag": "other"}, name="Frail", shared="yes", **known)
    assert stratum(console).startswith("High: tagged “frail”")
    [(set_no,)] = console.ward.rows("SELECT max(set_no) FROM strata_set")
    assert ben.post(f"/strata/{set_no}/sign").status_code == 404
    assert ada.post(f"/strata/{set_no - 1}/sign").status_code == 404, "that one is not in force"
    assert ada.post(f"/strata/{set_no}/sign").status_code == 303
    assert ada.post(f"/strata/{set_no}/sign").status_code == 404
    assert "By the centre’s strata" in stratum(console)
    assert "Signed by Ada Weiss, 21 Nov 2026." in text(nora.get("/segments"))
    assert ada.post("/strata", wanted).status_code == 303
    [(set_no,)] = console.ward.rows("SELECT max(set_no) FROM strata_set")
    assert ada.post(f"/strata/{set_no}/sign").status_code == 404, "nobody signs what they wrote"


def test_tags_are_put_on_and_taken_off_and_both_is_audited(console: Console) -> None:
    nora, asta = console.sign_in("nora"), console.ward.patient_id
    page = f"/patients/{asta}"
    for _ in range(2):
        assert nora.post(f"{page}/tags", {"tag": "  Needs  Dutch "}).status_code == 303
    assert console.ward.rows("SELECT tag FROM patient_tag") == [("needs dutch",)]
    [(tag_id,)] = console.ward.rows("SELECT tag_id FROM patient_tag")
    assert "needs dutch" in nora.get(page).text
    for _ in range(2):
        status = nora.post(f"{page}/tags/{tag_id}/remove").status_code
    assert status == 404, "it was taken off already"
    assert "needs dutch" not in nora.get(page).text
    assert console.ward.rows(
        "SELECT action, subject, patient_id, detail FROM audit WHERE action LIKE 'patient_tag.%' ORDER BY audit_id"
    ) == [(f"patient_tag.{act}", f"patient_tag:{tag_id}", asta, {}) for act in ("add", "remove")]
    assert console.sign_in("eve").post(f"{page}/tags", {"tag": "mine"}).status_code == 404
    answers = [nora.post(f"{page}/tags", {"tag": f"tag {n}"}).status_code for n in range(13)]
    assert answers == [303] * 12 + [422]
    assert "A tag has letters" in nora.post(f"{page}/tags", {"tag": "<b>"}).text
