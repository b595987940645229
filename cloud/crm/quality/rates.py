"""From audits to rates. Pure. A case counts once: by the audit of it that was finished first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from cloud.crm.quality.models import FEWEST, Agreement, Answer, ItemRate, Judged, PersonRate


def by_person(audits: Iterable[Judged]) -> list[PersonRate]:
    """By name, those that nobody closed last. A finding is an item that was answered with no."""
    of: dict[UUID | None, list[Judged]] = defaultdict(list)
    for one in _first(audits):
        of[one.closed_by].append(one)
    rates = [_rate(own) for own in of.values()]
    return sorted(rates, key=lambda one: (one.name is None, one.name or ""))


def by_item(audits: Iterable[Judged]) -> list[ItemRate]:
    """In no order of their own: the checklist has it."""
    no: dict[str, int] = defaultdict(int)
    of: dict[str, int] = defaultdict(int)
    for one in _first(audits):
        for item, answer in one.answers.items():
            if answer is not Answer.NOT_APPLICABLE:
                of[item] += 1
                no[item] += answer is Answer.NO
    return [ItemRate(item=item, no=no[item], of=of[item]) for item in of]


def agreement(audits: Iterable[Judged]) -> Agreement:
    """Of each case that several audited the two that were finished first, item by item."""
    cases = same = of = 0
    for own in _by_case(audits).values():
        if len(own) < 2:
            continue
        cases += 1
        first, second = own[:2]
        for item in first.answers.keys() & second.answers.keys():
            of += 1
            same += first.answers[item] is second.answers[item]
    return Agreement(cases=cases, same=same, of=of, percent=_percent(same, of) if cases >= FEWEST and of else None)


def _rate(own: Sequence[Judged]) -> PersonRate:
    findings = [sum(answer is Answer.NO for answer in one.answers.values()) for one in own]
    without = findings.count(0)
    return PersonRate(
        name=own[0].name,
        cases=len(own),
        without=without,
        percent=_percent(without, len(own)) if len(own) >= FEWEST else None,
        findings=sum(findings),
    )


def _by_case(audits: Iterable[Judged]) -> dict[UUID, list[Judged]]:
    found: dict[UUID, list[Judged]] = defaultdict(list)
    for one in sorted(audits, key=lambda one: (one.finished_at, str(one.auditor))):
        found[one.case_id].append(one)
    return found


def _first(audits: Iterable[Judged]) -> list[Judged]:
    return [own[0] for own in _by_case(audits).values()]


def _percent(part: int, of: int) -> Decimal:
    return (Decimal(100 * part) / of).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")
