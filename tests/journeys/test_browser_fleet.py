"""Support and a nurse at a real browser: the technical queue, the fleet, a patient's devices."""

import re
from datetime import timedelta

import msgspec
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.cloud.made import CUFF, GATEWAY, METER, NOW, glucose, pressure, sent, session
from tests.cloud.planted_fleet import Fleet
from tests.fix_browser import ON_BOTH_SCREENS
from tests.fix_console import Console
from tests.journeys.objecting import nothing_sticks_out
from tests.journeys.steps import is_live, sign_in

AT_ONCE_MS = 3_000
AT_THE_NEXT_BEAT_MS = 10_000
IDENTITY = 'manufacturer "Roche", model "972", serial number "08831234", firmware "v2.5.0"'


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


def tell(console: Console) -> None:
    """What the process that raises technical alarms says when it has."""
    console.ward.admin.execute("""SELECT pg_notify('live', '{"type": "technical"}')""")


@ON_BOTH_SCREENS
def test_a_technical_alarm_arrives_by_itself_and_is_taken_by_keyboard(
    console: Console, fleet: Fleet, page: Page
) -> None:
    sign_in(page, console, "sam")
    is_live(page)
    expect(page.get_by_text("Nothing is technically wrong.")).to_be_visible()
    with console.ward.admin.transaction():  # seen together, or not yet
        fleet.alarm("gateway_away", f"gateway:{GATEWAY}", priority="high", gateway_id=GATEWAY, sentence="It is away.")
        fleet.alarm("device_silent", "device:a", gateway_id=GATEWAY, device_name="cuff", inhibited_by="gateway_away")
        fleet.alarm("storage_low", "gateway:b", priority="low", sentence="Its disk is nearly full.")
    tell(console)
    rows = page.locator("[data-alarm-id]")
    expect(rows).to_have_count(2, timeout=AT_ONCE_MS)
    expect(rows.first).to_contain_text("It is away.")
    expect(rows.first).to_contain_text("High")
    expect(page.locator("#announcements")).to_contain_text("It is away.")

    folded = page.locator(".hides summary")
    folded.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".hides li")).to_be_visible()
    button = rows.first.get_by_role("button", name="Acknowledge")
    button.focus()
    page.keyboard.press("Enter")
    expect(rows.first).to_contain_text("you")
    expect(rows.first).to_be_focused()
    page.keyboard.press("Enter")  # twice by accident: nothing more happens
    tell(console)
    expect(rows.nth(1).get_by_role("button", name="Acknowledge")).to_be_visible()
    expect(page.locator(".hides li")).to_be_visible()
    assert nothing_sticks_out(page)


def test_an_alarm_between_the_page_and_its_stream_is_spoken(console: Console, fleet: Fleet, page: Page) -> None:
    def late(route: Route) -> None:
        fleet.alarm("gateway_away", f"gateway:{GATEWAY}", priority="high", gateway_id=GATEWAY, sentence="It is away.")
        route.continue_()

    page.route("**/live/technical", late, times=1)
    sign_in(page, console, "sam")
    expect(page.locator("[data-alarm-id]")).to_have_count(1)
    expect(page.locator("#announcements")).to_contain_text("It is away.")


def test_a_technical_page_whose_stream_is_lost_says_so(console: Console, page: Page) -> None:
    sign_in(page, console, "sam")
    is_live(page)
    expect(page.locator("#not-receiving")).to_be_hidden()
    console.ward.admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'pulsepost-live'"
    )
    page.context.set_offline(True)
    expect(page.locator("#not-receiving")).to_be_visible(timeout=AT_THE_NEXT_BEAT_MS)
    expect(page.locator("#not-receiving")).to_contain_text("New alarms do not appear here.")
    page.context.set_offline(False)
    expect(page.locator("#not-receiving")).to_be_hidden(timeout=AT_THE_NEXT_BEAT_MS)


