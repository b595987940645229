"""The fake for development: a page is a line on the standard output, and nobody confirms it."""

import sys

from cloud.notifications.channels.port import Message, Sent


class Printing:
    """Prints."""

    def send(self, message: Message) -> Sent:
        """One line."""
        sys.stdout.write(f"page to {message.to}: {message.text} [{message.key}]\n")
        sys.stdout.flush()
        return Sent()
