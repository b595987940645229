"""Due, measured, received: what is said of each, and what the lamps do."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from gateway.home.facts import HomeDevice, Known, Pattern, SlotState, lamps
from gateway.home.plan import Due
from gateway.wire.v1 import Fate
from tests.gateway.home.made import (
    BERLIN,
    CUFF,
    METER,
    MORNING_AND_EVENING,
    NOW,
    at,
    cards_of,
    due,
    facts,
    measured,
    plan,
    received,
    window,
)

# Due --------------------------------------------------------------------------------------------------------


def test_what_is_due_now_and_what_is_later_today() -> None:
    [card] = cards_of(plan(due()))
    assert [slot.state for slot in card.slots] == [SlotState.NOW, SlotState.LATER]
    assert (card.known, card.zone, card.devices) == (Known.SAID, BERLIN, (("cuff", None),))


def test_a_measurement_within_its_window_meets_it() -> None:
    [card] = cards_of(plan(due()), {"cuff": [measured(at(8, 12))]})
    assert (card.slots[0].state, card.slots[0].made_at) == (SlotState.MADE, at(8, 12))


@pytest.mark.parametrize(("minute", "state"), [(-1, SlotState.NOW), (0, SlotState.MADE), (1, SlotState.MADE)])
def test_a_window_is_met_from_its_first_moment_on(minute: int, state: SlotState) -> None:
    [card] = cards_of(plan(due(window(8))), {"cuff": [measured(at(7) + timedelta(minutes=minute))]})
    assert card.slots[0].state == state


def test_a_window_that_is_over_without_a_reading_is_said_not_to_have_been_seen() -> None:
    [card] = cards_of(plan(due()), now=at(11))
    assert [slot.state for slot in card.slots] == [SlotState.NOT_SEEN, SlotState.LATER]


def test_yesterdays_and_tomorrows_windows_are_not_shown_but_one_that_is_open_across_midnight_is() -> None:
    late = at(23), at(22), at(1, days=1)
    [card] = cards_of(plan(due(window(8, days=-1), late, window(8, days=1))), now=at(0, 30, days=1))
    assert [slot.end for slot in card.slots] == [late[2], at(10, days=1)]


def test_without_a_plan_from_the_clinic_nothing_is_said_to_be_due() -> None:
    [card] = cards_of(None)
    assert (card.known, card.slots) == (Known.UNKNOWN, ())


def test_a_plan_that_is_too_old_is_no_longer_believed() -> None:
    old = plan(due())
    [card] = cards_of(old, now=old.until)
    assert (card.known, card.slots) == (Known.UNKNOWN, ())


def test_a_device_that_the_plan_does_not_name_is_said_to_have_nothing_planned() -> None:
    planned, other = cards_of(plan(due()), devices=(CUFF, METER))
    assert (planned.known, other.known, other.kind) == (Known.SAID, Known.NOTHING, "glucose")


def test_a_plan_that_names_a_device_of_another_home_or_of_another_kind_is_not_shown() -> None:
    pressure_with_a_meter = due(device="meter")
    told = cards_of(plan(due(device="elsewhere"), pressure_with_a_meter), devices=(METER,))
    assert [(card.kind, card.known) for card in told] == [("glucose", Known.NOTHING)]


# Whose ------------------------------------------------------------------------------------------------------


def test_two_people_at_one_cuff_are_told_apart_by_its_user_slots() -> None:
    taken = {"cuff": [measured(at(8, 5), user=1), received(measured(at(8, 10), user=2))]}
    first, second = cards_of(plan(due(user=1), due(user=2)), taken)
    assert [card.slots[0].made_at for card in (first, second)] == [at(8, 5), at(8, 10)]
    assert (first.waiting, second.waiting) == (1, 0)


def test_whoever_uses_a_cuff_without_slots_meets_the_plan() -> None:
    [card] = cards_of(plan(due()), {"cuff": [measured(at(8, 5), user=2)]})
    assert card.slots[0].state is SlotState.MADE


def test_somebody_who_is_in_no_plan_has_a_card_of_their_own() -> None:
    told = cards_of(plan(due(user=1)), {"cuff": [measured(at(8), user=1), measured(at(8), user=2)]})
    assert [(card.devices, card.known) for card in told] == [
        ((("cuff", 1),), Known.SAID),
        ((("cuff", 2),), Known.NOTHING),
    ]


def test_a_measurement_with_any_of_somebodys_devices_counts() -> None:
    spare = HomeDevice("spare", "blood_pressure")
    both = Due(
        devices=(("cuff", None), ("spare", None)),
        kind="blood_pressure",
        zone="Europe/Berlin",
        windows=MORNING_AND_EVENING,
    )
    [card] = cards_of(plan(both), {"spare": [measured(at(8))]}, devices=(CUFF, spare))
    assert card.slots[0].state is SlotState.MADE


def test_a_meter_of_glucose_shows_its_ketones_apart() -> None:
    told = cards_of(None, {"meter": [measured(at(8), "glucose"), measured(at(8, 1), "ketone")]}, devices=(METER,))
    assert [(card.kind, len(card.today)) for card in told] == [("glucose", 1), ("ketone", 1)]


# Measured and received --------------------------------------------------------------------------------------


def test_what_waits_and_what_the_clinic_has_are_counted_apart() -> None:
    [card] = cards_of(None, {"cuff": [received(measured(at(7))), measured(at(8))]})
    assert (len(card.today), card.waiting) == (2, 1)
    assert card.received is not None
    assert card.received.received_at == at(7, 1)


def test_a_reading_in_quarantine_is_with_the_clinic_and_is_checked_there() -> None:
    [card] = cards_of(None, {"cuff": [received(measured(at(8)), fate=Fate.QUARANTINED)]})
    assert (card.waiting, card.is_checked) == (0, True)


def test_yesterdays_measurement_is_the_last_and_not_todays() -> None:
    [card] = cards_of(None, {"cuff": [measured(at(20, days=-1))]})
    assert card.today == ()
    assert card.last is not None
    assert card.last.at == at(20, days=-1)


def test_a_day_begins_at_the_persons_own_midnight() -> None:
    before_midnight_in_london = at(0, 30)
    [card] = cards_of(plan(due()), {"cuff": [measured(before_midnight_in_london)]})
    assert [one.at for one in card.today] == [before_midnight_in_london]


def test_a_reading_whose_time_nobody_knows_meets_nothing_and_is_said() -> None:
    [card] = cards_of(plan(due()), {"cuff": [replace(measured(at(8)), exact=False)]})
    assert card.slots[0].state is SlotState.NOW
    assert (card.today, card.unclear is not None) == ((), True)


# Lamps ------------------------------------------------------------------------------------------------------


def test_the_lamps_of_a_morning_without_a_measurement() -> None:
    shown = lamps(facts(*cards_of(plan(due()))))
    assert (shown.due, shown.measured, shown.received) == (Pattern.BLINKING, Pattern.OFF, Pattern.OFF)


def test_the_lamps_follow_a_measurement_from_the_cuff_to_the_clinic() -> None:
    on_its_way = lamps(facts(*cards_of(plan(due()), {"cuff": [measured(at(8))]}), waiting=1))
    there = lamps(facts(*cards_of(plan(due()), {"cuff": [received(measured(at(8)))]})))
    assert (on_its_way.due, on_its_way.measured, on_its_way.received) == (
        Pattern.STEADY,
        Pattern.STEADY,
        Pattern.BLINKING,
    )
    assert (there.due, there.measured, there.received) == (Pattern.STEADY, Pattern.STEADY, Pattern.STEADY)


def test_the_lamps_are_dark_where_nothing_is_due_and_nothing_was_measured() -> None:
    shown = lamps(facts(*cards_of(None)))
    assert {shown.due, shown.measured, shown.received} == {Pattern.OFF}


def test_a_gateway_that_cannot_keep_readings_blinks_the_lamp_of_the_measurement() -> None:
    assert lamps(facts(trouble=True)).measured is Pattern.BLINKING


def test_one_who_is_not_done_keeps_the_lamp_blinking_for_all() -> None:
    taken = {"cuff": [measured(at(8), user=1)]}
    assert lamps(facts(*cards_of(plan(due(user=1), due(user=2)), taken))).due is Pattern.BLINKING


def test_no_state_of_the_home_gives_a_card_that_contradicts_itself() -> None:
    for hour, days, exact, known in product(range(0, 24, 3), (-1, 0), (True, False), (None, plan(due()))):
        taken = {"cuff": [replace(measured(at(hour, days=days)), exact=exact)]}
        for card in cards_of(known, taken):
            assert not (card.slots and card.known is not Known.SAID)
            assert all(one.exact and one.at <= NOW for one in card.today)
            assert all(slot.made_at is None or slot.start <= slot.made_at <= slot.end for slot in card.slots)
