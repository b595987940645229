"""Serving the manual under /manual/ as ``make docs`` built it: for everybody, signed in or not, as it holds no data.

Where it has not been built, each of its addresses says so, and what to do.
"""

from pathlib import Path
from typing import Final

from fastapi import Request, Response, status
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from cloud.console import manual
from cloud.console.edge import language_of
from cloud.console.pages import page

ROOT: Final = frozenset({"", "."})


class Shelf(StaticFiles):
    """The built manual's files."""

    def __init__(self, folder: Path = manual.BUILT) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.folder = folder

    async def check_config(self) -> None:
        """A folder that is not there is no error of ours: each answer says what to do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not manual.is_built(self.folder):
            return page(Request(scope), "no_manual.html", status_code=status.HTTP_404_NOT_FOUND)
        if path in ROOT:
            return RedirectResponse(f"{manual.PREFIX}{language_of(Request(scope))}/{manual.FIRST}.html")
        return await super().get_response(path, scope)
