"""Draws a document as PDF: title, language and headings in its metadata, a foot with the number of each page.

The same paper gives the same octets wherever the same fonts are: its only time is the one that it is given. Letters are
those of ``cloud.review.report``. FontMissing where one of its fonts is not installed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fpdf import FPDF

from cloud.crm.documents.lines import lines
from cloud.crm.documents.models import (
    Blank,
    Block,
    Grid,
    Heading,
    Paper,
    Paragraph,
    Points,
    ReviewPage,
    Signature,
)
from cloud.review.report import INK, PAGE, POINT_MM, RULE, SOFT, add_page, choose_font, fonts_for, ready
from cloud.review.report import texts as texts_of_review

# Read by people of 74, on paper.
SIZE: Final = 10.5
_MARGIN: Final = 20.0
_WIDE: Final = PAGE[0] - 2 * _MARGIN
_FOOT: Final = 22.0
_LAST: Final = PAGE[1] - _FOOT
_HEADINGS: Final = (16.0, 12.5)
_SMALL: Final = 8.5
_LINE_HEIGHT: Final = 1.36
_GAP: Final = 2.4
_INDENT: Final = 5.0
# High enough to write on.
_WRITTEN: Final = 9.0
_SIGNED: Final = 13.0
_CELL: Final = 1.3
_WARNING: Final = (179, 19, 29)
# Fonts give widths in thousandths of their size.
_PER_SIZE: Final = 100.0


def draw(paper: Paper) -> bytes:
    """The PDF. FontMissing."""
    fonts = fonts_for(_texts(paper))
    with ready(_Sheets(paper), paper.language, paper.title, fonts) as pdf:
        pdf.set_creation_date(paper.made_at)
        pdf.set_producer("Pulsepost")
        writer = _Writer(pdf)
        writer.begin()
        writer.heading(Heading(paper.title, 0))
        for block in paper.blocks:
            writer.write(block)
        return bytes(pdf.output())


def _texts(paper: Paper) -> Iterator[str]:
    yield from (paper.title, paper.foot, paper.draft_word)
    for block in paper.blocks:
        match block:
            case Heading(text) | Paragraph(text) | Signature(text):
                yield text
            case Points(said):
                yield from said
            case Grid():
                yield from block.head
                for row in block.rows:
                    yield from row
            case ReviewPage(content):
                yield from texts_of_review(content)
            case Blank():
                pass


class _Sheets(FPDF):
    """The pages, each with what stands on all of them."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(format="A4")
        self._paper = paper

    def header(self) -> None:
        if self._paper.is_draft:
            self._small(self._paper.draft_word, 8.0, _WARNING)

    def footer(self) -> None:
        self._small(f"{self.page_no()} / {{nb}}    {self._paper.foot}", PAGE[1] - 12, SOFT)

    def _small(self, text: str, y: float, colour: tuple[int, int, int]) -> None:
        choose_font(self, "", 7.5)
        self.set_text_color(*colour)
        self.set_xy(_MARGIN, y)
        self.cell(_WIDE, 4, text, align="L")


