"""What is typed about reaching a patient, read and checked. Pure; Refused with all that is wrong at once."""

from datetime import time
from typing import Final

from cloud.crm.reach.models import WAYS
from cloud.language.languages import LANGUAGES
from cloud.notifications.models import ChannelName
from cloud.notifications.service import UnusableAddress, written
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

LINK: Final = "{link}"
LONGEST_SUBJECT, LONGEST_BODY = 80, 200
# Words of the page for what ``written`` refuses.
_UNUSABLE: Final = {"telephone": "not_a_phone", "email": "not_an_email", "webhook": "not_a_name"}


def address(form: Form) -> tuple[ChannelName, str]:
    """``channel`` and ``address``, as it is kept."""
    named = form.get("channel", "")
    if named not in WAYS:
        raise Refused("way", {"channel": Refusal("choose")}, form)
    try:
        return ChannelName(named), written(ChannelName(named), form.get("address", ""))
    except UnusableAddress as unusable:
        raise Refused("way", {"address": Refusal(_UNUSABLE[unusable.code])}, form) from None


def choice(form: Form) -> tuple[time, time, str]:
    """``quiet_from``, ``quiet_until`` (HH:MM) and ``language``."""
    refusals: dict[str, Refusal] = {}
    first, last = (fields.clock(form, name, refusals) for name in ("quiet_from", "quiet_until"))
    language = form.get("language", "")
    if language not in LANGUAGES:
        refusals["language"] = Refusal("choose")
    if refusals or first is None or last is None:
        raise Refused("choice", refusals, form)
    return first, last, language


def consent(form: Form) -> tuple[ChannelName, str]:
    """``channel`` and ``decision``."""
    refusals: dict[str, Refusal] = {}
    named, decision = form.get("channel", ""), form.get("decision", "")
    if named not in WAYS:
        refusals["channel"] = Refusal("choose")
    if decision not in ("given", "withdrawn"):
        refusals["decision"] = Refusal("choose")
    if refusals:
        raise Refused("agreed", refusals, form)
    return ChannelName(named), decision


def own_words(form: Form) -> tuple[str, str | None, str | None]:
    """``language``, and ``subject`` and ``body`` of the clinic's own; None where ours are to hold again.

    The only field there is is {link}: whatever else stands in braces is refused, so that nothing of a patient can be
    asked for.
    """
    refusals: dict[str, Refusal] = {}
    language = form.get("language", "")
    if language not in LANGUAGES:
        raise Refused("words", {"language": Refusal("choose")}, form)
    if form.get("ours"):
        return language, None, None
    subject, body = form.get("subject", "").strip(), form.get("body", "").strip()
    for name, text, longest in (("subject", subject, LONGEST_SUBJECT), ("body", body, LONGEST_BODY)):
        if not text or len(text) > longest or not text.isprintable():
            refusals[name] = Refusal("not_a_line", {"most": str(longest)})
    if "subject" not in refusals and ("{" in subject or "}" in subject):
        refusals["subject"] = Refusal("no_fields")
    rest = body.replace(LINK, "", 1)
    if "body" not in refusals and (LINK not in body or "{" in rest or "}" in rest):
        refusals["body"] = Refusal("link_once")
    if refusals:
        raise Refused("words", refusals, form)
    return language, subject, body
