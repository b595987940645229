"""Articles of the library, and who works on it, for its tests."""

from urllib.parse import urlencode

from tests.cloud.made import NOW
from tests.fix_console import Console

LANGUAGES = ("en", "ru", "zh")
REVIEW = {"review_on": "2027-11-21"}


def typed(name: str = "salt", *, body: str = "Less **salt**.", link: str = "") -> dict[str, str]:
    """An article as a nurse types it."""
    return {
        "name": name,
        "topic": "food",
        "condition": "hypertension",
        "link": link,
        "sources": "WHO: salt reduction",
        **{f"title_{code}": f"Salt {code}" for code in LANGUAGES},
        **{f"body_{code}": body for code in LANGUAGES},
    }


def written(console: Console, name: str = "salt", login: str = "nora", **more: str) -> str:
    """A draft; its id."""
    answer = console.sign_in(login).post("/library", typed(name, **more))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def approved(console: Console, name: str = "salt", **more: str) -> str:
    """One that a doctor has approved; its id."""
    article_id = written(console, name, **more)
    assert console.sign_in("ada").post(f"/library/{article_id}/approve", REVIEW).status_code == 303
    return article_id


def largest() -> int:
    """How many octets an article of full length takes in a form, in the dearest letters."""
    return len(urlencode({**typed(body="盐" * 3000), "title_en": "盐" * 120}))


__all__ = ("NOW", "REVIEW", "approved", "largest", "typed", "written")
