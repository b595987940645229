"""Which language a reader gets, and how English that is left on a page is found (``test_browser_axe`` looks for it)."""

import pytest
from playwright.sync_api import Page, expect

from cloud.language.languages import LANGUAGES
from tests.cloud.language.english import english_in
from tests.cloud.made import Ward
from tests.fix_console import PASSWORD, Console, csrf_token_in

# Everything that is read: texts, and what screen readers and empty fields say.
READ = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const place = walker.currentNode.parentElement;
        if (!place.closest("script, style, pre, code, [lang]:not(html)")) found.push(walker.currentNode.textContent);
    }
    for (const place of document.querySelectorAll("[aria-label], [placeholder], [title], [data-label]"))
        for (const name of ["aria-label", "placeholder", "title", "data-label"])
            if (place.hasAttribute(name) && !place.closest("[lang]:not(html)")) found.push(place.getAttribute(name));
    for (const place of document.querySelectorAll("[data-words], [data-spans]"))
        for (const name of ["words", "spans"])
            if (place.dataset[name]) found.push(...Object.values(JSON.parse(place.dataset[name])));
    return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""


def assert_no_english(page: Page, language: str) -> None:
    expect(page.locator("html")).to_have_attribute("lang", LANGUAGES[language].tag)
    page.wait_for_load_state()
    assert english_in(page.evaluate(READ), language) == set(), page.url


def test_english_would_be_found(console: Console, page: Page) -> None:
    page.goto(f"{console.url}/login")
    for language in ("ru", "zh"):
        assert {"Sign in", "Login", "Password", "Skip to content"} <= english_in(page.evaluate(READ), language)


def test_a_choice_holds_wherever_the_person_signs_in(console: Console) -> None:
    nora = console.sign_in("nora")
    assert '<html lang="en">' in nora.get("/worklist").text
    answer = nora.client.post(
        "/language", data={"csrf_token": nora.csrf_token(), "language": "ru", "back": "/patients"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/patients")
    elsewhere = console.sign_in("nora").get("/worklist")
    assert '<html lang="ru">' in elsewhere.text
    assert elsewhere.headers["content-language"] == "ru"


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "", "x"])
def test_a_choice_leads_nowhere_else(console: Console, back: str) -> None:
    nora = console.sign_in("nora")
    answer = nora.client.post("/language", data={"csrf_token": nora.csrf_token(), "language": "zh", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_language_that_we_do_not_speak_is_not_found(console: Console) -> None:
    nora = console.sign_in("nora")
    answer = nora.client.post("/language", data={"csrf_token": nora.csrf_token(), "language": "de", "back": "/"})
    assert answer.status_code == 404
    assert '<html lang="en">' in nora.get("/worklist").text


def test_whoever_has_not_chosen_reads_what_their_browser_asks_for(console: Console, ward: Ward) -> None:
    client = console.client()
    page = client.get("/login", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert '<html lang="zh-Hans">' in page.text
    nora = console.sign_in("nora")
    assert "工作清单" in nora.get("/worklist", headers={"Accept-Language": "zh-CN"}).text
    assert ward.rows("SELECT language FROM account WHERE login = 'nora'") == [(None,)]


def test_the_choice_on_the_sign_in_page_is_kept_with_the_account(console: Console, ward: Ward) -> None:
    client = console.client()
    page = client.get("/login", params={"language": "ru"}).text
    assert '<input type="hidden" name="language" value="ru">' in page
    form = {"login": "nora", "password": PASSWORD, "csrf_token": csrf_token_in(page), "language": "ru"}
    assert client.post("/login", data=form).status_code == 303
    assert ward.rows("SELECT language FROM account WHERE login = 'nora'") == [("ru",)]


def test_the_next_person_at_a_screen_does_not_inherit_a_language(console: Console, ward: Ward) -> None:
    ward.admin.execute("UPDATE account SET language = 'zh' WHERE login = 'ben'")
    client = console.client()
    for login, chosen, tag in (("nora", "ru", "ru"), ("ben", "", "zh-Hans"), ("ada", "", "en"), ("nora", "", "ru")):
        page = client.get("/login", params={"language": chosen}).text
        form = {"login": login, "password": PASSWORD, "csrf_token": csrf_token_in(page), "language": chosen}
        assert client.post("/login", data=form).status_code == 303
        assert f'<html lang="{tag}">' in client.get("/patients").text, login
