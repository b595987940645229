"""The report: one A4 page as PDF, in the reader's language, with the page's own lines and charts.

Letters come from Debian's fonts (fonts-dejavu-core; fonts-noto-cjk where there is a Chinese, Japanese or Korean
character), and those that are used are embedded. Where a font is missing, FontMissing says which package brings it.
The letters shrink until everything is on the one page; at the smallest, limits are left to the plan, and it says so.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.fonts import TTFFont

from cloud.review.charts import BOTTOM, LEFT, MARK, RIGHT, TOP, WIDTH, Chart, Point, Series
from cloud.review.models import Line, Part

# They would log which letters they embed, or lack: those of a patient's name and figures.
for _name in ("fontTools", "fpdf"):
    logging.getLogger(_name).setLevel(logging.ERROR)

# What the letters are drawn with: the file, and the Debian package that brings it.
REGULAR: Final = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core")
BOLD: Final = ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "fonts-dejavu-core")
EAST_ASIAN: Final = ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk")
# Of the collection, the face with the characters as they are written in mainland China.
_SIMPLIFIED: Final = 2
# From here on are the scripts that DejaVu does not have.
_FIRST_EAST_ASIAN: Final = "⺀"

SIZES: Final = (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)
MARGIN: Final = 12.0
PAGE: Final = (210.0, 297.0)
_GAP: Final = 6.0
_COLUMN: Final = (PAGE[0] - 2 * MARGIN - _GAP) / 2
_LABEL: Final = 27.0
POINT_MM: Final = 25.4 / 72
# (name, style, file, number in the file).
Font = tuple[str, str, str, int]
# Charts beyond these would not leave room for words.
_CHARTS: Final = 2

INK, SOFT, RULE, _LIMIT = (22, 34, 42), (75, 91, 101), (190, 200, 206), (179, 19, 29)
_LINES: Final = ((11, 90, 107), (138, 75, 156))


class FontMissing(Exception):
    """A font is not installed; the message says which package brings it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the page says, in the reader's language. ``left_out``: what stands in place of limits that find no room."""

    language: str
    heading: str
    facts: Sequence[str]
    question: str
    parts: Sequence[Part]
    charts: Sequence[Chart]
    nothing: str
    limits_heading: str
    limits: Sequence[str]
    left_out: str
    cases_heading: str
    cases: Sequence[str]
    foot: str


def report(content: Content) -> bytes:
    """The PDF. FontMissing."""
    fonts = fonts_for(texts(content))
    with ready(FPDF(format="A4"), content.language, content.question, fonts) as pdf:
        add_page(pdf, content)
        return bytes(pdf.output())


def add_page(pdf: FPDF, content: Content) -> None:
    """The page, in a PDF that is ready for it."""
    for size in SIZES:
        trial = FPDF(format="A4")
        # To read a font takes longer than all the rest.
        trial.fonts.update(pdf.fonts)
        _prepare(trial)
        if _Sheet(trial, content, size, content.limits).fits:
            _Sheet(pdf, content, size, content.limits)
            return
    _Sheet(pdf, content, SIZES[-1], [content.left_out])


def _prepare(pdf: FPDF) -> None:
    pdf.set_auto_page_break(False)
    pdf.set_margin(MARGIN)
    pdf.c_margin = 0
    pdf.set_fallback_fonts([name for name in pdf.fonts if name == "east"], exact_match=False)


def fonts_for(said: Iterable[str]) -> list[Font]:
    """Those that this text needs. FontMissing."""
    wanted = [("latin", "", *REGULAR, 0), ("latin", "B", *BOLD, 0)]
    if any(letter >= _FIRST_EAST_ASIAN for text in said for letter in text):
        wanted.append(("east", "", *EAST_ASIAN, _SIMPLIFIED))
    for _, _, file, package, _ in wanted:
        if not Path(file).is_file():
            raise FontMissing(f"the report needs the font {file}; install the Debian package {package}")
    return [(name, style, file, number) for name, style, file, _, number in wanted]


