"""The parts of the guest that are made without booting it; `make test-bluez` boots it."""

import lzma
from pathlib import Path

import pytest

from deploy.bluez_guest import initramfs, machine, suite
from deploy.bluez_guest.errors import GuestFailed


def module(folder: Path, name: str, *needs: str) -> None:
    octets = b"ELF\0name=" + name.encode() + b"\0depends=" + ",".join(needs).encode() + b"\0"
    (folder / f"{name}.ko.xz").write_bytes(lzma.compress(octets))


def test_a_module_is_loaded_after_what_it_needs_and_once(tmp_path: Path) -> None:
    module(tmp_path, "9p", "9pnet", "netfs")
    module(tmp_path, "9pnet", "netfs")
    module(tmp_path, "netfs")
    loaded = [name for name, _ in initramfs.in_order(["9p", "netfs"], initramfs.available(tmp_path))]
    assert loaded == ["netfs", "9pnet", "9p"]


def test_a_module_that_the_kernel_lacks_is_named(tmp_path: Path) -> None:
    module(tmp_path, "hci-vhci", "bluetooth")
    with pytest.raises(GuestFailed, match="bluetooth"):
        list(initramfs.in_order(["hci_vhci"], initramfs.available(tmp_path)))


def test_an_archive_is_what_the_kernel_reads() -> None:
    octets = initramfs.archive({"bin": None, "init": b"#!/bin/sh"})
    assert octets.startswith(b"070701")
    assert len(octets) % 4 == 0
    assert b"bin\0" in octets
    assert octets.index(b"init\0") < octets.index(b"#!/bin/sh") < octets.index(b"TRAILER!!!\0")


def test_the_command_keeps_its_words_in_the_guests_shell() -> None:
    assert machine.script(["echo", "two words"]).endswith("exec echo 'two words'\n")


def test_a_group_runs_without_the_fixtures_of_the_other_tests() -> None:
    words = suite.command(suite.GROUPS / "test_pairing.py")
    assert words[words.index("--confcutdir") + 1] == str(suite.GROUPS)
    assert words[-1].endswith("tests/bluez/test_pairing.py")
