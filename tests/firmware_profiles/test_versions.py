import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_profiles.versions import InvalidRange, parse_range, parse_version


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("*", ["1.0", "P02.00.00", "no number at all"], []),
        (">=1.2,<2", ["1.2", "1.2.0", "1.10", "V1.99.9"], ["1.1.9", "2", "2.0.0", "no number at all"]),
        ("==1.4", ["1.4", "1.4.0"], ["1.4.1", "1.40"]),
        (">1.2", ["1.2.1"], ["1.2"]),
        ("<=3", ["3.0", "0.1"], ["3.0.1"]),
    ],
)
def test_a_range_contains_what_lies_between_its_bounds(text: str, inside: list[str], outside: list[str]) -> None:
    versions = parse_range(text)
    assert [firmware for firmware in [*inside, *outside] if versions.contains(firmware)] == inside


@pytest.mark.parametrize("text", ["", "1.2", ">=", ">=x", ">=2,<1", ">1,<1", ">1,<=1", "==1,==2", ">=1;<2"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidRange):
        parse_range(text)


@pytest.mark.parametrize(
    ("a", "b", "overlap"),
    [
        ("*", "==1", True),
        ("<2", ">=2", False),
        ("<=2", ">=2", True),
        (">1,<3", ">2", True),
        ("==1.0", "==1", True),
        ("==1", "==1.0.1", False),
    ],
)
def test_ranges_overlap_when_a_version_lies_in_both(a: str, b: str, overlap: bool) -> None:
    assert parse_range(a).overlaps(parse_range(b)) is overlap
    assert parse_range(b).overlaps(parse_range(a)) is overlap


def test_a_build_date_behind_the_version_does_not_count() -> None:
    assert parse_version("P02.00.00 25/05/07") == (2,)


@given(st.text())
def test_every_text_has_a_version_or_none(text: str) -> None:
    version = parse_version(text)
    assert version is None or all(number >= 0 for number in version)
