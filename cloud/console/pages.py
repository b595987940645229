"""Jinja: every page and fragment is rendered here, escaped, with the words of ``texts``."""

from pathlib import Path
from typing import Any, Final

from fastapi import Request, status
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.console import texts

HERE: Final = Path(__file__).parent


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    environment.filters.update(
        clock_offset=texts.clock_offset,
        days_left=texts.days_left,
        due=texts.due,
        duration=texts.duration,
        local=texts.local,
        numbers=texts.numbers,
        octets=texts.octets,
        subject=texts.subject,
        unit=texts.unit,
        word=texts.word,
    )
    environment.globals.update(texts=texts, figure=texts.figure, language="en")
    return environment


_ENVIRONMENT: Final = _environment()


def fragment(name: str, **context: Any) -> str:
    """The HTML of a part of a page."""
    return _ENVIRONMENT.get_template(name).render(**context)


def page(request: Request, name: str, *, status_code: int = status.HTTP_200_OK, **context: Any) -> HTMLResponse:
    """A whole page; ``session`` is whoever is signed in, or None."""
    session = getattr(request.state, "session", None)
    html = fragment(name, session=session, path=request.url.path, **context)
    return HTMLResponse(html, status_code)
