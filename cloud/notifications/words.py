"""What a page says, in the language of the person it goes to. Never who the patient is or what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from alerting.duty import DutyRole
from alerting.tiers import Tier
from cloud.notifications.models import ChannelName, WaitingCase

# As cloud.duty.gaps names them.
GAP: Final = re.compile(r"(?P<role>nurse|doctor|lead_nurse):(\w+:)?(?P<since>\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language's. In braces: {tier}, {time}, {link}, {code}, {role}."""

    subject: str
    case: str
    gap: str
    gap_of: str
    test: str
    open_console: str
    tiers: Mapping[Tier, str]
    roles: Mapping[DutyRole, str]


WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        subject="Pulsepost: a case waits",
        case="Pulsepost: a case of tier {tier} waits, since {time}.",
        gap="Pulsepost: nobody is on duty. Please look at the roster.",
        gap_of="Pulsepost: nobody can be told as {role}, since {time}. Please look at the roster.",
        test="Pulsepost: this is a test. Your code is {code}. If you did not ask for it, ignore it.",
        open_console="Please open Pulsepost.",
        tiers={
            Tier.EMERGENCY: "emergency",
            Tier.URGENT: "urgent",
            Tier.SAME_SHIFT: "same shift",
            Tier.ROUTINE: "routine",
            Tier.RETROSPECTIVE: "retrospective",
        },
        roles={DutyRole.NURSE: "nurse", DutyRole.DOCTOR: "doctor on call", DutyRole.LEAD_NURSE: "lead nurse"},
    ),
    "ru": Words(
        subject="Pulsepost: случай ждёт",
        case="Pulsepost: случай ждёт с {time}, срочность: {tier}.",
        gap="Pulsepost: никого нет на дежурстве. Проверьте расписание.",
        gap_of="Pulsepost: с {time} некого оповестить, роль: {role}. Проверьте расписание.",
        test="Pulsepost: это проверка. Ваш код: {code}. Если вы его не запрашивали, ничего не делайте.",
        open_console="Откройте Pulsepost.",
        tiers={
            Tier.EMERGENCY: "экстренная",
            Tier.URGENT: "высокая",
            Tier.SAME_SHIFT: "в эту смену",
            Tier.ROUTINE: "плановая",
            Tier.RETROSPECTIVE: "ретроспективная",
        },
        roles={
            DutyRole.NURSE: "медсестра",
            DutyRole.DOCTOR: "дежурный врач",
            DutyRole.LEAD_NURSE: "старшая медсестра",
        },
    ),
    "zh": Words(
        subject="Pulsepost：有病例等待处理",
        case="Pulsepost：有一个病例自{time}起等待处理，级别：{tier}。",
        gap="Pulsepost：当前无人值班，请查看值班表。",
        gap_of="Pulsepost：自{time}起没有可通知的{role}，请查看值班表。",
        test="Pulsepost：这是测试。您的验证码是{code}。如非本人操作，请忽略。",
        open_console="请打开Pulsepost。",
        tiers={
            Tier.EMERGENCY: "危急",
            Tier.URGENT: "紧急",
            Tier.SAME_SHIFT: "本班内",
            Tier.ROUTINE: "常规",
            Tier.RETROSPECTIVE: "回顾",
        },
        roles={DutyRole.NURSE: "护士", DutyRole.DOCTOR: "值班医生", DutyRole.LEAD_NURSE: "护士长"},
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


def gap_text(language: str, channel: ChannelName, base_url: str, gap: str | None = None, zone: str = "UTC") -> str:
    """Of which role nobody can be told, and since when on the site's clock, as far as the name of the gap says it."""
    words = words_for(language)
    named = GAP.match(gap or "")
    said = words.gap
    if named is not None:
        since = datetime.fromisoformat(named["since"]).astimezone(ZoneInfo(zone))
        said = words.gap_of.format(role=words.roles[DutyRole(named["role"])], time=f"{since:%H:%M} ({zone})")
    return f"{said} {_where(words, channel, base_url, '/')}"


def test_text(language: str, channel: ChannelName, code: str) -> str:
    """The test page; a voice says the digits one by one."""
    return words_for(language).test.format(code=" ".join(code) if channel is ChannelName.VOICE else code)


def _where(words: Words, channel: ChannelName, base_url: str, path: str) -> str:
    """Nobody can press a link that is read aloud."""
    return words.open_console if channel is ChannelName.VOICE or not base_url else f"{base_url}{path}"
