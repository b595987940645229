"""What may keep the run from saying anything; each says what to do."""


class CannotRun(Exception):
    """Something is missing, or did not start; nothing has been found out."""
