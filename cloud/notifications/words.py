"""What a page says, in the language of the person it goes to. Never who the patient is or what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from alerting.tiers import Tier
from cloud.notifications.models import ChannelName, WaitingCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's. In braces: {tier}, {time}, {link}, {code}."""

    subject: str
    case: str
    gap: str
    test: str
    open_console: str
    tiers: Mapping[Tier, str]


WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        subject="Pulsepost: a case waits",
        case="Pulsepost: a case of tier {tier} waits, since {time}.",
        gap="Pulsepost: nobody is on duty. Please look at the roster.",
        test="Pulsepost: this is a test. Your code is {code}. If you did not ask for it, ignore it.",
        open_console="Please open Pulsepost.",
        tiers={
            Tier.EMERGENCY: "emergency",
            Tier.URGENT: "urgent",
            Tier.SAME_SHIFT: "same shift",
            Tier.ROUTINE: "routine",
            Tier.RETROSPECTIVE: "retrospective",
        },
    ),
    "ru": Words(
        subject="Pulsepost: случай ждёт",
        case="Pulsepost: случай ждёт с {time}, срочность: {tier}.",
        gap="Pulsepost: никого нет на дежурстве. Проверьте расписание.",
        test="Pulsepost: это проверка. Ваш код: {code}. Если вы его не запрашивали, ничего не делайте.",
        open_console="Откройте Pulsepost.",
        tiers={
            Tier.EMERGENCY: "экстренная",
            Tier.URGENT: "высокая",
            Tier.SAME_SHIFT: "в эту смену",
            Tier.ROUTINE: "плановая",
            Tier.RETROSPECTIVE: "ретроспективная",
        },
    ),
    "zh": Words(
        subject="Pulsepost：有病例等待处理",
        case="Pulsepost：有一个病例自{time}起等待处理，级别：{tier}。",
        gap="Pulsepost：当前无人值班，请查看值班表。",
        test="Pulsepost：这是测试。您的验证码是{code}。如非本人操作，请忽略。",
        open_console="请打开Pulsepost。",
        tiers={
            Tier.EMERGENCY: "危急",
            Tier.URGENT: "紧急",
            Tier.SAME_SHIFT: "本班内",
            Tier.ROUTINE: "常规",
            Tier.RETROSPECTIVE: "回顾",
        },
    ),
}


def words_for(language: str) -> Words:
    """Of this language, or English."""
    return WORDS.get(language.partition("-")[0], WORDS["en"])


def subject(language: str) -> str:
    """The subject of an e-mail: the same for all, so that it says nothing on a locked screen."""
    return words_for(language).subject


def case_text(language: str, channel: ChannelName, case: WaitingCase, base_url: str, case_id: UUID) -> str:
    """``a case of tier urgent waits, since 03:12 (UTC)``, with where to open it."""
    words = words_for(language)
    since = f"{case.raised_at.astimezone(ZoneInfo(case.zone)):%H:%M} ({case.zone})"
    said = words.case.format(tier=words.tiers[case.tier], time=since)
    return f"{said} {_where(words, channel, base_url, f'/cases/{case_id}')}"


def gap_text(language: str, channel: ChannelName, base_url: str) -> str:
    """Nobody is on duty."""
    words = words_for(language)
    return f"{words.gap} {_where(words, channel, base_url, '/')}"


def test_text(language: str, channel: ChannelName, code: str) -> str:
    """The test page; a voice says the digits one by one."""
    return words_for(language).test.format(code=" ".join(code) if channel is ChannelName.VOICE else code)


def _where(words: Words, channel: ChannelName, base_url: str, path: str) -> str:
    """Nobody can press a link that is read aloud."""
    return words.open_console if channel is ChannelName.VOICE or not base_url else f"{base_url}{path}"
