"""The technical queue: who sees what is wrong, in which order, what is folded, and who looks after it."""

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.cloud.live.reading import stream, until
from tests.cloud.made import NOW
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console, csrf_token_in

IDENTITY = 'maker "Lifescan", model "OneTouch Zoom", firmware "P09.00.00" <b>'


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


def alarm_ids(html: str) -> list[str]:
    """The alarms that are work, in the order of the page."""
    return re.findall(r'data-alarm-id="([^"]+)"', html)


def test_the_most_urgent_stands_first_and_of_equals_the_oldest(console: Console, fleet: Fleet) -> None:
    home = fleet.gateway("home-1")
    low = fleet.alarm("battery_low", "device:a", priority="low", gateway_id=home, device_name="a")
    late = fleet.alarm("clock_wrong", "device:b", gateway_id=home, raised_at=NOW - timedelta(minutes=1))
    early = fleet.alarm("clock_wrong", "device:c", gateway_id=home, raised_at=NOW - timedelta(days=1))
    high = fleet.alarm("gateway_away", "gateway:home-1", priority="high", gateway_id=home, sentence="It is away.")
    page = console.sign_in("sam").get("/technical").text
    assert alarm_ids(page) == [str(one) for one in (high, early, late, low)]
    assert "It is away." in page
    assert "1 d ago" in page
    assert 'href="/gateways/home-1"' in page


def test_what_another_alarm_explains_is_folded_under_it(console: Console, fleet: Fleet) -> None:
    for home in ("home-1", "home-2"):
        fleet.gateway(home)
        fleet.alarm("gateway_away", f"gateway:{home}", gateway_id=home)
        fleet.alarm(
            "device_silent",
            f"device:{home}",
            gateway_id=home,
            device_name="cuff",
            inhibited_by="gateway_away",
            sentence=f"Nothing was heard of the cuff in {home}.",
        )
    page = console.sign_in("sam").get("/technical").text
    assert len(alarm_ids(page)) == 2
    for home in ("home-1", "home-2"):
        [below] = re.findall(rf'href="/gateways/{home}">.*?<details class="hides"(.*?)</details>', page, re.DOTALL)
        assert f"in {home}." in below


def test_what_is_hidden_by_something_that_is_not_shown_is_not_lost(console: Console, fleet: Fleet) -> None:
    fleet.alarm("gateway_away", "gateway:x", inhibited_by="component_down", sentence="It would be away.")
    page = console.sign_in("sam").get("/technical").text
    assert alarm_ids(page) == []
    assert re.search(r'id="hides-elsewhere".*It would be away\.', page, re.DOTALL)


def test_our_own_side_explains_the_gateways_of_all_homes(console: Console, fleet: Fleet) -> None:
    parent = fleet.alarm("component_down", "component:ingest", priority="high")
    for number in range(30):
        home = fleet.gateway(f"home-{number}")
        fleet.alarm("gateway_away", f"gateway:{home}", gateway_id=home, inhibited_by="component_down")
    page = console.sign_in("sam").get("/technical").text
    assert alarm_ids(page) == [str(parent)]
    assert "our process ingest" in page
    assert re.search(rf'id="hides-{parent}">\s*<summary>[^<]*: 30</summary>', page)


def test_what_is_hidden_by_something_hidden_stands_under_what_hides_that(console: Console, fleet: Fleet) -> None:
    fleet.gateway("home-1")
    root = fleet.alarm("gateway_certificate", "gateway:home-1", gateway_id="home-1")
    fleet.alarm("gateway_away", "gateway:home-1", gateway_id="home-1", inhibited_by="gateway_certificate")
    fleet.alarm("device_silent", "device:a", gateway_id="home-1", inhibited_by="gateway_away")
    page = console.sign_in("sam").get("/technical").text
    assert re.search(rf'id="hides-{root}">\s*<summary>[^<]*: 2</summary>', page)
    assert "hides-elsewhere" not in page


def test_of_two_silent_devices_each_hides_its_own_battery(console: Console, fleet: Fleet) -> None:
    fleet.gateway("home-1")
    for device in ("a", "b"):
        fleet.alarm("device_silent", f"device:{device}", gateway_id="home-1")
        fleet.alarm("device_battery", f"device:{device}", gateway_id="home-1", inhibited_by="device_silent")
    page = console.sign_in("sam").get("/technical").text
    assert re.findall(r"<summary>[^<]*hidden: (\d)</summary>", page) == ["1", "1"]


def test_the_identity_of_an_unknown_device_is_there_in_full_with_what_to_do(console: Console, fleet: Fleet) -> None:
    fleet.gateway("home-1")
    fleet.device("home-1", "meter", outcome="no_profile", identity=IDENTITY)
    fleet.alarm("device_unknown_model", "device:home-1/meter", gateway_id="home-1", device_name="meter")
    page = console.sign_in("sam").get("/technical").text
    assert "Unknown device" in page
    assert "model &#34;OneTouch Zoom&#34;, firmware &#34;P09.00.00&#34; &lt;b&gt;</pre>" in page
    assert "data-copies" in page
    assert "python -m firmware_profiles check" in page


