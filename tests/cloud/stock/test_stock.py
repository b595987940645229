"""Stock over HTTP on a real database: in, out, back, wiped and out again; and whose the readings of one meter are."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from device_drivers.identity import DeviceIdentity
from gateway.wire import v1
from tests.cloud.made import METER, NOW, arrival, glucose, message, new_patient
from tests.fix_console import Console, Person

ULTRA2 = "lifescan-onetouch-ultra2"
GUIDE = "roche-accu-chek-guide"
THING = DeviceIdentity(manufacturer="Roche", model="Accu-Chek Guide", serial_number="92312001")


@pytest.fixture
def coordinator(console: Console) -> Person:
    """carl, who cares for the ward's patient and a second one."""
    ward = console.ward
    second = new_patient(ward.admin, "Bodil Second")
    for patient_id in (ward.patient_id, second):
        ward.admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts["carl"])
        )
    return console.sign_in("carl")


def second_patient(console: Console) -> UUID:
    [(patient_id,)] = console.ward.rows("SELECT patient_id FROM patient WHERE display_name = 'Bodil Second'")
    found: UUID = patient_id
    return found


def some_days_later(console: Console, days: int) -> Person:
    """carl, who signs in again."""
    console.clock.forward(days=days)
    return console.sign_in("carl")


def add(person: Person, serial: str = "92312001", profile: str = GUIDE, **more: str) -> str:
    """One device; its address."""
    answer = person.post("/stock", {"profile": profile, "serial_number": serial, "owner": "clinic", **more})
    assert answer.status_code == 303, re.findall(r'class="refusal"[^>]*>([^<]*)', answer.text)
    return answer.headers["location"]


def state(console: Console) -> str:
    [(found,)] = console.ward.rows("SELECT state FROM stock_item")
    told: str = found
    return told


def refusals(text: str) -> list[str]:
    return [found.strip() for found in re.findall(r'<span class="refusal"[^>]*>([^<]*)', text)]


def test_a_scanner_that_types_and_presses_enter_finds_a_device_or_offers_to_add_it(
    console: Console, coordinator: Person
) -> None:
    code = "01095060001343522192312001"
    offered = coordinator.get("/stock", params={"q": code})
    assert 'value="92312001"' in offered.text
    assert '<details class="change" id="add" open>' in offered.text

    path = add(coordinator, serial=code)
    assert console.ward.rows("SELECT serial_number, gtin, kind FROM stock_item") == [
        ("92312001", "09506000134352", "glucose")
    ]
    for typed in (code, "92312001", " 92312001 "):
        found = coordinator.get("/stock", params={"q": typed})
        assert (found.status_code, found.headers.get("location")) == (303, path)
    # The model of a trade item that was seen before is known.
    another = coordinator.get("/stock", params={"q": "(01)09506000134352(21)777"})
    assert f'value="{GUIDE}" selected' in another.text


def test_a_barcode_that_was_read_wrongly_is_to_be_scanned_again(coordinator: Person) -> None:
    answer = coordinator.get("/stock", params={"q": "(01)09506000134353(21)1"})
    assert answer.status_code == 422
    assert "Scan it again" in answer.text


def test_a_device_that_is_entered_badly_is_refused_with_what_to_do(coordinator: Person) -> None:
    for form, wrong in (
        ({"serial_number": ""}, "This is needed."),
        ({"profile": "acme"}, "Choose one."),
        ({"owner": "lessor"}, "This is needed."),
        ({"owner": "lessor", "lessor": "Lease Ltd", "lease_ends_on": "31.12.2026"}, "This is no date"),
        ({"profile": "other"}, "This is needed."),
        ({"serial_number": "(01)09506000134352"}, "names the model alone"),
    ):
        whole = {"profile": GUIDE, "serial_number": "1", "owner": "clinic", "note": "blue box", **form}
        answer = coordinator.post("/stock", whole)
        assert answer.status_code == 422
        assert any(wrong in said for said in refusals(answer.text)), form
        assert "blue box" in answer.text  # what was typed is kept


