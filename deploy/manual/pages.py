"""One page of the manual: Markdown in, HTML out, and what is wrong with it.

Beside Markdown (CommonMark with tables, no HTML) a page may have

- ``[[Acknowledge]]``: a word of the console, shown as the reader's console shows it; one that no page has is a fault,
- ``![what is seen](picture:worklist)``: a picture that a journey takes, in the page's language,
- ``[the case](case.md#part-2)``: another page of this language, and the second of its headings,
- ``[settings](operator:settings.md)``: one of docs/*.md.
"""

import re
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from cloud.language.words import Words

PICTURE: Final = "picture:"
OPERATOR: Final = "operator:"
WORD: Final = re.compile(r"\[\[(.+?)\]\]")
PNG_SIZE: Final = slice(16, 24)


@dataclass
class Page:
    """What a page is made of: ``links`` to pages of the manual and their parts, ``docs`` of docs/*.md, ``pictures``."""

    name: str
    title: str
    html: str
    links: list[tuple[str, str]] = field(default_factory=list)
    docs: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Shelfmark:
    """What a page may name. ``messages``: all of the console; ``pictures``: name → file."""

    words: Words
    pages: Collection[str]
    messages: Collection[str]
    pictures: Mapping[str, Path]
    operator: Collection[str]


def parser() -> MarkdownIt:
    """CommonMark with tables, which scroll by themselves where the screen is narrow, by keyboard, too."""
    ours = MarkdownIt("commonmark", {"html": False}).enable("table")
    ours.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0">\n<table>\n')
    ours.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return ours


def read(name: str, source: str, known: Shelfmark) -> Page:
    """The page of this name; its faults are in it, for all to be said at once."""
    page = Page(name, "", "")
    ours = parser()
    ours.inline.ruler.before("link", "word_of_the_console", _word)
    tokens = ours.parse(source, {"known": known, "page": page})
    page.title = _title(tokens, page)
    for token in tokens:
        if token.type == "inline":
            _resolve(token.children or [], known, page)
    _number_headings(tokens)
    page.html = ours.renderer.render(tokens, ours.options, {})
    return page


def _word(state: StateInline, silent: bool) -> bool:
    """A rule of the parser: ``[[Acknowledge]]`` becomes what the reader's console says, in bold."""
    found = WORD.match(state.src, state.pos)
    if found is None:
        return False
    known: Shelfmark = state.env["known"]
    page: Page = state.env["page"]
    if not silent:
        if found[1] not in known.messages:
            page.faults.append(f"{page.name}: the console says nowhere {found[1]!r}")
        state.push("strong_open", "strong", 1)
        state.push("text", "", 0).content = known.words.gettext(found[1])
        state.push("strong_close", "strong", -1)
    state.pos = found.end()
    return True


def _title(tokens: Sequence[Token], page: Page) -> str:
    if len(tokens) < 2 or (tokens[0].type, tokens[0].tag) != ("heading_open", "h1"):
        page.faults.append(f"{page.name}: does not begin with a heading (# …)")
        return page.name
    return tokens[1].content


def _resolve(children: Sequence[Token], known: Shelfmark, page: Page) -> None:
    for token in children:
        if token.type == "link_open":
            said = str(token.attrs["href"])
            token.attrs["href"] = _link(said, known, page)
        elif token.type == "image":
            _picture(token, known, page)


def _link(said: str, known: Shelfmark, page: Page) -> str:
    if said.startswith(OPERATOR):
        target = said.removeprefix(OPERATOR)
        if target not in known.operator:
            page.faults.append(f"{page.name}: no docs/{target}")
        page.docs.append(target)
        return f"../operator/{target.removesuffix('.md')}.html"
    target, mark, part = said.partition("#")
    if not target:
        return said
    name = target.removesuffix(".md")
    if not target.endswith(".md") or name not in known.pages:
        page.faults.append(f"{page.name}: no page {said}")
    page.links.append((name, part))
    return f"{name}.html{mark}{part}"


def _picture(token: Token, known: Shelfmark, page: Page) -> None:
    said = str(token.attrs["src"])
    name = said.removeprefix(PICTURE)
    if not said.startswith(PICTURE) or name not in known.pictures:
        page.faults.append(f"{page.name}: no journey took the picture {said}")
        return
    if not token.content.strip():
        page.faults.append(f"{page.name}: {said} has no words for who does not see it")
    width, height = struct.unpack(">II", known.pictures[name].read_bytes()[PNG_SIZE])
    page.pictures.append(name)
    token.attrs = {
        "src": f"pictures/{name}.png",
        "alt": "",
        "width": str(width),
        "height": str(height),
        "loading": "lazy",
        "class": "phone" if name.endswith("-phone") else "screen",
    }


def _number_headings(tokens: Sequence[Token]) -> None:
    """``part-1`` and so on: the same in every language."""
    number = 0
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            number += 1
            token.attrs["id"] = f"part-{number}"


def operator_page(name: str, source: str, docs: Collection[str]) -> Page:
    """One of docs/*.md: links to its neighbours stay, those to other files of the project become text."""
    page = Page(name, "", "")
    ours = parser()
    tokens = ours.parse(source)
    page.title = _title(tokens, page)
    for token in tokens:
        if token.type == "inline":
            token.children = [_neighbour(child, docs) for child in token.children or [] if child.type != "image"]
    page.html = ours.renderer.render(tokens, ours.options, {})
    return page


def _neighbour(token: Token, docs: Collection[str]) -> Token:
    if token.type == "link_open":
        target, mark, part = str(token.attrs["href"]).partition("#")
        if "://" in target:
            return token
        if target in docs:
            token.attrs["href"] = f"{target.removesuffix('.md')}.html{mark}{part}"
        else:
            token.attrs = {"class": "elsewhere", "title": escape(target)}
    return token
