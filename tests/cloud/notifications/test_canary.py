"""Nothing of a patient leaves by any channel: everything that mail server and gateways were told is searched."""

import base64
import re
from dataclasses import replace
from datetime import timedelta

from cloud.clock import now
from cloud.notifications.channels.offered import offered
from cloud.notifications.models import ADDRESSED, ChannelName
from cloud.notify_config import HttpSettings, NotifySettings, SmtpSettings
from deploy.receivers.gateways import Gateway
from deploy.receivers.mail import MailServer
from tests.cloud.made import Ward
from tests.cloud.notifications.made import new_address, telling
from tests.fix_receivers import Certified

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ADDRESSES = {
    ChannelName.SMS: "+4520123456",
    ChannelName.VOICE: "+4520123457",
    ChannelName.EMAIL: "nora@clinic.example",
    ChannelName.WEBHOOK: "nora",
}
CANARY = re.compile(rb"Canary|Quillfeather|1943|\b583\b|hyperglyc|glucose|mg/dL", re.IGNORECASE)


def test_no_channel_tells_who_the_patient_is_or_what_is_wrong(
    ward: Ward, phone_gateway: Gateway, mail_server: MailServer, certified: Certified
) -> None:
    http = HttpSettings(url=phone_gateway.url, signing_secret=SECRET, receipt_secret=SECRET)
    settings = NotifySettings(
        base_url="https://pulsepost.example",
        ca_file=certified.authority,
        smtp=SmtpSettings(
            host="localhost", port=mail_server.port, security="starttls", sender="pulsepost@clinic.example"
        ),
        sms=http,
        voice=replace(http, body='{"call": "{to}", "say": "{text}", "in": "{language}"}'),
        webhook=http,
        next_way_after=timedelta(seconds=30),
    )
    for channel in ADDRESSED:
        new_address(ward, channel, ADDRESSES[channel])
    ward.admin.execute("UPDATE patient SET display_name = 'Canary Quillfeather', birth_date = '1943-07-19'")
    for language in ("en", "ru", "zh"):
        with telling(ward, offered(settings, now), settings) as told:
            ward.admin.execute("UPDATE account SET language = %s", (language,))
            ward.admin.execute(
                """UPDATE alert_case SET sentence = 'Glucose 583 mg/dL', condition = 'hyperglycaemia_urgent',
                          reason = '{"value": "583"}'"""
            )
            page = told.page()
            for _ in range(5):
                told.delivery.look(page)
                told.clock.forward(seconds=31)
            channels = [channel for channel, outcome in told.outcomes(page) if outcome == "sent"]
            assert channels == ["sms", "console", "voice", "email", "webhook"]
            ward.admin.execute("UPDATE alert_case SET state = 'resolved', next_at = NULL")

    heard = [b"\n".join((repr(r.headers).encode(), r.body)) for r in phone_gateway.requests]
    mails = [mail.octets for mail in mail_server.mails]
    spoken = [mail.message.get_content().encode() for mail in mail_server.mails]
    assert (len(heard), len(mails)) == (9, 3)
    assert [found for said in (*heard, *mails, *spoken) if (found := CANARY.findall(said))] == []
