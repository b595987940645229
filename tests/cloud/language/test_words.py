"""Numbers, moments and plurals as the speakers of a language write them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from cloud.language.words import words_of

MOMENT = datetime(2026, 11, 5, 13, 5, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(("language", "said"), [("en", "5.40"), ("ru", "5,40"), ("zh", "5.40")])
def test_a_number_keeps_every_digit_of_the_device(language: str, said: str) -> None:
    assert words_of(language).number(Decimal("5.40")) == said
    assert words_of(language).number(Decimal("1.8E+2")) == "180"


@pytest.mark.parametrize(
    ("language", "day", "moment", "short"),
    [
        ("en", "5 Nov 2026", "5 Nov 2026, 21:05 CST", "5 Nov, 13:05"),
        ("ru", "5 нояб. 2026\u202fг.", "5 нояб. 2026\u202fг., 21:05 CST", "5 нояб., 13:05"),
        ("zh", "2026年11月5日", "2026年11月5日 21:05 CST", "11月5日 13:05"),
    ],
)
def test_days_and_moments_are_written_as_locals_write_them(language: str, day: str, moment: str, short: str) -> None:
    words = words_of(language)
    assert words.day(date(2026, 11, 5)) == day
    assert words.in_zone(SHANGHAI).moment(MOMENT) == moment
    assert words.short_day_and_time(MOMENT) == short


def test_a_moment_without_a_readers_zone_keeps_its_own() -> None:
    assert words_of("en").moment(MOMENT.astimezone(SHANGHAI)) == "5 Nov 2026, 21:05 CST"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 измерений"),
        (1, "1 измерение"),
        (2, "2 измерения"),
        (5, "5 измерений"),
        (11, "11 измерений"),
        (14, "14 измерений"),
        (21, "21 измерение"),
        (22, "22 измерения"),
        (111, "111 измерений"),
        (121, "121 измерение"),
    ],
)
def test_russian_counts_in_three_forms(number: int, said: str) -> None:
    assert words_of("ru").ngettext("{n} reading", "{n} readings", number).format(n=number) == said


@pytest.mark.parametrize("number", [0, 1, 2, 5, 21])
def test_chinese_counts_in_one_form(number: int) -> None:
    assert words_of("zh").ngettext("{n} reading", "{n} readings", number).format(n=number) == f"{number} 个读数"


@pytest.mark.parametrize("language", [None, "de", ""])
def test_whoever_chose_nothing_that_we_speak_reads_english(language: str | None) -> None:
    assert words_of(language).code == "en"
    assert words_of(language).gettext("Worklist") == "Worklist"


def test_a_message_that_nobody_translated_is_said_in_english_rather_than_not_at_all() -> None:
    assert words_of("ru").gettext("no such message") == "no such message"


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Sunday 22 November"), ("ru", "воскресенье, 22 ноября"), ("zh", "11月22日星期日")]
)
def test_a_day_is_spoken_with_its_weekday(language: str, said: str) -> None:
    assert words_of(language).long_day(date(2026, 11, 22)) == said
