"""A message as the tests of channels send it."""

from uuid import UUID

from cloud.notifications.channels.port import Message

KEY = UUID("00000000-0000-4000-8000-000000000abc")


def message(to: str = "+4520123456", text: str = "Pulsepost: a case of tier urgent waits") -> Message:
    """One page."""
    return Message(key=KEY, to=to, subject="Pulsepost: a case waits", text=text, language="en")
