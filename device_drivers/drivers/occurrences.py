"""Telling equal readings of one session apart where the device gives nothing else to tell them by."""

from collections import Counter
from dataclasses import replace

from device_drivers.readings import Reading


def told_apart(reading: Reading, equals: Counter[str]) -> Reading:
    """The reading, numbered among its equals; ``equals`` counts them and is kept for the session.

    Equal readings differ in nothing but the number, so it does not matter which of them came first.
    """
    equals[reading.reading_id] += 1
    return replace(reading, occurrence=equals[reading.reading_id] - 1)
