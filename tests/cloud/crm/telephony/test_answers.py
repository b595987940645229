"""What a telephone system answers is believed as far as it can be read: the telephone rings all the same."""

from dataclasses import dataclass
from typing import Any

import pytest

from cloud.crm.connectors.door import Answer, Door
from cloud.crm.port import Shut
from cloud.crm.telephony.bitrix24 import Application
from cloud.crm.telephony.port import Dial, Dialled
from cloud.crm.telephony.webhook import Webhook
from cloud.crm_config import CrmSettings, trusting
from tests.cloud.made import NOW

DIAL = Dial(key="0190b6d0-0000-7000-8000-000000000000", extension="12", number="+4520123456", at=NOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering(Door):
    """A door behind which that is said, whatever is asked."""

    body: bytes

    def ask(self, method: str, url: str, **asked: Any) -> Answer:
        del method, url, asked
        return Answer(status=200, headers={}, body=self.body)


def answering(body: bytes) -> Door:
    return Answering(tls=trusting(CrmSettings()), now=lambda: NOW, body=body)


@pytest.mark.parametrize(
    ("body", "remote_id"),
    [
        (b'{"id": "c-17"}', "c-17"),
        (b'{"id": 17}', "17"),
        (b"OK", None),
        (b"{}", None),
        (b'{"id": "\xff"}', None),
        (b'{"id": "c\\u0000"}', None),
        (b'{"x": ' + b"[" * 30_000, None),
    ],
)
def test_an_id_that_cannot_be_read_or_kept_is_none(body: bytes, remote_id: str | None) -> None:
    webhook = Webhook(door=answering(body), url="https://e.example", keys=[b"k" * 32], now=lambda: NOW)
    assert webhook.dial(DIAL) == Dialled(remote_id=remote_id, rings=True)


def test_tokens_that_cannot_be_read_are_for_a_person() -> None:
    application = Application(
        client_id="1", client_secret="app", refresh_token="r", exchange="https://e.example", keep=lambda _: None
    )
    with pytest.raises(Shut, match="Install it again"):
        application.exchanged(answering(b'{"access_token": "\xff", "refresh_token": "r"}'))
