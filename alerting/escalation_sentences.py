"""What a person reads of a step of the escalation: what happened, and because of what. Never who the patient is."""

from alerting.duty import DutyRole
from alerting.escalate import Escalated, Gap, Happening, Paged, RaisedAgain, Why
from alerting.sentences import ENGLISH, Language, moment_text
from alerting.tiers import Role


def sentence(happening: Happening, words: Language = ENGLISH) -> str:
    """The happening in this language."""
    match happening:
        case RaisedAgain():
            return words.gettext("Raised again: {why}").format(why=_why(happening.why, words))
        case Escalated():
            return words.gettext("Escalated to {role}: {why} (since {since})").format(
                role=role_name(happening.to, words),
                why=_why(happening.why, words),
                since=moment_text(happening.since, words),
            )
        case Paged():
            return words.ngettext(
                "{n} person told at step {step}: {why}", "{n} persons told at step {step}: {why}", len(happening.people)
            ).format(n=len(happening.people), step=happening.step, why=_why(happening.why, words))
        case Gap():
            return words.gettext("Nobody could be told as {role}: {why}").format(
                role=role_name(happening.role, words), why=_why(happening.why, words)
            )


def role_name(role: str, words: Language = ENGLISH) -> str:
    """The role as people call it."""
    return {
        DutyRole.NURSE.value: words.gettext("nurse"),
        DutyRole.DOCTOR.value: words.gettext("doctor on call"),
        DutyRole.LEAD_NURSE.value: words.gettext("lead nurse"),
        Role.WEEKLY_REVIEW.value: words.gettext("weekly review"),
    }[role]


def _why(why: Why, words: Language) -> str:
    return {
        Why.RAISED: words.gettext("the case is new"),
        Why.NOT_ACKNOWLEDGED: words.gettext("nobody acknowledged it in time"),
        Why.NOBODY_ON_DUTY: words.gettext("nobody is on duty"),
        Why.NOBODY_IN_CARE_TEAM: words.gettext("nobody on duty is in the patient's care team"),
        Why.NOT_DELIVERED: words.gettext("nothing that was sent arrived"),
        Why.NOT_CONTACTED: words.gettext("the patient was not spoken to in time"),
        Why.LEASE_ENDED: words.gettext("whoever had it did nothing with it in time"),
        Why.SILENCE_ENDED: words.gettext("its silence has ended"),
        Why.ESCALATED: words.gettext("it was escalated"),
        Why.ON_DUTY_NOW: words.gettext("somebody is on duty now"),
    }[why]
