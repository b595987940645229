"""Lines: nothing is lost, nothing is wider than the paper, words and Chinese are parted where readers expect it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.documents.lines import lines


def one(_: str) -> float:
    """Letters of one width."""
    return 1.0


def test_words_are_parted_at_spaces_and_long_ones_where_the_line_is_full() -> None:
    assert lines("the patient is told", 11, one) == ["the patient", "is told"]
    assert lines("Hohenzollernsigmaringen", 10, one) == ["Hohenzolle", "rnsigmarin", "gen"]


def test_chinese_is_parted_anywhere_but_not_before_what_closes_or_behind_what_opens() -> None:
    assert lines("您可以随时撤回，无须说明理由。", 7, one) == ["您可以随时撤", "回，无须说明理", "由。"]
    assert lines("测量（每天两次）", 3, one) == ["测量", "（每天", "两次）"]


def test_latin_within_chinese_stays_in_one_piece() -> None:
    assert lines("在24小时内致电abc", 6, one) == ["在24小时内", "致电abc"]


def test_an_empty_text_is_an_empty_line() -> None:
    assert lines("", 10, one) == [""]
    assert lines("   ", 10, one) == [""]


@given(st.text(alphabet="ab 中文，。（）.,", max_size=80), st.integers(2, 20))
def test_whatever_the_text_no_letter_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    found = lines(text, width, one)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    assert all(len(line) <= width for line in found)
