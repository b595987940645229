"""How an article is laid out: a few signs, and whatever else is written is text."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.education.markup import BlockKind, Piece, blocks
from cloud.crm.education.proposals import proposals

TEXT = """## Before
- No **coffee**.
- Sit down
  and rest.

1. Measure.
2. Wait.

One line
and its second.

Another."""


def test_headings_lists_and_paragraphs_are_told_apart() -> None:
    found = blocks(TEXT)
    assert [block.kind.value for block in found] == ["heading", "points", "steps", "paragraph", "paragraph"]
    assert found[1].lines == [
        [Piece("No ", False), Piece("coffee", True), Piece(".", False)],
        [Piece("Sit down and rest.", False)],
    ]
    assert [line[0].text for line in found[2].lines] == ["Measure.", "Wait."]
    assert found[3].lines == [[Piece("One line and its second.", False)]]


def test_markup_of_others_is_text() -> None:
    [block] = blocks("<script>alert(1)</script> [click](javascript:alert(1)) <b>x</b>")
    assert block.kind is BlockKind.PARAGRAPH
    assert block.lines == [[Piece("<script>alert(1)</script> [click](javascript:alert(1)) <b>x</b>", False)]]


@given(st.text(max_size=200))
def test_whatever_is_written_is_laid_out_and_no_word_is_lost(text: str) -> None:
    said = " ".join(piece.text for block in blocks(text) for line in block.lines for piece in line)
    for word in ("".join(c if c.isalpha() else " " for c in text)).split():
        assert word in said


def test_every_proposal_is_laid_out_in_each_language_alike() -> None:
    assert len(proposals()) >= 6
    for name, one in proposals().items():
        shapes = {code: [(b.kind, len(b.lines)) for b in blocks(body)] for code, body in one.bodies.items()}
        assert shapes["en"] == shapes["ru"] == shapes["zh"], name
        assert one.sources
        assert one.proposal == f"{name}:1"
