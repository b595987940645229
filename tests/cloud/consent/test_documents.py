"""Consent texts: in each language, read strictly, and told apart by their hash."""

import pytest

from cloud.consent import documents
from cloud.consent.documents import BadText
from cloud.language.languages import LANGUAGES

TEXT = "# Title\n\napproved_by: Dr. Law\n\n## Part\n\nA line\nthat goes on.\n\n- one\n- two\n"


def test_each_version_is_there_in_each_language() -> None:
    assert {text.language for text in documents.all_texts()} == set(LANGUAGES)
    assert {documents.newest(code).version for code in LANGUAGES} == {documents.newest("en").version}


def test_the_parts_of_a_text_keep_their_order() -> None:
    text = documents.parse("t.3.en.md", TEXT)
    assert (text.version, text.title, text.approved_by) == (3, "Title", "Dr. Law")
    assert [(block.kind, list(block.lines)) for block in text.blocks] == [
        ("heading", ["Part"]),
        ("paragraph", ["A line that goes on."]),
        ("list", ["one", "two"]),
    ]


def test_one_letter_makes_it_another_text() -> None:
    assert documents.parse("t.1.en.md", TEXT).sha256 != documents.parse("t.1.en.md", TEXT + ".").sha256


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.1.de.md", TEXT), ("t.en.md", TEXT), ("t.1.en.md", "No title\n\nText."), ("t.1.en.md", "# Title\n")],
)
def test_a_text_that_cannot_be_shown_is_refused(name: str, content: str) -> None:
    with pytest.raises(BadText):
        documents.parse(name, content)


def test_whoever_speaks_another_language_reads_english() -> None:
    assert documents.newest("fi").language == "en"
    assert documents.newest(None).language == "en"


def test_each_text_says_what_a_consent_must_say() -> None:
    """No emergency service, who sees it, hours, devices back, withdrawal: as many parts in each language."""
    parts = {code: [b.kind for b in documents.newest(code).blocks].count("heading") for code in LANGUAGES}
    assert set(parts.values()) == {9}
