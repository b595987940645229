"""The channels that are configured."""

import ssl
from collections.abc import Callable, Mapping
from datetime import datetime

from cloud.authorities import trusting
from cloud.environment import SettingMissing
from cloud.notifications.channels.email import Email, Server
from cloud.notifications.channels.gateway import Gateway
from cloud.notifications.channels.port import Channel
from cloud.notifications.channels.post import Poster
from cloud.notifications.channels.printing import Printing
from cloud.notifications.channels.signing import BadSecret, key_of
from cloud.notifications.channels.webhook import Webhook
from cloud.notifications.models import ChannelName
from cloud.notify_config import HttpSettings, NotifySettings, SmtpSettings


def offered(settings: NotifySettings, now: Callable[[], datetime]) -> Mapping[ChannelName, Channel]:
    """A channel for each that is configured; the console is not among them, it is reached through the database.

    SettingMissing where a secret or the authorities' file is unusable.
    """
    tls = trusting(settings.ca_file, "PULSEPOST_NOTIFY_CA_FILE")
    found: dict[ChannelName, Channel] = {}
    if settings.printing:
        found[ChannelName.PRINT] = Printing()
    if settings.smtp is not None:
        found[ChannelName.EMAIL] = _email(settings.smtp, tls, now)
    for name, http in ((ChannelName.SMS, settings.sms), (ChannelName.VOICE, settings.voice)):
        if http is not None:
            found[name] = _gateway(http, tls)
    if settings.webhook is not None:
        found[ChannelName.WEBHOOK] = _webhook(settings.webhook, tls, now)
    return found


def receipt_keys(settings: NotifySettings) -> Mapping[ChannelName, bytes]:
    """With which each channel's far side signs its receipts. SettingMissing where one is unusable."""
    configured = (
        (ChannelName.SMS, settings.sms),
        (ChannelName.VOICE, settings.voice),
        (ChannelName.WEBHOOK, settings.webhook),
    )
    return {
        name: _key(http.receipt_secret, f"PULSEPOST_NOTIFY_{name.upper()}_RECEIPT_SECRET")
        for name, http in configured
        if http is not None and http.receipt_secret is not None
    }


def offered_names(settings: NotifySettings) -> tuple[ChannelName, ...]:
    """The channels for which a person may add an address."""
    configured = (
        (ChannelName.SMS, settings.sms),
        (ChannelName.VOICE, settings.voice),
        (ChannelName.EMAIL, settings.smtp),
        (ChannelName.WEBHOOK, settings.webhook),
    )
    return tuple(name for name, found in configured if found is not None)


def _email(smtp: SmtpSettings, tls: ssl.SSLContext, now: Callable[[], datetime]) -> Email:
    server = Server(
        host=smtp.host, port=smtp.port, security=smtp.security, username=smtp.username, password=smtp.password
    )
    return Email(server=server, sender=smtp.sender, tls=tls, now=now)


def _gateway(http: HttpSettings, tls: ssl.SSLContext) -> Gateway:
    return Gateway(
        poster=Poster(http.url, tls),
        shape=http.body,
        id_field=http.id_field,
        answer_confirms=http.answer_confirms,
        token=http.token,
    )


def _webhook(http: HttpSettings, tls: ssl.SSLContext, now: Callable[[], datetime]) -> Webhook:
    key = _key(http.signing_secret or "", "PULSEPOST_NOTIFY_WEBHOOK_SECRET")
    return Webhook(poster=Poster(http.url, tls), key=key, now=now, answer_confirms=http.answer_confirms)


def _key(secret: str, name: str) -> bytes:
    try:
        return key_of(secret)
    except BadSecret:
        raise SettingMissing(f"Set {name} to whsec_ and at least 24 random octets in base64.") from None
