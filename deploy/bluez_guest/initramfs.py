"""The first file system of the guest: busybox, the init script, and the kernel modules in the order of loading."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.bluez_guest.errors import GuestFailed

MODULES = (
    "9p",
    "9pnet_virtio",
    "overlay",
    "bluetooth",
    "hci_vhci",
    # Without these the kernel's SMP fails without a word ("security requested but not available").
    "cmac",
    "ecdh_generic",
    # bluetoothd's own cryptography.
    "algif_hash",
    "algif_skcipher",
    # Simulated HID devices on the kernel's own hidraw.
    "uhid",
    "hid_generic",
)
"""What this machine's kernel has built in is no module and not looked for: ecb, sha512, drbg, jitterentropy."""

_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def write(path: Path, *, busybox: Path, init: Path, modules: Path) -> None:
    """Make the archive. ``modules`` is the kernel package's lib/modules/VERSION. GuestFailed."""
    chosen = dict(in_order(MODULES, available(modules)))
    entries: dict[str, bytes | None] = dict.fromkeys(("bin", "dev", "proc", "sys", "host", "top", "new", "modules"))
    entries |= {"bin/busybox": busybox.read_bytes(), "init": init.read_bytes()}
    entries |= {f"modules/{name}.ko": octets for name, octets in chosen.items()}
    entries["modules/order"] = "\n".join(chosen).encode() + b"\n"
    path.write_bytes(gzip.compress(archive(entries), compresslevel=1))


def available(modules: Path) -> dict[str, Path]:
    """Every module file by the module's name."""
    return {_name(file.name.partition(".ko")[0]): file for file in modules.rglob("*.ko*")}


def in_order(names: Iterable[str], files: dict[str, Path]) -> Iterator[tuple[str, bytes]]:
    """The modules and what they need, each once, after what it needs. GuestFailed where one is missing."""
    done: set[str] = set()

    def load(name: str) -> Iterator[tuple[str, bytes]]:
        if name in done:
            return
        done.add(name)
        if name not in files:
            raise GuestFailed(f"the kernel package has no module {name}")
        octets = decompressed(files[name])
        for needed in depends(octets):
            yield from load(needed)
        yield name, octets

    for name in names:
        yield from load(_name(name))


def depends(module: bytes) -> list[str]:
    """The names that a module's own ``depends=`` lists."""
    found = _DEPENDS.search(module)
    return [_name(name) for name in found[1].decode().split(",") if name] if found else []


def decompressed(file: Path) -> bytes:
    """A module's octets, however the package compresses it. GuestFailed."""
    match file.suffix:
        case ".xz":
            return lzma.decompress(file.read_bytes())
        case ".ko":
            return file.read_bytes()
        case ".zst" if shutil.which("zstd"):
            return subprocess.run(["zstd", "-dcq", str(file)], stdout=subprocess.PIPE, check=True).stdout
        case _:
            raise GuestFailed(f"{file.name}: this compression of modules is not known here")


def archive(entries: dict[str, bytes | None]) -> bytes:
    """A cpio archive (newc, Documentation/driver-api/early-userspace/buffer-format.rst); None is a folder."""
    members = [*entries.items(), ("TRAILER!!!", b"")]
    return b"".join(_member(number, name, octets) for number, (name, octets) in enumerate(members, start=1))


def _member(number: int, name: str, octets: bytes | None) -> bytes:
    mode = stat.S_IFDIR | 0o755 if octets is None else stat.S_IFREG | 0o755
    data = octets or b""
    #         ino     mode  uid gid links time size      device   of it   name             checksum
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(header) + _padded(data)


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)


def _name(module: str) -> str:
    return module.replace("-", "_")
