"""The README cannot say more about devices than the profiles do."""

from __future__ import annotations

from firmware_profiles.catalogue import catalogue
from firmware_profiles.table import support_table, with_table
from tests.house.project import PROJECT

README = (PROJECT / "README.md").read_text()


def test_the_support_table_in_the_readme_is_the_generated_one() -> None:
    assert with_table(README, support_table(catalogue())) == README, "run: python -m firmware_profiles readme"
