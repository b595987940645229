"""`python -m deploy.manual`: builds the manual into the folder that the console serves under /manual.

It takes the pictures from the running product first: browser journeys (tests/journeys/roles) walk through a console
with made-up people on the local services, in each language. A page that names a picture which none of them took is an
error. Needs what `make docs` installs: TimescaleDB, Chromium and fonts.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from cloud.console.manual import BUILT
from deploy.manual.book import SOURCE, bound, write
from deploy.manual.errors import Unsound

PROJECT: Final = Path(__file__).resolve().parents[2]
PICTURES: Final = PROJECT / ".local" / "manual"
JOURNEYS: Final = "tests/journeys/roles"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.manual", description=__doc__)
    parser.add_argument(
        "--into", type=Path, default=BUILT, help="where it is put (default: where the console serves it)"
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="use the pictures of this folder instead of new ones"
    )
    given = parser.parse_args()
    pictures = given.pictures or PICTURES
    if given.pictures is None and not take(pictures):
        print("The journeys that take the pictures failed: what they say stands above.", file=sys.stderr)
        return 1
    try:
        book = bound(SOURCE, pictures)
    except Unsound as unsound:
        print(unsound, file=sys.stderr)
        return 1
    write(book, given.into)
    print(
        f"the manual: {sum(map(len, book.pages.values()))} pages in {given.into}; the console serves it under /manual"
    )
    return 0


def take(pictures: Path) -> bool:
    """Walk the journeys, which leave their pictures in this folder; those of before go."""
    for old in pictures.glob("*/*.png"):
        old.unlink()
    workers = f"--numprocesses={min(5, (os.cpu_count() or 1) + 1)}"
    command = [sys.executable, "-m", "pytest", "-q", workers, "--dist=worksteal", JOURNEYS]
    walked = subprocess.run(command, cwd=PROJECT, env={**os.environ, "PULSEPOST_PICTURES": str(pictures)}, check=False)
    return walked.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