@ON_BOTH_SCREENS
def test_the_identity_of_an_unknown_device_is_copied_whole(
    console: Console, fleet: Fleet, page: Page, profile: BrowserContext
) -> None:
    profile.grant_permissions(["clipboard-read", "clipboard-write"])
    fleet.device(GATEWAY, "meter", outcome="no_profile", identity=IDENTITY)
    fleet.alarm("device_unknown_model", "device:x", gateway_id=GATEWAY, device_name="meter")
    sign_in(page, console, "sam")
    for path in ("/technical", f"/gateways/{GATEWAY}"):
        page.goto(console.url + path)
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == IDENTITY
        page.get_by_text("What to do next").click()
        expect(page.get_by_text("python -m firmware_profiles check")).to_be_visible()
        assert nothing_sticks_out(page)


@ON_BOTH_SCREENS
def test_a_gateway_is_found_among_others_and_shows_its_devices(console: Console, fleet: Fleet, page: Page) -> None:
    for number in range(60):
        fleet.gateway(f"home-{number:02}", software="0.1.0", outbox_depth=number)
    fleet.device(
        "home-42", "cuff", outcome="cut", visited_at=NOW - timedelta(hours=3), reason="the connection was lost"
    )
    fleet.certificate("home-42", 0xABCDEF, until=NOW + timedelta(days=3, hours=1))
    sign_in(page, console, "sam")
    page.get_by_role("link", name="Gateways").click()
    rows = page.locator("tr[data-gateway-id]")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="Better").click()
    expect(rows).to_have_count(11)
    assert nothing_sticks_out(page)
    page.get_by_role("searchbox", name="Gateway").focus()
    page.keyboard.type("42")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="home-42").click()
    expect(page.get_by_role("heading", name="home-42")).to_be_visible()
    expect(page.locator("tr[data-device-name=cuff]")).to_contain_text("the connection was lost")
    expect(page.get_by_text("3 d left")).to_be_visible()
    assert nothing_sticks_out(page)
    widths = page.locator("tr[data-device-name=cuff] > *").evaluate_all("cells => cells.map(c => c.offsetWidth)")
    assert min(widths) >= 80, "no column is squeezed"


@ON_BOTH_SCREENS
def test_a_nurse_sees_the_devices_of_her_patient_and_says_that_a_clock_is_right(console: Console, page: Page) -> None:
    visit = msgspec.structs.replace(session(), holds=2, complete=True, ended_at=NOW, received=2)
    console.ward.receive(sent(glucose("100"), glucose("101", NOW - timedelta(minutes=9)), visit=visit))
    console.ward.receive(sent(pressure("130"), visit=session(CUFF, clock=None)))
    sign_in(page, console, "nora")
    page.goto(f"{console.url}/patients/{console.ward.patient_id}")
    is_live(page)
    meter = page.locator("tr[data-assignment-id]", has_text=METER.model)
    cuff = page.locator("tr[data-assignment-id]", has_text=CUFF.model)
    expect(meter).to_contain_text("holds 2 · stored 2")
    expect(cuff).to_contain_text("nobody has compared it with a watch")
    cuff.get_by_text("Compare it with a watch").focus()
    page.keyboard.press("Enter")
    expect(cuff.get_by_text("held back already stays held back")).to_be_visible()
    assert nothing_sticks_out(page)
    cuff.get_by_role("button", name="Its clock is right now").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"#devices$"))
    expect(cuff).to_contain_text("Nora Quist")
    assert console.ward.rows("SELECT count(*) FROM audit WHERE action = 'device.clock_check'") == [(1,)]


@ON_BOTH_SCREENS
def test_an_open_worklist_says_when_our_own_side_is_down_and_when_it_is_back(
    console: Console, fleet: Fleet, page: Page
) -> None:
    fleet.component("ingest-1", "ingest", NOW)
    fleet.component("jobs-1", "jobs", NOW + timedelta(days=1))
    sign_in(page, console, "nora")
    is_live(page)
    banner = page.get_by_text("New readings are not arriving.")
    expect(banner).to_be_hidden()
    console.clock.forward(minutes=3)
    expect(banner).to_be_visible(timeout=AT_THE_NEXT_BEAT_MS)
    is_live(page)
    assert nothing_sticks_out(page)
    fleet.component("ingest-1", "ingest", console.clock())
    expect(banner).to_be_hidden(timeout=AT_THE_NEXT_BEAT_MS)
