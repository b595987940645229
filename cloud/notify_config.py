"""How the staff is reached: PULSEPOST_NOTIFY_*. A channel that is not configured is not offered to anybody.

``BASE_URL``: the console as people reach it, for links. ``CA_FILE``: authorities besides the system's.
 ``PRINT=1``: pages on the jobs process's standard output, for development.

``SMTP_URL``: smtps://user@host, or smtp://user@host for a server with STARTTLS (smtp://localhost?tls=none: a relay on
this machine itself). ``SMTP_PASSWORD``, ``SMTP_FROM``.

``SMS_URL``, ``VOICE_URL``: where to POST. Each with ``_BODY``: its JSON, with {to}, {text}, {language} and {key} in its
strings; ``_TOKEN``: a bearer token; ``_ID``: the field of the answer that names the message; ``_CONFIRM``: receipt (the
default) or answer; ``_RECEIPT_SECRET``: with which the gateway signs receipts (Standard Webhooks).

``WEBHOOK_URL``, ``WEBHOOK_SECRET``, ``WEBHOOK_CONFIRM``, ``WEBHOOK_RECEIPT_SECRET``.

``NEXT_WAY_AFTER_S``, ``GIVE_UP_AFTER_S``, ``FIRST_RETRY_S``: how long is waited for what. ``SWEEP_EVERY_S``: how often
what was missed is looked for.

Secrets may stand in a file that ``..._FILE`` names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from cloud.environment import SettingMissing, needed, number, secret

PREFIX: Final = "PULSEPOST_NOTIFY_"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_BODY: Final = '{"to": "{to}", "text": "{text}"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """A submission server; ``security`` is 'tls', 'starttls' or, on loopback, 'none'."""

    host: str
    port: int
    security: str
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """An SMS or voice gateway, or a webhook. Without ``receipt_secret`` no receipt is taken."""

    url: str = field(repr=False)
    body: str = DEFAULT_BODY
    id_field: str = "id"
    answer_confirms: bool = False
    token: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    receipt_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Nothing but the console, unless more is configured. The spans are proposals of this project."""

    base_url: str = ""
    ca_file: Path | None = None
    printing: bool = False
    smtp: SmtpSettings | None = None
    sms: HttpSettings | None = None
    voice: HttpSettings | None = None
    webhook: HttpSettings | None = None
    next_way_after: timedelta = timedelta(seconds=60)
    give_up_after: timedelta = timedelta(seconds=180)
    first_retry: timedelta = timedelta(seconds=5)
    sweep_every_s: int = 15


def notify_settings(environ: Mapping[str, str]) -> NotifySettings:
    """SettingMissing where a channel is configured by half, or would carry pages in the open."""
    found = NotifySettings(
        base_url=_base_url(environ.get(f"{PREFIX}BASE_URL") or ""),
        ca_file=Path(path) if (path := environ.get(f"{PREFIX}CA_FILE")) else None,
        printing=environ.get(f"{PREFIX}PRINT") == "1",
        smtp=_smtp(environ),
        sms=_gateway(environ, "SMS"),
        voice=_gateway(environ, "VOICE"),
        webhook=_webhook(environ),
        next_way_after=timedelta(seconds=number(environ, f"{PREFIX}NEXT_WAY_AFTER_S", 60)),
        give_up_after=timedelta(seconds=number(environ, f"{PREFIX}GIVE_UP_AFTER_S", 180)),
        first_retry=timedelta(seconds=number(environ, f"{PREFIX}FIRST_RETRY_S", 5)),
        sweep_every_s=_sweep(number(environ, f"{PREFIX}SWEEP_EVERY_S", 15)),
    )
    if (found.smtp or found.sms or found.webhook) and not found.base_url:
        needed(
            environ, f"{PREFIX}BASE_URL", "the console's address as people reach it, such as https://pulsepost.example"
        )
    return found


