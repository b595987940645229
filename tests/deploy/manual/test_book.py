"""The whole manual: as it is written it has no fault, and each fault it could have is found."""

import re
import shutil
from pathlib import Path

import pytest

from cloud.console.manual import PAGE_OF
from cloud.language.languages import LANGUAGES
from deploy.manual.book import SOURCE, bound
from deploy.manual.errors import Unsound
from tests.deploy.manual.made import built_manual, grey_pictures, taken_by_journeys


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_manual(tmp_path_factory.mktemp("manual"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The manual's source, to spoil."""
    return Path(shutil.copytree(SOURCE, tmp_path / "source"))


def faults(source: Path, tmp_path: Path) -> list[str]:
    with pytest.raises(Unsound) as unsound:
        bound(source, grey_pictures(tmp_path / "pictures"))
    return unsound.value.faults


def test_every_page_that_the_console_leads_to_is_there_in_every_language(manual: Path) -> None:
    for code in LANGUAGES:
        assert {path.stem for path in (manual / code).glob("*.html")} >= set(PAGE_OF.values())


def test_no_address_in_it_leads_nowhere(manual: Path) -> None:
    lost = [
        f"{path.relative_to(manual)}: {address}"
        for path in manual.glob("*/*.html")
        for address in re.findall(r'(?:href|src)="([^"]+)"', path.read_text())
        if "://" not in address and not address.startswith(("#", "/"))
        and not (path.parent / address.partition("#")[0]).resolve().is_file()
    ]  # fmt: skip
    assert lost == []


def test_no_page_has_script_or_style_inside_or_from_elsewhere(manual: Path) -> None:
    for path in manual.glob("*/*.html"):
        html = path.read_text()
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", html), path
        assert re.findall(r'<link[^>]* href="([^"]+)"', html) == ["../manual.css"]


def test_a_picture_that_no_journey_took_is_a_fault(source: Path, tmp_path: Path) -> None:
    pictures = grey_pictures(tmp_path / "pictures")
    (pictures / "ru" / "worklist.png").unlink()
    with pytest.raises(Unsound, match="ru/worklist: no journey took the picture picture:worklist"):
        bound(source, pictures)


def test_a_picture_that_nobody_shows_is_not_taken_for_nothing() -> None:
    shown = {name.removesuffix("-phone") for path in SOURCE.glob("en/*.md")
             for name in re.findall(r"\(picture:([\w-]+)\)", path.read_text())}  # fmt: skip
    assert taken_by_journeys() == shown


def test_a_page_that_a_language_lacks_is_a_fault(source: Path, tmp_path: Path) -> None:
    (source / "zh" / "case.md").unlink()
    assert "zh/case: is not written" in faults(source, tmp_path)


def test_a_page_that_the_console_wants_and_nobody_wrote_is_a_fault(source: Path, tmp_path: Path) -> None:
    for path in source.glob("*/worklist.md"):
        path.unlink()
    assert "the console wants the page worklist" in faults(source, tmp_path)


def test_a_page_that_the_first_does_not_lead_to_is_a_fault(source: Path, tmp_path: Path) -> None:
    for code in LANGUAGES:
        (source / code / "stray.md").write_text("# Stray\n")
    assert "en/index: does not lead to stray" in faults(source, tmp_path)


def test_a_translation_without_the_pictures_is_a_fault(source: Path, tmp_path: Path) -> None:
    page = source / "ru" / "worklist.md"
    page.write_text(re.sub(r"!\[.*\)\n", "", page.read_text()))
    assert "ru/worklist: shows [], the English page ['worklist']" in faults(source, tmp_path)


def test_a_page_for_operators_that_nobody_is_led_to_is_a_fault(source: Path, tmp_path: Path) -> None:
    page = source / "zh" / "operator.md"
    page.write_text(re.sub(r"- .*settings\.md\)\n", "", page.read_text()))
    assert "zh/operator: does not lead to docs/settings.md" in faults(source, tmp_path)
