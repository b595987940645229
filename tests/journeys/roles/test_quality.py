"""Quality audits on the real console: drawn, audited, answered, acted upon, and told to the patient."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from playwright.sync_api import expect

from alerting.tiers import Tier
from tests.cloud.crm.quality.made import answers, called, closed_case, walked
from tests.fix_centre import IN_EACH_LANGUAGE, Centre

DESK = (1366, 768)
# A month is drawn once: each walk has its own.
MONTHS: Final = {"en": "2026-09", "ru": "2026-08", "zh": "2026-07"}


def worked(centre: Centre, month: str) -> UUID:
    """In that month nora closed a few cases and the system one; the one that is returned she closed by a script."""
    ward, nora = centre.ward, centre.console.accounts["nora"]
    at = datetime.fromisoformat(f"{month}-14T09:00Z")
    for n in range(3):
        closed_case(ward, nora, Tier.ROUTINE, at + timedelta(hours=n), condition="hypertension_systolic")
    closed_case(ward, None, Tier.ROUTINE, at, condition="hypertension_systolic")
    case_id = closed_case(ward, nora, at=at)
    walked(ward, case_id, nora, version=1)
    called(ward, case_id, nora)
    return case_id


@IN_EACH_LANGUAGE
def test_a_sample_is_drawn_audited_answered_and_leads_to_another_version_of_a_script(
    centre: Centre, language: str
) -> None:
    case_id, what = worked(centre, MONTHS[language]), f"… {language}"
    with centre.walk("otto", language, DESK) as otto:
        page = otto.page
        otto.go("/quality")
        otto.unfold("Draw the sample of a month")
        page.fill("#draw-month", MONTHS[language])
        otto.send(otto.by("button", "Draw", within=page.locator("main")))
        expect(page.locator("main")).to_contain_text(otto.said("Drawn once more just now: these are the same cases."))
        expect(page.locator("tr[data-case-id]")).to_have_count(3)
        otto.is_unobjectionable()
        row = page.locator(f"tr[data-case-id='{case_id}']")
        otto.send(otto.by("button", "Audit this case", within=row))
        audit = page.url
        expect(page.locator("main")).to_contain_text("drank water")
        expect(page.locator("main")).to_contain_text(otto.said("What do the ketones in blood say?"))
        expect(page.locator("main")).not_to_contain_text("Asta")
        otto.picture("quality-audit")
        # Nothing was answered yet.
        otto.send(otto.by("button", "Finish the audit"))
        expect(page.locator(".refusal")).to_have_count(8)
        otto.is_unobjectionable()
        for name, value in answers(script="no").items():
            if name.startswith("answer"):
                page.locator(f"input[name={name}][value={value}]").check()
            else:
                page.fill(f"[name={name}]", value)
        otto.send(otto.by("button", "Finish the audit"))
        expect(page.locator("main")).not_to_contain_text("drank water")
        otto.unfold("Do something about it")
        page.select_option("#action-kind", "script")
        page.select_option("#action-owner", str(centre.console.accounts["ada"]))
        page.fill("#action-due_on", "2026-12-01")
        page.fill("#action-check_on", "2027-01-15")
        page.fill("#action-what", what)
        otto.send(otto.by("button", "Ask for it"))
        expect(page.locator("[data-action-id]")).to_have_count(1)
        otto.is_unobjectionable()
    with centre.walk("nora", language, (390, 844)) as nora:
        nora.go("/quality")
        nora.follow(nora.page.locator(f"a[href='{audit.removeprefix(centre.console.url)}']"))
        nora.page.fill("#reply-body", "…")
        nora.send(nora.by("button", "Answer"))
        expect(nora.page.locator("#replies")).to_contain_text("Nora Quist")
        nora.is_unobjectionable()
        nora.fits()
    with centre.walk("ada", language, DESK) as ada:
        ada.go("/quality")
        ada.unfold("Say what came of it")
        ada.page.locator("[name=outcome]").fill("…")
        expect(ada.page.locator("[name=answered_by]")).to_have_value("2")
        ada.send(ada.by("button", "It is done"))
        mine = ada.page.locator("[data-action-id]", has_text=what)
        expect(mine).to_contain_text(ada.said("answered by version %(version)s", version=2))
        ada.is_unobjectionable()
    with centre.walk("lena", language, DESK) as lena:
        lena.go("/quality")
        lena.picture("quality")
        lena.unfold("Say whether it helped")
        lena.page.locator("input[name=effective][value=yes]").check()
        lena.page.locator("[name=check_note]").fill("…")
        lena.send(lena.by("button", "Write it down"))
        expect(lena.page.locator("[data-action-id]", has_text=what)).to_contain_text(lena.said("It helped"))
        lena.go(audit.removeprefix(centre.console.url))
        lena.page.select_option("#tag-theme", "documentation")
        lena.send(lena.by("button", "Tag it"))
        expect(lena.page.locator("#themes input[value=documentation]")).to_have_count(1)
        lena.is_unobjectionable()
        lena.go("/quality/scripts")
        newest = lena.page.locator("[data-script='high_glucose 2']")
        expect(newest).to_contain_text(what)
        expect(lena.page.locator("[data-script='high_glucose 1']")).not_to_contain_text(lena.said("Led to it:"))
        lena.fits()
    with centre.walk("asta", language, (390, 844)) as asta:
        asta.go("/me/access")
        expect(asta.page.locator("main")).to_contain_text(asta.said("Quality audit of a case finished"))
        asta.fits()
