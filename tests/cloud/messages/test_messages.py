"""Messages between a patient and the care team: sent once, seen by whom they are for, answered or said to need none."""

import re
from datetime import timedelta
from uuid import uuid4

from tests.fix_console import Console, Person

CANARY = "kumquat-7313"


def send(person: Person, path: str, body: str, **more: str) -> int:
    return person.post(path, {"body": body, **more}).status_code


def thread(console: Console) -> str:
    return f"/patients/{console.ward.patient_id}/messages"


def text_of(person: Person, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", person.get(path).text))


def seen_in(person: Person, path: str) -> str:
    """What the form of the thread says of how far it was seen."""
    found = re.search(r'name="seen" value="([^"]*)"', person.get(path).text)
    assert found
    return found[1]


def test_a_patient_writes_a_nurse_opens_and_answers_and_both_see_that_it_was_opened(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    assert send(asta, "/me/messages", "May I measure\nafter breakfast?") == 303
    assert "not opened yet" in text_of(asta, "/me/messages")
    assert "1 patient waits for an answer to a message · 1 not opened yet" in text_of(nora, "/worklist")
    assert "1 waits" in text_of(nora, f"/patients/{console.ward.patient_id}")
    console.clock.forward(minutes=5)
    page = text_of(nora, thread(console))
    assert "May I measure after breakfast?" in page
    assert "waits for an answer" in page
    assert "opened by Nora Quist, Nurse, 21 Nov, 13:05" in text_of(asta, "/me/messages")
    assert "not opened yet" not in text_of(nora, "/worklist"), "opened, and still waiting"
    assert send(nora, thread(console), "Yes.", seen=seen_in(nora, thread(console))) == 303
    assert "for an answer to a message" not in text_of(nora, "/worklist")
    assert "1 new message from your care team" in text_of(asta, "/me")
    page = text_of(asta, "/me/messages")
    assert "Nora Quist , Nurse · 21 Nov, 13:05 Yes." in page
    assert "new message" not in text_of(asta, "/me")
    assert "opened by Asta Example, Patient, 21 Nov, 13:05" in text_of(nora, thread(console))


def test_nobody_writes_to_a_care_team_that_is_no_more(console: Console) -> None:
    """Of a closed record nobody is in the care team: the message would wait for nobody."""
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    console.ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason, closed_at,"
        " closed_by) VALUES (%(asta)s, now(), now(), now(), %(nora)s, 'moved', now(), %(nora)s)",
        {"asta": console.ward.patient_id, "nora": nora.account_id},
    )
    page = text_of(asta, "/me/messages")
    assert "nobody of a care team reads messages here" in page
    assert "Write to your care team" not in page
    assert send(asta, "/me/messages", "Does anybody hear me?") == 422
    assert console.ward.count("patient_message") == 0


def test_a_message_that_came_while_somebody_answered_still_waits(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    send(asta, "/me/messages", "first")
    seen = seen_in(nora, thread(console))
    console.clock.forward(minutes=1)
    send(asta, "/me/messages", "second")
    send(nora, thread(console), "to the first", seen=seen)
    assert console.ward.rows("SELECT body FROM patient_message WHERE from_patient AND settled_at IS NULL") == [
        ("second",)
    ]


def test_what_needs_no_answer_is_said_to_need_none(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    send(asta, "/me/messages", "Thank you!")
    assert "Asta Example" in text_of(nora, "/messages")
    seen = seen_in(nora, thread(console))
    assert nora.post(f"{thread(console)}/settle", {"seen": seen}).status_code == 303
    assert "No patient of yours waits for an answer." in text_of(nora, "/messages")
    assert nora.post(f"{thread(console)}/settle", {"seen": "never"}).status_code == 303, "nothing is settled unseen"


def test_the_same_form_sent_twice_is_one_message(console: Console) -> None:
    asta = console.sign_in("asta")
    message_id = str(uuid4())
    assert [send(asta, "/me/messages", "once", message_id=message_id) for _ in range(2)] == [303, 303]
    assert console.ward.count("patient_message") == 1
    assert send(asta, "/me/messages", "twice", message_id=message_id) == 303
    assert console.ward.rows("SELECT body FROM patient_message ORDER BY place") == [("once",), ("twice",)], (
        "other words from a page that came back are another message"
    )


def test_what_cannot_be_sent_says_why_and_stays_in_the_form(console: Console) -> None:
    asta = console.sign_in("asta")
    for body, why in (("  ", "Write something first."), ("x" * 2001, "This is too long")):
        answer = asta.post("/me/messages", {"body": body})
        assert answer.status_code == 422
        assert why in answer.text
        assert body.strip() in answer.text
    assert console.ward.count("patient_message") == 0


def test_the_end_of_a_line_is_one_letter_as_whoever_writes_counts_it(console: Console) -> None:
    body = "\r\n".join(["x" * 19] * 100)  # 1999 letters in the browser's field, 2098 as it sends them
    assert send(console.sign_in("asta"), "/me/messages", body) == 303
    assert console.ward.rows("SELECT body FROM patient_message") == [(body.replace("\r\n", "\n"),)]


def test_nobody_floods_a_thread(console: Console) -> None:
    asta = console.sign_in("asta")
    console.ward.admin.execute(
        "INSERT INTO patient_message (patient_id, from_patient, written_by, written_at, body)"
        " SELECT %s, true, %s, %s, 'x' FROM generate_series(1, 20)",
        (console.ward.patient_id, asta.account_id, console.clock() - timedelta(minutes=30)),
    )
    assert send(asta, "/me/messages", "one more") == 422
    console.clock.forward(minutes=31)
    assert send(asta, "/me/messages", "one more") == 303


def test_a_nurse_who_has_answered_many_patients_may_answer_the_next(console: Console) -> None:
    nora = console.sign_in("nora")
    console.ward.admin.execute(
        "INSERT INTO patient_message (patient_id, from_patient, written_by, written_at, body)"
        " SELECT %s, false, %s, %s, 'x' FROM generate_series(1, 20)",
        (console.other_patient_id, nora.account_id, console.clock()),
    )
    assert send(nora, thread(console), "Yes, please.") == 303


def test_a_message_is_not_for_emergencies_and_says_so_with_the_number(console: Console) -> None:
    asta = console.sign_in("asta")
    assert "In an emergency call your local emergency number." in text_of(asta, "/me/messages")
    console.ward.admin.execute(
        "INSERT INTO emergency_card (patient_id, address, emergency_number, set_by, set_at)"
        " VALUES (%s, 'Home 1', '112', %s, now())",
        (console.ward.patient_id, console.accounts["nora"]),
    )
    assert 'href="tel:112"' in asta.get("/me/messages").text


def test_nobody_outside_of_the_care_team_reads_or_writes(console: Console) -> None:
    send(console.sign_in("asta"), "/me/messages", CANARY)
    eve = console.sign_in("eve")
    assert eve.get(thread(console)).status_code == 404
    assert send(eve, thread(console), "hello") == 404
    assert "Asta" not in eve.get("/messages").text
    assert "waits for an answer" not in text_of(eve, "/worklist")
    sam = console.sign_in("sam")
    assert {sam.get(path).status_code for path in ("/messages", "/me/messages", thread(console))} == {404}


def test_a_patient_reads_their_own_thread_alone(console: Console) -> None:
    send(console.sign_in("nora"), thread(console), CANARY)
    console.ward.admin.execute("UPDATE account SET patient_id = %s WHERE login = 'asta'", (console.other_patient_id,))
    assert CANARY not in console.sign_in("asta").get("/me/messages").text
    [(read_at,)] = console.ward.rows("SELECT read_at FROM patient_message")
    assert read_at is None


def test_who_wrote_and_who_opened_is_in_the_audit_and_no_word_of_it(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    send(asta, "/me/messages", CANARY)
    send(nora, thread(console), f"re {CANARY}", seen=seen_in(nora, thread(console)))
    rows = console.ward.rows(
        "SELECT action, account_id, patient_id FROM audit WHERE action LIKE '%message%' ORDER BY audit_id"
    )
    patient_id = console.ward.patient_id
    assert rows == [
        ("message.written_by_patient", asta.account_id, patient_id),
        ("messages.read", nora.account_id, patient_id),
        ("message.written", nora.account_id, patient_id),
    ]
    assert CANARY not in str(console.ward.rows("SELECT * FROM audit"))


def test_open_pages_hear_that_there_is_something_and_never_what(console: Console) -> None:
    asta, nora, eve = (console.sign_in(login) for login in ("asta", "nora", "eve"))
    with nora.client.stream("GET", "/live", headers={"Accept": "text/event-stream"}) as stream:
        lines = stream.iter_lines()
        while "beat" not in next(lines):
            pass
        send(asta, "/me/messages", CANARY)
        heard: list[str] = []
        while not heard or heard[-1] != "event: messages":
            heard.append(next(lines))
        assert next(lines) == "data: new"
        assert not any(CANARY in line for line in heard)
    assert eve.get("/worklist").status_code == 200
