"""The fake for development: a telephone that should ring is a line on the standard output, and rings."""

import sys

from cloud.crm.telephony.port import Dial, Dialled


class Printing:
    """Prints."""

    def dial(self, dial: Dial) -> Dialled:
        """One line."""
        sys.stdout.write(f"telephone {dial.extension} rings, then {dial.number} [{dial.key}]\n")
        sys.stdout.flush()
        return Dialled(remote_id=None, rings=True)
