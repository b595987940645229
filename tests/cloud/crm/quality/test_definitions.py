"""Checklists as data: a version is never changed, and a broken one is refused."""

from datetime import date, timedelta

import pytest

from cloud.crm.quality.definitions import FOLDER, BadChecklist, all_versions, parse, texts, used_on, version_of
from cloud.crm.quality.models import Stratum

GOOD = (FOLDER / "case_1.toml").read_text(encoding="utf-8")


def test_the_checklist_is_a_proposal_with_a_source_for_each_item() -> None:
    for checklist in all_versions():
        assert checklist.signed_by is None
        assert all(item.source for item in checklist.items)
        for stratum in Stratum:
            assert checklist.items_of(stratum)
    assert set(texts()) >= {item.text for item in version_of(1).items}


def test_the_newest_one_of_the_day_is_used() -> None:
    newest = all_versions()[-1]
    assert used_on(newest.since) is newest
    assert used_on(all_versions()[0].since - timedelta(days=400)) is all_versions()[0]
    assert used_on(date(2199, 1, 1)) is newest
    with pytest.raises(LookupError):
        version_of(99)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "identity"', 'id = "script"', "two items of one id"),
        ('of = "automatic"', 'of = "person"', "none for some cases"),
        ('of = "automatic"', 'of = "porter"', "of the wrong kind"),
        ("version = 1", "", "missing"),
        ("version = 1", "version = 1\ncolour = 1", "unknown: colour"),
        ("since = 2026-11-01", 'since = "soon"', "is no day"),
        ('source = "Proposal of this project."', "", "closed_explained"),
    ],
)
def test_a_checklist_that_cannot_be_audited_with_is_refused(old: str, new: str, said: str) -> None:
    assert parse(GOOD)
    assert old in GOOD
    with pytest.raises(BadChecklist, match=said):
        parse(GOOD.replace(old, new))
