"""Every page that there is, for each of the roles, in every language: none shows English in another."""

import pytest

from cloud.language.languages import LANGUAGES
from device_drivers.readings import QuantityState
from tests.cloud.console.test_every_route import routes
from tests.cloud.language.english import english_in, read
from tests.cloud.made import GATEWAY, Ward, glucose, pressure, sent
from tests.fix_console import Console


def pages(ward: Ward) -> list[str]:
    """Paths that need no id, and one of each that does."""
    [(case_id,)] = ward.rows("SELECT case_id FROM alert_case ORDER BY opened_at, case_id LIMIT 1")
    given = {"{patient_id}": str(ward.patient_id), "{case_id}": str(case_id), "{gateway_id}": GATEWAY}
    paths = {path for method, path in routes() if method == "GET"}
    for place, value in given.items():
        paths = {path.replace(place, value) for path in paths}
    return [*sorted(path for path in paths if "{" not in path and not path.startswith("/live")), "/nothing"]


def test_english_on_a_page_would_be_found() -> None:
    page = (
        '<html lang="ru"><p title="Worklist">Sign in <b lang="en">Patients</b></p><br><code>Login</code> Гость</html>'
    )
    assert english_in(read(page), "ru") == {"Worklist", "Sign in"}


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_no_page_of_any_role_shows_english_in_another_language(console: Console, ward: Ward, language: str) -> None:
    ward.receive(sent(glucose("39"), glucose(None, state=QuantityState.ABOVE_RANGE)), sent(pressure("212", "118")))
    ward.admin.execute("UPDATE account SET language = %s", (language,))
    left, shown = {}, 0
    for login in ("nora", "ada", "sam", "asta", "carl"):
        person = console.sign_in(login)
        for path in pages(ward):
            answer = person.get(path)
            if "text/html" not in answer.headers.get("content-type", ""):
                continue
            shown += answer.status_code == 200
            if "<html" in answer.text:
                assert f'<html lang="{LANGUAGES[language].tag}">' in answer.text, path
            if found := english_in(read(answer.text), language):
                left[f"{login} {path}"] = found
    assert left == {}
    assert shown >= 20
