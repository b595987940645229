"""Rates and agreement by themselves."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from cloud.crm.quality import rates
from cloud.crm.quality.models import Answer, Judged
from tests.cloud.made import NOW

NORA, OTTO, LENA = UUID(int=1), UUID(int=2), UUID(int=3)


def judged(
    *answers: Answer, case_id: UUID | None = None, auditor: UUID = OTTO, after: int = 0, by: UUID | None = NORA
) -> Judged:
    return Judged(
        case_id=case_id or uuid4(), closed_by=by, name="Nora" if by else None, auditor=auditor,
        finished_at=NOW + timedelta(minutes=after), answers={f"item{n}": answer for n, answer in enumerate(answers)},
    )  # fmt: skip


def test_few_cases_are_a_number_and_no_rate() -> None:
    few = [judged(Answer.YES) for _ in range(4)]
    [nora] = rates.by_person(few)
    assert (nora.cases, nora.without, nora.percent) == (4, 4, None)
    [nora] = rates.by_person([*few, judged(Answer.NO, Answer.NO)])
    assert (nora.cases, nora.without, nora.percent, nora.findings) == (5, 4, Decimal("80.0"), 2)


def test_what_does_not_apply_is_neither_a_finding_nor_counted() -> None:
    [nora] = rates.by_person([judged(Answer.NOT_APPLICABLE, Answer.YES)])
    assert (nora.without, nora.findings) == (1, 0)
    assert [(one.item, one.no, one.of) for one in rates.by_item([judged(Answer.NOT_APPLICABLE, Answer.NO)])] == [
        ("item1", 1, 1)
    ]


def test_a_case_that_two_audited_counts_once_by_who_finished_first() -> None:
    case = uuid4()
    first = judged(Answer.YES, Answer.YES, case_id=case)
    second = judged(Answer.NO, Answer.YES, case_id=case, auditor=LENA, after=5)
    [nora] = rates.by_person([second, first])
    assert (nora.cases, nora.without, nora.findings) == (1, 1, 0)
    agreed = rates.agreement([second, first, judged(Answer.NO)])
    assert (agreed.cases, agreed.same, agreed.of, agreed.percent) == (1, 1, 2, None)
    many = [
        one
        for _ in range(5)
        for case in [uuid4()]
        for one in (judged(Answer.YES, case_id=case), judged(Answer.NO, case_id=case, auditor=LENA, after=1))
    ]
    assert rates.agreement(many).percent == Decimal("0.0")


def test_what_nobody_closed_stands_last_and_without_a_name() -> None:
    people = rates.by_person([judged(Answer.YES, by=None), judged(Answer.YES)])
    assert [one.name for one in people] == ["Nora", None]
