"""What the care team writes: in the thread on the patient's page, and outside only that there is something.

By e-mail, by SMS and by a messenger's signed webhook, in the patient's language; with the real console, jobs process,
database, a mail server, a gateway and a webhook's far side.
"""

import base64
import json
from dataclasses import dataclass
from uuid import uuid4

import pytest
from standardwebhooks.webhooks import Webhook as Reference

from cloud.clock import now
from deploy.receivers.gateways import Gateway
from deploy.receivers.mail import MailServer
from tests.cloud.jobs.test_worker import PATIENCE_S, jobs, until
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person
from tests.fix_receivers import Certified

SECRET = base64.b64encode(b"a messenger's secret, 32 octets!").decode()
# What the nurse writes, which nobody outside may read.
WRITTEN = "Your blood pressure is better, Asta."
SAYS = {"en": "There is something for you", "ru": "Для вас есть сообщение", "zh": "有一条给您的消息"}


@dataclass(frozen=True)
class Outside:
    """A console, its nurse, and everything that what leaves could arrive at."""

    console: Console
    nora: Person
    mail: MailServer
    gateway: Gateway

    def reached(self, channel: str, address: str, language: str) -> None:
        """From now on the patient is reached by this way alone, in this language, at any hour."""
        ward, nora = self.console.ward, self.nora.account_id
        ward.admin.execute("UPDATE patient_channel SET removed_by = %s, removed_at = now()", (nora,))
        ward.admin.execute(
            "INSERT INTO patient_channel (patient_id, channel, address, place, added_by, added_at)"
            " VALUES (%s, %s, %s, 1, %s, now())",
            (ward.patient_id, channel, address, nora),
        )
        ward.admin.execute(
            "INSERT INTO channel_consent (patient_id, channel, decision, method, entered_by, entered_at)"
            " VALUES (%s, %s, 'given', 'told', %s, now())",
            (ward.patient_id, channel, nora),
        )
        ward.admin.execute(
            "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
            " VALUES (%s, '03:00', '03:00', %s, %s, now())",
            (ward.patient_id, language, nora),
        )

    def write(self) -> None:
        """The nurse writes, and somebody outside is told."""
        before = self.sent()
        path = f"/patients/{self.console.ward.patient_id}/messages"
        assert self.nora.post(path, {"body": WRITTEN, "message_id": str(uuid4()), "seen": ""}).status_code == 303
        until(lambda: self.sent() == before + 1, "the message has left")

    def sent(self) -> int:
        [(many,)] = self.console.ward.rows("SELECT count(*) FROM outside_message WHERE state = 'sent'")
        return int(many)


@pytest.fixture
def outside(
    console: Console,
    mail_server: MailServer,
    phone_gateway: Gateway,
    certified: Certified,
    monkeypatch: pytest.MonkeyPatch,
) -> Outside:
    for name, value in {
        "BASE_URL": "https://pulsepost.example",
        "CA_FILE": str(certified.authority),
        "SMTP_URL": f"smtp://clinic@localhost:{mail_server.port}",
        "SMTP_PASSWORD": "secret",
        "SMTP_FROM": "pulsepost@clinic.example",
        "SMS_URL": phone_gateway.url,
        "SMS_CONFIRM": "answer",
        "WEBHOOK_URL": phone_gateway.url,
        "WEBHOOK_SECRET": f"whsec_{SECRET}",
        "WEBHOOK_CONFIRM": "answer",
    }.items():
        monkeypatch.setenv(f"PULSEPOST_NOTIFY_{name}", value)
    console.clock.time = now()
    return Outside(console, console.sign_in("nora"), mail_server, phone_gateway)


def test_a_message_is_in_the_thread_and_outside_it_is_only_said_that_there_is_one(outside: Outside) -> None:
    with jobs(outside.console.ward) as running:
        assert running.ready.wait(PATIENCE_S), "".join(running.said)
        outside.reached("email", "asta@home.example", "ru")
        outside.write()
        [mail] = outside.mail.mails
        said = mail.message.get_content()
        assert (mail.to, mail.encrypted) == (("asta@home.example",), True)
        assert mail.message["Subject"] == SAYS["ru"]
        assert f"{SAYS['ru']}: https://pulsepost.example/me/messages" in said

        outside.reached("sms", "+4520123456", "zh")
        outside.write()
        outside.reached("webhook", "asta@messenger", "en")
        outside.write()
        sms, messenger = outside.gateway.requests
        assert SAYS["zh"] in json.loads(sms.body)["text"]
        assert Reference(SECRET).verify(messenger.body, messenger.headers)["to"] == "asta@messenger"
        assert SAYS["en"] in json.loads(messenger.body)["text"]
        for left in (mail.octets, said.encode(), sms.body, messenger.body):
            for kept in (b"Asta", b"pressure", b"Nora", b"Quist"):
                assert kept not in left.replace(b"asta@", b"")
        assert running.end() == 0
    # Both ways, on the pages.
    asta = outside.console.sign_in("asta")
    assert text(asta.get("/me/messages")).count(WRITTEN) == 3
    asta.post("/me/messages", {"body": "Thank you!", "message_id": str(uuid4()), "seen": ""})
    assert "Thank you!" in text(outside.nora.get(f"/patients/{outside.console.ward.patient_id}/messages"))
