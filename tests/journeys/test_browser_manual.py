"""The manual in a browser, under the policy of all pages: axe has nothing to object to, and nothing sticks out."""

import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from cloud.console.headers import SecurityHeaders
from cloud.console.shelf import Shelf
from tests.deploy.manual.made import built_manual
from tests.fix_browser import DESKTOP, PHONE
from tests.journeys.objecting import misfits, objections, resize

START_WITHIN_S = 20


class Saying(uvicorn.Server):
    """Says where it serves."""

    def __init__(self, config: uvicorn.Config, ready: queue.SimpleQueue[str]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.put("http://{}:{}".format(*self.servers[0].sockets[0].getsockname()[:2]))


@pytest.fixture
def manual(tmp_path: Path) -> Iterator[str]:
    """The address of the built manual, with grey pictures."""
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    app.mount("/manual", Shelf(built_manual(tmp_path)))
    ready: queue.SimpleQueue[str] = queue.SimpleQueue()
    serving = Saying(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None), ready)
    thread = threading.Thread(target=serving.run, name="manual")
    thread.start()
    try:
        yield ready.get(timeout=START_WITHIN_S)
    finally:
        serving.should_exit = True
        thread.join(START_WITHIN_S)


def test_the_manual_has_nothing_that_axe_objects_to(manual: str, page: Page) -> None:
    said = []
    for path in ("en/index", "ru/worklist", "zh/case", "en/my-readings", "operator/settings", "operator/alerting"):
        resize(page, DESKTOP)
        page.goto(f"{manual}/manual/{path}.html")
        said += [f"{path}: {each}" for each in [*objections(page), *misfits(page)]]
        resize(page, PHONE)
        said += [f"{path} on a phone: {each}" for each in misfits(page)]
    assert said == []


def test_a_reader_goes_from_the_first_page_to_the_same_page_in_another_language(manual: str, page: Page) -> None:
    page.goto(f"{manual}/manual/")
    page.get_by_role("link", name="One case").click()
    expect(page.locator("h1")).to_have_text(re.compile("^One case"))
    page.get_by_role("link", name="Русский").click()
    expect(page.locator("h1")).to_have_text(re.compile("^Один случай"))
    assert page.locator("img").first.evaluate("picture => picture.decode().then(() => picture.naturalWidth)") > 0
