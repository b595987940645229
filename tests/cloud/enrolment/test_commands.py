"""What an operator does at the command line, as processes."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
from cryptography import x509

from cloud.pki import authority, revocation_list
from tests.fix_services import Database

CODE = re.compile(r"^(?:[0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$", re.MULTILINE)


def cloud(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """``python -m cloud ...``: exit code, output, complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "cloud", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_an_authority_is_made_once_and_signs_a_servers_certificate(tmp_path: Path) -> None:
    folder = str(tmp_path / "ca")
    code, said, _ = cloud("ca", "init", folder)
    assert (code, "Keep a copy" in said) == (0, True)
    code, _, complaint = cloud("ca", "init", folder)
    assert (code, "holds an authority already" in complaint) == (2, True)
    out = tmp_path / "broker"
    assert cloud("ca", "server", folder, "broker.example", "10.0.0.5", "--out", str(out))[0] == 0
    signed = x509.load_pem_x509_certificate((out / "server.pem").read_bytes())
    assert authority.load(tmp_path / "ca").issued(signed)
    assert stat.S_IMODE((out / "server.key.pem").stat().st_mode) == 0o600


def test_a_servers_certificate_needs_an_authority(tmp_path: Path) -> None:
    code, _, complaint = cloud("ca", "server", str(tmp_path / "none"), "a", "--out", str(tmp_path / "out"))
    assert (code, "python -m cloud ca init" in complaint) == (2, True)


def test_a_code_is_printed_once_and_the_list_says_that_it_waits(database: Database) -> None:
    where = {"PULSEPOST_DATABASE_ADMIN_URL": database.admin_url}
    code, said, _ = cloud("gateway", "code", "home-1", "--valid", "30m", **where)
    assert code == 0
    found = CODE.findall(said)
    assert len(found) == 1
    assert "python -m gateway enrol CONFIG" in said
    listed = cloud("gateway", "list", **where)[1]
    assert re.search(r"^home-1 +no certificate, a code waits until", listed)
    assert found[0] not in listed


def test_a_name_or_a_time_that_cannot_be_is_refused_with_what_to_write(database: Database) -> None:
    where = {"PULSEPOST_DATABASE_ADMIN_URL": database.admin_url}
    for gateway_id in ("ingest", "home 1", "Enrolment"):
        code, _, complaint = cloud("gateway", "code", gateway_id, **where)
        assert (code, "is not a name for a gateway" in complaint) == (2, True)
    for valid in ("8d", "0h", "soon"):
        code, _, complaint = cloud("gateway", "code", "home-1", "--valid", valid, **where)
        assert (code, "write 30m, 24h or 7d" in complaint) == (2, True)


def test_revoking_quarantines_at_once_and_writes_the_brokers_list_where_it_can(
    database: Database, tmp_path: Path
) -> None:
    where = {"PULSEPOST_DATABASE_ADMIN_URL": database.admin_url}
    code, _, complaint = cloud("gateway", "revoke", "home-1", "--why", "stolen", **where)
    assert (code, "there is no gateway 'home-1'" in complaint) == (2, True)
    with psycopg.connect(database.admin_url) as conn:
        conn.execute("INSERT INTO gateway (gateway_id) VALUES ('home-1')")
        conn.execute(
            "INSERT INTO gateway_certificate (serial_number, gateway_id, issued_at, not_before, not_after, how)"
            " VALUES (17, 'home-1', now(), now(), now() + interval '90 days', 'enrolment')"
        )
    code, said, _ = cloud("gateway", "revoke", "home-1", "--why", "stolen", **where)
    assert (code, "quarantined from now on" in said) == (0, True)
    assert "revoked" in cloud("gateway", "list", **where)[1]
    cloud("ca", "init", str(tmp_path / "ca"))
    crl, hint = tmp_path / "crl.pem", tmp_path / "reloaded"
    here = {"PULSEPOST_CA_DIR": str(tmp_path / "ca"), "PULSEPOST_CRL_FILE": str(crl)}
    code, said, _ = cloud(
        "gateway", "revoke", "home-1", "--why", "stolen", PULSEPOST_BROKER_RELOAD=f"touch {hint}", **where, **here
    )
    assert (code, f"{crl} lists its certificates" in said) == (0, True)
    assert revocation_list.entries(crl.read_text()).keys() == {17}
    assert hint.exists()


def test_the_service_says_which_setting_is_missing() -> None:
    code, _, complaint = cloud("enrolment", PULSEPOST_DATABASE_URL="", PULSEPOST_CA_DIR="")
    assert (code, "Set PULSEPOST_CA_DIR" in complaint) == (2, True)