@contextmanager
def ready(pdf: FPDF, language: str, title: str, fonts: Iterable[Font]) -> Iterator[FPDF]:
    """The PDF with language, title, margins and fonts, whose files are read as they are needed, and closed then."""
    pdf.set_lang(language)
    pdf.set_title(title)
    for name, style, file, number in fonts:
        pdf.add_font(name, style, file, collection_font_number=number)
    _prepare(pdf)
    try:
        yield pdf
    finally:
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()


def choose_font(pdf: FPDF, style: str, size: float) -> None:
    """What the next text is drawn with, written into the page at once.

    fpdf2 2.8.9 writes it with the first text. Where that begins in a fallback font, it does so within the text, forgets
    that this ends with it, and draws the next line with the letters of another font. Its public methods cannot help.
    """
    pdf.set_font("latin", style, size)
    if pdf.current_font is not None and not pdf.current_font_is_set_on_page:
        pdf._out(pdf._set_font_for_page(pdf.current_font, size))


def texts(content: Content) -> Iterable[str]:
    yield from (content.heading, content.question, content.nothing, content.foot, content.limits_heading)
    yield from (*content.facts, *content.limits, *content.cases)
    for part in content.parts:
        yield from (part.name, part.verdict, part.because, part.needed, *(line.label for line in part.lines))


