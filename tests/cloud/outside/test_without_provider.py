"""Where no provider is configured there is nothing of it."""

from tests.fix_console import Console


def test_without_a_provider_there_is_no_way_from_outside(console: Console) -> None:
    client = console.client()
    assert "/login/outside" not in client.get("/login").text
    for path in ("/login/outside", "/login/outside/back?code=1&state=2"):
        assert client.get(path).headers["location"] == "/login"
    adam = console.sign_in("adam")
    assert adam.post(f"/accounts/{console.accounts['nora']}/identity", {"subject": "1"}).status_code == 404
