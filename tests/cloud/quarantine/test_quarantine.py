"""The quarantine's pages: everything that was kept, whole, for those whose work it is."""

import html
from uuid import uuid4

import pytest

from cloud.quarantine.service import readable
from tests.cloud.made import arrival, glucose, sent
from tests.fix_console import Console, Person

BROKEN = b'{"v": 1, "message_id": \xff<script>'


def test_an_undecodable_message_is_listed_and_can_be_read_whole(console: Console) -> None:
    console.ward.receive(arrival(BROKEN))
    person = console.sign_in("sam")
    listed = person.get("/quarantine").text
    assert "Cannot be read" in listed
    assert "gw-home" in listed
    shown = _first_item(console, person)
    assert BROKEN[:16].hex(" ") in shown
    assert "<script>" not in shown.replace("&lt;script&gt;", "").split("payload", 1)[1]
    assert console.ward.rows("SELECT action FROM audit WHERE action LIKE 'quarantine%'") == [("quarantine.read",)]


def test_a_reading_of_a_device_without_a_patient_is_shown_as_json(console: Console) -> None:
    console.ward.admin.execute("DELETE FROM device_assignment")
    console.ward.receive(sent(glucose("101")))
    person = console.sign_in("nora")
    assert "Device without a patient" in person.get("/quarantine").text
    assert '"101"' in html.unescape(_first_item(console, person))


@pytest.mark.parametrize("login", ["ada", "asta", "carl"])
def test_for_everybody_else_there_is_no_quarantine(console: Console, login: str) -> None:
    console.ward.receive(arrival(BROKEN))
    person = console.sign_in(login)
    [(item,)] = console.ward.rows("SELECT quarantine_id FROM quarantine")
    for path in ("/quarantine", f"/quarantine/{item}"):
        assert person.get(path).status_code == 404


def test_an_unknown_item_does_not_exist(console: Console) -> None:
    assert console.sign_in("sam").get(f"/quarantine/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"", ""),
        (b'{"value":1.50}', '{\n  "value": 1.50\n}'),
        (b'{"value":', '{"value":'),
        (b"[" * 100_000, "[" * 100_000),
        ("déjà vu".encode(), "déjà vu"),
        (b"\x00\xffAB", "00000000  00 ff 41 42                                      ..AB"),
    ],
    ids=["empty", "JSON", "cut JSON", "deep JSON", "text", "binary"],
)
def test_any_payload_is_readable(payload: bytes, text: str) -> None:
    assert readable(payload) == text


def _first_item(console: Console, person: Person) -> str:
    [(item,)] = console.ward.rows("SELECT quarantine_id FROM quarantine")
    return person.get(f"/quarantine/{item}").text
