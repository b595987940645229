"""`python -m deploy.lock`: requirements/*.lock from pyproject.toml, with hashes and without any index's name.

dev.lock is what `make` installs; gateway.lock is what a Raspberry Pi in a home needs and nothing more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
EXTRAS = ("dev", "gateway")


def command(extra: str) -> list[str]:
    """uv's command line for one lock file."""
    return [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "compile",
        "pyproject.toml",
        f"--extra={extra}",
        f"--output-file=requirements/{extra}.lock",
        "--generate-hashes",
        "--universal",
        "--python-version=3.11",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--no-annotate",
        "--no-header",
        "--quiet",
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write every lock; the exit code is uv's."""
    parser = argparse.ArgumentParser(prog="python -m deploy.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take newer versions than the locked ones")
    options = parser.parse_args(arguments)
    upgrade = ["--upgrade"] if options.upgrade else []
    return max(subprocess.run([*command(extra), *upgrade], cwd=PROJECT, check=False).returncode for extra in EXTRAS)


if __name__ == "__main__":
    sys.exit(main())
