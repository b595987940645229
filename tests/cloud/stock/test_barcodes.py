"""Labels as scanners type them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.stock.barcodes import BadLabel, Label, has_right_check_digit, read

GTIN = "09506000134352"  # the example of GS1's General Specifications


@pytest.mark.parametrize(
    "typed",
    [
        f"(01){GTIN}(21)12345A",
        f"(01) {GTIN} (21) 12345A",
        f"01{GTIN}2112345A",
        f"]d201{GTIN}2112345A",
        f"]C101{GTIN}2112345A\r\n",
        f"01{GTIN}2112345A\x1d",
        f"https://id.gs1.org/01/{GTIN}/21/12345A",
        "https://example.com/some/01/9506000134352/21/12345A?17=261231",
    ],
)
def test_trade_item_and_serial_number_are_read_however_the_scanner_types_them(typed: str) -> None:
    assert read(typed) == Label(serial_number="12345A", gtin=GTIN)


@pytest.mark.parametrize("gs", ["\x1d", "<GS>", "{GS}", "\\x1d"])
def test_a_whole_udi_with_lot_and_dates_is_read(gs: str) -> None:
    assert read(f"01{GTIN}112401311727020010LOT-7{gs}21SN/99") == Label(
        serial_number="SN/99",
        gtin=GTIN,
        lot="LOT-7",
        produced_on=date(2024, 1, 31),
        expires_on=date(2027, 2, 28),
    )


def test_day_nought_is_the_last_of_its_month() -> None:
    assert read(f"(01){GTIN}(17)261200(21)1").expires_on == date(2026, 12, 31)
    assert read(f"(01){GTIN}(17)280200(21)1").expires_on == date(2028, 2, 29)


@pytest.mark.parametrize(
    "typed", ["92312001", "SIM-01/7", "0123", "21ABC", "2112345A", " 92312001 \n", "0195060001343"]
)
def test_a_plain_number_is_the_serial_number_as_it_stands(typed: str) -> None:
    assert read(typed) == Label(serial_number=typed.strip())


def test_a_long_number_that_only_begins_like_a_trade_item_is_a_serial_number() -> None:
    assert read("01950600013435921123").serial_number == "01950600013435921123"


def test_a_wrong_check_digit_and_a_day_that_is_none_are_scanned_again() -> None:
    with pytest.raises(BadLabel, match="check_digit"):
        read("(01)09506000134353(21)1")
    with pytest.raises(BadLabel, match="date"):
        read(f"(01){GTIN}(17)261345(21)1")


@pytest.mark.parametrize("day", ["xx", "26", "261300", "260000", "-10101", "²²0101", "991232"])
def test_a_day_that_is_none_is_scanned_again_in_a_digital_link_as_well(day: str) -> None:
    with pytest.raises(BadLabel, match="date"):
        read(f"https://id.gs1.org/01/{GTIN}/17/{day}")


def test_a_label_without_a_serial_number_says_so() -> None:
    assert read(f"(01){GTIN}") == Label(gtin=GTIN)


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_label_or_a_bad_one(typed: str) -> None:
    try:
        label = read(typed)
    except BadLabel:
        return
    assert label.serial_number.isprintable()


@given(st.from_regex(r"\A[A-Za-z0-9/._-]{1,20}\Z"), st.from_regex(r"\A[A-Za-z0-9]{1,20}\Z"))
def test_what_a_symbol_holds_is_read_back(serial: str, lot: str) -> None:
    label = read(f"]d201{GTIN}10{lot}\x1d21{serial}")
    assert (label.serial_number, label.lot, label.gtin) == (serial, lot, GTIN)


def test_check_digits_are_those_of_gs1() -> None:
    assert has_right_check_digit(GTIN)
    assert not has_right_check_digit("09506000134351")
    assert not has_right_check_digit("٣9506000134352")
