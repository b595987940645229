"""The console leads from each of its pages to the manual's page about it, and serves the manual to everybody."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cloud.console import manual, pages
from cloud.console.headers import CONTENT_SECURITY_POLICY, SecurityHeaders
from cloud.console.shelf import Shelf
from cloud.language.languages import LANGUAGES
from tests.fix_console import Console

TEMPLATES = pages.HERE / "templates"
FRAMES = {"live_base.html"}
WHOLE = re.compile(r"\A\s*\{% extends \"(?:live_)?base\.html\" %\}")


def test_every_page_of_the_console_has_a_page_of_the_manual() -> None:
    whole = {path.name for path in TEMPLATES.glob("*.html") if WHOLE.match(path.read_text())} - FRAMES
    assert set(manual.PAGE_OF) == whole


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_leads_to_the_readers_page_about_what_is_shown(console: Console, language: str) -> None:
    console.ward.admin.execute("UPDATE account SET language = %s WHERE login = 'nora'", (language,))
    nora = console.sign_in("nora")
    for path, name in (("/worklist", "worklist"), ("/callers", "callers"), ("/nothing", "index")):
        assert f'href="/manual/{language}/{name}.html"' in nora.get(path).text
    asked = console.client().get(f"/login?language={language}").text
    assert f'href="/manual/{language}/sign-in.html"' in asked


def served(folder: Path) -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(SecurityHeaders)
    app.mount("/manual", Shelf(folder))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console", follow_redirects=True)


async def test_where_it_is_not_built_its_addresses_say_what_to_do(tmp_path: Path) -> None:
    async with served(tmp_path / "nothing") as client:
        for path in ("/manual/", "/manual/en/case.html"):
            answer = await client.get(path, headers={"Accept-Language": "ru"})
            assert answer.status_code == 404
            assert "Руководства здесь пока нет" in answer.text
            assert "make docs" in answer.text


async def test_where_it_is_built_it_is_served_to_everybody_under_the_policy_of_all_pages(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "index.html").write_text("<h1>Manual</h1>")
    async with served(tmp_path) as client:
        answer = await client.get("/manual/")
        assert (answer.url.path, answer.text) == ("/manual/en/index.html", "<h1>Manual</h1>")
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["cache-control"] == "no-cache"
        for path in ("/manual/en/nothing.html", "/manual/%2e%2e/%2e%2e/app.py"):
            assert (await client.get(path)).status_code == 404
