"""Support: the technical queue, a gateway, and what was kept aside."""

from datetime import timedelta

from playwright.sync_api import expect

from tests.cloud.made import GATEWAY, NOW
from tests.cloud.planted_fleet import Fleet
from tests.fix_centre import IN_EACH_LANGUAGE, ON_EACH_SCREEN, Centre


@IN_EACH_LANGUAGE
@ON_EACH_SCREEN
def test_support_takes_an_alarm_and_looks_at_its_gateway(
    centre: Centre, language: str, screen: tuple[int, int]
) -> None:
    centre.ward.admin.execute("DELETE FROM technical_alarm")
    fleet = Fleet(centre.ward.admin)
    fleet.alarm("device_silent", "device:a", gateway_id=GATEWAY, device_name="cuff")
    fleet.certificate(GATEWAY, 0xABCDEF, until=NOW + timedelta(days=40))
    with centre.walk("sam", language, screen) as sam:
        page = sam.page
        sam.go("/technical")
        row = page.locator("[data-alarm-id]")
        expect(row).to_have_count(1)
        sam.picture("technical")
        sam.by("button", "Acknowledge", within=row).click()
        expect(row).to_contain_text(sam.said("you"))
        sam.go("/gateways")
        sam.picture("gateways")
        page.get_by_role("link", name=GATEWAY).first.click()
        expect(page.locator("tr[data-device-name=cuff]")).to_be_visible()
        sam.picture("gateway")
        sam.go("/quarantine")
        expect(page.locator("tr[data-quarantine-id]").first).to_be_visible()
        sam.fits()
