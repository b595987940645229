"""Why a case is there, in the language of whoever reads it."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerting.reasons import Answer, LimitReason, Reason, RedFlag, RhythmReason, SilenceReason, SymptomReason
from alerting.regimes import OURS
from alerting.sentences import duration_text, red_flag_name, sentence
from alerting.technical.said import from_json, in_language, said, said_of, to_json
from cloud.language.words import words_of
from device_drivers.nomenclature import Unit
from tests.alerting.made import limit, quantity
from tests.alerting.test_sentences import AVERAGE, SENTENCES, remeasured

# What stays as it is in every language: who published a limit, what a doctor wrote, and signs of devices and zones.
CITED = re.compile(r"\b(Dr Holm|frail, falls|HI|LO|LBGI|UTC|CET|ECG|mmHg|mg/dL|mmol/L|kPa)\b")
REASONS = [reason for reason, _ in SENTENCES]
EVENING = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)
LOW = LimitReason(figure=quantity("3.10", Unit.MMOL_L), limit=limit("ada", "hypoglycaemia_level_1"))


def without_citations(text: str, english: str) -> str:
    """The sentence without what is the same in English because somebody else said it."""
    for source in re.findall(r"set by ([^()]*?)(?:, in use since|, not confirmed| since |\))", english):
        text = text.replace(source, "")
    return CITED.sub("", text)


@pytest.mark.parametrize("language", ["ru", "zh"])
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: type(reason).__name__)
def test_every_kind_of_reason_is_said_without_an_english_word(reason: Reason, language: str) -> None:
    spoken = sentence(reason, words_of(language))
    assert spoken != sentence(reason)
    assert not re.search(r"\{|\}|%\(", spoken)
    own_words = {"below", "above", "limit", "set", "by", "since", "readings", "reading", "mean", "average", "measured"}
    assert own_words.isdisjoint(re.findall(r"[a-z]+", without_citations(spoken, sentence(reason))))


@pytest.mark.parametrize("language", ["ru", "zh"])
@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: type(reason).__name__)
def test_every_figure_of_the_english_sentence_is_in_the_others(reason: Reason, language: str) -> None:
    figures = set(re.findall(r"\d+(?:\.\d+)?(?= mmHg| mg/dL| mmol/L)", sentence(reason)))
    spoken = sentence(reason, words_of(language)).replace(",", ".")
    assert {figure for figure in figures if figure not in spoken} == set()


def test_a_nurse_reads_the_value_the_limit_and_who_set_it_in_russian() -> None:
    text = sentence(LOW, words_of("ru"))
    assert text.startswith("Глюкоза 3,10 ммоль/л: ниже предела 3,9 ммоль/л (установлено: ")
    assert ", действует с " in text


def test_a_nurse_reads_the_value_the_limit_and_who_set_it_in_chinese() -> None:
    text = sentence(LOW, words_of("zh"))
    assert text.startswith("血糖 3.10 mmol/L：低于限值 3.9 mmol/L（设定依据：")
    assert text.endswith("起使用）")


def test_an_average_says_how_many_readings_on_how_many_days() -> None:
    assert "среднее домашнее (24 измерения за 6 дней), 137,2 мм рт. ст.: на уровне предела 135 мм рт. ст. или выше" in (
        sentence(AVERAGE, words_of("ru"))
    )
    assert "收缩压（家庭自测均值，6 天内 24 个读数） 137.2 mmHg：达到或超过限值 135 mmHg" in sentence(
        AVERAGE, words_of("zh")
    )


def test_an_irregular_pulse_asks_for_an_ecg_and_diagnoses_nothing() -> None:
    rhythm = next(reason for reason in REASONS if isinstance(reason, RhythmReason))
    assert sentence(rhythm, words_of("ru")).endswith(": подтвердить ЭКГ")
    assert sentence(rhythm, words_of("zh")).endswith("：请做心电图确认")
    for language, diagnosis in (("ru", "фибрилляц"), ("zh", "房颤")):
        assert diagnosis not in sentence(rhythm, words_of(language))


def test_a_missed_measurement_says_what_to_do() -> None:
    silence = next(reason for reason in REASONS if isinstance(reason, SilenceReason))
    assert "пропущены 2 измерения: позвонить пациенту через 24 часа" in sentence(silence, words_of("ru"))
    assert "漏测 2 次；超过 24 小时请致电患者" in sentence(silence, words_of("zh"))


def test_a_moment_is_in_the_zone_of_the_patient() -> None:
    asked = remeasured(Answer.WAITING, None)
    moscow = words_of("ru").in_zone(ZoneInfo("Europe/Moscow"))
    assert sentence(asked, moscow).endswith("попросили измерить ещё раз, ждём до 2 мар. 2026\u202fг., 11:15 MSK")
    shanghai = words_of("zh").in_zone(ZoneInfo("Asia/Shanghai"))
    assert sentence(asked, shanghai).endswith("已请患者复测，应于 2026年3月2日 16:15 CST 前完成")


@pytest.mark.parametrize("flag", RedFlag)
def test_every_symptom_has_its_word(flag: RedFlag) -> None:
    assert re.fullmatch("[а-яё ,]+", red_flag_name(flag, words_of("ru")))
    assert not re.search("[a-z]", red_flag_name(flag, words_of("zh")))


def test_symptoms_make_an_emergency_in_every_language() -> None:
    told = SymptomReason(finding=LOW, flags=(RedFlag.CONFUSION, RedFlag.FAINTING), asked_at=EVENING, source=OURS)
    assert "спутанность сознания, обморок" in sentence(told, words_of("ru"))
    assert "неотложное состояние" in sentence(told, words_of("ru"))
    assert "属危急情况" in sentence(told, words_of("zh"))


@pytest.mark.parametrize(
    ("span", "russian", "chinese"),
    [
        (timedelta(minutes=1), "1 минуту", "1 分钟"),
        (timedelta(minutes=15), "15 минут", "15 分钟"),
        (timedelta(hours=22), "22 часа", "22 小时"),
        (timedelta(days=7), "7 дней", "7 天"),
    ],
)
def test_a_duration_is_counted_by_the_rules_of_the_language(span: timedelta, russian: str, chinese: str) -> None:
    assert duration_text(span, words_of("ru")) == russian
    assert duration_text(span, words_of("zh")) == chinese


def test_a_technical_sentence_is_stored_with_what_it_is_made_of() -> None:
    why = said("its gateway was away until {at}, and has not watched for long enough", at=EVENING)
    whole = said("Nothing has come from {device} since {since}: {why}.", device="A&D UA-651", since=EVENING, why=why)
    assert whole == (
        "Nothing has come from A&D UA-651 since 02 Mar 2026, 17:00 UTC: its gateway was away until "
        "02 Mar 2026, 17:00 UTC, and has not watched for long enough."
    )
    again = from_json(to_json(whole))
    assert again == whole
    assert in_language(again, words_of("ru")) == (
        "От прибора A&D UA-651 ничего нет с 2 мар. 2026\u202fг., 17:00 UTC: его шлюз был не на связи до "
        "2 мар. 2026\u202fг., 17:00 UTC и наблюдает ещё недостаточно долго."
    )
    assert in_language(again, words_of("zh")) == (
        "自 2026年3月2日 17:00 UTC 起未收到 A&D UA-651 的数据："
        "其网关离线至 2026年3月2日 17:00 UTC，恢复后观察时间尚不足。"
    )


@pytest.mark.parametrize(("count", "word"), [(1, "1 день"), (3, "3 дня"), (11, "11 дней")])
def test_a_technical_sentence_counts_in_the_readers_forms(count: int, word: str) -> None:
    certificate = said_of(
        "The gateway's certificate runs out in {count} day, on {until}, and has not been renewed: its log says why.",
        "The gateway's certificate runs out in {count} days, on {until}, and has not been renewed: its log says why.",
        count,
        until=EVENING,
    )
    assert f"через {word}, " in in_language(certificate, words_of("ru"))


@pytest.mark.parametrize("data", [{}, {"message": "x"}, {"message": "{gone}", "facts": {}}, {"message": 1, "facts": 2}])
def test_what_is_no_sentence_is_read_as_none(data: dict[str, object]) -> None:
    assert from_json(data) is None
