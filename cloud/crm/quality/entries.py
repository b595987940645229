"""What people type about audits, read and checked. Pure; Refused with all that is wrong at once."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from cloud.crm.quality.models import PERCENT, Action, Answer, Asked, Finding, Item, Kind
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

# Of one form all remarks must fit into what a request may hold, in every script.
LONGEST_REMARK: Final = 200
LONGEST_WORDS: Final = 300
AHEAD: Final = timedelta(days=366)


def month(form: Form) -> date:
    """``month`` as 2026-10: its first day."""
    found = fields.month(form.get("month", ""))
    if found is None:
        raise Refused("draw", {"month": Refusal("not_a_month")}, form)
    return found


def percent(form: Form) -> int:
    """``percent``: from PERCENT to 100."""
    text = form.get("percent", "").strip()
    found = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
    if not PERCENT <= found <= 100:
        raise Refused("draw", {"percent": Refusal("percent_of_sample")}, form)
    return found


def findings(form: Form, items: Sequence[Item], *, finish: bool) -> tuple[list[Finding], str]:
    """What was said to each item, and the remark on all of it. To finish, each has an answer, and each no a remark."""
    refusals: dict[str, Refusal] = {}
    found: list[Finding] = []
    for item in items:
        answer = form.get(f"answer-{item.item_id}", "")
        remark = fields.text(form, f"remark-{item.item_id}", LONGEST_REMARK, refusals, may_be_empty=True)
        if answer not in set(Answer):
            if finish:
                refusals[f"answer-{item.item_id}"] = Refusal("choose")
            continue
        if finish and answer == Answer.NO and not remark:
            refusals[f"remark-{item.item_id}"] = Refusal("remark_on_no")
        found.append(Finding(item=item.item_id, answer=Answer(answer), remark=remark))
    remark = fields.text(form, "remark", LONGEST_WORDS, refusals, may_be_empty=True)
    if refusals:
        raise Refused("audit", refusals, form)
    return found, remark


def reply(form: Form) -> str:
    """``body``."""
    refusals: dict[str, Refusal] = {}
    body = fields.reason(form, refusals, "body")
    if refusals:
        raise Refused("reply", refusals, form)
    return body


def asked(form: Form, today: date, staff: Collection[UUID], *, has_script: bool) -> Asked:
    """``kind``, ``what``, ``owner`` of the staff, ``due_on`` from today on, ``check_on`` not before it."""
    refusals: dict[str, Refusal] = {}
    kind = form.get("kind", "")
    if kind not in set(Kind):
        refusals["kind"] = Refusal("choose")
    elif kind == Kind.SCRIPT and not has_script:
        refusals["kind"] = Refusal("no_script")
    what = fields.reason(form, refusals, "what")
    owner = fields.chosen(form, "owner", {account_id: account_id for account_id in staff}, refusals)
    due_on, check_on = (fields.day(form, name, today, today + AHEAD, refusals) for name in ("due_on", "check_on"))
    if due_on is not None and check_on is not None and check_on < due_on:
        refusals["check_on"] = Refusal("before_deadline")
    if refusals or owner is None or due_on is None or check_on is None:
        raise Refused("action", refusals, form)
    return Asked(kind=Kind(kind), what=what, owner=owner, due_on=due_on, check_on=check_on)


def outcome(form: Form, of: Action, versions: Collection[int]) -> tuple[str, int | None]:
    """``outcome``; of a changed script ``answered_by``, the version that came of it, one of ``versions``."""
    refusals: dict[str, Refusal] = {}
    said = fields.reason(form, refusals, "outcome")
    answered_by = None
    if of.kind is Kind.SCRIPT:
        text = form.get("answered_by", "").strip()
        answered_by = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
        if answered_by not in versions:
            refusals["answered_by"] = Refusal("no_later_version")
    if refusals:
        raise Refused("done", refusals, form)
    return said, answered_by


def checked(form: Form) -> tuple[bool, str]:
    """``effective``: yes or no, and ``check_note``."""
    refusals: dict[str, Refusal] = {}
    effective = form.get("effective", "")
    if effective not in ("yes", "no"):
        refusals["effective"] = Refusal("choose")
    note = fields.reason(form, refusals, "check_note")
    if refusals:
        raise Refused("check", refusals, form)
    return effective == "yes", note