def test_a_device_is_added_once(coordinator: Person) -> None:
    add(coordinator)
    answer = coordinator.post("/stock", {"profile": GUIDE, "serial_number": "92312001", "owner": "clinic"})
    assert "in the stock already" in refusals(answer.text)[0]


def test_a_device_goes_out_comes_back_is_wiped_and_goes_to_somebody_else(console: Console, coordinator: Person) -> None:
    path = add(coordinator)
    first, second = (f"/patients/{p}/devices" for p in (console.ward.patient_id, second_patient(console)))
    assert coordinator.post(first, {"scan": "92312001"}).status_code == 303
    assert state(console) == "handed_out"
    assert "Asta Example" in coordinator.get("/stock").text

    answer = coordinator.post(second, {"scan": "92312001"})
    assert "Take it back first" in refusals(answer.text)[0]

    coordinator = some_days_later(console, 1)
    assert coordinator.post(f"{path}/take-back").status_code == 303
    answer = coordinator.post(second, {"scan": "92312001"})
    assert "Wipe it first" in refusals(answer.text)[0]
    assert coordinator.post(f"{path}/wipe", {"way": ""}).status_code == 422
    assert coordinator.post(f"{path}/wipe", {"way": "noted"}).status_code == 303
    assert state(console) == "wiped"

    early = (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    answer = coordinator.post(second, {"scan": "92312001", "since": early})
    assert "what it measured is theirs" in refusals(answer.text)[0]
    assert coordinator.post(second, {"scan": "92312001"}).status_code == 303

    later = NOW + timedelta(days=1)
    assert console.ward.rows(
        "SELECT p.display_name, lower(a.valid), upper(a.valid)"
        " FROM device_assignment a JOIN patient p USING (patient_id)"
        " WHERE a.device_id = 'roche:sn:92312001' ORDER BY lower(a.valid)"
    ) == [("Asta Example", NOW, later), ("Bodil Second", later, None)]
    acts = [
        act for (act,) in console.ward.rows("SELECT action FROM audit WHERE action LIKE 'stock.%' ORDER BY audit_id")
    ]
    assert [act for act in acts if act != "stock.read"] == [
        "stock.add", "stock.hand_out", "stock.take_back", "stock.wipe", "stock.hand_out"
    ]  # fmt: skip
    audited = console.ward.rows("SELECT patient_id FROM audit WHERE action = 'stock.take_back'")
    assert audited == [(console.ward.patient_id,)]


def test_of_one_meters_memory_each_patient_gets_what_they_measured_and_nobody_what_lies_between(
    console: Console, coordinator: Person
) -> None:
    path = add(coordinator)
    ward, second = console.ward, second_patient(console)
    coordinator.post(f"/patients/{ward.patient_id}/devices", {"scan": "92312001"})
    coordinator = some_days_later(console, 2)
    coordinator.post(f"{path}/take-back")
    coordinator.post(f"{path}/wipe", {"way": "noted"})
    coordinator = some_days_later(console, 2)
    coordinator.post(f"/patients/{second}/devices", {"scan": "92312001"})
    read_at = NOW + timedelta(days=5)

    # The meter could not be wiped: with the second patient's gateway all of its memory comes.
    memory = [
        replace(glucose(value, at=NOW + timedelta(days=day), device=THING), profile=GUIDE)
        for value, day in (("101", -1), ("111", 1), ("122", 3), ("133", 4.5))
    ]
    visit = v1.WireSession(
        session_id=uuid4().hex, device=v1.wire_device(THING), started_at=read_at, profile=GUIDE,
        device_time=read_at.replace(tzinfo=None).isoformat(), gateway_time=read_at, holds=4,
    )  # fmt: skip
    ward.receive(arrival(message(*memory, visit=visit), at=read_at), at=read_at)

    assert ward.rows(
        "SELECT p.display_name, o.value::int FROM glucose_observation o JOIN patient p USING (patient_id) ORDER BY 2"
    ) == [("Asta Example", 111), ("Bodil Second", 133)]
    assert ward.rows("SELECT reason_code, count(*) FROM quarantine GROUP BY 1") == [("unassigned_device", 2)]


def test_support_keeps_stock_and_sees_no_patient(console: Console, coordinator: Person) -> None:
    path = add(coordinator)
    coordinator.post(f"/patients/{console.ward.patient_id}/devices", {"scan": "92312001"})
    sam = console.sign_in("sam")
    for page in ("/stock", path):
        text = sam.get(page).text
        assert "92312001" in text
        assert "Asta" not in text
        assert str(console.ward.patient_id) not in text
    assert sam.get(f"/patients/{console.ward.patient_id}/devices").status_code == 404
    assert sam.post(f"{path}/take-back").status_code == 303
    assert state(console) == "returned"
    assert console.ward.rows(
        "SELECT count(*) FROM device_assignment WHERE device_id = 'roche:sn:92312001' AND upper_inf(valid)"
    ) == [(0,)]


def test_outside_of_the_care_team_nobody_is_handed_anything(console: Console, coordinator: Person) -> None:
    add(coordinator)
    eve = console.sign_in("eve")
    assert eve.get(f"/patients/{console.ward.patient_id}/devices").status_code == 404
    assert eve.post(f"/patients/{console.ward.patient_id}/devices", {"scan": "92312001"}).status_code == 404
    assert state(console) == "in_stock"


def test_a_device_that_the_patient_has_already_keeps_its_assignment(console: Console, coordinator: Person) -> None:
    add(coordinator, serial=METER.serial_number or "", profile=ULTRA2)
    before = console.ward.count("device_assignment")
    assert (
        coordinator.post(
            f"/patients/{console.ward.patient_id}/devices", {"scan": METER.serial_number or ""}
        ).status_code
        == 303
    )
    assert console.ward.count("device_assignment") == before
    assert console.ward.rows("SELECT device_id FROM stock_item") == [(METER.device_id,)]


def test_what_is_assigned_to_somebody_else_is_not_handed_out(console: Console, coordinator: Person) -> None:
    add(coordinator, serial=METER.serial_number or "", profile=ULTRA2)
    answer = coordinator.post(f"/patients/{second_patient(console)}/devices", {"scan": METER.serial_number or ""})
    assert answer.status_code == 422
    assert "somebody else" in refusals(answer.text)[0]
    assert state(console) == "in_stock"


def test_leases_that_end_are_pointed_at_and_can_be_prolonged(console: Console, coordinator: Person) -> None:
    day = NOW.date()
    soon = add(coordinator, "1", owner="lessor", lessor="Lease Ltd", lease_ends_on=f"{day + timedelta(days=30)}")
    add(coordinator, "2", owner="lessor", lessor="Lease Ltd", lease_ends_on=f"{day - timedelta(days=1)}")
    add(coordinator, "3", owner="lessor", lessor="Lease Ltd", lease_ends_on=f"{day + timedelta(days=31)}")
    page = coordinator.get("/stock").text
    assert "1 lease is over" in page
    assert "1 lease ends within 30 days" in page
    assert re.findall(r'href="/stock/[^"]+">(\d)</a>', coordinator.get("/stock?lease=over").text) == ["2"]
    assert re.findall(r'href="/stock/[^"]+">(\d)</a>', coordinator.get("/stock?lease=soon").text) == ["1"]

    coordinator.post(f"{soon}/lease", {"lessor": "Lease Ltd", "lease_ends_on": "2028-01-01"})
    assert "ends within 30 days" not in coordinator.get("/stock").text


def test_an_act_that_is_not_possible_changes_nothing(console: Console, coordinator: Person) -> None:
    path = add(coordinator)
    for act in ("take-back", "wipe", "find"):
        assert coordinator.post(f"{path}/{act}", {"way": "deleted"}).status_code == 303
    assert state(console) == "in_stock"
    for act in ("lose", "find", "retire"):
        coordinator.post(f"{path}/{act}")
    assert state(console) == "retired"
    assert coordinator.post(f"/stock/{console.ward.patient_id}/lose").status_code == 404


def test_a_device_that_is_not_there_is_not_handed_out(console: Console, coordinator: Person) -> None:
    for item_id in (uuid4(), console.ward.patient_id):
        answer = coordinator.post(f"/patients/{console.ward.patient_id}/devices", {"item_id": str(item_id)})
        assert answer.status_code == 422
        assert refusals(answer.text)
