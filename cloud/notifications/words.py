"""What a page says, in the language of the person it goes to. Never who the patient is or what is wrong."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from alerting.duty import DutyRole
from alerting.escalation_sentences import role_name
from alerting.tiers import Tier
from cloud.language.words import Words, words_of
from cloud.notifications.models import ChannelName, Subject, WaitingCase

# As cloud.duty.gaps names them.
GAP: Final = re.compile(r"(?P<role>nurse|doctor|lead_nurse):(\w+:)?(?P<since>\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z)")


def subject(language: str, about: Subject) -> str:
    """The subject of an e-mail: the same for all of a kind, so that it says nothing on a locked screen."""
    words = words_of(language)
    if about is Subject.FOLLOW_UP:
        return words.gettext("Pulsepost: follow-ups are due")
    return words.gettext("Pulsepost: a case waits")


def case_text(language: str, channel: ChannelName, case: WaitingCase, base_url: str, case_id: UUID) -> str:
    """``a case of tier urgent waits, since 03:12 (UTC)``, with where to open it."""
    words = words_of(language)
    said = words.gettext("Pulsepost: a case of tier {tier} waits, since {time}.").format(
        tier=_tier_name(case.tier, words), time=_time(case.raised_at, case.zone, words)
    )
    return f"{said} {_where(words, channel, base_url, f'/cases/{case_id}')}"


def gap_text(language: str, channel: ChannelName, base_url: str, gap: str | None = None, zone: str = "UTC") -> str:
    """Of which role nobody can be told, and since when on the site's clock, as far as the name of the gap says it."""
    words = words_of(language)
    named = GAP.match(gap or "")
    if named is None:
        said = words.gettext("Pulsepost: nobody is on duty. Please look at the roster.")
    else:
        said = words.gettext(
            "Pulsepost: nobody can be told as {role}, since {time}. Please look at the roster."
        ).format(
            role=role_name(DutyRole(named["role"]), words),
            time=_time(datetime.fromisoformat(named["since"]), zone, words),
        )
    return f"{said} {_where(words, channel, base_url, '/')}"


def follow_ups_text(language: str, channel: ChannelName, base_url: str) -> str:
    """That there is something to be done today, and where it stands."""
    words = words_of(language)
    said = words.gettext("Pulsepost: follow-ups that are yours are due today, or overdue.")
    return f"{said} {_where(words, channel, base_url, '/follow-ups')}"


def test_text(language: str, channel: ChannelName, code: str) -> str:
    """The test page; a voice says the digits one by one."""
    said = words_of(language).gettext(
        "Pulsepost: this is a test. Your code is {code}. If you did not ask for it, ignore it."
    )
    return said.format(code=" ".join(code) if channel is ChannelName.VOICE else code)


def _tier_name(tier: Tier, words: Words) -> str:
    return {
        Tier.EMERGENCY: words.gettext("emergency"),
        Tier.URGENT: words.gettext("urgent"),
        Tier.SAME_SHIFT: words.gettext("same shift"),
        Tier.ROUTINE: words.gettext("routine"),
        Tier.RETROSPECTIVE: words.gettext("retrospective"),
    }[tier]


def _time(moment: datetime, zone: str, words: Words) -> str:
    return f"{words.time(moment.astimezone(ZoneInfo(zone)))} ({zone})"


def _where(words: Words, channel: ChannelName, base_url: str, path: str) -> str:
    """Nobody can press a link that is read aloud."""
    if channel is ChannelName.VOICE or not base_url:
        return words.gettext("Please open Pulsepost.")
    return f"{base_url}{path}"
