"""Every setting of the cloud that the source names stands in docs/settings.md, and the other way round."""

import re

from tests.house.project import PROJECT, sources

PAGE = (PROJECT / "docs" / "settings.md").read_text()
SETTING = re.compile(r"PULSEPOST_[A-Z][A-Z_]*[A-Z]")
# Written with an ellipsis: each has a page of its own.
FAMILIES = ("PULSEPOST_CRM", "PULSEPOST_NOTIFY", "PULSEPOST_OIDC")


def of_the_source() -> set[str]:
    return {name for path in sources("cloud") for name in SETTING.findall(path.read_text())}


def plain(names: set[str]) -> set[str]:
    return {name for name in names if not name.startswith(FAMILIES)}


def test_every_setting_stands_on_the_page() -> None:
    assert plain(of_the_source()) - set(SETTING.findall(PAGE)) == set()


def test_the_page_names_no_setting_that_nobody_reads() -> None:
    assert plain(set(SETTING.findall(PAGE))) - of_the_source() == set()


def test_a_family_of_settings_stands_with_its_page() -> None:
    for family in FAMILIES:
        assert re.search(rf"`{family}_\.\.\.`.*\]\(\w+\.md\)", PAGE), family
