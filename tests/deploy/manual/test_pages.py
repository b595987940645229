"""One page of the manual: what it may name, and what is said of one that names what is not there."""

from pathlib import Path

import pytest

from cloud.language.words import words_of
from deploy.manual.pages import Page, Shelfmark, operator_page, read
from tests.deploy.manual.made import png


@pytest.fixture
def known(tmp_path: Path) -> Shelfmark:
    (tmp_path / "worklist.png").write_bytes(png(1366, 768))
    (tmp_path / "me-phone.png").write_bytes(png(390, 844))
    pictures = {path.stem: path for path in tmp_path.glob("*.png")}
    return Shelfmark(words_of("ru"), {"case", "index"}, {"Acknowledge", "Closed."}, pictures, {"settings.md"})


def page(source: str, known: Shelfmark) -> Page:
    return read("worklist", f"# The worklist\n\n{source}\n", known)


def test_a_word_of_the_console_is_the_readers(known: Shelfmark) -> None:
    found = page("Click [[Acknowledge]].", known)
    assert (found.faults, found.title) == ([], "The worklist")
    assert "<p>Click <strong>Принять</strong>.</p>" in found.html


def test_a_word_that_ends_with_a_full_stop_is_bold_before_chinese_letters(known: Shelfmark) -> None:
    assert "<strong>Closed.</strong>后" in page("看[[Closed.]]后", known).html


def test_a_word_that_the_console_does_not_say_is_a_fault(known: Shelfmark) -> None:
    assert page("Click [[Press here]].", known).faults == ["worklist: the console says nowhere 'Press here'"]


def test_a_picture_has_its_size_and_words_for_who_does_not_see_it(known: Shelfmark) -> None:
    html = page("![Three cases](picture:worklist)\n\n![Mine](picture:me-phone)", known).html
    assert 'src="pictures/worklist.png" alt="Three cases" width="1366" height="768"' in html
    assert 'class="phone"' in html


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("![Words](picture:nothing)", "no journey took the picture picture:nothing"),
        ("![Words](https://elsewhere.example/a.png)", "no journey took the picture https://elsewhere.example/a.png"),
        ("![](picture:worklist)", "picture:worklist has no words for who does not see it"),
        ("[there](nowhere.md)", "no page nowhere.md"),
        ("[there](case.html)", "no page case.html"),
        ("[there](operator:nothing.md)", "no docs/nothing.md"),
    ],
)
def test_what_leads_nowhere_is_a_fault(known: Shelfmark, source: str, fault: str) -> None:
    assert page(source, known).faults == [f"worklist: {fault}"]


def test_links_lead_to_pages_as_they_are_built(known: Shelfmark) -> None:
    found = page("[a](case.md#part-2) [b](operator:settings.md)", known)
    assert 'href="case.html#part-2"' in found.html
    assert 'href="../operator/settings.html"' in found.html
    assert found.links == [("case", "part-2")]


def test_headings_have_the_same_ids_in_every_language(known: Shelfmark) -> None:
    assert '<h2 id="part-2">Нет</h2>' in page("## Да\n\n## Нет", known).html


def test_a_page_without_a_heading_is_a_fault(known: Shelfmark) -> None:
    assert read("worklist", "Text.", known).faults == ["worklist: does not begin with a heading (# …)"]


def test_html_in_a_page_is_text(known: Shelfmark) -> None:
    assert "<script" not in page("<script>alert(1)</script> <b onclick='x'>", known).html


def test_of_the_projects_docs_neighbours_stay_links(known: Shelfmark) -> None:
    source = "# Audit\n\n[s](settings.md#x) [code](../cloud/app.py) [web](https://example.org/)"
    html = operator_page("audit.md", source, {"settings.md"}).html
    assert 'href="settings.html#x"' in html
    assert 'href="https://example.org/"' in html
    assert "app.py" not in html.replace('title="../cloud/app.py"', "")
