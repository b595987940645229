"""How a command of ``python -m device_drivers`` ends."""

GOOD = 0
BAD_USAGE = 2
DEVICE_ERROR = 3
UNDECODABLE = 4


class BadUsage(Exception):
    """The command was called in a way that makes no sense; the text says how to call it."""
