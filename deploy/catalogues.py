"""`python -m deploy.catalogues`: brings the catalogues up to date with the messages in the source, and says what lacks.

New messages come in empty, messages that nothing says any more go. A translator fills in what is empty, by hand or with
an editor for .po files; nothing is compiled. Ends with 1 while something lacks. docs/translations.md tells more.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from cloud.admission import forms
from cloud.crm.followups import templates
from cloud.crm.quality import definitions as checklists
from cloud.crm.questionnaires import definitions
from cloud.crm.surveys import definitions as surveys
from cloud.language.languages import ENGLISH, LANGUAGES
from cloud.language.words import catalogue
from cloud.stock import makes
from cloud.triage.scripts import all_versions, texts

PROJECT: Final = Path(__file__).resolve().parents[1]
# What marks a message, and which arguments are one. ``Source`` and ``_said``: what a limit rests on is read, too.
KEYWORDS: Final[Mapping[str, Any]] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "said": None,
    "said_of": (1, 2),
    "Source": None,
    "_said": None,
}
TABLES: Final = PROJECT / "cloud" / "console" / "texts.py"
TEMPLATES: Final = PROJECT / "cloud" / "console" / "templates"
FLOORS: Final = ("alerting", "cloud")
LINE_LENGTH: Final = 110


def extracted() -> Catalog:
    """Every message of the sentences, the templates and the console's tables."""
    found = Catalog(project="Pulsepost", copyright_holder="the authors of Pulsepost")
    for script in all_versions():
        for text in texts(script):
            found.add(text, locations=[(f"cloud/triage/scripts/{script.script_id}.toml", None)])  # type: ignore[list-item]  # no line
    for name, text in forms.texts():
        found.add(text, locations=[(name, None)])  # type: ignore[list-item]  # no line
    for place, said in (
        ("cloud/crm/questionnaires/forms", definitions.texts()),
        ("cloud/crm/surveys/forms", surveys.texts()),
        ("cloud/crm/quality/checklists", checklists.texts()),
        ("cloud/crm/followups/plans", templates.texts()),
        ("firmware_profiles/profiles", makes.texts()),
    ):
        for text in said:
            found.add(text, locations=[(place, None)])  # type: ignore[list-item]  # no line
    for path in _sources():
        for _line, message, _comments, _context in _messages_of(path):
            found.add(message, locations=[(str(path.relative_to(PROJECT)), None)])  # type: ignore[list-item]  # no line
    return found


def brought_up_to_date(code: str) -> Catalog:
    """The language's catalogue with exactly the messages that there are; nothing is guessed from similar ones."""
    path = catalogue(code)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=LANGUAGES[code].locale)
    else:
        known = Catalog(locale=LANGUAGES[code].locale, project="Pulsepost")
    created = known.creation_date
    known.update(extracted(), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.creation_date = created
    return known


def lacking(messages: Catalog) -> list[Message]:
    """Messages without a translation, or with one that somebody has yet to look at."""
    return [message for message in messages if message.id and (message.fuzzy or not _is_translated(message))]


def _is_translated(message: Message) -> bool:
    forms = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return all(forms)


def _write(code: str, messages: Catalog) -> None:
    path = catalogue(code)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, messages, width=LINE_LENGTH, sort_output=True, include_lineno=False)


def _sources() -> list[Path]:
    python = [path for floor in FLOORS for path in (PROJECT / floor).rglob("*.py") if "node_modules" not in path.parts]
    return sorted([*python, *TEMPLATES.rglob("*.html")])


def _messages_of(path: Path) -> Iterator[Any]:
    if path == TABLES:
        method: Any = _table_values
    else:
        method = "jinja2" if path.suffix == ".html" else "python"
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false", "encoding": "utf-8"}
    yield from extract_from_file(method, path, keywords=KEYWORDS, options=options)


def _table_values(
    file: IO[bytes],
    _keywords: object,
    _comment_tags: object,
    options: Mapping[str, str],  # noqa: ARG001  (Babel passes it)
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Every value of every table of the module: a Babel extraction method."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Dict):
            for value in node.values:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.lineno, "gettext", value.value, []


def main() -> int:
    """Write both catalogues; the messages that lack a translation, one a line."""
    complete = True
    for code in LANGUAGES:
        if code == ENGLISH:
            continue
        messages = brought_up_to_date(code)
        _write(code, messages)
        lacks = lacking(messages)
        complete = complete and not lacks
        print(f"{catalogue(code).relative_to(PROJECT)}: {len(messages)} messages, {len(lacks)} lack a translation")
        for message in lacks:
            print(f"  {message.id!r}")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
