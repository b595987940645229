"""Webhooks as the reference library of Standard Webhooks reads them, and receipts as it writes them."""

import base64
import json
import ssl
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Reference

from cloud.clock import now
from cloud.notifications.channels import signing
from cloud.notifications.channels.post import Poster
from cloud.notifications.channels.webhook import Webhook
from deploy.receivers.gateways import Gateway
from tests.cloud.notifications.channels.made import KEY, message

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TLS = ssl.create_default_context()


def test_the_reference_library_takes_our_signature(phone_gateway: Gateway) -> None:
    webhook = Webhook(poster=Poster(phone_gateway.url, TLS), key=signing.key_of(SECRET), now=now)

    webhook.send(message(to="nora", text="Pulsepost: случай ждёт"))

    [request] = phone_gateway.requests
    said = Reference(SECRET).verify(request.body, request.headers)
    assert said["text"] == "Pulsepost: случай ждёт"
    assert request.headers["webhook-id"] == str(KEY)


def test_we_take_the_reference_librarys_signature_and_no_other() -> None:
    at, body = now(), json.dumps({"id": "msg-1", "status": "delivered"})
    headers = {
        "webhook-id": "r1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": "v1a,nonsense " + Reference(SECRET).sign("r1", at, body),
    }
    key = signing.key_of(SECRET)

    assert signing.is_genuine(key, headers, body.encode(), at)
    assert not signing.is_genuine(signing.key_of(SECRET[:-4] + "AAA="), headers, body.encode(), at)
    assert not signing.is_genuine(key, headers, body.encode() + b" ", at)
    assert not signing.is_genuine(key, {**headers, "webhook-id": "r2"}, body.encode(), at)
    assert not signing.is_genuine(key, {}, body.encode(), at)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_receipt_is_no_receipt(minutes: int) -> None:
    key, at = signing.key_of(SECRET), now()

    headers = signing.signed(key, "r1", at + timedelta(minutes=minutes), b"{}")

    assert not signing.is_genuine(key, headers, b"{}", at)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "٣", "9" * 400])
def test_an_absurd_time_is_no_error(timestamp: str) -> None:
    headers = {"webhook-id": "r1", "webhook-timestamp": timestamp, "webhook-signature": "v1,x"}

    assert not signing.is_genuine(signing.key_of(SECRET), headers, b"", now())


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "not base64!", "whsec_é"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(signing.BadSecret):
        signing.key_of(secret)