def test_acknowledging_names_the_person_once_and_is_in_the_audit_trail(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1")
    sam = console.sign_in("sam")
    for _ in range(2):
        answer = sam.post(f"/technical/{alarm}/acknowledge")
        assert answer.status_code == 200
        assert "you" in answer.text
        assert "<button" not in answer.text
    assert console.ward.rows("SELECT acknowledged_by, acknowledged_at FROM technical_alarm") == [
        (console.accounts["sam"], NOW)
    ]
    assert console.ward.rows("SELECT account_id, subject, detail FROM audit WHERE action LIKE 'technical%'") == [
        (console.accounts["sam"], f"technical_alarm:{alarm}", {"condition": "gateway_away"})
    ]


def test_whoever_comes_second_is_told_who_was_faster(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1", acknowledged_at=NOW, acknowledged_by=console.accounts["ben"])
    answer = console.sign_in("sam").post(f"/technical/{alarm}/acknowledge")
    assert answer.status_code == 409
    assert "Ben Ortega was faster." in answer.text


def test_what_has_gone_by_itself_cannot_be_acknowledged(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1", resolved_at=NOW)
    answer = console.sign_in("sam").post(f"/technical/{alarm}/acknowledge")
    assert answer.status_code == 409
    assert "It has gone by itself." in answer.text
    assert console.ward.rows("SELECT acknowledged_at FROM technical_alarm") == [(None,)]


def test_without_a_script_the_button_leads_back_to_the_queue(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1")
    sam = console.sign_in("sam")
    token = csrf_token_in(sam.get("/technical").text)
    answer = sam.client.post(f"/technical/{alarm}/acknowledge", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/technical#alarm-{alarm}")


def test_a_nurse_reads_the_queue_and_changes_nothing(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1")
    nora = console.sign_in("nora")
    page = nora.get("/technical").text
    assert alarm_ids(page) == [str(alarm)]
    assert f"/technical/{alarm}/acknowledge" not in page
    assert nora.post(f"/technical/{alarm}/acknowledge").status_code == 404
    assert console.ward.rows("SELECT acknowledged_at FROM technical_alarm") == [(None,)]


@pytest.mark.parametrize("login", ["ada", "asta", "carl"])
def test_for_everybody_else_there_is_no_technical_queue(console: Console, login: str) -> None:
    person = console.sign_in(login)
    assert person.get("/technical").status_code == 404
    assert person.client.get("/live/technical", headers={"Accept": "text/event-stream"}).status_code == 404


def test_an_alarm_that_does_not_exist_cannot_be_acknowledged(console: Console) -> None:
    assert console.sign_in("sam").post(f"/technical/{uuid4()}/acknowledge").status_code == 404


def test_what_has_gone_stays_in_sight_for_seven_days(console: Console, fleet: Fleet) -> None:
    gone = fleet.alarm("gateway_away", "gateway:a", resolved_at=NOW - timedelta(days=6))
    fleet.alarm("gateway_away", "gateway:b", resolved_at=NOW - timedelta(days=8))
    page = console.sign_in("sam").get("/technical").text
    assert re.findall(r'data-resolved-id="([^"]+)"', page) == [str(gone)]
    assert alarm_ids(page) == []


def test_the_stream_brings_the_whole_queue_first_and_at_each_change(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("gateway_away", "gateway:home-1")
    sam = console.sign_in("sam")
    with stream(sam, "/live/technical") as events:
        assert _waits(until(events, "technical").data, alarm)
        sam.post(f"/technical/{alarm}/acknowledge")
        assert not _waits(until(events, "technical").data, alarm)


def test_many_changes_in_one_transaction_are_one_event(console: Console, fleet: Fleet) -> None:
    with stream(console.sign_in("sam"), "/live/technical") as events:
        until(events, "technical")
        with console.ward.admin.transaction():
            for number in range(5):
                fleet.alarm("gateway_away", f"gateway:{number}")
                console.ward.admin.execute("""SELECT pg_notify('live', '{"type": "technical"}')""")
        assert len(alarm_ids(until(events, "technical").data)) == 5
        assert next(events).name == "beat"


def test_more_alarms_than_a_page_holds_are_counted(console: Console, fleet: Fleet) -> None:
    console.ward.admin.execute(
        "INSERT INTO technical_alarm (condition, subject, priority, sentence, reason, raised_at, changed_at)"
        " SELECT 'gateway_away', 'gateway:' || n, 'medium', '-', '{}', now(), now() FROM generate_series(1, 5000) n"
    )
    page = console.sign_in("sam").get("/technical").text
    assert "<strong>5000</strong> open" in page
    assert len(alarm_ids(page)) == 200


def _waits(html: str, alarm: UUID) -> bool:
    return f'id="acknowledge-{alarm}"' in html
