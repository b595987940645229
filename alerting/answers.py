"""What a patient's answers to a questionnaire ask for: pure.

A red flag is an emergency, as it is where a nurse asks (``alerting.red_flags``): nobody knows better before somebody
has asked. A concern is for the same shift. Both tiers are proposals of this project, the terms are the programme's.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from alerting.pipeline import Finding
from alerting.reasons import Concern, QuestionnaireReason, RedFlag
from alerting.regimes import OURS
from alerting.tiers import Tier

QUESTIONNAIRE_ANSWER: Final = "questionnaire_answer"


def on_answers(
    title: str, version: int, flags: Iterable[RedFlag], concerns: Iterable[Concern], answered_at: datetime
) -> Finding | None:
    """A finding where somebody must hear of it; None where nothing of the answers asks for anybody."""
    found, said = tuple(sorted(set(flags))), tuple(sorted(set(concerns)))
    if not found and not said:
        return None
    reason = QuestionnaireReason(
        title=title, version=version, flags=found, concerns=said, answered_at=answered_at, source=OURS
    )
    tier = Tier.EMERGENCY if found else Tier.SAME_SHIFT
    return Finding(condition=QUESTIONNAIRE_ANSWER, tier=tier, reason=reason, at=answered_at)
