from pathlib import Path

import pytest

from firmware_profiles.catalogue import PROFILES, InvalidProfile, UnknownProfile, catalogue, load

SOUND = (PROFILES / "lifescan" / "onetouch-ultramini.toml").read_text()


def refused(folder: Path, text: str) -> str:
    """The reason why a catalogue with this file alone is refused."""
    path = folder / "maker" / "model.toml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(InvalidProfile) as refusal:
        load(folder)
    assert refusal.value.path == path
    assert str(refusal.value).startswith("maker/model.toml: ")
    return refusal.value.reason


def test_the_shipped_catalogue_is_loaded_once() -> None:
    assert catalogue() is catalogue()
    assert catalogue().get("lifescan-onetouch-ultramini").firmware.transport == "serial"


def test_an_unknown_id_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownProfile, match="taidoc-td-3128"):
        catalogue().get("no-such-meter")


def test_an_unknown_key_is_refused_with_its_name(tmp_path: Path) -> None:
    assert "colour" in refused(tmp_path, SOUND.replace("memory = 500", 'memory = 500\ncolour = "blue"'))


def test_a_missing_evidence_is_refused(tmp_path: Path) -> None:
    lines = [line for line in SOUND.splitlines() if not line.startswith("evidence")]
    assert "evidence" in refused(tmp_path, "\n".join(lines))


def test_an_empty_evidence_is_refused(tmp_path: Path) -> None:
    lines = ['evidence = " "' if line.startswith("evidence") else line for line in SOUND.splitlines()]
    assert "firmware[0]: evidence" in refused(tmp_path, "\n".join(lines))


def test_a_bad_command_pattern_is_refused_with_its_place(tmp_path: Path) -> None:
    assert "firmware[0].commands: '02 6'" in refused(tmp_path, SOUND.replace('"02 06 .. 03 .. .."', '"02 6"'))


def test_a_bad_version_range_is_refused_with_its_place(tmp_path: Path) -> None:
    assert "firmware[0].versions" in refused(tmp_path, SOUND.replace('versions = "*"', 'versions = "newest"'))


def test_a_bad_expression_is_refused_with_its_key(tmp_path: Path) -> None:
    assert "device.match.manufacturer" in refused(
        tmp_path, SOUND.replace('manufacturer = "LifeScan"', 'manufacturer = "("')
    )


def test_overlapping_ranges_are_refused(tmp_path: Path) -> None:
    second = SOUND[SOUND.index("[[firmware]]") :].replace('versions = "*"', 'versions = "<2"')
    assert "overlap" in refused(tmp_path, SOUND + "\n" + second)


def test_text_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "this is not TOML")


def test_two_files_with_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(SOUND)
    with pytest.raises(InvalidProfile, match=r"b\.toml: device\.id .* is already the id of a\.toml"):
        load(tmp_path)
