"""How the staff is reached, as an operator writes it: a channel is whole, or it is said what is missing."""

from pathlib import Path

import pytest

from cloud.environment import SettingMissing
from cloud.notify_config import NotifySettings, notify_settings

BASE = {"PULSEPOST_NOTIFY_BASE_URL": "https://pulsepost.example/"}
SMTP = BASE | {
    "PULSEPOST_NOTIFY_SMTP_URL": "smtp://clinic@mail.example",
    "PULSEPOST_NOTIFY_SMTP_FROM": "pulsepost@clinic.example",
    "PULSEPOST_NOTIFY_SMTP_PASSWORD": "secret of the tests",
}
SMS = BASE | {
    "PULSEPOST_NOTIFY_SMS_URL": "https://sms.example/messages",
    "PULSEPOST_NOTIFY_SMS_CONFIRM": "answer",
}
WEBHOOK = BASE | {
    "PULSEPOST_NOTIFY_WEBHOOK_URL": "https://oncall.example/pulsepost",
    "PULSEPOST_NOTIFY_WEBHOOK_SECRET": "whsec_x",
    "PULSEPOST_NOTIFY_WEBHOOK_RECEIPT_SECRET": "whsec_y",
}


def test_nothing_is_offered_that_nobody_configured() -> None:
    assert notify_settings({}) == NotifySettings()


def test_channels_as_an_operator_writes_them() -> None:
    found = notify_settings(SMTP | SMS | WEBHOOK)

    assert found.base_url == "https://pulsepost.example"
    assert found.smtp is not None
    assert (found.smtp.port, found.smtp.security, found.smtp.username) == (587, "starttls", "clinic")
    assert found.sms is not None
    assert found.sms.answer_confirms
    assert found.webhook is not None
    assert found.voice is None


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n")
    environ = {name: value for name, value in SMTP.items() if "PASSWORD" not in name}

    found = notify_settings(environ | {"PULSEPOST_NOTIFY_SMTP_PASSWORD_FILE": str(tmp_path / "password")})

    assert found.smtp is not None
    assert found.smtp.password == "from a file"


def test_no_secret_stands_in_what_is_printed_of_settings() -> None:
    environ = SMTP | SMS | WEBHOOK | {"PULSEPOST_NOTIFY_SMS_TOKEN": "secret of the tests"}

    assert "secret of" not in repr(notify_settings(environ))
    assert "whsec_" not in repr(notify_settings(environ))


def test_mail_without_tls_goes_to_this_machine_only() -> None:
    plain = SMTP | {"PULSEPOST_NOTIFY_SMTP_URL": "smtp://localhost:25?tls=none"}
    found = notify_settings(plain).smtp
    assert found is not None
    assert found.security == "none"

    elsewhere = notify_settings(SMTP | {"PULSEPOST_NOTIFY_SMTP_URL": "smtp://mail.example:25?tls=none"}).smtp
    assert elsewhere is not None
    assert elsewhere.security == "starttls"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({**SMTP, "PULSEPOST_NOTIFY_BASE_URL": ""}, "PULSEPOST_NOTIFY_BASE_URL"),
        ({**SMTP, "PULSEPOST_NOTIFY_BASE_URL": "pulsepost.example"}, "PULSEPOST_NOTIFY_BASE_URL"),
        ({**SMTP, "PULSEPOST_NOTIFY_SMTP_URL": "http://mail.example"}, "smtps://"),
        ({**SMTP, "PULSEPOST_NOTIFY_SMTP_URL": "smtps://mail.example:port"}, "smtps://"),
        ({**SMTP, "PULSEPOST_NOTIFY_SMTP_URL": "smtps://clinic:secret@mail.example"}, "SMTP_PASSWORD"),
        ({**SMTP, "PULSEPOST_NOTIFY_SMTP_PASSWORD": ""}, "SMTP_PASSWORD_FILE"),
        ({**SMTP, "PULSEPOST_NOTIFY_SMTP_FROM": "Pulsepost <p@clinic.example>"}, "one plain address"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_URL": "http://sms.example/"}, "https://"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_BODY": "{to}"}, "JSON"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_BODY": '{"to": "{to}"}'}, "{text}"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_CONFIRM": "perhaps"}, "receipt or to answer"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_CONFIRM": ""}, "SMS_RECEIPT_SECRET"),
        ({**SMS, "PULSEPOST_NOTIFY_SMS_TOKEN_FILE": "/nowhere"}, "cannot be read"),
        ({**WEBHOOK, "PULSEPOST_NOTIFY_WEBHOOK_SECRET": ""}, "WEBHOOK_SECRET"),
        ({"PULSEPOST_NOTIFY_SWEEP_EVERY_S": "60"}, "SWEEP_EVERY_S"),
        ({"PULSEPOST_NOTIFY_GIVE_UP_AFTER_S": "soon"}, "GIVE_UP_AFTER_S"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingMissing, match=r"^Set PULSEPOST_NOTIFY_") as missing:
        notify_settings(environ)
    assert says in str(missing.value)
    assert "secret of the tests" not in str(missing.value)
