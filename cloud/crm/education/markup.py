"""How an article is laid out: a few signs at the beginning of lines, as in Markdown. Pure; it knows no HTML.

    ## A heading
    - a point of a list           1. a step of a list
    **important** within a line   an empty line between paragraphs

What it gives are pieces of plain text, which the page writes escaped: no text can bring markup of its own, nor a link.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

_POINT: Final = re.compile(r"[-*•]\s+(.+)")
_STEP: Final = re.compile(r"\d{1,2}[.)]\s+(.+)")
_HEADING: Final = re.compile(r"#{1,4}\s+(.+)")
_STRONG: Final = re.compile(r"\*\*(.+?)\*\*")


class Piece(NamedTuple):
    """Plain text, and whether it stands out."""

    text: str
    is_strong: bool


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    POINTS = "points"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Block:
    """``lines``: of a list its items, of a heading and a paragraph one."""

    kind: BlockKind
    lines: Sequence[Sequence[Piece]]


def blocks(text: str) -> Sequence[Block]:
    """The text, laid out. Total: whatever is no sign of ours is text."""
    found: list[tuple[BlockKind, list[str]]] = []
    is_open = False
    for raw in text.splitlines():
        line = raw.strip()
        if not line:
            is_open = False
            continue
        kind, said = _read(line)
        if is_open and found and found[-1][0] is kind and kind is not BlockKind.HEADING:
            _join(found[-1], said)
        elif is_open and kind is BlockKind.PARAGRAPH and found and found[-1][0] in (BlockKind.POINTS, BlockKind.STEPS):
            # A long item that goes on in the next line.
            found[-1][1][-1] += f" {said}"
        else:
            found.append((kind, [said]))
        is_open = kind is not BlockKind.HEADING
    return [Block(kind, [list(_pieces(line)) for line in lines]) for kind, lines in found]


def _read(line: str) -> tuple[BlockKind, str]:
    for kind, sign in ((BlockKind.HEADING, _HEADING), (BlockKind.POINTS, _POINT), (BlockKind.STEPS, _STEP)):
        if (match := sign.fullmatch(line)) is not None:
            return kind, match[1].strip()
    return BlockKind.PARAGRAPH, line


def _join(block: tuple[BlockKind, list[str]], said: str) -> None:
    kind, lines = block
    if kind is BlockKind.PARAGRAPH:
        lines[-1] += f" {said}"
    else:
        lines.append(said)


def _pieces(line: str) -> Iterator[Piece]:
    for n, part in enumerate(_STRONG.split(line)):
        if part:
            yield Piece(part, n % 2 == 1)
