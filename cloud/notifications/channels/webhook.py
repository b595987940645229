"""A signed webhook: the page as JSON to a system of the operator's, such as one for people on call."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cloud.notifications.channels.port import Message, Sent
from cloud.notifications.channels.post import Poster
from cloud.notifications.channels.signing import signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``answer_confirms``: a 2xx says that the person has it; else a receipt has to."""

    poster: Poster
    key: bytes = field(repr=False)
    now: Callable[[], datetime]
    answer_confirms: bool = False

    def send(self, message: Message) -> Sent:
        """The port's promise. ``webhook-id`` is the message's key: the same for each try. TryAgain, Never."""
        said = {"type": "page", "to": message.to, "subject": message.subject, "text": message.text}
        body = json.dumps(said, ensure_ascii=False).encode()
        self.poster.post(body, signed(self.key, str(message.key), self.now(), body))
        return Sent(arrived=self.answer_confirms)