def _smtp(environ: Mapping[str, str]) -> SmtpSettings | None:
    name = f"{PREFIX}SMTP_URL"
    if not environ.get(name):
        return None
    wrong = f"Set {name} to smtps://user@host:465, or to smtp://user@host:587 for a server with STARTTLS."
    try:
        parts = urlsplit(environ[name])
        port = parts.port or {"smtps": 465, "smtp": 587}[parts.scheme]
    except (ValueError, KeyError):
        raise SettingMissing(wrong) from None
    if not parts.hostname or parts.password:
        raise SettingMissing(wrong if not parts.hostname else f"Set {PREFIX}SMTP_PASSWORD, not a password in {name}.")
    sender = needed(environ, f"{PREFIX}SMTP_FROM", "the sender's address, such as pulsepost@clinic.example")
    if not sender.isascii() or sender.count("@") != 1 or any(c.isspace() for c in sender):
        raise SettingMissing(f"Set {PREFIX}SMTP_FROM to one plain address, such as pulsepost@clinic.example.")
    username = unquote(parts.username) if parts.username else None
    plain = parts.scheme == "smtp" and parts.hostname in LOOPBACK and parts.query == "tls=none"
    return SmtpSettings(
        host=parts.hostname,
        port=port,
        security="none" if plain else {"smtps": "tls", "smtp": "starttls"}[parts.scheme],
        sender=sender,
        username=username,
        password=_needed_secret(environ, f"{PREFIX}SMTP_PASSWORD", f"the password of {username}") if username else None,
    )


def _gateway(environ: Mapping[str, str], which: str) -> HttpSettings | None:
    prefix = f"{PREFIX}{which}"
    if not environ.get(f"{prefix}_URL"):
        return None
    body = environ.get(f"{prefix}_BODY") or DEFAULT_BODY
    try:
        json.loads(body)
    except ValueError:
        raise SettingMissing(f"Set {prefix}_BODY to JSON such as {DEFAULT_BODY}.") from None
    if "{to}" not in body or "{text}" not in body:
        raise SettingMissing(f"Set {prefix}_BODY to JSON in which {{to}} and {{text}} stand, such as {DEFAULT_BODY}.")
    return HttpSettings(
        url=_url(environ, f"{prefix}_URL"),
        body=body,
        id_field=environ.get(f"{prefix}_ID") or "id",
        answer_confirms=_answer_confirms(environ, prefix),
        token=secret(environ, f"{prefix}_TOKEN"),
        receipt_secret=_receipts(environ, prefix),
    )


def _webhook(environ: Mapping[str, str]) -> HttpSettings | None:
    prefix = f"{PREFIX}WEBHOOK"
    if not environ.get(f"{prefix}_URL"):
        return None
    return HttpSettings(
        url=_url(environ, f"{prefix}_URL"),
        answer_confirms=_answer_confirms(environ, prefix),
        signing_secret=_needed_secret(environ, f"{prefix}_SECRET", "whsec_ and 32 random octets in base64"),
        receipt_secret=_receipts(environ, prefix),
    )


def _answer_confirms(environ: Mapping[str, str], prefix: str) -> bool:
    how = environ.get(f"{prefix}_CONFIRM") or "receipt"
    if how not in ("receipt", "answer"):
        raise SettingMissing(f"Set {prefix}_CONFIRM to receipt or to answer.")
    return how == "answer"


def _receipts(environ: Mapping[str, str], prefix: str) -> str | None:
    if _answer_confirms(environ, prefix):
        return secret(environ, f"{prefix}_RECEIPT_SECRET")
    return _needed_secret(
        environ, f"{prefix}_RECEIPT_SECRET", f"what the gateway signs receipts with, or {prefix}_CONFIRM to answer"
    )


def _url(environ: Mapping[str, str], name: str) -> str:
    """https, or http on this machine itself."""
    url = environ[name]
    parts = urlsplit(url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise SettingMissing(f"Set {name} to an https:// address.")
    return url


def _base_url(url: str) -> str:
    if url and (urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).hostname):
        raise SettingMissing(f"Set {PREFIX}BASE_URL to the console's address, such as https://pulsepost.example.")
    return url.rstrip("/")


def _sweep(seconds: float) -> int:
    if not 1 <= seconds <= 59:
        raise SettingMissing(f"Set {PREFIX}SWEEP_EVERY_S to seconds from 1 to 59.")
    return int(seconds)


def _needed_secret(environ: Mapping[str, str], name: str, what: str) -> str:
    found = secret(environ, name)
    if found is None:
        raise SettingMissing(f"Set {name} or {name}_FILE to {what}.")
    return found
