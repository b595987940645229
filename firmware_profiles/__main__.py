"""Commands about the catalogue.

python -m firmware_profiles check     load every profile, say what is wrong with the first bad one
python -m firmware_profiles table     the Markdown support table
python -m firmware_profiles readme    the same, written into README.md between its two markers
"""

import argparse
import sys
from pathlib import Path

from firmware_profiles.catalogue import InvalidProfile, catalogue
from firmware_profiles.table import support_table, with_table

README = Path(__file__).parents[1] / "README.md"


def main() -> int:
    """Exit code 0, or 1 where a profile is refused."""
    parser = argparse.ArgumentParser(prog="python -m firmware_profiles", description="The catalogue of devices.")
    parser.add_argument("command", choices=["check", "table", "readme"])
    command = parser.parse_args().command
    try:
        loaded = catalogue()
    except InvalidProfile as error:
        print(error, file=sys.stderr)
        return 1
    if command == "check":
        print(f"{len(loaded)} models, {sum(1 for _ in loaded)} firmware ranges: all profiles are sound")
    elif command == "table":
        print(support_table(loaded), end="")
    else:
        README.write_text(with_table(README.read_text(), support_table(loaded)))
        print(f"{README.name}: {len(loaded)} models")
    return 0


if __name__ == "__main__":
    sys.exit(main())
