"""In which units somebody reads figures: chosen by them, shown everywhere, and the device's own always beside."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from alerting.units import Units
from cloud.console.spoken import spoken_in
from device_drivers.nomenclature import Unit
from tests.cloud.made import NOW, glucose, ketone, pressure, sent
from tests.fix_console import Console


def test_a_choice_changes_pages_sentences_limits_and_charts_and_keeps_what_the_device_said(console: Console) -> None:
    ward = console.ward
    ward.receive(sent(glucose("48"), ketone("0.7", NOW - timedelta(minutes=1))), sent(pressure("128", "81")))
    nora = console.sign_in("nora")
    path = f"/patients/{ward.patient_id}"
    assert "48 mg/dL" in nora.get(path).text
    assert "mmol/L (48" not in nora.get(path).text
    assert nora.post("/me/settings", {"glucose": "mmol/L", "pressure": "kPa"}).status_code == 303
    page = re.sub(r"<[^>]+>", "", nora.get(path).text)
    for said in ("2.7 mmol/L (48 mg/dL)", "17.1/10.8 kPa (128/81 mmHg)", "0.7 mmol/L", "below 3.0 mmol/L / 54 mg/dL"):
        assert said in page
    assert "below the limit of 3.0 mmol/L (54 mg/dL)" in page, "both figures of the sentence, or none"
    assert "mmol/L (0.7" not in page
    charts = nora.get(f"{path}/series.json").json()["charts"]
    assert [chart["unit"] for chart in charts] == ["mmol/L, measured in mg/dL", "mmol/L", "kPa, measured in mmHg"]
    [value] = charts[0]["lines"]["glucose"]
    assert value == pytest.approx(48 / 18.0156)
    assert {"3.0", "3.9"} <= {limit["said"] for limit in charts[0]["limits"]}
    assert "2.7 mmol/L (48 mg/dL)" in nora.get("/worklist").text
    ada = console.sign_in("ada")
    assert "mmol/L (48" not in ada.get(path).text, "a choice is its person's alone"


def test_who_reads_russian_or_chinese_has_mmol_per_litre_unless_they_choose_otherwise(console: Console) -> None:
    console.ward.receive(sent(glucose("100")))
    nora = console.sign_in("nora")
    path = f"/patients/{console.ward.patient_id}"
    nora.post("/language", {"language": "ru", "back": "/"})
    assert "5,6 ммоль/л (100 мг/дл)" in nora.get(path).text
    nora.post("/me/settings", {"glucose": "device", "pressure": ""})
    assert "ммоль/л (100" not in nora.get(path).text


def test_a_patient_chooses_for_themselves(console: Console) -> None:
    console.ward.receive(sent(glucose("5.40")), sent(pressure("128", "81")))
    asta = console.sign_in("asta")
    asta.post("/me/settings", {"glucose": "", "pressure": "kPa"})
    assert "17.1/10.8 kPa (128/81 mmHg)" in asta.get("/me").text
    assert 'value="kPa" selected' in asta.get("/me/settings").text


def test_what_is_no_unit_is_refused_and_nothing_changes(console: Console) -> None:
    nora = console.sign_in("nora")
    refused = nora.post("/me/settings", {"glucose": "stone", "pressure": "kPa"})
    assert refused.status_code == 422
    assert "Choose one of the units." in refused.text
    assert console.ward.rows("SELECT count(*) FROM account WHERE pressure_unit IS NOT NULL") == [(0,)]


def test_hi_and_lo_stay_words_with_their_bound_in_both_units() -> None:
    spoken = spoken_in("en", Units(glucose=Unit.MMOL_L))
    assert spoken.figure(None, "above_range", Decimal(600), "mg/dL", "glucose") == "HI, above 33.3 mmol/L (600 mg/dL)"
    assert spoken.figure(None, "below_range", None, "mg/dL", "glucose") == "LO"
