"""The programmes in the console: who reads, who changes what, what is refused in which words, and what holds then."""

import html
import re
from datetime import timedelta

import httpx
import pytest

from alerting.tiers import TERMS, Tier
from cloud.plans.store import rules_of
from tests.cloud.made import NOW
from tests.fix_console import Console

STANDARD = {
    "display_name": "Standard",
    "regime_aha2025": "1",
    "regime_ada": "1",
    "late_after": "4",
    "heightened_for": "10",
    "alert_budget": "0.2",
    "closing_not_confirmed": "1",
}


def text(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def test_a_change_holds_for_the_next_reading_and_is_audited(console: Console) -> None:
    ada = console.sign_in("ada")

    assert ada.post("/programmes/standard", STANDARD).status_code == 303

    held = rules_of(console.ward.ingest, [console.ward.patient_id], NOW)[console.ward.patient_id].programme
    assert held.regimes == ("aha2025", "ada")
    assert (held.late_after, held.heightened_for) == (timedelta(hours=4), timedelta(days=10))
    assert held.automatic_closing == {"not_confirmed"}
    assert str(held.alert_budget) == "0.2"
    [(action, subject, detail)] = console.ward.rows(
        "SELECT action, subject, detail FROM audit WHERE action LIKE 'programme%'"
    )
    assert (action, subject, detail["late_after"]) == ("programme.change", "programme:standard", "14400 s")


def test_a_tiers_own_promises_stand_beside_the_defaults_and_go_with_an_empty_form(console: Console) -> None:
    ada = console.sign_in("ada")
    own = {"tier": "urgent", "acknowledge_within": "7 min", "contact_within": "", "escalate_after": "0.5 h"}
    assert ada.post("/programmes/standard/terms", own).status_code == 303

    page = text(ada.get("/programmes"))
    assert "7 min default : 15 min" in page.replace("default:", "default :")
    terms = rules_of(console.ward.ingest, [console.ward.patient_id], NOW)[console.ward.patient_id].programme.terms
    assert terms[Tier.URGENT].acknowledge_within == timedelta(minutes=7)
    assert terms[Tier.URGENT].escalate_after == timedelta(minutes=30)
    assert terms[Tier.URGENT].contact_within == TERMS[Tier.URGENT].contact_within

    assert ada.post("/programmes/standard/terms", {"tier": "urgent"}).status_code == 303
    assert console.ward.count("programme_terms") == 0


def test_a_new_programme_is_there_to_be_chosen(console: Console) -> None:
    ada = console.sign_in("ada")
    new = {
        **STANDARD,
        "programme_id": "births",
        "display_name": "Births",
        "regime_aha2025": "",
        "regime_pregnancy": "1",
    }

    assert ada.post("/programmes", new).status_code == 303

    assert "Births" in text(ada.get(f"/patients/{console.ward.patient_id}/plan"))
    twice = ada.post("/programmes", new)
    assert (twice.status_code, "already" in text(twice)) == (422, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"regime_aha2025": "", "regime_ada": ""}, "Choose at least one set of limits"),
        ({"regime_esc2024": "1"}, "Two of these speak of the same measure"),
        ({"late_after": "0"}, "must lie between 0.25 and 48"),
        ({"alert_budget": "much"}, "This is no number"),
        ({"display_name": " "}, "Say why"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_typed_is_lost(
    console: Console, changed: dict[str, str], said: str
) -> None:
    before = console.ward.rows("SELECT * FROM programme ORDER BY programme_id")
    answer = console.sign_in("ada").post("/programmes/standard", {**STANDARD, "heightened_for": "11", **changed})

    assert (answer.status_code, said in text(answer)) == (422, True)
    assert 'value="11"' in answer.text
    assert console.ward.rows("SELECT * FROM programme ORDER BY programme_id") == before


@pytest.mark.parametrize("span", ["soon", "15", "0 min", "70 d", "1e3 min"])
def test_a_span_that_cannot_be_is_refused(console: Console, span: str) -> None:
    ada = console.sign_in("ada")
    answer = ada.post("/programmes/standard/terms", {"tier": "urgent", "lease": span})
    assert (answer.status_code, "Write it as 15 min, 2 h or 3 d" in text(answer)) == (422, True)
    assert ada.post("/programmes/standard/terms", {"tier": "gravest"}).status_code == 422
    assert ada.post("/programmes/none/terms", {"tier": "urgent"}).status_code == 404


def test_a_nurse_reads_and_changes_nothing_and_others_do_not_see_it(console: Console) -> None:
    nora = console.sign_in("nora")
    page = nora.get("/programmes")

    assert page.status_code == 200
    assert "2024 ESC" in text(page)
    assert "not confirmed by a clinician" in text(page)
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
    assert nora.post("/programmes/standard", STANDARD).status_code == 404
    assert nora.post("/programmes", STANDARD).status_code == 404
    assert console.sign_in("asta").get("/programmes").status_code == 404
    assert console.sign_in("carl").get("/programmes").status_code == 404
