"""CRMs at the command line: secrets are sealed, shown once, and changed with both counting for a while."""

import argparse
import re
from pathlib import Path

import pytest

from cloud.crm.outbox.command import run
from cloud.crm.outbox.options import CommandRefused
from cloud.crm.outbox.sealing import NotOpened, secrets_of
from cloud.crm_config import CrmSettings, crm_settings
from cloud.environment import SettingMissing
from tests.cloud.crm.outbox.made import KEY
from tests.cloud.made import NOW, Ward
from tests.cloud.worklist.made import planted_case

WITH_KEY = CrmSettings(key=KEY)
URL = ["url=https://crm.example/x"]


def crm(ward: Ward, deed: str, name: str = "Clinic CRM", settings: CrmSettings = WITH_KEY, **options: object) -> str:
    given = {"kind": "webhook", "set": URL, "secret": [], "drop_former": False, **options}
    return run(ward.database.admin_url, settings, argparse.Namespace(deed=deed, name=name, **given), NOW)


def kept(ward: Ward) -> dict[str, str]:
    [(destination_id, sealed)] = ward.rows("SELECT destination_id, sealed FROM crm_destination")
    return dict(secrets_of(KEY, destination_id, bytes(sealed)))


def test_one_is_added_with_a_secret_that_is_shown_once_and_stands_nowhere(ward: Ward) -> None:
    said = crm(ward, "add")
    [secret] = re.findall(r"whsec_\S{44}", said)
    assert kept(ward) == {"secret": secret}
    assert "POST /crm/inbound/" in said
    rows = ward.rows("SELECT to_jsonb(d)::text FROM crm_destination d UNION ALL SELECT to_jsonb(a)::text FROM audit a")
    assert secret.removeprefix("whsec_") not in repr(rows)
    assert secret.removeprefix("whsec_").encode().hex() not in repr(rows)
    assert crm(ward, "list") == "Clinic CRM\twebhook\tin use\t0 waiting\t0 not taken"
    assert ward.rows("SELECT action, detail FROM audit WHERE action LIKE 'crm.%'") == [
        ("crm.add", {"kind": "webhook", "settings": ["url"]})
    ]
    with pytest.raises(CommandRefused, match="named Clinic CRM"):
        crm(ward, "add")


def test_while_the_far_side_changes_over_both_secrets_count(ward: Ward) -> None:
    [first] = re.findall(r"whsec_\S+", crm(ward, "add"))
    [second] = re.findall(r"whsec_\S+", crm(ward, "secret"))
    assert kept(ward) == {"secret": second, "former_secret": first}
    crm(ward, "secret", drop_former=True)
    assert kept(ward) == {"secret": second}


def test_a_secret_comes_from_a_file(ward: Ward, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_YSBzZWNyZXQgb2YgdGhlIHRlc3RzLCAzMiBvY3RldHM=\nand more\n")
    assert "whsec_" not in crm(ward, "add", secret=[f"secret={file}"])
    assert kept(ward)["secret"] == file.read_text().splitlines()[0]
    crm(ward, "add", "Printer", kind="printing", set=[])
    with pytest.raises(CommandRefused, match="Give each new secret in a file"):
        crm(ward, "secret", "Printer")
    with pytest.raises(CommandRefused, match="no former secret"):
        crm(ward, "secret", "Printer", drop_former=True)
    with pytest.raises(CommandRefused, match="cannot be read"):
        crm(ward, "secret", secret=[f"secret={tmp_path / 'nothing'}"])


def test_what_may_no_longer_leave_is_taken_out_of_what_waits(ward: Ward) -> None:
    crm(ward, "add", kind="printing", set=["names=yes", "values=yes", "language=ru"])
    planted_case(ward, at=NOW)
    [(before,)] = ward.rows("SELECT data FROM crm_outbox")
    assert {"name", "sentence"} <= before.keys()
    with pytest.raises(CommandRefused, match="yes or no"):
        crm(ward, "set", set=["names=perhaps"])
    crm(ward, "set", set=["names=no", "language="])
    [(after,)] = ward.rows("SELECT data FROM crm_outbox")
    assert before.keys() - after.keys() == {"name"}
    assert ward.rows("SELECT settings FROM crm_destination") == [({"names": "no", "values": "yes"},)]
    assert ward.rows("SELECT detail FROM audit WHERE action = 'crm.set'") == [({"settings": ["language", "names"]},)]


def test_it_is_stopped_and_started(ward: Ward) -> None:
    crm(ward, "add", kind="printing", set=[])
    crm(ward, "stop")
    assert crm(ward, "list") == "Clinic CRM\tprinting\tstopped\t0 waiting\t0 not taken"
    crm(ward, "start")
    assert ward.rows("SELECT active FROM crm_destination") == [(True,)]
    with pytest.raises(CommandRefused, match="no CRM named Nobody"):
        crm(ward, "stop", "Nobody")
    actions = ward.rows("SELECT action FROM audit WHERE action LIKE 'crm.%' ORDER BY audit_id")
    assert actions == [("crm.add",), ("crm.stop",), ("crm.start",)]


def test_what_is_half_is_refused(ward: Ward) -> None:
    with pytest.raises(CommandRefused, match="Set PULSEPOST_CRM_KEY first"):
        crm(ward, "add", settings=CrmSettings())
    with pytest.raises(CommandRefused, match="NAME=VALUE"):
        crm(ward, "add", set=["url"])
    with pytest.raises(CommandRefused, match="https"):
        crm(ward, "add", set=["url=http://crm.example"])
    with pytest.raises(CommandRefused, match="no kind telegraph"):
        crm(ward, "add", kind="telegraph", set=[])
    with pytest.raises(CommandRefused, match="name of 1 to 60 signs"):
        crm(ward, "add", "x" * 61)
    assert ward.count("crm_destination") == 0


def test_another_key_opens_nothing(ward: Ward) -> None:
    crm(ward, "add")
    with pytest.raises(CommandRefused, match="PULSEPOST_CRM_KEY"):
        crm(ward, "secret", settings=CrmSettings(key=b"another key, of thirty-two octet"))
    [(destination_id, sealed)] = ward.rows("SELECT destination_id, sealed FROM crm_destination")
    with pytest.raises(NotOpened):
        secrets_of(None, destination_id, bytes(sealed))


def test_settings_are_read_or_refused_in_a_sentence() -> None:
    assert crm_settings({}) == CrmSettings()
    assert crm_settings({"PULSEPOST_CRM_KEY": "YSBrZXkgb2YgdGhlIHRlc3RzIGlzIDMyIG9jdGV0cyE="}).key == KEY
    for wrong in ({"PULSEPOST_CRM_KEY": "short"}, {"PULSEPOST_CRM_EVERY_S": "0"}):
        with pytest.raises(SettingMissing, match="Set PULSEPOST_CRM_"):
            crm_settings(wrong)
