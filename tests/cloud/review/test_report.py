"""The report: one page in the reader's language, nothing of the patient in its address, words where a font lacks."""

import io
import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from cloud.language.languages import LANGUAGES
from cloud.review import report as drawn
from cloud.review.models import Line, Part
from cloud.review.report import Content, FontMissing, report
from tests.cloud.crm.documents.made import pages
from tests.cloud.review.made import glucose_weeks, pressure_weeks
from tests.fix_console import Console

LINE = Line(label="Home average", value="139.0/88.1 mmHg", note="Limit: 135/85.", source="a guideline")
PART = Part(
    kind="blood_pressure", name="Blood pressure", unit="mmHg", enough=True, verdict="Yes", because="22 readings.",
    needed="Needed: 12.", missing="", lines=[LINE] * 9,
)  # fmt: skip
CONTENT = Content(
    language="en", heading="Asta Example", facts=["Born 2 May 1950."], question="Is there enough?", parts=[PART, PART],
    charts=[], nothing="Nothing.", limits_heading="Limits", limits=["High: above 160 mmHg"], left_out="No room.",
    cases_heading="Open cases", cases=["No open cases."], foot="No diagnosis.",
)  # fmt: skip


def text(octets: bytes) -> str:
    """What its only page says."""
    reader = PdfReader(io.BytesIO(octets))
    [page] = reader.pages
    # pypdf leaves the upper octet of a character of some fonts beside it; other readers do not.
    return page.extract_text().replace("\0", "")


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Is there enough data to act?"), ("ru", "Достаточно ли данных"), ("zh", "数据是否足以作出处理")],
)
def test_the_report_is_one_page_in_the_readers_language(console: Console, language: str, said: str) -> None:
    pressure_weeks(console.ward, 60)
    glucose_weeks(console.ward, 40)
    ada = console.sign_in("ada")
    ada.post("/language", {"language": language, "back": "/"})

    answer = ada.get(f"/patients/{console.ward.patient_id}/review/report.pdf")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    page = text(answer.content)
    assert "Asta Example" in page
    assert said in page
    assert "139" in page
    assert language in LANGUAGES
    # Neither the address nor the file's name says whose it is.
    assert answer.headers["content-disposition"] == f'inline; filename="report-{console.ward.patient_id}.pdf"'
    assert console.ward.rows("SELECT count(*) FROM audit WHERE action = 'review.report'") == [(1,)]


def test_too_few_readings_are_no_figure_on_paper_either(console: Console) -> None:
    pressure_weeks(console.ward, 3)
    page = text(console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/review/report.pdf").content)
    assert "No, not enough yet" in page
    assert "Missing: 6 readings, 1 day." in page.replace("\n", " ")
    assert "above target" not in page


@pytest.mark.parametrize("many", [1, 40, 90])
def test_however_much_there_is_to_say_it_stays_on_one_page_and_limits_give_way_last(many: int) -> None:
    page = text(report(replace(CONTENT, limits=[f"Limit {n}: above {n} mmHg" for n in range(many)])))
    assert "Limit 0: above 0 mmHg" in page
    assert f"Limit {many - 1}:" in page


def test_where_nothing_shrinks_enough_the_page_says_that_the_limits_are_left_out() -> None:
    page = text(report(replace(CONTENT, limits=[f"Limit {n}: above {n} mmHg" for n in range(600)])))
    assert "No room." in page
    assert "Limit 0" not in page


def test_a_name_in_chinese_is_written_in_an_english_report() -> None:
    assert "王小明" in text(report(replace(CONTENT, heading="王小明")))


def test_lines_that_begin_in_chinese_leave_the_letters_of_the_next_alone() -> None:
    """fpdf2 draws what follows with another font otherwise."""
    part = replace(PART, because="数据充足。" * 4 + " Needed 12 of PMC7677637 and 7 more", verdict="是，足够")
    page = " ".join(pages(report(replace(CONTENT, heading="王小明", question="够吗？", parts=[part, part]))))
    words = re.sub(r"\s+", "", page)
    assert words.count("Needed12ofPMC7677637and7more") == 2
    assert words.count("139.0/88.1mmHg") == 18


def test_drawing_a_report_logs_none_of_its_letters(caplog: pytest.LogCaptureFixture) -> None:
    """fontTools tells of each letter that it embeds, and fpdf of each that a font lacks."""
    with caplog.at_level(logging.INFO):
        report(replace(CONTENT, heading="Asta \N{EGYPTIAN HIEROGLYPH A001}"))
    assert caplog.records == []


def test_a_missing_font_is_named_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drawn, "EAST_ASIAN", (str(tmp_path / "none.ttc"), "fonts-noto-cjk"))
    with pytest.raises(FontMissing, match="install the Debian package fonts-noto-cjk"):
        report(replace(CONTENT, heading="王小明"))
    assert report(CONTENT)


def test_a_missing_font_is_told_to_the_reader_in_words(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(drawn, "REGULAR", (str(tmp_path / "none.ttf"), "fonts-dejavu-core"))
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/review/report.pdf")
    assert answer.status_code == 503
    assert "install the Debian package fonts-dejavu-core" in answer.text
