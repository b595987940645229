"""How a case ended: every code has a meaning, and the actionable share counts what somebody needed."""

import pytest

from alerting.dispositions import MEANINGS, SOURCE, WITHOUT_NOTE, Disposition, actionable_share


def test_every_code_has_a_meaning_and_is_marked_as_a_proposal() -> None:
    assert set(MEANINGS) == set(Disposition)
    assert "proposal" in SOURCE


def test_what_a_doctor_or_an_ambulance_did_needs_a_note_and_so_does_doing_nothing_for_a_reason() -> None:
    assert {code for code in Disposition if MEANINGS[code].needs_note} == {
        Disposition.TREATMENT_CHANGED_BY_DOCTOR,
        Disposition.REFERRED_TO_DOCTOR,
        Disposition.EMERGENCY_SERVICE_CALLED,
        Disposition.EXPECTED_FOR_THIS_PATIENT,
        Disposition.PATIENT_NOT_REACHED,
    }
    assert not any(MEANINGS[code].needs_note for code in WITHOUT_NOTE)


@pytest.mark.parametrize(
    ("closed", "share"),
    [
        ([], None),
        ([Disposition.ADVICE_GIVEN], 1.0),
        ([Disposition.NO_ACTION_NEEDED, Disposition.PATIENT_NOT_REACHED], 0.0),
        ([Disposition.ADVICE_GIVEN, *[Disposition.DEVICE_OR_MEASUREMENT_ERROR] * 3], 0.25),
    ],
)
def test_the_actionable_share_is_of_what_people_closed(closed: list[Disposition], share: float | None) -> None:
    assert actionable_share(closed) == share