class _Sheet:
    """The page at one size of letters."""

    def __init__(self, pdf: FPDF, content: Content, size: float, limits: Sequence[str]) -> None:
        self._pdf = pdf
        self._pdf.add_page()
        self._size = size
        self.fits = self._drawn(content, limits) <= PAGE[1] - MARGIN - 4

    def _drawn(self, content: Content, limits: Sequence[str]) -> float:
        """Where it ends."""
        wide = PAGE[0] - 2 * MARGIN
        y = self._text(content.heading, MARGIN, MARGIN, wide, size=self._size + 5, bold=True)
        for fact in content.facts:
            y = self._text(fact, MARGIN, y, wide)
        y = self._text(content.question, MARGIN, y + 2, wide, size=self._size + 2, bold=True)
        if not content.parts:
            y = self._text(content.nothing, MARGIN, y, wide)
        charts = content.charts[:_CHARTS]
        for row in range(0, len(content.parts), 2):
            ends = [y]
            for place, part in enumerate(content.parts[row : row + 2]):
                x = MARGIN + place * (_COLUMN + _GAP)
                end = self._part(part, x, y + 1)
                ends.append(self._chart(charts[row + place], x, end + 1) if row + place < len(charts) else end)
            y = max(ends)
        y = self._list(content.cases_heading, content.cases, y + 2)
        y = self._list(content.limits_heading, limits, y + 1)
        self._text(content.foot, MARGIN, PAGE[1] - MARGIN - 2, wide, size=6, colour=SOFT)
        return y

    def _part(self, part: Part, x: float, y: float) -> float:
        y = self._text(f"{part.name} ({part.unit}): {part.verdict}", x, y, _COLUMN, size=self._size + 1, bold=True)
        y = self._text(" ".join(filter(None, (part.because, part.missing, part.needed))), x, y, _COLUMN)
        for line in part.lines:
            y = self._line(line, x, y)
        return y

    def _line(self, line: Line, x: float, y: float) -> float:
        self._pdf.set_draw_color(*RULE)
        self._pdf.set_line_width(0.1)
        self._pdf.line(x, y + 0.4, x + _COLUMN, y + 0.4)
        label_ends = self._text(line.label, x, y + 0.6, _LABEL - 1, colour=SOFT)
        value_ends = self._text(line.value, x + _LABEL, y + 0.6, _COLUMN - _LABEL, bold=True)
        note = " ".join(filter(None, (line.note, f"[{line.source}]" if line.source else "")))
        if note:
            value_ends = self._text(note, x + _LABEL, value_ends, _COLUMN - _LABEL, size=self._size - 1.5, colour=SOFT)
        return max(label_ends, value_ends)

    def _list(self, heading: str, lines: Sequence[str], y: float) -> float:
        """In two columns, filled row by row."""
        y = self._text(heading, MARGIN, y, PAGE[0] - 2 * MARGIN, size=self._size + 1, bold=True)
        for row in range(0, len(lines), 2):
            y = max(
                self._text(text, MARGIN + place * (_COLUMN + _GAP), y, _COLUMN, size=self._size - 1)
                for place, text in enumerate(lines[row : row + 2])
            )
        return y

    def _text(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        *,
        size: float | None = None,
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
    ) -> float:
        """Lines of text from the top left at ``x``, ``y`` (mm); where they end."""
        choose_font(self._pdf, "B" if bold else "", size or self._size)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(x, y)
        self._pdf.multi_cell(width, (size or self._size) * POINT_MM * 1.22, text, align="L", new_x="LEFT", new_y="NEXT")
        end: float = self._pdf.get_y()
        return end

    # A chart ---------------------------------------------------------------------------------------------------------

    def _chart(self, chart: Chart, x: float, y: float) -> float:
        y = self._text(chart.said, x, y, _COLUMN, size=self._size - 0.5, bold=True)
        scale = _COLUMN / WIDTH
        place = _Place(x, y, scale)
        self._pdf.set_line_width(0.1)
        self._pdf.set_draw_color(*RULE)
        for tick in chart.y:
            self._pdf.line(*place(LEFT, tick.at), *place(RIGHT, tick.at))
            self._label(tick.label, place(0, tick.at - 5), (LEFT - 5) * scale, "R")
        for tick in chart.x:
            self._pdf.line(*place(tick.at, TOP), *place(tick.at, BOTTOM))
            self._label(tick.label, place(tick.at - 40, BOTTOM + 6), 80 * scale, "C")
        for series, colour in zip(chart.series, _LINES, strict=False):
            self._series(series, colour, place)
        self._pdf.set_draw_color(*_LIMIT)
        self._pdf.set_line_width(0.2)
        self._pdf.set_dash_pattern(dash=1.2, gap=0.8)
        for limit in chart.limits:
            self._pdf.line(*place(LEFT, limit.at), *place(RIGHT, limit.at))
        self._pdf.set_dash_pattern()
        for limit in chart.limits:
            at = place(RIGHT - 80, limit.at + (1 if limit.beneath else -12))
            self._label(limit.label, at, 78 * scale, "R", _LIMIT)
        for at_x, word in chart.off_scale:
            self._label(word, place(at_x - 20, TOP if word == "HI" else BOTTOM - 12), 40 * scale, "C", _LIMIT)
        if len(chart.series) > 1:
            names = "   ".join(f"{mark} {of.name}" for mark, of in zip("▲▼", chart.series, strict=False))
            self._label(names, place(0, BOTTOM + 17), _COLUMN, "C")
            return place(0, BOTTOM + 32)[1]
        return place(0, BOTTOM + 20)[1]

    def _series(self, series: Series, colour: tuple[int, int, int], place: "_Place") -> None:
        pale = tuple(round(255 - (255 - part) * 0.5) for part in colour)
        self._pdf.set_fill_color(*pale)
        r = MARK
        corners: Sequence[Point] = {
            "systolic": ((0, -r), (r, r), (-r, r)),
            "diastolic": ((0, r), (r, -r), (-r, -r)),
        }.get(series.measure.value, ((-r, -r), (r, -r), (r, r), (-r, r)))
        for x, y in series.marks:
            self._pdf.polygon([place(x + dx, y + dy) for dx, dy in corners], style="F")
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(0.45)
        for piece in series.line:
            if len(piece) == 1:
                [(x, y)] = piece
                self._pdf.line(*place(x - 3, y), *place(x + 3, y))
            else:
                self._pdf.polyline([place(x, y) for x, y in piece])

    def _label(self, text: str, at: Point, width: float, align: str, colour: tuple[int, int, int] = INK) -> None:
        choose_font(self._pdf, "", 6)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(*at)
        self._pdf.cell(width, 2.4, text, align=align)


@dataclass(frozen=True, slots=True)
class _Place:
    """From a chart's box to millimetres of the page."""

    x: float
    y: float
    scale: float

    def __call__(self, x: float, y: float) -> Point:
        return self.x + x * self.scale, self.y + y * self.scale
