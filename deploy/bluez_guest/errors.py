"""What can go wrong with the guest."""


class GuestFailed(Exception):
    """The guest cannot be prepared, or it ended without an exit code; the text says what to do or where to look."""
