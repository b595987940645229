"""What the cloud says is due: read strictly, and kept as it was said."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.home.plan import BadPlan, decoded, encoded, plan_of
from gateway.wire import v1
from tests.gateway.home.made import due, plan

DUE: dict[str, object] = {
    "devices": [["cuff", None], ["spare", 1]],
    "kind": "blood_pressure",
    "zone": "Europe/Berlin",
    "windows": [["2026-11-22T08:00:00+01:00", "2026-11-22T07:00:00+01:00", "2026-11-22T10:00:00+01:00"]],
}
BODY: dict[str, object] = {
    "said_at": "2026-11-22T06:30:00Z",
    "until": "2026-11-28T06:30:00Z",
    "due": [DUE],
}


def test_a_body_is_read_and_kept() -> None:
    found = plan_of(BODY)
    assert found.due[0].devices == (("cuff", None), ("spare", 1))
    assert decoded(encoded(found)) == found
    assert plan_of(msgspec.json.decode(encoded(plan(due(user=2))))) == plan(due(user=2))


def test_the_golden_body_is_read_for_ever() -> None:
    golden = Path(__file__).parents[2] / "contract" / "v1" / "commands-home.json"
    [only] = plan_of(v1.decode_commands(golden.read_bytes()).body).due
    assert (only.devices, only.kind, only.zone) == ((("cuff", 1), ("meter", None)), "blood_pressure", "Europe/Berlin")
    assert [moment.hour for moment in only.windows[0]] == [7, 4, 9]


def test_a_field_of_a_later_release_is_ignored() -> None:
    assert plan_of({**BODY, "colour": "blue"}) == plan_of(BODY)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**BODY, "until": "2026-11-28T06:30:00"},
        {**BODY, "due": [{"devices": [["cuff"]], "kind": "glucose", "zone": "UTC", "windows": []}]},
        {**BODY, "due": [{"devices": [], "kind": "glucose", "zone": "UTC", "windows": [["a", "b", "c"]]}]},
        {**BODY, "due": [DUE] * 101},
    ],
)
def test_another_body_is_refused_and_nothing_of_it_is_quoted(body: dict[str, object]) -> None:
    with pytest.raises(BadPlan) as refused:
        plan_of(body)
    assert "cuff" not in str(refused.value)


@given(st.binary(max_size=200))
def test_what_another_release_kept_is_no_plan(octets: bytes) -> None:
    assert decoded(octets) is None
