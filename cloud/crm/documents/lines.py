"""Text into lines that fit, in languages with and without spaces between words. Pure.

Chinese may be parted between any two characters, but not before what closes and not behind what opens. A word that is
longer than a line is parted where the line is full: a name is never cut off.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

_OPENS: Final = "（《「『【〔“‘(["
_CLOSES: Final = "，。、；：？！）》」』】〕”’,.;:?!)]%…"
# From here on are the characters that are words by themselves.
_FIRST_EAST_ASIAN: Final = "⺀"
_WORD: Final = re.compile(r"\s+|[^\s⺀-\U0003ffff]+|[⺀-\U0003ffff]")


def lines(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of a text, at least one; ``measure`` says how wide a letter is, in the unit of ``width``."""
    found = [""]
    wide = 0.0
    for piece in _pieces(text):
        piece_wide = sum(map(measure, piece))
        if wide + piece_wide <= width:
            found[-1] += piece
            wide += piece_wide
        elif piece.isspace():
            found.append("")
            wide = 0.0
        elif piece_wide <= width:
            found.append(piece)
            wide = piece_wide
        else:
            wide = _letter_by_letter(piece, width, wide, measure, found)
    return [line.rstrip() for line in found if line.strip()] or [""]


def _letter_by_letter(
    piece: str, width: float, wide: float, measure: Callable[[str], float], found: list[str]
) -> float:
    """Fill the lines with what fits into none of them; how wide the last one is."""
    for letter in piece:
        letter_wide = measure(letter)
        if wide + letter_wide > width and found[-1]:
            found.append("")
            wide = 0.0
        found[-1] += letter
        wide += letter_wide
    return wide


def _pieces(text: str) -> Iterator[str]:
    """What is never parted, and the spaces in between."""
    held = ""
    for piece in _WORD.findall(text):
        if held and piece.isspace():
            yield held
            held = ""
            yield " "
        elif not held:
            if piece.isspace():
                yield " "
            else:
                held = piece
        elif piece[0] in _CLOSES or held[-1] in _OPENS:
            held += piece
        else:
            yield held
            held = piece
    if held:
        yield held
