"""Ranges of firmware versions: ``*``, ``>=1.2,<2``, ``==1.4``.

A version is compared by the numbers in it (``P02.00.00`` is 2.0.0); trailing zeros do not count. What stands in the
first blank-separated word counts, so that a build date behind the version cannot change the order.
"""

import re
from dataclasses import dataclass

_TERM = re.compile(r"(>=|<=|==|>|<)\s*([0-9A-Za-z._-]*[0-9][0-9A-Za-z._-]*)")

Version = tuple[int, ...]


class InvalidRange(ValueError):
    """The text is not a version range, or no version can lie in it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range; ``inclusive`` where the version itself belongs to it."""

    version: Version
    inclusive: bool


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions between two bounds; a bound that is None is open."""

    text: str
    lower: Bound | None = None
    upper: Bound | None = None

    def contains(self, firmware: str) -> bool:
        """Whether this firmware lies in the range; one without any number lies in ``*`` only."""
        version = parse_version(firmware)
        if version is None:
            return self.lower is None and self.upper is None
        return _above(version, self.lower) and _below(version, self.upper)

    def overlaps(self, other: "VersionRange") -> bool:
        """Whether some version lies in both."""
        return not _empty(_higher(self.lower, other.lower), _lower(self.upper, other.upper))


def parse_version(text: str) -> Version | None:
    """The numbers of the first word, without trailing zeros; None where there are none."""
    words = text.split()
    numbers = [int(digits) for digits in re.findall(r"[0-9]+", words[0])] if words else []
    if not numbers:
        return None
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def parse_range(text: str) -> VersionRange:
    """Read a range; InvalidRange where it is none."""
    if text.strip() == "*":
        return VersionRange(text)
    lower: Bound | None = None
    upper: Bound | None = None
    for term in text.split(","):
        low, high = _bounds(term.strip(), text)
        lower, upper = _higher(lower, low), _lower(upper, high)
    if _empty(lower, upper):
        raise InvalidRange(f"no version lies in {text!r}")
    return VersionRange(text, lower, upper)


def _bounds(term: str, text: str) -> tuple[Bound | None, Bound | None]:
    found = _TERM.fullmatch(term)
    version = parse_version(found[2]) if found else None
    if found is None or version is None:
        raise InvalidRange(f"{text!r} is not a version range like '*', '==1.4' or '>=1.2,<2'")
    inclusive = Bound(version, inclusive="=" in found[1])
    match found[1][0]:
        case ">":
            return inclusive, None
        case "<":
            return None, inclusive
        case _:
            return inclusive, inclusive


def _above(version: Version, lower: Bound | None) -> bool:
    return lower is None or version > lower.version or (lower.inclusive and version == lower.version)


def _below(version: Version, upper: Bound | None) -> bool:
    return upper is None or version < upper.version or (upper.inclusive and version == upper.version)


def _higher(a: Bound | None, b: Bound | None) -> Bound | None:
    if a is None or b is None:
        return a or b
    return max(a, b, key=lambda bound: (bound.version, not bound.inclusive))


def _lower(a: Bound | None, b: Bound | None) -> Bound | None:
    if a is None or b is None:
        return a or b
    return min(a, b, key=lambda bound: (bound.version, bound.inclusive))


def _empty(lower: Bound | None, upper: Bound | None) -> bool:
    if lower is None or upper is None:
        return False
    if lower.version == upper.version:
        return not (lower.inclusive and upper.inclusive)
    return lower.version > upper.version
