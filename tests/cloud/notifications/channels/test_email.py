"""E-mail against a mail server with STARTTLS and faults on a real socket."""

import ssl

import pytest

from cloud.clock import now
from cloud.notifications.channels import email
from cloud.notifications.channels.email import Email, Server
from cloud.notifications.channels.port import Never, TryAgain
from deploy.receivers.mail import Fault, MailServer
from tests.cloud.notifications.channels.made import KEY, message
from tests.fix_receivers import Certified


def channel(server: MailServer, certified: Certified, *, security: str = "starttls") -> Email:
    return Email(
        server=Server(host="localhost", port=server.port, security=security, username="pulsepost", password="secret"),
        sender="pulsepost@clinic.example",
        tls=ssl.create_default_context(cafile=certified.authority),
        now=now,
    )


def test_a_page_goes_over_tls_with_a_message_id_of_its_key(mail_server: MailServer, certified: Certified) -> None:
    sent = channel(mail_server, certified).send(message("nora@clinic.example", "Pulsepost: случай ждёт"))

    [mail] = mail_server.mails
    assert (mail.encrypted, mail.username, mail.to) == (True, "pulsepost", ("nora@clinic.example",))
    assert mail.message["Message-ID"] == sent.provider_id == f"<{KEY}@clinic.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message.get_content().strip() == "Pulsepost: случай ждёт"
    assert not sent.arrived


def test_a_second_try_is_the_same_message(mail_server: MailServer, certified: Certified) -> None:
    mail_server.faults.append(Fault.TAKEN_AND_GONE)

    with pytest.raises(TryAgain):
        channel(mail_server, certified).send(message("nora@clinic.example"))
    channel(mail_server, certified).send(message("nora@clinic.example"))

    assert len({mail.message["Message-ID"] for mail in mail_server.mails}) == 1


def test_a_mailbox_that_does_not_exist_means_never_and_a_busy_server_again(
    mail_server: MailServer, certified: Certified
) -> None:
    mail_server.faults.extend([Fault.REFUSED, Fault.BUSY])

    with pytest.raises(Never, match="reply 550"):
        channel(mail_server, certified).send(message("nobody@clinic.example"))
    with pytest.raises(TryAgain, match="reply 451"):
        channel(mail_server, certified).send(message("nora@clinic.example"))
    assert mail_server.mails == []


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.DRIPPING])
def test_it_ends_in_time_whatever_the_server_does(
    mail_server: MailServer, certified: Certified, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "SEND_WITHIN_S", email.GREETED_WITHIN_S + 0.5)
    mail_server.faults.append(fault)

    with pytest.raises(TryAgain):
        channel(mail_server, certified).send(message("nora@clinic.example"))


def test_nothing_is_said_to_a_server_that_cannot_be_trusted(mail_server: MailServer, certified: Certified) -> None:
    distrusting = Email(
        server=Server(host="localhost", port=mail_server.port, security="starttls"),
        sender="pulsepost@clinic.example",
        tls=ssl.create_default_context(),
        now=now,
    )

    with pytest.raises(TryAgain, match="SSLCertVerificationError"):
        distrusting.send(message("nora@clinic.example"))
    assert mail_server.mails == []


def test_a_server_without_starttls_gets_no_page(certified: Certified) -> None:
    plain = MailServer()
    plain.start()
    try:
        with pytest.raises(Never):
            channel(plain, certified).send(message("nora@clinic.example"))
        assert plain.mails == []
    finally:
        plain.stop()
