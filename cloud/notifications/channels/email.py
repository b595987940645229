"""E-mail by SMTP, over TLS; plain only to a relay on this machine.

That a server took a message says nothing of when somebody reads it, so nothing here is ever confirmation. The
Message-ID is made from the key: a second try is the same message (RFC 5322 section 3.6.4), which most mailboxes show
once.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from cloud.notifications.channels.port import SEND_WITHIN_S, Message, Never, Sent, TryAgain

GREETED_WITHIN_S = 2.0
# What we call ourselves to the server: an address literal, since a lookup of our own name may take long.
OUR_NAME = "[127.0.0.1]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A submission server (RFC 6409). ``security``: 'tls' from the first octet, 'starttls', or 'none' on loopback."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """E-mail from one sender."""

    server: Server
    sender: str
    tls: ssl.SSLContext
    now: Callable[[], datetime]

    def send(self, message: Message) -> Sent:
        """The port's promise. TryAgain, Never."""
        mail = self._mail(message)
        try:
            with _connected(self.server, self.tls) as smtp:
                smtp.send_message(mail, self.sender, [message.to])
        except smtplib.SMTPRecipientsRefused as refused:
            raise _sorted(next(iter(refused.recipients.values()))[0]) from None
        except smtplib.SMTPResponseException as refused:
            raise _sorted(refused.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Never("the server cannot do what it must") from None
        except (smtplib.SMTPException, OSError) as error:
            raise TryAgain(type(error).__name__) from None
        return Sent(provider_id=str(mail["Message-ID"]))

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self.sender
        mail["To"] = message.to
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self.now())
        mail["Message-ID"] = f"<{message.key}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer
        mail["Content-Language"] = message.language
        mail.set_content(message.text)
        return mail


@contextmanager
def _connected(server: Server, tls: ssl.SSLContext) -> Iterator[smtplib.SMTP]:
    """A conversation that ends SEND_WITHIN_S after its beginning, whatever the server does. OSError, SMTPException."""
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, OUR_NAME, timeout=GREETED_WITHIN_S, context=tls)
    else:
        smtp = smtplib.SMTP(server.host, server.port, OUR_NAME, timeout=GREETED_WITHIN_S)
    # Its own time-out is for each line; the whole must end, too.
    end = threading.Timer(SEND_WITHIN_S - GREETED_WITHIN_S, _hang_up, [smtp])
    end.daemon = True
    end.start()
    try:
        if server.security == "starttls":
            smtp.starttls(context=tls)
        if server.username is not None:
            smtp.login(server.username, server.password or "")
        yield smtp
        with suppress(smtplib.SMTPException, OSError):  # the message is taken, whatever becomes of the goodbye
            smtp.quit()
    finally:
        end.cancel()
        smtp.close()


def _hang_up(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with suppress(OSError):  # it is over already
            smtp.sock.shutdown(socket.SHUT_RDWR)


def _sorted(code: int) -> TryAgain | Never:
    """By the reply's first digit (RFC 5321 section 4.2.1)."""
    what = f"reply {code}"
    return Never(what) if 500 <= code < 600 else TryAgain(what)
