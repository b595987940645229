"""What stands on a device's label, as a scanner types it: GS1 element strings, GS1 Digital Links, plain numbers. Pure.

A GS1 symbol on a medical device is its UDI: (01) the trade item, (21) the serial number, and more (GS1 General
Specifications 25, sections 3.2 to 3.6 and 7.8; application identifiers with their lengths, figure 7.8.5-2). In the
symbol a field of variable length ends with FNC1, which scanners send as the control character GS; some send it in
words, and some drop it. Without it nobody can tell where a field ends: what was read is shown before it is taken.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import unquote, urlsplit

GTIN, LOT, PRODUCED, EXPIRES, SERIAL = "01", "10", "11", "17", "21"
# Two digits of the identifier and the rest, for those whose length is fixed by them.
_FIXED: Final[Mapping[str, int]] = {
    "00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6, "17": 6,
    "18": 6, "19": 6, "20": 2,
}  # fmt: skip
# Those of variable length that stand on devices, with the longest that each may be.
_VARIABLE: Final[Mapping[str, int]] = {
    "10": 20, "21": 20, "22": 20, "235": 28, "240": 30, "241": 30, "243": 20, "250": 30, "251": 30, "30": 8, "37": 8,
    "710": 20, "711": 20, "712": 20, "713": 20, "714": 20, "715": 20,
    **{f"9{n}": 90 for n in range(1, 10)},
}  # fmt: skip
_SYMBOLOGY: Final = re.compile(r"\](C1|d2|Q3|e0|J1)")
_GS_IN_WORDS: Final = re.compile(r"<GS>|\{GS\}|\\x1d|\\u001d|␝", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r"\((\d{2,4})\)([^(]*)")
_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What was read; ``serial_number`` is empty where the label has none."""

    serial_number: str = ""
    gtin: str | None = None
    lot: str | None = None
    produced_on: date | None = None
    expires_on: date | None = None


class BadLabel(ValueError):
    """What was scanned is a GS1 symbol and was read wrongly; ``code`` says how: scan it again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(text: str) -> Label:
    """What a scanner, or a person, typed. BadLabel where a check digit or a date is wrong."""
    typed = text.strip(" \t\r\n")[:_MOST]
    fields = _digital_link(typed) or _bracketed(typed) or _elements(typed)
    if fields is None:
        return Label(serial_number=_printable(typed))
    return _label(fields)


def _label(fields: Mapping[str, str]) -> Label:
    gtin = fields.get(GTIN)
    if gtin is not None and not has_right_check_digit(gtin):
        raise BadLabel("check_digit")
    return Label(
        serial_number=_printable(fields.get(SERIAL, "")),
        gtin=gtin,
        lot=fields.get(LOT),
        produced_on=_day(fields[PRODUCED]) if PRODUCED in fields else None,
        expires_on=_day(fields[EXPIRES]) if EXPIRES in fields else None,
    )


def _digital_link(typed: str) -> dict[str, str] | None:
    """``https://id.gs1.org/01/09506000134352/21/12345`` (GS1 Digital Link: URI syntax)."""
    if not typed.lower().startswith(("http://", "https://")):
        return None
    try:
        parts = [unquote(part) for part in urlsplit(typed).path.split("/") if part]
    except ValueError:
        return None
    for start, part in enumerate(parts):
        if part == GTIN and len(parts) > start + 1:
            pairs = parts[start:]
            fields = dict(zip(pairs[::2], pairs[1::2], strict=False))
            fields[GTIN] = fields[GTIN].zfill(14)
            return fields if re.fullmatch(r"\d{14}", fields[GTIN]) else None
    return None


def _bracketed(typed: str) -> dict[str, str] | None:
    """``(01)09506000134352(21)12345``: as it is printed under the symbol."""
    if not typed.startswith("("):
        return None
    found = _IN_BRACKETS.findall(typed)
    if "".join(f"({ai}){value}" for ai, value in found) != typed or not found:
        return None
    fields = {ai: value.strip() for ai, value in found}
    return fields if all(_fits(ai, value) for ai, value in fields.items()) else None


def _elements(typed: str) -> dict[str, str] | None:
    """As it stands in the symbol; None where it does not add up to whole fields."""
    rest, marked = _SYMBOLOGY.subn("", typed, count=1)
    rest = _GS_IN_WORDS.sub("\x1d", rest).lstrip("\x1d")
    fields: dict[str, str] = {}
    while rest:
        ai = next((rest[:n] for n in (2, 3) if rest[:n] in _FIXED or rest[:n] in _VARIABLE), None)
        if ai is None:
            return None
        body = rest[len(ai) :]
        if ai in _FIXED:
            value, rest = body[: _FIXED[ai]], body[_FIXED[ai] :].removeprefix("\x1d")
        else:
            value, _, rest = body.partition("\x1d")
        if not _fits(ai, value) or ai in fields:
            return None
        fields[ai] = value
    # A number that only happens to begin like one: an item's number comes with its check digit.
    is_sure = bool(marked) or "\x1d" in typed or (GTIN in fields and has_right_check_digit(fields[GTIN]))
    return fields if fields and is_sure else None


def _fits(ai: str, value: str) -> bool:
    if ai in _FIXED:
        return len(value) == _FIXED[ai] and value.isascii() and value.isdecimal()
    return ai in _VARIABLE and 1 <= len(value) <= _VARIABLE[ai] and value.isascii() and value.isprintable()


def has_right_check_digit(gtin: str) -> bool:
    """GS1's modulo 10, weights 3 and 1 from the right (General Specifications, 7.9.1)."""
    if not (gtin.isascii() and gtin.isdecimal()):
        return False
    *digits, check = map(int, gtin)
    return (sum(digit * (3, 1)[n % 2] for n, digit in enumerate(reversed(digits))) + check) % 10 == 0


def _day(digits: str) -> date:
    """YYMMDD; day 00 is the month's last; this century, as 7.12 of the specifications has it for now."""
    if not re.fullmatch(r"[0-9]{2}(0[1-9]|1[0-2])[0-9]{2}", digits):
        raise BadLabel("date")
    year, month, day = 2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:])
    try:
        if day:
            return date(year, month, day)
        following = date(year + month // 12, month % 12 + 1, 1)
    except ValueError:
        raise BadLabel("date") from None
    return date.fromordinal(following.toordinal() - 1)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()
