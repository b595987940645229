"""Whatever is written into the audit has words that people read."""

import re
from pathlib import Path

import cloud
from alerting.lifecycle import Event
from cloud.console.texts import AUDIT_ACTIONS

CLOUD = Path(cloud.__file__).parent
# What people do with a case; the rest is the programme's own and is in the case's history.
BY_NOBODY = {Event.JOIN, Event.LAPSE, Event.CLOSE_AUTOMATICALLY}


def test_every_action_of_the_source_has_words() -> None:
    source = "\n".join(
        path.read_text()
        for path in CLOUD.rglob("*.py")
        if "cloud.audit" in path.read_text() and path.stem != "__main__"
    )
    named = set(re.findall(r'action="([a-z_.]+)"', source))
    passed = set(re.findall(r'\b(?:_audit|_record|record_by)\([^()]*?"([a-z_]+\.[a-z_]+)"', source))
    assert {"patient.read", "alarm_limit.set"} <= named | passed
    assert named | passed <= set(AUDIT_ACTIONS)


def test_every_act_on_a_case_has_words() -> None:
    assert {f"case.{event}" for event in set(Event) - BY_NOBODY} <= set(AUDIT_ACTIONS)
