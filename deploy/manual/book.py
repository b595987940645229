"""The whole manual: which pages there are, that each is reached and each language has it, and writing them down."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cloud.console.manual import FIRST, PAGE_OF
from cloud.language.languages import ENGLISH, LANGUAGES
from cloud.language.words import words_of
from deploy.catalogues import extracted
from deploy.manual.errors import Unsound
from deploy.manual.pages import Page, Shelfmark, operator_page, read
from deploy.manual.texts import AROUND

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parents[1] / "docs"
SOURCE: Final = DOCS / "manual"
SHEET: Final = "manual.css"
# The page that leads to docs/*.md, which are in English.
OPERATOR: Final = "operator"


@dataclass(frozen=True)
class Book:
    """A manual without faults: language → name → page."""

    pages: Mapping[str, Mapping[str, Page]]
    operator: Mapping[str, Page]
    pictures: Mapping[str, Mapping[str, Path]]


def bound(source: Path, pictures: Path) -> Book:
    """Read all of it. Unsound with everything that is wrong: a picture that no journey took, a link that leads nowhere,
    a page that one language lacks, that the first page does not lead to, or that the console wants and nobody wrote.
    """
    names = sorted({path.stem for path in source.glob("*/*.md")})
    taken = {code: {path.stem: path for path in (pictures / code).glob("*.png")} for code in LANGUAGES}
    docs = sorted(path.name for path in DOCS.glob("*.md"))
    pages: dict[str, dict[str, Page]] = {}
    faults = [f"the console wants the page {name}" for name in sorted(set(PAGE_OF.values()) - set(names))]
    for code in LANGUAGES:
        known = Shelfmark(words_of(code), names, _messages(), taken[code], docs)
        there = {path.stem: path for path in sorted((source / code).glob("*.md"))}
        faults += [f"{code}/{name}: is not written" for name in names if name not in there]
        pages[code] = {name: read(name, path.read_text(), known) for name, path in there.items()}
        faults += [f"{code}/{fault}" for page in pages[code].values() for fault in page.faults]
        faults += [f"{code}/{FIRST}: does not lead to {name}" for name in _unreached(pages[code])]
        led_to = pages[code][OPERATOR].docs if OPERATOR in pages[code] else ()
        faults += [f"{code}/{OPERATOR}: does not lead to docs/{name}" for name in docs if name not in led_to]
    faults += _different(pages)
    if faults:
        raise Unsound(faults)
    return Book(pages, {name: operator_page(name, (DOCS / name).read_text(), docs) for name in docs}, taken)


@cache
def _messages() -> frozenset[str]:
    """What the console says, in English."""
    ids = (message.id for message in extracted() if message.id)
    return frozenset(each for found in ids for each in ([found] if isinstance(found, str) else found))


def _unreached(pages: Mapping[str, Page]) -> Sequence[str]:
    first = pages.get(FIRST)
    linked = {name for name, _ in first.links} if first else set()
    return [name for name in pages if name not in linked and name != FIRST]


def _different(pages: Mapping[str, Mapping[str, Page]]) -> list[str]:
    """A translation shows the same pictures as the English page."""
    return [
        f"{code}/{name}: shows {page.pictures}, the English page {pages[ENGLISH][name].pictures}"
        for code, of in pages.items()
        for name, page in of.items()
        if name in pages[ENGLISH] and page.pictures != pages[ENGLISH][name].pictures
    ]


def write(book: Book, folder: Path) -> None:
    """Put the whole manual into this folder, which is emptied first."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    shutil.copyfile(HERE / SHEET, folder / SHEET)
    for code, pages in book.pages.items():
        (folder / code / "pictures").mkdir(parents=True)
        for name, page in pages.items():
            (folder / code / f"{name}.html").write_text(_leaf(code, page, name))
            for picture in page.pictures:
                shutil.copyfile(book.pictures[code][picture], folder / code / "pictures" / f"{picture}.png")
    (folder / "operator").mkdir()
    for name, page in book.operator.items():
        (folder / "operator" / f"{Path(name).stem}.html").write_text(_leaf(ENGLISH, page, None))


def _leaf(code: str, page: Page, name: str | None) -> str:
    """``name`` is that of the same page in the other languages; None for one that is in English alone."""
    return _environment().get_template("page.html").render(
        page=page,
        body=Markup(page.html),  # noqa: S704 -- of markdown-it with HTML switched off
        around=AROUND[code],
        tag=LANGUAGES[code].tag,
        first=f"../{code}/{FIRST}.html",
        languages=[
            (facts.tag, facts.name, f"../{other}/{name or OPERATOR}.html", other == code)
            for other, facts in LANGUAGES.items()
        ],
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