class _Writer:
    """Puts blocks under each other, and goes on on the next page."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        self._y = 0.0
        self._is_begun = False
        self._widths: dict[tuple[str, str], float] = {}

    def begin(self) -> None:
        """A new page."""
        self._pdf.add_page()
        self._y = _MARGIN
        self._is_begun = True

    def write(self, block: Block) -> None:
        """One block, on this page or the next ones."""
        if isinstance(block, ReviewPage):
            add_page(self._pdf, block.content)
            self._is_begun = False
            return
        if not self._is_begun:
            self.begin()
        match block:
            case Heading():
                self.heading(block)
            case Paragraph(text):
                self._text(text)
                self._y += _GAP
            case Points(said):
                self._points(said)
            case Grid():
                self._grid(block)
            case Signature(label):
                self._signature(label)
            case Blank(many):
                self._blank(many)

    def heading(self, block: Heading) -> None:
        """Never alone at the foot of a page."""
        size = _HEADINGS[block.level]
        said = lines(block.text, _WIDE, self._measure(size, "B"))
        self._room(len(said) * _high(size) + 3 * _high(SIZE) + _GAP)
        if block.level:
            self._y += _GAP
        self._pdf.set_y(self._y)
        self._pdf.start_section(block.text, level=block.level, strict=False)
        self._lines(said, _MARGIN, size, "B")
        self._y += _GAP

    def _text(self, text: str, indent: float = 0.0) -> None:
        self._lines(lines(text, _WIDE - indent, self._measure(SIZE, "")), _MARGIN + indent, SIZE, "")

    def _points(self, said: Sequence[str]) -> None:
        for text in said:
            self._room(_high(SIZE))
            self._put("•", _MARGIN + 1, self._y, SIZE, "")
            self._text(text, _INDENT)
            self._y += _GAP / 3
        self._y += _GAP

    def _blank(self, many: int) -> None:
        for _ in range(many):
            self._room(_WRITTEN)
            self._y += _WRITTEN
            self._rule(_MARGIN, _WIDE)
        self._y += _GAP

    def _signature(self, label: str) -> None:
        said = lines(label, _WIDE, self._measure(_SMALL, ""))
        self._room(_SIGNED + len(said) * _high(_SMALL))
        self._y += _SIGNED
        self._rule(_MARGIN, _WIDE)
        self._y += 1
        self._lines(said, _MARGIN, _SMALL, "", SOFT)
        self._y += _GAP

    def _grid(self, grid: Grid) -> None:
        widths = [_WIDE * share / sum(grid.widths) for share in grid.widths]
        self._row(grid.head, widths, "B", None)
        for row in grid.rows:
            self._row(row, widths, "", grid.head)
        self._y += 2 * _GAP

    def _row(self, cells: Sequence[str], widths: Sequence[float], style: str, head: Sequence[str] | None) -> None:
        """One row whole on one page, under its head where it is the first there."""
        measure = self._measure(_SMALL, style)
        said = [lines(cell, wide - 2 * _CELL, measure) for cell, wide in zip(cells, widths, strict=True)]
        high = max(len(of) for of in said) * _high(_SMALL) + 2 * _CELL
        if any(not cell for cell in cells):
            high = max(high, _WRITTEN + 2)
        if self._y + high > _LAST:
            self.begin()
            if head is not None:
                self._row(head, widths, "B", None)
        x, top = _MARGIN, self._y
        for of, wide in zip(said, widths, strict=True):
            self._y = top + _CELL
            self._lines(of, x + _CELL, _SMALL, style)
            self._pdf.set_draw_color(*RULE)
            self._pdf.set_line_width(0.2)
            self._pdf.rect(x, top, wide, high)
            x += wide
        self._y = top + high

    def _lines(
        self, said: Sequence[str], x: float, size: float, style: str, colour: tuple[int, int, int] = INK
    ) -> None:
        for line in said:
            self._room(_high(size))
            self._put(line, x, self._y, size, style, colour)
            self._y += _high(size)

    def _put(self, text: str, x: float, y: float, size: float, style: str, colour: tuple[int, int, int] = INK) -> None:
        choose_font(self._pdf, style, size)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(x, y)
        self._pdf.cell(_WIDE, _high(size), text, align="L")

    def _rule(self, x: float, wide: float) -> None:
        self._pdf.set_draw_color(*SOFT)
        self._pdf.set_line_width(0.2)
        self._pdf.line(x, self._y, x + wide, self._y)

    def _room(self, high: float) -> None:
        if self._y + high > _LAST:
            self.begin()

    def _measure(self, size: float, style: str) -> Callable[[str], float]:
        return lambda letter: self._width(letter, style) * size / _PER_SIZE

    def _width(self, letter: str, style: str) -> float:
        found = self._widths.get((letter, style))
        if found is None:
            self._pdf.set_font("latin", style, _PER_SIZE)
            found = self._widths[letter, style] = float(self._pdf.get_string_width(letter))
        return found


def _high(size: float) -> float:
    """Of a line in letters of this size, in mm."""
    return size * POINT_MM * _LINE_HEIGHT
