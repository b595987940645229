"""Telephone numbers in the ways in which people write and read them."""

import pytest

from cloud.contacts.numbers import candidates, e164, region_of, said


@pytest.mark.parametrize(
    "typed", ["+45 20 12 34 56", "+4520123456", "0045 20123456", "20 12 34 56", "(+45) 2012-3456", "tel:+4520123456"]
)
def test_a_number_is_the_same_in_every_usual_way_of_writing(typed: str) -> None:
    assert e164(typed, "DK") == "+4520123456"


@pytest.mark.parametrize("typed", ["", "112", "call me", "+45 1", "0" * 50, "twenty"])
def test_what_is_no_number_is_none(typed: str) -> None:
    assert e164(typed, "DK") is None


def test_without_a_country_only_a_whole_number_is_one() -> None:
    assert e164("20 12 34 56", None) is None
    assert candidates("20 12 34 56", ["DK", None, "DK"]) == ["+4520123456"]
    assert len(candidates("0301234567", ["DE", "GB"])) == 2


def test_a_zone_has_its_country_and_utc_has_none() -> None:
    assert (region_of("Europe/Copenhagen"), region_of("Asia/Shanghai"), region_of("UTC")) == ("DK", "CN", None)


def test_a_number_is_read_in_groups_and_what_is_none_as_it_is() -> None:
    assert (said("+4520123456"), said("nonsense")) == ("+45 20 12 34 56", "nonsense")
