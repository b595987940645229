"""An article from a draft to the patient's page: approved by another, given, opened, replaced, taken out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from alerting.tiers import Tier
from cloud.console.edge import LARGEST_FORM
from cloud.crm.education.routes import LARGEST_TEXTS
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.advice.test_advice import DRAFT as ADVICE
from tests.cloud.crm.education.made import NOW, REVIEW, approved, largest, typed, written
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.made import wait_for_a_lock
from tests.cloud.planning.test_routes import text
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def test_what_a_doctor_approved_is_given_told_outside_without_content_and_opened_on_the_patients_page(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    asta, nora, patient = console.sign_in("asta"), console.sign_in("nora"), f"/patients/{console.ward.patient_id}"
    draft = written(console)
    assert "Salt en" not in text(asta.get("/me/library"))
    assert asta.get(f"/me/library/{draft}").status_code == 404
    assert nora.post(f"{patient}/library", {"article": draft}).status_code == 422, "nobody approved it yet"
    console.sign_in("ada").post(f"/library/{draft}/approve", REVIEW)
    assert "Salt en" in text(asta.get("/me/library"))
    assert nora.post(f"{patient}/library", {"article": draft}).status_code == 303
    assert "has not opened it yet" in text(nora.post(f"{patient}/library", {"article": draft})), "it is given once"
    told.look()
    assert told.states() == [("article", "sent", None)]
    [request] = phone_gateway.requests
    assert request.body.decode().endswith('/me/library"}')
    assert "salt" not in request.body.decode().lower()
    assert "not opened yet" in text(nora.get(patient))
    console.clock.forward(minutes=5)
    mine = text(asta.get("/me/library"))
    assert mine.index("Given to you") < mine.index("Food"), "what was given stands first"
    assert console.ward.rows("SELECT read_at FROM article_given") == [(None,)], "a list is not the article"
    page = asta.get(f"/me/library/{draft}").text
    assert "<strong>salt</strong>" in page
    assert console.ward.rows("SELECT read_at, read_article_id FROM article_given") == [
        (NOW + timedelta(minutes=5), UUID(draft))
    ]
    assert "opened" in text(nora.get(f"{patient}/library"))
    actions = [row[0] for row in console.ward.rows("SELECT action FROM audit WHERE action ~ '^article' ORDER BY at, 1")]
    assert actions == ["article.approve", "article.give", "article.write", "article.read"]


def test_an_article_that_was_opened_meanwhile_is_told_nobody(console: Console, told: Reaching) -> None:
    article = approved(console)
    console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/library", {"article": article})
    console.sign_in("asta").get(f"/me/library/{article}")
    told.look()
    assert told.states() == [("article", "withdrawn", "needless")]


def test_nobody_approves_their_own_a_new_version_replaces_the_former_and_nothing_is_deleted(console: Console) -> None:
    ada, nora, asta = (console.sign_in(login) for login in ("ada", "nora", "asta"))
    own = written(console, login="ada")
    assert ada.post(f"/library/{own}/approve", REVIEW).status_code == 404
    assert nora.post(f"/library/{own}/approve", REVIEW).status_code == 404
    assert nora.post(f"/library/{own}/retire", {"why": "x"}).status_code == 404, "a draft of somebody else"
    first = approved(console)
    nora.post(f"/patients/{console.ward.patient_id}/library", {"article": first})
    second = approved(console, body="Much less **salt**.")
    rows = console.ward.rows("SELECT version, retired_why FROM article WHERE approved_at IS NOT NULL ORDER BY version")
    assert rows == [(2, "superseded"), (3, None)]
    assert "Much less" in text(asta.get(f"/me/library/{first}")), "an old link leads to what holds now"
    assert console.ward.rows("SELECT read_article_id FROM article_given") == [(UUID(second),)]
    assert ada.post(f"/library/{second}/retire", {"why": "It is wrong."}).status_code == 303
    assert asta.get(f"/me/library/{first}").status_code == 404
    assert "Given to you" not in text(asta.get("/me/library"))
    assert console.ward.count("article") == 3
    assert "It is wrong." in text(nora.get(f"/library/{second}"))


def test_of_two_drafts_approved_in_one_moment_the_second_is_what_holds(console: Console) -> None:
    ada, one, other = console.sign_in("ada"), written(console), written(console, body="Less.")
    token = ada.csrf_token()
    with (
        psycopg.connect(console.ward.database.admin_url) as another_doctor,
        ThreadPoolExecutor(1) as thumb,
    ):
        another_doctor.execute("SELECT pg_advisory_xact_lock(hashtextextended('article salt', 0))")
        another_doctor.execute(
            "UPDATE article SET approved_by = %s, approved_at = now(), review_on = '2028-01-01' WHERE article_id = %s",
            (ada.account_id, one),
        )
        sent = thumb.submit(ada.client.post, f"/library/{other}/approve", data={**REVIEW, "csrf_token": token})
        wait_for_a_lock(console.ward)
        another_doctor.commit()
        assert sent.result().status_code == 303
    rows = console.ward.rows("SELECT article_id::text, retired_why FROM article ORDER BY version")
    assert rows[-2:] == [(one, "superseded"), (other, None)]


def test_what_is_to_be_read_again_is_said_and_a_proposal_becomes_a_draft_of_whoever_takes_it_up(
    console: Console,
) -> None:
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    article = approved(console)
    assert "to be read again:" not in text(nora.get("/library"))
    console.clock.forward(days=370)
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    assert "1 article is to be read again:" in text(nora.get("/library"))
    assert ada.post(f"/library/{article}/review", {"review_on": "2028-11-20"}).status_code == 303
    assert "to be read again:" not in text(nora.get("/library"))
    answer = nora.post("/library/proposals/low_glucose")
    assert nora.post("/library/proposals/low_glucose").status_code == 404, "it was taken up"
    taken = answer.headers["location"]
    shown = text(nora.get(taken))
    assert "Low glucose: the rule of 15" in shown
    assert "低血糖" in shown
    assert "from a proposal of the software" in shown
    assert ada.post(f"{taken}/approve", {"review_on": "2028-11-20"}).status_code == 303


def test_something_to_read_is_given_from_the_page_of_a_case_and_said_there(console: Console) -> None:
    nora, article = console.sign_in("nora"), approved(console)
    case = planted_case(console.ward, Tier.SAME_SHIFT)
    nora.post(f"/cases/{case}/acknowledge")
    assert f'hx-get="/cases/{case}/library"' in nora.get(f"/cases/{case}").text
    assert "Salt en" in nora.get(f"/cases/{case}/library").text
    answer = nora.post(f"/cases/{case}/library", {"article": article})
    assert answer.headers["location"] == f"/cases/{case}#to-read"
    assert "not opened yet" in text(nora.get(f"/cases/{case}/library"))
    assert console.ward.rows("SELECT case_id FROM article_given") == [(case,)]
    eve = console.sign_in("eve")
    assert eve.get(f"/cases/{case}/library").status_code == 404
    assert eve.post(f"/cases/{case}/library", {"article": article}).status_code == 404


def test_a_piece_of_advice_leads_to_an_article_while_it_is_in_force(console: Console) -> None:
    nora, asta = console.sign_in("nora"), console.sign_in("asta")
    assert nora.post("/advice", {**ADVICE, "article": "salt"}).status_code == 422
    article = approved(console)
    assert nora.post("/advice", {**ADVICE, "article": "salt"}).status_code == 303
    console.ward.admin.execute(
        "INSERT INTO advice_given (patient_id, snippet_id, mean, unit, readings, given_at)"
        " SELECT %s, snippet_id, 140, unit, 6, %s FROM advice_snippet",
        (console.ward.patient_id, NOW),
    )
    assert f"/me/library/{article}" in asta.get("/me/advice").text
    console.sign_in("ada").post(f"/library/{article}/retire", {"why": "old"})
    assert "/me/library/" not in asta.get("/me/advice").text


def test_an_article_of_full_length_is_taken_and_a_longer_form_is_not(console: Console) -> None:
    assert LARGEST_FORM < largest() < LARGEST_TEXTS
    nora = console.sign_in("nora")
    assert nora.post("/library", typed(body="盐" * 3000)).status_code == 303
    assert nora.post("/library", {**typed(), "body_en": "x" * LARGEST_TEXTS}).status_code == 413


def test_the_database_gives_nobody_what_is_not_approved_and_shows_patients_no_draft(console: Console) -> None:
    draft = written(console)
    with psycopg.connect(console.ward.database.console_url) as connection:
        connection.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts["nora"]),))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO article_given (patient_id, article_id, given_by, given_at) VALUES (%s, %s, %s, now())",
                (console.ward.patient_id, draft, console.accounts["nora"]),
            )
        connection.rollback()
        connection.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts["asta"]),))
        assert connection.execute("SELECT FROM article").fetchall() == []
