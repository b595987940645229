"""A survey and its rules as they are typed, read and checked. Pure; Refused with all that is wrong at once."""

from typing import Final

from cloud.crm.questionnaires import entries
from cloud.crm.questionnaires.models import Questionnaire
from cloud.crm.surveys.models import Kind, Rule, Said, Wants
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

# So that a form fits in what the edge takes, in any alphabet (cloud.console.edge).
LONGEST: Final = 1500
# Least and most of each; of the staff nobody is asked more often than each month.
_BOUNDS: Final = {"after_days": (0, 365), "percent": (1, 100), "apart_days": (1, 365)}
_LEAST_FOR_STAFF: Final = 30


def answered(form: Form, asked: Questionnaire) -> Said:
    """One of each question's choices; ``body``, ``wants``, ``call_me``, ``harm``.

    Who was harmed has made a complaint, whatever else was chosen: it has an owner and a deadline.
    """
    refusals: dict[str, Refusal] = {}
    said: dict[str, str] = {}
    try:
        said = dict(entries.answers(form, asked))
    except Refused as refused:
        refusals |= refused.refusals
    wanted, harm = form.get("wants", Wants.NOTHING), bool(form.get("harm"))
    if harm and wanted == Wants.NOTHING:
        wanted = Wants.COMPLAINT
    body = fields.text(form, "body", LONGEST, refusals, may_be_empty=wanted == Wants.NOTHING)
    if wanted not in tuple(Wants):
        refusals["wants"] = Refusal("choose")
    if refusals:
        raise Refused(entries.FORM, refusals, form)
    return Said(answers=said, body=body, wants=Wants(wanted), call_me=bool(form.get("call_me")), harm=harm)


def remark(form: Form, asked: Questionnaire) -> Said:
    """Of the staff: answers and a ``body``; nobody calls them back."""
    return answered({key: value for key, value in form.items() if key not in ("wants", "call_me", "harm")}, asked)


def rule(form: Form, kind: Kind) -> Rule:
    """``is_on``, ``after_days``, and of patients ``percent`` and ``apart_days``."""
    refusals: dict[str, Refusal] = {}
    found = {name: _whole(form, name, kind, refusals) for name in _names(kind)}
    if refusals:
        raise Refused(f"rule-{kind}", refusals, form)
    return Rule(
        kind=kind,
        is_on=bool(form.get("is_on")),
        after_days=found["after_days"],
        percent=found.get("percent", 100),
        apart_days=found.get("apart_days", found["after_days"]),
    )


def _names(kind: Kind) -> tuple[str, ...]:
    return ("after_days",) if kind is Kind.STAFF else tuple(_BOUNDS)


def _whole(form: Form, name: str, kind: Kind, refusals: dict[str, Refusal]) -> int:
    low, high = _BOUNDS[name]
    low = _LEAST_FOR_STAFF if kind is Kind.STAFF else low
    found = fields.whole(form, name, low, high, refusals)
    return low if found is None else found
