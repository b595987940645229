"""The page, written out: one page without a name and, unless the household wants them, without a value."""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from html import escape

from gateway.home.facts import Card, Facts, Known, Slot, SlotState
from gateway.home.words import LANGUAGES, OWN_NAMES, TAGS, WORDS, Language, Words, day

# How an open page without script is brought up to date; with script, refresh.js does it.
REFRESH_WITHOUT_SCRIPT_S = 60

# Beside the words, so that no fact is told by colour alone.
_SIGNS = {SlotState.MADE: "✓", SlotState.NOW: "●", SlotState.LATER: "○", SlotState.NOT_SEEN: "–"}


def page(facts: Facts, language: Language) -> str:
    """The whole document."""
    words = WORDS[language]
    return (
        f'<!DOCTYPE html><html lang="{TAGS[language]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words.title)}</title>"
        '<link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,">'
        f'<noscript><meta http-equiv="refresh" content="{REFRESH_WITHOUT_SCRIPT_S}"></noscript>'
        '<script src="/refresh.js" defer></script></head><body>'
        f"<header><h1>{escape(words.title)}</h1>{_languages(language)}</header>"
        f'<p id="stale" role="alert" data-text="{escape(words.stale)}"></p>'
        f"<main>{_main(facts, words, language)}</main>"
        f"<footer><p>{escape(words.not_watched)}</p></footer></body></html>"
    )


def _languages(language: Language) -> str:
    current = ' aria-current="true"'
    links = "".join(
        f'<li><a href="/{one}" lang="{TAGS[one]}" hreflang="{TAGS[one]}"'
        f"{current if one == language else ''}>{OWN_NAMES[one]}</a></li>"
        for one in LANGUAGES
    )
    return f"<nav><ul>{links}</ul></nav>"


def _main(facts: Facts, words: Words, language: Language) -> str:
    told = "".join(_card(card, facts.at, words, language) for card in facts.cards)
    if not told and not facts.trouble:
        told = f"<p>{escape(words.no_devices)}</p>"
    return _link(facts, words, language) + told


def _link(facts: Facts, words: Words, language: Language) -> str:
    """How it stands with the clinic, and what waits."""
    lines = [words.as_of.format(time=_time(facts.at, facts.zone))]
    if facts.away_since is None:
        lines.append(f"✓ {words.connected}")
    else:
        since = _moment(facts.away_since, facts.at, facts.zone, words, language)
        lines += [f"! {words.away.format(time=since)}", words.kept]
    if facts.waiting:
        lines.append(words.waiting.format(count=f"{facts.waiting}{'+' if facts.waits_more else ''}"))
    kind = "link" if facts.away_since is None else "link away"
    trouble = f'<p class="trouble">! {escape(words.trouble)}</p>' if facts.trouble else ""
    return f'<div class="{kind}">{_paragraphs(lines)}</div>{trouble}'


def _card(card: Card, at: datetime, words: Words, language: Language) -> str:
    names = ", ".join(
        name if user is None else f"{name}, {words.user.format(user=user)}" for name, user in card.devices
    )
    kind = words.kinds.get(card.kind, card.kind)

    def fact(name: str, label: str, lines: Iterable[str]) -> str:
        return f'<div class="{name}"><dt>{escape(label)}</dt>{_lines(lines)}</div>'

    read = (
        words.read_at.format(time=_moment(card.read_at, at, card.zone, words, language))
        if card.read_at is not None
        else words.never_read
    )
    return (
        f"<section><h2>{escape(kind)}</h2><p class=device>{escape(names)}</p><dl>"
        + fact("due", words.due, _due(card, words))
        + fact("measured", words.measured, _measured(card, at, words, language))
        + fact("received", words.received, _received(card, words))
        + f"</dl><p class=read>{escape(read)}</p></section>"
    )


def _due(card: Card, words: Words) -> list[str]:
    match card.known:
        case Known.UNKNOWN:
            return [words.unknown]
        case Known.NOTHING:
            return [words.nothing_planned]
        case Known.SAID:
            return [_slot(slot, card.zone, words) for slot in card.slots] or [words.nothing_today]


def _slot(slot: Slot, zone: tzinfo, words: Words) -> str:
    window = f"{_time(slot.start, zone)}–{_time(slot.end, zone)}"
    text = {
        SlotState.MADE: words.made,
        SlotState.NOW: words.now,
        SlotState.LATER: words.later,
        SlotState.NOT_SEEN: words.not_seen,
    }[slot.state]
    made_at = "" if slot.made_at is None else _time(slot.made_at, zone)
    return f"{_SIGNS[slot.state]} {text.format(window=window, time=made_at)}"


def _measured(card: Card, at: datetime, words: Words, language: Language) -> list[str]:
    lines = []
    for one in card.today:
        figures = f" · {one.figures}" if one.figures else ""
        lines.append(f"✓ {words.measured_at.format(time=_time(one.at, card.zone))}{figures}")
    if not card.to_send:
        lines.append(words.not_yet)
        if card.last is not None:
            lines.append(words.last.format(time=_moment(card.last.at, at, card.zone, words, language)))
    if card.unclear is not None:
        lines.append(words.unclear.format(time=_moment(card.unclear.at, at, card.zone, words, language)))
    return lines


def _received(card: Card, words: Words) -> list[str]:
    if not card.to_send:
        return [words.nothing_to_send]
    if card.received is None:
        return [f"○ {words.all_wait.format(count=card.waiting)}"]
    at = card.received.received_at
    lines = [
        f"✓ {words.received_then if at is None else words.received_at.format(time=_time(at, card.zone))}",
    ]
    if card.waiting:
        lines.append(f"○ {words.some_wait.format(count=card.waiting)}")
    if card.is_checked:
        lines.append(words.is_checked)
    return lines


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<dd>{escape(line)}</dd>" for line in lines)


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _time(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _moment(at: datetime, now: datetime, zone: tzinfo, words: Words, language: Language) -> str:
    """The time, with its day where that is not today."""
    local, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if local == today:
        return _time(at, zone)
    if local == today - timedelta(days=1):
        return words.yesterday.format(time=_time(at, zone))
    return f"{day(local, language)} {_time(at, zone)}"
