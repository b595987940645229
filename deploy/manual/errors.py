"""What is wrong with the manual's source."""


class Unsound(Exception):
    """The manual cannot be built; each line of the message names a page and what is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(self.faults))
