"""Jinja: every page and fragment is rendered here, escaped, in the reader's language, with the words of ``texts``.

There is an environment for each language and choice of units, so that a macro needs to know nothing of the reader.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request, status
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from alerting.units import AS_MEASURED, Units
from cloud.console import manual
from cloud.console.edge import language_of
from cloud.console.spoken import spoken_in
from cloud.language.languages import LANGUAGES

HERE: Final = Path(__file__).parent


@cache
def _environment(language: str, units: Units) -> Environment:
    spoken = spoken_in(language, units)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(spoken.words, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.filters.update(spoken.filters())
    environment.tests["training"] = is_training
    environment.globals.update(
        texts=spoken,
        figure=spoken.figure,
        measured=spoken.measured,
        quantity=spoken.quantity,
        bounds=spoken.bounds,
        language=spoken.words.facts.tag,
        languages=[(code, facts.tag, facts.name) for code, facts in LANGUAGES.items()],
    )
    return environment


def is_training(name: str) -> bool:
    """Whether this name is a training patient's: the database gives the mark to all of them, and to nobody else."""
    return name.startswith("TRAINING ")


def _about_training(context: Mapping[str, Any]) -> bool:
    """Whether a page is about a training patient: whatever it is given of one has the patient's name."""
    of = [*context.values(), *(getattr(value, "patient", None) for value in context.values())]
    names = (getattr(value, field, None) for value in of for field in ("display_name", "patient_name"))
    return any(isinstance(name, str) and is_training(name) for name in names)


def fragment(name: str, *, language: str | None = None, **context: Any) -> str:
    """The HTML of a part of a page, in this language, else in that of the ``session`` that is given; in its units."""
    session = context.get("session")
    if language is None:
        language = context["session"].language
    units = session.units if session is not None else AS_MEASURED
    return _environment(language, units).get_template(name).render(**context)


def page(request: Request, name: str, *, status_code: int | None = None, **context: Any) -> HTMLResponse:
    """A whole page; ``session`` is whoever is signed in, or None.

    Without a status it is 422 where ``refused`` says what is wrong with a form, and 200 elsewhere.
    """
    if status_code is None:
        status_code = status.HTTP_422_UNPROCESSABLE_CONTENT if context.get("refused") else status.HTTP_200_OK
    session = getattr(request.state, "session", None)
    language = language_of(request)
    path = request.url.path
    # Only what is asked for with GET can be asked for again in another language.
    back = path if request.method == "GET" and status_code == status.HTTP_200_OK else "/"
    # What stands above each page, and whose patients are open by break-glass: not everything is for an emergency.
    context |= {name: getattr(request.state, name, ()) for name in ("glass", "opened", "crm_down", "telephone")}
    known = {"session": session, "path": path, "back": back, "manual_page": manual.address(name, language)}
    html = fragment(name, language=language, about_training=_about_training(context), **known, **context)
    return HTMLResponse(html, status_code, headers={"Content-Language": LANGUAGES[language].tag})
