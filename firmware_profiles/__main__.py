"""Commands about the catalogue.

python -m firmware_profiles check     load every profile, say what is wrong with the first bad one
python -m firmware_profiles table     the Markdown support table of the README
"""

import argparse
import sys

from firmware_profiles.catalogue import InvalidProfile, catalogue
from firmware_profiles.table import support_table


def main() -> int:
    """Exit code 0, or 1 where a profile is refused."""
    parser = argparse.ArgumentParser(prog="python -m firmware_profiles", description="The catalogue of devices.")
    parser.add_argument("command", choices=["check", "table"])
    command = parser.parse_args().command
    try:
        loaded = catalogue()
    except InvalidProfile as error:
        print(error, file=sys.stderr)
        return 1
    if command == "check":
        print(f"{len(loaded)} models, {sum(1 for _ in loaded)} firmware ranges: all profiles are sound")
    else:
        print(support_table(loaded), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
