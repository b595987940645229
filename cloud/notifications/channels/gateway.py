"""SMS and voice gateways: one JSON POST whose shape the operator configures.

The request carries ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header), so that a second try after an
answer that was lost is not a second message. A provider with another way of speaking gets a small adapter in front.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cloud.notifications.channels.port import Message, Sent
from cloud.notifications.channels.post import Poster


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A provider. ``shape``: JSON text, in whose strings {to}, {text}, {language} and {key} are filled in.

    ``id_field``: where its answer names the message; ``answer_confirms``: its answer says that the message arrived.
    """

    poster: Poster
    shape: str
    id_field: str = "id"
    answer_confirms: bool = False
    token: str | None = None

    def send(self, message: Message) -> Sent:
        """The port's promise. TryAgain, Never."""
        words = {"to": message.to, "text": message.text, "language": message.language, "key": str(message.key)}
        headers = {"Idempotency-Key": str(message.key)}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self.poster.post(json.dumps(filled(json.loads(self.shape), words)).encode(), headers)
        return Sent(provider_id=_named(answer, self.id_field), arrived=self.answer_confirms)


def filled(shape: object, words: Mapping[str, str]) -> object:
    """The same JSON with the words put into its strings."""
    match shape:
        case str():
            for name, word in words.items():
                shape = shape.replace(f"{{{name}}}", word)
            return shape
        case list():
            return [filled(each, words) for each in shape]
        case dict():
            return {name: filled(each, words) for name, each in shape.items()}
        case _:
            return shape


def _named(answer: bytes, field: str) -> str | None:
    """The provider's id of the message; None where the answer has none."""
    try:
        said = json.loads(answer)
    except ValueError:
        return None
    name = said.get(field) if isinstance(said, dict) else None
    return str(name)[:200] if isinstance(name, str | int) and name != "" else None
