"""What we say on a contact in Bitrix24 beside what the dispatcher has worded, in the destination's language."""

from datetime import UTC, datetime, timedelta

from cloud.crm.port import Call, Direction
from cloud.language.languages import ENGLISH, known
from cloud.language.words import Words, words_of


def no_longer_monitored(language: str) -> str:
    return _words(language).gettext("No longer monitored.")


def called(call: Call, language: str) -> str:
    """One line about a call: who called, what came of it, when, how long."""
    words = _words(language)
    who = (
        words.gettext("Call to the patient")
        if call.direction is Direction.OUT
        else words.gettext("Call from the patient")
    )
    said = [_outcome(call.outcome, words), _at(call.at)]
    if call.duration is not None:
        said.append(words.gettext("{} min").format(_minutes(call.duration)))
    if call.phone is not None:
        said.append(call.phone)
    return f"{who}: {', '.join(said)}"


def _outcome(outcome: str, words: Words) -> str:
    """A code that nobody has worded is told as it is."""
    return {
        "reached": words.gettext("reached"),
        "not_reached": words.gettext("not reached"),
        "voicemail": words.gettext("voicemail"),
    }.get(outcome, outcome)


def _minutes(duration: timedelta) -> int:
    return max(1, round(duration.total_seconds() / 60))


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _words(language: str) -> Words:
    return words_of(known(language) or ENGLISH)
