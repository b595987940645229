"""A question from the patient's page to an answer, a message, a follow-up, or the library."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from deploy.receivers.gateways import Gateway
from tests.cloud.contacts.test_card import CARD
from tests.cloud.crm.education.made import NOW, REVIEW, typed
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

STRIPS = "How do I store strips?"


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def asked(console: Console, body: str = STRIPS, **more: str) -> str:
    """The address of a question that Asta asked."""
    answer = console.sign_in("asta").post("/me/ask", {"body": body, **more})
    assert answer.status_code == 303, answer.text
    return next(
        f"/asked/{one}"
        for one, said in console.ward.rows("SELECT question_id, body FROM patient_question")
        if said == body
    )


def test_a_nurse_answers_by_the_deadline_and_the_patient_hears_that_there_is_something(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    where, nora = asked(console), console.sign_in("nora")
    assert asked(console) == where, "pressed twice it is asked once"
    assert console.ward.rows("SELECT due_at, about_symptoms FROM patient_question") == [
        (NOW + timedelta(days=2), False)
    ]
    assert "1 question of a patient waits for an answer" in text(nora.get("/asked/waiting"))
    console.clock.forward(days=2, hours=1)
    nora, asta = console.sign_in("nora"), console.sign_in("asta")
    assert "1 is overdue" in text(nora.get("/asked/waiting"))
    assert "It is late" in text(asta.get("/me/ask"))
    assert nora.post(f"{where}/take").status_code == 303
    assert "Nora Quist" in text(nora.get("/asked"))
    assert nora.post(f"{where}/answer", {"answer": "In their closed tin."}).status_code == 303
    again = console.sign_in("ben").post(f"{where}/answer", {"answer": "x"})
    assert "Somebody has dealt with it meanwhile" in text(again)
    for act in ("take", "pass"):
        assert console.sign_in("ben").post(f"{where}/{act}").headers["location"] == where, "it says who was faster"
    told.clock.time = console.clock()
    told.look()
    assert told.states() == [("answer", "sent", None)]
    assert "tin" not in phone_gateway.requests[0].body.decode()
    assert "In their closed tin." in text(asta.get("/me/ask"))
    assert console.ward.count("patient_question") == 1
    assert console.ward.rows("SELECT read_at FROM patient_question") == [(console.clock(),)]


def test_a_nurse_passes_it_on_and_a_doctor_answers(console: Console) -> None:
    where, nora, ada = asked(console), console.sign_in("nora"), console.sign_in("ada")
    assert nora.post(f"{where}/pass").status_code == 303
    assert "A doctor answers this" in text(nora.post(f"{where}/answer", {"answer": "x"}))
    assert "question of a patient waits" in text(ada.get("/asked/waiting"))
    assert "question of a patient waits" not in text(nora.get("/asked/waiting"))
    assert ada.post(f"{where}/answer", {"answer": "In their tin."}).status_code == 303
    assert console.ward.rows("SELECT state, for_role FROM patient_question") == [("answered", "doctor")]


def test_whoever_asks_about_symptoms_is_told_first_whom_to_call_and_is_answered_sooner(console: Console) -> None:
    console.sign_in("ada").post(f"/patients/{console.ward.patient_id}/card", CARD)
    asta = console.sign_in("asta")
    before = text(asta.get("/me/ask"))
    assert "About how you feel, or your own tablets, call" in before
    answer = asta.post("/me/ask", {"body": "I have chest pain"})
    assert answer.status_code == 422
    assert "Please call now" in text(answer) or "Then please call now" in text(answer)
    assert f'href="tel:{CARD["emergency_number"]}"' in answer.text
    assert console.ward.count("patient_question") == 0
    asked(console, "I have chest pain", warned="yes")
    assert console.ward.rows("SELECT due_at, about_symptoms FROM patient_question") == [
        (NOW + timedelta(hours=4), True)
    ]
    nora = console.sign_in("nora")
    assert "about symptoms" in text(nora.get("/asked"))
    assert "about symptoms: 1" in " ".join(text(nora.get("/asked/waiting")).split())


def test_a_question_goes_on_in_messages_or_becomes_a_follow_up_all_of_it_or_nothing(console: Console) -> None:
    nora, ben = console.sign_in("nora"), console.sign_in("ben")
    first, second = asked(console), asked(console, "May I eat grapes?")
    assert nora.post(f"{first}/message", {"body": ""}).status_code == 422
    assert nora.post(f"{first}/message", {"body": "Which ones?"}).status_code == 303
    assert ben.post(f"{first}/message", {"body": "Which?"}).status_code == 422
    assert console.ward.rows("SELECT body FROM patient_message") == [("Which ones?",)], "nothing of who was slower"
    assert nora.post(f"{second}/follow-up", {"what": "call", "due_on": "2020-01-01"}).status_code == 422
    assert nora.post(f"{second}/follow-up", {"what": "call", "due_on": "2026-11-30"}).status_code == 303
    assert console.ward.rows("SELECT what, note FROM follow_up") == [("call", "May I eat grapes?")]
    shown = text(console.sign_in("asta").get("/me/ask"))
    assert "Answered in your messages" in shown
    assert "will come back to it" in shown


def test_an_answer_stands_in_the_library_only_with_agreement_approval_and_without_who_asked(console: Console) -> None:
    nora, ada, asta = (console.sign_in(login) for login in ("nora", "ada", "asta"))
    where = asked(console)
    nora.post(f"{where}/answer", {"answer": "In their closed tin."})
    assert nora.post(f"{where}/publish", typed("strips")).status_code == 422, "she did not agree"
    asta.post(f"/me{where.replace('asked', 'ask')}/publishing", {"allow": "yes"})
    assert "stands here" in text(nora.post(f"{where}/publish", typed("strips", body="Asta asked.")))
    assert console.ward.count("article") == 0
    article = nora.post(f"{where}/publish", typed("strips", body="In the tin.")).headers["location"]
    assert "Salt en" not in text(asta.get("/me/library")), "nobody approved it"
    asta.post(f"/me{where.replace('asked', 'ask')}/publishing", {"allow": "no"})
    assert ada.post(f"{article}/approve", REVIEW).status_code == 404, "she took her word back"
    asta.post(f"/me{where.replace('asked', 'ask')}/publishing", {"allow": "yes"})
    second = nora.post("/library", typed("strips", body="In the tin.")).headers["location"]
    assert ada.post(f"{second}/approve", REVIEW).status_code == 303
    assert "Salt en" in text(asta.get("/me/library"))
    asta.post(f"/me{where.replace('asked', 'ask')}/publishing", {"allow": "no"})
    assert "Salt en" not in text(asta.get("/me/library"))
    assert "the patient who asked no longer agrees" in text(nora.get(second))


def test_questions_of_others_are_nobodys_to_see_and_nobody_asks_without_end(console: Console) -> None:
    where = asked(console)
    eve = console.sign_in("eve")
    assert eve.get(where).status_code == 404
    assert eve.post(f"{where}/answer", {"answer": "x"}).status_code == 404
    assert STRIPS not in eve.get("/asked").text
    for n in range(4):
        asked(console, f"Question {n}?")
    answer = console.sign_in("asta").post("/me/ask", {"body": "One more?"})
    assert (answer.status_code, "Please call instead" in answer.text) == (422, True)
