"""The seal and its key: what is sealed opens in its place, under its key, and nowhere else."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sealing import KEY_OCTETS, KeyRefused, Seal, SealBroken, make_key, read_key

KEY = bytes(range(KEY_OCTETS))
PLACE = b"reading/1"


@given(octets=st.binary(max_size=300), place=st.binary(max_size=50))
def test_what_was_sealed_opens_in_its_place(octets: bytes, place: bytes) -> None:
    sealed = Seal(KEY).seal(octets, place)
    assert Seal(KEY).open(sealed, place) == octets
    assert octets not in sealed or len(octets) < 4


@given(octets=st.binary(max_size=60), data=st.data())
def test_any_bit_that_turned_is_noticed(octets: bytes, data: st.DataObject) -> None:
    sealed = bytearray(Seal(KEY).seal(octets, PLACE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        Seal(KEY).open(bytes(sealed), PLACE)


@given(octets=st.binary(max_size=80))
def test_what_is_no_seal_is_refused(octets: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal(KEY).open(octets, PLACE)


def test_it_opens_in_no_other_place_and_under_no_other_key() -> None:
    sealed = Seal(KEY).seal(b"103 mg/dL", PLACE)
    with pytest.raises(SealBroken):
        Seal(KEY).open(sealed, b"reading/2")
    with pytest.raises(SealBroken):
        Seal(KEY[::-1]).open(sealed, PLACE)


def test_the_same_is_never_sealed_alike_and_always_hashed_alike() -> None:
    seal = Seal(KEY)
    assert seal.seal(b"103", PLACE) != seal.seal(b"103", PLACE)
    assert seal.keyed("C0FFEE123") == Seal(KEY).keyed("C0FFEE123") != Seal(KEY[::-1]).keyed("C0FFEE123")


def test_a_key_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "outbox.key"
    key = make_key(path)
    assert read_key(path) == key
    assert len(key) == KEY_OCTETS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["outbox.key"]
    with pytest.raises(FileExistsError):
        make_key(path)
    assert read_key(path) == key


def test_the_folders_that_were_made_for_a_key_are_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    path = tmp_path / "one" / "two" / "outbox.key"
    make_key(path)
    assert synced == [where.stat().st_ino for where in (tmp_path, tmp_path / "one", path, path.parent)]


def test_a_start_that_was_killed_while_it_made_the_key_does_not_stand_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "outbox.key"
    path.with_name("outbox.key.new").write_bytes(b"half")
    key = make_key(path)
    assert read_key(path) == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "outbox.key"
    make_key(path)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="chmod 600"):
        read_key(path)


@pytest.mark.parametrize("octets", [0, 31, 33])
def test_a_file_of_another_size_is_no_key(tmp_path: Path, octets: int) -> None:
    path = tmp_path / "outbox.key"
    path.touch(mode=0o600)
    path.write_bytes(os.urandom(octets))
    with pytest.raises(KeyRefused, match="not a key of 32 octets"):
        read_key(path)


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises((KeyRefused, IsADirectoryError)):
        read_key(tmp_path)
