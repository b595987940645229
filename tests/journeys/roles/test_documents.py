"""Documents in the browser: produced, saved, signed and attached; found by the patient; the clinic's own wording."""

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.crm.documents.made import CLINIC, PNG, dense, said
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, Centre


@pytest.fixture
def empty(centre: Centre) -> Centre:
    """Nothing was produced, and the clinic has said nothing of itself."""
    centre.ward.admin.execute("TRUNCATE document_scan, document, document_template, clinic_facts")
    return centre


def saved(page: Page, name: str) -> bytes:
    """What a link to a file gives."""
    with page.expect_download() as download:
        page.locator("[data-document-id] a", has_text=name).first.click()
    return download.value.path().read_bytes()


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_nurse_produces_a_consent_form_and_attaches_the_signed_paper_and_the_patient_finds_both(
    empty: Centre, language: str, screen: tuple[int, int]
) -> None:
    with empty.walk("nora", language, screen) as nora:
        page = nora.page
        nora.go("/patients/{patient}")
        nora.follow(nora.by("link", "Documents", within=page.locator("#main")))
        page.locator("#make-privacy summary").click()
        page.select_option("#privacy-language", language)
        nora.send(page.locator("#make-privacy button"))
        expect(page.locator("#unmade")).to_be_visible()
        nora.is_unobjectionable()
        for kind in ("consent", "hand_over", "report"):
            page.locator(f"#make-{kind} summary").click()
            form = "make" if kind == "consent" else kind
            page.select_option(f"#{form}-language", language)
            nora.send(page.locator(f"#make-{kind} button"))
        papers = page.locator("[data-document-id]")
        expect(papers).to_have_count(3)
        for name in ("Consent form", "Act of handing over devices", "Monitoring report"):
            octets = saved(page, nora.said(name))
            assert octets.startswith(b"%PDF-")
            assert "AstaExample" in dense(octets), name
        consent = papers.filter(has_text=nora.said("Consent form"))
        consent.locator("summary", has_text=nora.said("Attach the signed paper")).click()
        consent.locator("input[type=file]").set_input_files(
            {"name": "scan.png", "mimeType": "image/png", "buffer": PNG}
        )
        consent.locator("input[name=signed_on]").fill("2026-11-20")
        nora.send(nora.by("button", "Attach", within=consent))
        expect(page.locator("[data-scan-id]")).to_have_count(1)
        nora.show("#made-heading")
        nora.picture("patient-documents")
        nora.is_unobjectionable()
        nora.go("/documents")
        nora.picture("documents")
    with empty.walk("asta", language, (390, 844)) as asta:
        asta.go("/me")
        asta.follow(asta.by("link", "My documents"))
        expect(asta.page.locator("[data-document-id]")).to_have_count(3)
        asta.send(asta.by("button", "Consent form"))
        expect(asta.page.locator("[data-document-id]")).to_have_count(4)
        assert saved(asta.page, asta.said("Consent form")).startswith(b"%PDF-")
        with asta.page.expect_download() as scan:
            asta.by("link", "Signed paper").click()
        assert scan.value.path().read_bytes() == PNG
        asta.fits()


def test_an_administrator_says_who_the_clinic_is_and_writes_its_own_wording_which_a_doctor_approves(
    empty: Centre,
) -> None:
    with empty.walk("adam", "en", (1366, 768)) as adam:
        page = adam.page
        adam.go("/documents")
        adam.unfold("Change what the clinic says of itself")
        for name, text in CLINIC.items():
            page.fill(f"#clinic-{name}", text)
        adam.send(adam.by("button", "Save"))
        for kind in ("sop_escalation", "privacy"):
            page.select_option("#make-kind", kind)
            adam.send(adam.by("button", "Produce"))
        expect(page.locator("[data-document-id]")).to_have_count(2)
        assert CLINIC["privacy_contact"] in said(saved(page, "Privacy notice"))
        adam.show("#main h1")
        adam.follow(page.locator("a", has_text="Roles of the monitoring centre"))
        english = page.locator("#wording-text_en")
        typed = english.input_value()
        english.fill(typed.replace("{{roles}}", "{{nobody}}"))
        adam.send(adam.by("button", "Keep the draft"))
        expect(page.locator("#refused")).to_contain_text("nobody")
        english.fill(typed.replace("# Roles of the monitoring centre", "# Our roles"))
        adam.send(adam.by("button", "Keep the draft"))
        expect(page.locator("[data-version]")).to_have_count(1)
        expect(adam.by("button", "Approve")).to_have_count(0)
        adam.is_unobjectionable()
    with empty.walk("ada", "en", (1366, 768)) as ada:
        ada.go("/documents/wording/sop_roles")
        with ada.page.expect_download() as preview:
            ada.page.locator("[data-version] a").first.click()
        assert "Our roles" in said(preview.value.path().read_bytes())
        ada.send(ada.by("button", "Approve"))
        ada.go("/documents")
        ada.page.select_option("#make-kind", "sop_roles")
        ada.send(ada.by("button", "Produce"))
        assert "Our roles" in said(saved(ada.page, "Roles of the monitoring centre"))
        ada.fits()
