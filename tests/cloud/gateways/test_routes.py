"""The list of gateways and the page of one: the worst first, whole, and nothing about patients."""

import html
import re
from datetime import timedelta

import msgspec
import pytest

from tests.cloud.made import GATEWAY, METER, NOW, arrival, glucose, sent, session
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


def listed(page: str) -> list[str]:
    """The ids of the gateways, in the order of the page."""
    return re.findall(r'<tr data-gateway-id="([^"]+)"', page)


def text_of(page: str) -> str:
    """What is read, in one line."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


def test_the_worst_stands_first_and_who_is_locked_out_last(console: Console, fleet: Fleet) -> None:
    fleet.gateway("b-well")
    fleet.gateway("a-well")
    fleet.gateway("waits", oldest_unsent_s=900)
    fleet.gateway("offline", state="offline")
    fleet.gateway("two-low")
    fleet.gateway("one-low")
    fleet.gateway("medium")
    fleet.gateway("high")
    fleet.gateway("gone", revoked_at=NOW)
    for gateway_id, priority, condition in (
        ("high", "high", "x"),
        ("medium", "medium", "x"),
        ("one-low", "low", "x"),
        ("two-low", "low", "x"),
        ("two-low", "low", "y"),
        ("gone", "high", "x"),
    ):
        fleet.alarm(condition, f"gateway:{gateway_id}", priority=priority, gateway_id=gateway_id)
    fleet.alarm("hidden", "gateway:b-well", priority="high", gateway_id="b-well", inhibited_by="x")
    fleet.alarm("over", "gateway:b-well", priority="high", gateway_id="b-well", resolved_at=NOW)
    assert listed(console.sign_in("sam").get("/gateways").text) == [
        *("high", "medium", "two-low", "one-low", "offline", "waits", "a-well", "b-well", GATEWAY, "gone")
    ]


def test_a_line_says_how_the_gateway_is(console: Console, fleet: Fleet) -> None:
    fleet.gateway(
        "home-1",
        software="0.1.0",
        outbox_depth=120,
        oldest_unsent_s=7200,
        clock_offset_s=-75.0,
        clock_synchronised=False,
        disk_free_octets=12_345_000_000,
        certificate_until=NOW + timedelta(days=61, hours=3),
    )
    for name in ("meter", "cuff", "scale"):
        fleet.device("home-1", name)
    fleet.alarm("device_silent", "device:a", gateway_id="home-1", device_name="meter")
    fleet.alarm("battery_low", "device:a", gateway_id="home-1", device_name="meter", priority="low")
    line = text_of(_row(console.sign_in("sam").get("/gateways?q=HOME").text, "home-1"))
    for words in (
        *("Medium 2", "Online", "seen 1 min ago", "120 the oldest 2 h 0 min", "3 with an alarm: 1"),
        *("1 min behind", "not kept by NTP", "61 d left", "12.3 GB", "0.1.0"),
    ):
        assert words in line, words


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"state": "online", "seen_at": NOW - timedelta(minutes=6)}, "Silent"),
        ({"state": "offline"}, "Offline"),
        ({"state": "never_seen", "seen_at": None}, "Never seen"),
        ({"state": "online", "revoked_at": NOW}, "Locked out"),
    ],
)
def test_a_gateway_stands_as_its_last_word_and_its_silence_say(
    console: Console, fleet: Fleet, said: dict[str, object], word: str
) -> None:
    fleet.gateway("home-1", **said)  # type: ignore[arg-type]
    assert word in _row(console.sign_in("sam").get("/gateways").text, "home-1")


def test_a_certificate_that_the_gateway_has_not_told_of_is_known_from_its_signing(
    console: Console, fleet: Fleet
) -> None:
    fleet.gateway("home-1")
    fleet.certificate("home-1", 1, until=NOW + timedelta(days=90), revoked_at=NOW)
    fleet.certificate("home-1", 2, until=NOW + timedelta(days=30, hours=1))
    assert "30 d left" in _row(console.sign_in("sam").get("/gateways").text, "home-1")


@pytest.mark.parametrize(
    ("search", "found"),
    [("HOME-1", ["home-1", "home-12"]), ("%", []), ("_", []), ("\\", []), ("nothing", []), (" home-12 ", ["home-12"])],
)
def test_a_search_takes_what_was_typed_at_its_word(
    console: Console, fleet: Fleet, search: str, found: list[str]
) -> None:
    for gateway_id in ("home-1", "home-12", "clinic"):
        fleet.gateway(gateway_id)
    page = console.sign_in("sam").get("/gateways", params={"q": search}).text
    assert listed(page) == found
    assert f"<strong>{len(found)}</strong> found" in page


def test_a_list_goes_on_over_pages_and_keeps_the_search(console: Console) -> None:
    _thousands(console, 120)
    sam = console.sign_in("sam")
    pages = [sam.get("/gateways", params={"q": "gw-0", "page": number}).text for number in (1, 2, 3)]
    assert [len(listed(page)) for page in pages] == [50, 50, 20]
    assert len({gateway for page in pages for gateway in listed(page)}) == 120
    assert 'href="/gateways?q=gw-0&amp;page=2"' in pages[0]
    assert "page 3 of 3" in text_of(pages[2])
    assert "page=4" not in pages[2]
    for nowhere in ("0", "-1", "x", "1000000"):
        assert sam.get(f"/gateways?page={nowhere}").status_code == 404
    assert listed(sam.get("/gateways?page=99").text) == []


def test_the_page_of_a_gateway_shows_all_of_it(console: Console, fleet: Fleet) -> None:
    fleet.gateway(
        GATEWAY,
        software="0.1.0",
        started_at=NOW - timedelta(days=3),
        versions={"python": "3.11.2", "bluez": "5.82"},
        storage_error="the disk is full",
        outbox_depth=3,
        oldest_unsent_s=60,
    )
    fleet.certificate(GATEWAY, 0xABC, until=NOW + timedelta(days=60, hours=1))
    fleet.certificate(GATEWAY, 0xDEF, until=NOW - timedelta(days=1), issued_at=NOW - timedelta(days=90))
    fleet.certificate(GATEWAY, 0x123, until=NOW + timedelta(days=9), revoked_at=NOW, revoked_why="stolen")
    fleet.device(
        GATEWAY,
        "cuff",
        transport="ble",
        visited_at=NOW - timedelta(hours=2),
        outcome="cut",
        reason="the connection was lost",
        complete_at=NOW - timedelta(days=2),
        battery_low=True,
        repairs={"closed": 2, "forgotten": 1, "given_up": 0},
    )
    fleet.alarm("device_silent", "device:a", gateway_id=GATEWAY, device_name="cuff", sentence="It fell silent.")
    fleet.alarm("x", "gateway:other", sentence="Of another.")
    page = console.sign_in("sam").get(f"/gateways/{GATEWAY}").text
    text = text_of(page)
    for words in (
        *("python3.11.2", "bluez5.82", "the disk is full", "3 readings, the oldest 1 min", "It fell silent."),
        *("Broken off, 21 Nov, 10:00", "the connection was lost", "read to the end 19 Nov, 12:00", "low: change it"),
        *(
            "stale connection closed: 2, bond removed: 1",
            "Valid, in useABC",
            "60 d left",
            "Revokedstolen",
            "ExpiredDEF",
        ),
        "Started18 Nov 2026, 12:00 UTC",
    ):
        assert words in text, words
    assert "Of another." not in text
    assert "given" not in text_of(_device(page, "cuff"))


def test_a_device_holds_and_what_is_stored_and_a_gap_is_named(console: Console, fleet: Fleet) -> None:
    visit = msgspec.structs.replace(session(), holds=412, complete=True, ended_at=NOW, received=3)
    console.ward.receive(sent(glucose("100"), glucose("101", NOW - timedelta(minutes=9)), glucose("9999"), visit=visit))
    fleet.device(GATEWAY, "meter", device_id=METER.device_id, holds=412)
    fleet.device(GATEWAY, "new", visited_at=None)
    page = console.sign_in("sam").get(f"/gateways/{GATEWAY}").text
    memory = text_of(_device(page, "meter"))
    assert "holds 412 · stored 2" in memory
    assert "1 held in quarantine" in memory
    assert "409 have not arrived" in memory
    assert "never visited" in text_of(_device(page, "new"))


def test_what_is_in_quarantine_of_a_gateway_is_one_click_away(console: Console) -> None:
    console.ward.receive(arrival(b"\xff"), arrival(b"\xfe", gateway_id="another"))
    sam = console.sign_in("sam")
    page = sam.get(f"/gateways/{GATEWAY}").text
    [link] = re.findall(r'href="(/quarantine[^"]*)">1 of its', page)
    items = sam.get(link).text
    assert items.count("<tr data-quarantine-id") == 1
    assert "another" not in items
    assert sam.get("/quarantine").text.count("<tr data-quarantine-id") == 2


def test_an_alarm_is_acknowledged_from_the_page_of_its_gateway_too(console: Console, fleet: Fleet) -> None:
    alarm = fleet.alarm("x", f"gateway:{GATEWAY}", gateway_id=GATEWAY)
    assert f'action="/technical/{alarm}/acknowledge"' in console.sign_in("sam").get(f"/gateways/{GATEWAY}").text
    assert "/acknowledge" not in console.sign_in("nora").get(f"/gateways/{GATEWAY}").text


def test_no_page_of_the_fleet_names_a_patient(console: Console, fleet: Fleet) -> None:
    console.ward.receive(sent(glucose("48")))
    fleet.device(GATEWAY, "meter", device_id=METER.device_id, holds=1)
    sam = console.sign_in("sam")
    for path in ("/gateways", f"/gateways/{GATEWAY}", "/technical"):
        page = sam.get(path).text
        assert "Asta" not in page
        assert str(console.ward.patient_id) not in page
        assert "48 mg/dL" not in page


@pytest.mark.parametrize("path", ["/gateways", f"/gateways/{GATEWAY}"])
@pytest.mark.parametrize("login", ["ada", "asta", "carl"])
def test_for_everybody_else_there_are_no_gateways(console: Console, login: str, path: str) -> None:
    assert console.sign_in(login).get(path).status_code == 404


@pytest.mark.parametrize("gateway_id", ["nobody", "a%00b", "'; DROP TABLE gateway", "x" * 2000])
def test_a_gateway_that_does_not_exist_has_no_page(console: Console, gateway_id: str) -> None:
    assert console.sign_in("sam").get(f"/gateways/{gateway_id}").status_code == 404


def _row(page: str, gateway_id: str) -> str:
    [row] = re.findall(rf'<tr data-gateway-id="{gateway_id}">.*?</tr>', page, re.DOTALL)
    return str(row)


def _device(page: str, name: str) -> str:
    [row] = re.findall(rf'<tr data-device-name="{name}">.*?</tr>', page, re.DOTALL)
    return str(row)


def _thousands(console: Console, how_many: int) -> None:
    """Gateways with four devices each; every tenth has an alarm, and each has had ten that are over."""
    admin = console.ward.admin
    admin.execute("DELETE FROM gateway")
    admin.execute(
        """INSERT INTO gateway (gateway_id, state, state_at, last_seen_at, outbox_depth, oldest_unsent_s)
           SELECT 'gw-' || lpad(n::text, 5, '0'), 'online', %(now)s, %(now)s, n %% 7, n %% 900
           FROM generate_series(1, %(n)s) n""",
        {"now": NOW, "n": how_many},
    )
    admin.execute(
        """INSERT INTO gateway_device (gateway_id, name, profile, told_at, outcome)
           SELECT gateway_id, 'device-' || d, 'p', %s, 'complete' FROM gateway, generate_series(1, 4) d""",
        (NOW,),
    )
    admin.execute(
        """INSERT INTO gateway_certificate (serial_number, gateway_id, issued_at, not_before, not_after, how)
           SELECT row_number() OVER (), gateway_id, %(now)s, %(now)s, %(now)s + interval '90 days', 'enrolment'
           FROM gateway""",
        {"now": NOW},
    )
    admin.execute(
        """INSERT INTO technical_alarm (condition, subject, gateway_id, device_name, priority, sentence, reason,
                                        raised_at, changed_at, resolved_at)
           SELECT 'device_silent', 'device:' || gateway_id || k, gateway_id, 'device-1',
                  (ARRAY['high', 'medium', 'low'])[1 + k %% 3], '-', '{}', %(now)s, %(now)s,
                  CASE WHEN k > 0 THEN %(now)s END
           FROM gateway, generate_series(0, 10) k WHERE k > 0 OR right(gateway_id, 1) = '0'""",
        {"now": NOW},
    )
    admin.execute("ANALYZE gateway, gateway_device, technical_alarm, gateway_certificate")
