"""What is typed into a survey."""

from datetime import date

import pytest

from cloud.crm.surveys import entries
from cloud.crm.surveys.definitions import asked_on
from cloud.crm.surveys.models import Kind, Wants
from cloud.plans.fields import Refused

ASKED = asked_on(date(2026, 11, 21))[Kind.CONTACT].form
WELL = {"q-overall": "very", "q-understood": "yes"}


def test_who_was_harmed_has_made_a_complaint_whatever_else_was_chosen() -> None:
    said = entries.answered({**WELL, "harm": "yes", "wants": "nothing", "body": "I fell."}, ASKED)
    assert (said.wants, said.harm) == (Wants.COMPLAINT, True)
    said = entries.answered({**WELL, "harm": "yes", "wants": "suggestion", "body": "I fell."}, ASKED)
    assert (said.wants, said.harm) == (Wants.SUGGESTION, True)
    with pytest.raises(Refused) as refused:
        entries.answered({**WELL, "harm": "yes"}, ASKED)
    assert refused.value.refusals["body"].code == "missing"
