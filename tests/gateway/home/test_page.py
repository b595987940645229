"""The page as it is written: what it says, and what it never does."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.home.page import page
from gateway.home.words import LANGUAGES, Language
from gateway.wire.v1 import Fate
from tests.gateway.home.made import METER, NOW, at, cards_of, due, facts, measured, plan, received


def lines(html: str) -> list[str]:
    """What is to be read, piece by piece."""
    return [text for text in re.split(r"<[^>]*>", html) if text.strip()]


def test_the_three_facts_of_a_morning() -> None:
    told = cards_of(plan(due()), {"cuff": [received(measured(at(8, 12)), after_s=120)]})
    said = lines(page(facts(*told), "en"))
    begin = said.index("Blood pressure")
    assert said[begin : begin + 10] == [
        "Blood pressure",
        "cuff",
        "Due",
        "✓ 07:00–10:00: measured 08:12",
        "○ 19:00–22:00: later today",
        "Measured",
        "✓ Today 08:12",
        "Received",
        "✓ By your care team 08:14",
        "The device was last read 08:28.",
    ]


def test_while_the_internet_is_away_it_says_so_and_what_waits() -> None:
    told = cards_of(plan(due()), {"cuff": [measured(at(8, 12))]})
    said = lines(page(facts(*told, waiting=3, away_since=at(7, 55)), "en"))
    assert "! No connection to the clinic since 07:55" in said
    assert "Waiting to be sent: 3" in said
    assert "○ Not yet: waiting to be sent (1)" in said
    assert not [line for line in said if "Connected" in line]


def test_the_day_is_said_where_it_is_not_today() -> None:
    told = cards_of(plan(due()), {"cuff": [received(measured(at(20, 3, days=-1)))]})
    html = page(facts(*told, away_since=at(9, days=-2)), "en")
    assert "Before that: yesterday 20:03" in html
    assert "since 20 Nov 09:00" in html


def test_a_reading_without_a_time_is_not_denied() -> None:
    unclear = received(replace(measured(at(8)), exact=False), fate=Fate.QUARANTINED)
    said = lines(page(facts(*cards_of(None, {"cuff": [unclear]})), "en"))
    assert "Not yet today." not in said
    assert "The clinic has one, and checks it before it counts." in said


def test_a_gateway_that_cannot_keep_readings_says_so_and_claims_nothing_else() -> None:
    said = lines(page(facts(trouble=True), "en"))
    assert [line for line in said if "cannot keep measurements" in line]
    assert not [line for line in said if "No device" in line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_are_told_where_the_household_wants_them(language: Language) -> None:
    figured = replace(measured(at(8)), figures="124/78 mmHg")
    assert "124/78 mmHg" in page(facts(*cards_of(None, {"cuff": [figured]})), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_whole_page_and_leads_to_the_others(language: Language) -> None:
    html = page(facts(*cards_of(plan(due()), devices=(METER,)), waiting=1), language)
    assert "{" not in html
    assert [f'href="/{one}"' in html for one in LANGUAGES] == [True] * len(LANGUAGES)
    assert html.count("aria-current") == 1


def test_nothing_is_loaded_from_elsewhere_and_nothing_can_be_sent() -> None:
    html = page(facts(*cards_of(plan(due()))), "en")
    assert re.findall(r'(?:src|href)="(?!/|data:,)', html) == []
    assert re.findall(r"<(form|input|button|iframe|object|embed|img|base)|\son[a-z]+=|\sstyle=|https?:", html) == []


def test_what_stands_in_a_name_is_text() -> None:
    hostile = replace(METER, name="<b>")
    assert "<b>" not in page(facts(*cards_of(None, devices=(hostile,))), "en")


def test_many_that_wait_are_at_least_so_many() -> None:
    many = replace(facts(waiting=1000, away_since=NOW - timedelta(hours=1)), waits_more=True)
    assert "Waiting to be sent: 1000+" in page(many, "en")
