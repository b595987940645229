"""What an operator does with telephone systems: added, heard and asked with secrets that are sealed, and changed."""

import argparse
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from cloud.crm.outbox.options import CommandRefused
from cloud.crm.outbox.sealing import secrets_of
from cloud.crm.telephony.command import run
from cloud.crm_config import CrmSettings
from tests.cloud.crm.telephony.made import KEY
from tests.cloud.made import NOW, Ward

WITH_KEY = CrmSettings(key=KEY)


def does(ward: Ward, deed: str, *, settings: CrmSettings = WITH_KEY, **options: object) -> str:
    given = {"name": "Exchange", "kind": "webhook", "set": [], "secret": [], "drop_former": False, **options}
    return run(ward.database.admin_url, settings, argparse.Namespace(deed=deed, **given), NOW)


def test_a_system_is_added_with_a_drawn_secret_that_is_shown_once_changed_and_stopped(ward: Ward) -> None:
    url = ["url=https://exchange.example/ring", "keep_days=30"]
    said = does(ward, "add", set=url)
    [(system_id, kept)] = ward.rows("SELECT system_id, sealed FROM telephone_system")
    drawn = secrets_of(KEY, system_id, kept)["secret"]
    assert f"POST /telephone/{system_id}/events" in said
    assert f"secret: {drawn}" in said
    assert ward.rows("SELECT keeps_for = '30 days' FROM telephone_system") == [(True,)]
    with pytest.raises(CommandRefused, match="choose another name"):
        does(ward, "add", set=url)

    assert drawn not in does(ward, "secret")
    assert _secrets(ward, system_id)["former_secret"] == drawn
    does(ward, "secret", drop_former=True)
    assert "former_secret" not in _secrets(ward, system_id)
    assert does(ward, "stop") == "Exchange is asked and heard no more"
    assert does(ward, "list") == "Exchange\twebhook\tstopped\t0 telephones"
    assert does(ward, "start") == "Exchange is asked and heard again"
    actions = ward.rows("SELECT action FROM audit WHERE action LIKE 'telephone.%' ORDER BY audit_id")
    assert [action for (action,) in actions] == [
        "telephone.add", "telephone.secret", "telephone.secret", "telephone.stop", "telephone.start",
    ]  # fmt: skip


def test_what_cannot_be_is_said_with_what_to_do(ward: Ward, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("short\n")
    portal = ["portal=https://a.bitrix24.com", "client_id=1"]
    tokens = [f"{name}={secret}" for name in ("client_secret", "refresh_token")]
    for said, options in (
        ("Set url to an https:// address", {"set": ["url=http://exchange.example"]}),
        ("Set url to an https:// address", {}),
        ("Write NAME=VALUE, not url.", {"set": ["url"]}),
        ("webhook has no setting colour", {"set": ["url=https://e.example", "colour=red"]}),
        ("Set url to an https:// address", {"set": ["url=https://[exchange.example"]}),
        ("Set url to an https:// address", {"set": ["url=https://exchange.example:99999"]}),
        ("without a password in it", {"set": ["url=https://us:password@exchange.example"]}),
        ("Set inside to yes or no.", {"set": ["url=https://e.example", "inside=Yes"]}),
        ("Set recordings to yes or no.", {"kind": "bitrix24", "set": [*portal, "recordings=true"], "secret": tokens}),
        ("Choose a name of 1 to 60 signs.", {"kind": "printing", "name": " "}),
        ("Set region to two capital letters", {"set": ["url=https://e.example", "region=Denmark"]}),
        ("Set keep_days to a number of days", {"set": ["url=https://e.example", "keep_days=0"]}),
        ("24 random octets", {"set": ["url=https://e.example"], "secret": [f"secret={secret}"]}),
        ("cannot be read", {"set": ["url=https://e.example"], "secret": ["secret=/nowhere"]}),
        ("There is no kind fax", {"kind": "fax"}),
        ("Give the secret client_secret.", {"kind": "bitrix24", "set": portal}),
        ("printing has no secret x", {"kind": "printing", "secret": [f"x={secret}"]}),
        ("Set PULSEPOST_CRM_KEY first", {"set": ["url=https://e.example"], "settings": CrmSettings()}),
    ):
        with pytest.raises(CommandRefused, match=said):
            does(ward, "add", **options)
    with pytest.raises(CommandRefused, match="no telephone system named"):
        does(ward, "stop")
    assert ward.rows("SELECT count(*) FROM telephone_system") == [(0,)]
    assert "Exchange can be asked" in does(ward, "add", kind="printing")


def test_where_nothing_would_change_nothing_is_claimed(ward: Ward) -> None:
    does(ward, "add", kind="printing")
    with pytest.raises(CommandRefused, match="Give each new secret in a file: --secret NAME=FILE"):
        does(ward, "secret")
    with pytest.raises(CommandRefused, match="no former secret"):
        does(ward, "secret", drop_former=True)
    assert ward.rows("SELECT count(*) FROM audit WHERE action = 'telephone.secret'") == [(0,)]


def test_the_same_secret_given_again_does_not_push_out_the_former_one(ward: Ward, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("whsec_YSBzZWNyZXQgb2YgdGhlIHRlc3RzLCAzMiBvY3RldHM=\n")
    does(ward, "add", set=["url=https://e.example"])
    [(system_id,)] = ward.rows("SELECT system_id FROM telephone_system")
    drawn = _secrets(ward, system_id)["secret"]
    for _ in range(2):
        does(ward, "secret", secret=[f"secret={file}"])
    assert _secrets(ward, system_id) == {"secret": file.read_text().strip(), "former_secret": drawn}


def test_settings_are_changed_one_by_one_and_an_empty_one_is_taken_away(ward: Ward) -> None:
    does(ward, "add", set=["url=https://e.example", "region=DK", "keep_days=30"])
    kept = "SELECT settings, keeps_for, sealed FROM telephone_system"
    [(settings, _, sealed)] = ward.rows(kept)
    for said, wrong in (("Set keep_days", "keep_days=0"), ("Set url", "url="), ("Set inside", "inside=perhaps")):
        with pytest.raises(CommandRefused, match=said):
            does(ward, "set", set=[wrong])
    assert ward.rows(kept) == [(settings, timedelta(days=30), sealed)]
    assert does(ward, "set", set=["region=NO", "keep_days="]) == "The settings of Exchange are changed."
    assert ward.rows(kept) == [({"url": "https://e.example", "region": "NO"}, timedelta(days=90), sealed)]
    assert ward.rows("SELECT detail FROM audit WHERE action = 'telephone.settings'") == [
        ({"settings": ["keep_days", "region"]},)
    ]


def test_the_audit_says_what_was_given_and_nothing_of_what_is_secret(ward: Ward) -> None:
    does(ward, "add", set=["url=https://e.example", "region=DK"])
    does(ward, "secret")
    assert ward.rows("SELECT action, detail FROM audit WHERE action LIKE 'telephone.%' ORDER BY audit_id") == [
        ("telephone.add", {"kind": "webhook", "settings": ["region", "url"]}),
        ("telephone.secret", {"secrets": ["secret"]}),
    ]


def test_without_the_key_it_is_said_whose_secrets_are_sealed(ward: Ward) -> None:
    does(ward, "add", set=["url=https://e.example"])
    with pytest.raises(CommandRefused, match="secrets are sealed under it"):
        does(ward, "secret", settings=CrmSettings())


def _secrets(ward: Ward, system_id: UUID) -> dict[str, str]:
    [(kept,)] = ward.rows("SELECT sealed FROM telephone_system")
    return dict(secrets_of(KEY, system_id, kept))
