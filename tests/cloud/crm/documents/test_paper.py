"""Paper: right letters in each language, pages with numbers, metadata, and the same octets each time."""

import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from pypdf import PdfReader

from cloud.consent import documents as consent_texts
from cloud.console.spoken import spoken_in
from cloud.crm.documents import templates, values
from cloud.crm.documents.making import paper_of
from cloud.crm.documents.models import Clinic, Grid, Kind, Paper, Paragraph, Patient, Signature
from cloud.crm.documents.paper import draw
from cloud.language.languages import LANGUAGES
from tests.cloud.crm.documents.made import dense, pages, said

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG = "Aleksandra-Konstantinovna von und zu Hohenzollern-Sigmaringen " + "Namewithoutspaces" * 9
PATIENT = Patient(
    patient_id=UUID(int=1), display_name=LONG, birth_date=None, time_zone="Europe/Copenhagen", language="en"
)
PAPER = Paper(title="Act", language="en", blocks=(Paragraph("One."),), foot="Act · 1", made_at=AT)


def consent_form(language: str) -> Paper:
    spoken = spoken_in(language)
    frame = values.Frame(
        clinic=Clinic(name="Hope"), centre_phone="+4533112233", patient=PATIENT, by="Nora", now=AT,
        zone=PATIENT.time_zone,
    )  # fmt: skip
    text = consent_texts.newest(language)
    filled = {**values.common(frame, spoken), **values.consent(text, None, PATIENT.time_zone, spoken)}
    return paper_of(templates.shipped()[Kind.CONSENT], language, filled, AT, UUID(int=7))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_a_consent_form_can_be_read_in_each_language(language: str) -> None:
    octets = draw(consent_form(language))
    words = dense(octets)
    text = consent_texts.newest(language)
    for block in text.blocks:
        for line in block.lines:
            # A page may end within a line of text: its foot stands in between then.
            assert line.replace(" ", "")[:12] in words, line
            assert line.replace(" ", "")[-8:] in words, line
    assert LONG.replace(" ", "") in words
    assert templates.LINE in words, "the birth date is not known"
    reader = PdfReader(io.BytesIO(octets))
    assert reader.metadata is not None
    assert reader.metadata.title == templates.shipped()[Kind.CONSENT].wordings[language].title
    assert str(reader.root_object["/Lang"]) == LANGUAGES[language].tag
    assert len(reader.outline) > 0
    found = pages(octets)
    for n, page in enumerate(found, start=1):
        assert f"{n} / {len(found)}" in page


def test_the_same_paper_is_the_same_octets_also_in_another_process() -> None:
    here = sha256(draw(consent_form("zh"))).hexdigest()
    code = (
        "from hashlib import sha256; from tests.cloud.crm.documents.test_paper import consent_form;"
        " from cloud.crm.documents.paper import draw; print(sha256(draw(consent_form('zh'))).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here
    assert sha256(draw(replace(consent_form("zh"), made_at=AT.replace(hour=13)))).hexdigest() != here


def test_a_text_that_begins_in_chinese_leaves_the_letters_of_the_next_alone() -> None:
    """fpdf2 draws what follows with another font otherwise."""
    grid = Grid(("设备", "Condition", "序列号"), [("血糖", "as new", "92312001"), ("血压", "used", "")], (1, 1, 1))
    text = said(draw(replace(PAPER, blocks=(grid, Paragraph("中文 first"), Paragraph("Latin 7")))))
    for word in ("Condition", "as new", "92312001", "used", "first", "Latin 7"):
        assert word in text


def test_a_table_goes_on_on_the_next_page_under_its_head() -> None:
    grid = Grid(("Device", "Number"), [("Meter", f"n{n}") for n in range(90)], (1, 1))
    found = pages(draw(replace(PAPER, blocks=(grid, Signature("The patient")))))
    assert len(found) > 1
    assert all("Device" in page for page in found)
    text = " ".join(found)
    assert all(f"n{n}" in text for n in range(90))
    assert "The patient" in text


def test_a_draft_says_on_each_page_that_it_is_one() -> None:
    paper = paper_of(templates.shipped()[Kind.REPORT], "en", values.names(Kind.REPORT), AT)
    text = said(draw(paper))
    assert "not to be handed out" in text
    assert "«patient_name»" in text
    assert "«figures»" in text
