"""Pictures that nobody took, and the manual built with them."""

import re
import struct
import zlib
from pathlib import Path
from typing import Final

from cloud.language.languages import LANGUAGES
from deploy.manual.book import SOURCE, bound, write
from tests.house.project import PROJECT

ROLES: Final = PROJECT / "tests" / "journeys" / "roles"
TAKEN: Final = re.compile(r'\.picture\(\s*"([\w-]+)"')


def png(width: int = 8, height: int = 4) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def taken_by_journeys() -> set[str]:
    """The names of the pictures that the journeys of the roles say they take."""
    return {name for path in ROLES.glob("test_*.py") for name in TAKEN.findall(path.read_text())}


def grey_pictures(folder: Path) -> Path:
    """A grey one for each that a journey takes, on both screens and in each language."""
    for code in LANGUAGES:
        (folder / code).mkdir(parents=True, exist_ok=True)
        for name in taken_by_journeys():
            for screen in ("", "-phone"):
                (folder / code / f"{name}{screen}.png").write_bytes(png())
    return folder


def built_manual(folder: Path) -> Path:
    """The whole manual, with grey pictures."""
    write(bound(SOURCE, grey_pictures(folder / "pictures")), folder / "manual")
    return folder / "manual"
