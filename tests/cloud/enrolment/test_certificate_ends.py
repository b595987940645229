"""The ends of our own certificates, from the files to the technical queue's row."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cloud import clock
from cloud.config import EnrolmentSettings
from cloud.enrolment.certificate_ends import CertificateEnds
from cloud.pki import authority
from cloud.pki.authority import Authority


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    return authority.create(tmp_path / "ca", "Pulsepost test", clock.now())


@pytest.fixture
def settings(signer: Authority, tmp_path: Path) -> EnrolmentSettings:
    for name in ("enrolment", "broker"):
        (tmp_path / f"{name}.pem").write_text(signer.certify_server(["127.0.0.1"], clock.now())[0])
    return EnrolmentSettings(
        database_url="postgresql://nobody@127.0.0.1/none",
        authority_dir=tmp_path / "ca",
        tls_certificate=tmp_path / "enrolment.pem",
        tls_key=tmp_path / "enrolment.key.pem",
        validity=timedelta(days=90),
        broker_certificate=tmp_path / "broker.pem",
    )


def ends(look: CertificateEnds) -> dict[str, datetime]:
    found = look()["certificates"]
    assert isinstance(found, dict)
    return {whose: datetime.fromisoformat(until) for whose, until in found.items()}


def test_each_of_our_certificates_says_when_it_ends(signer: Authority, settings: EnrolmentSettings) -> None:
    found = ends(CertificateEnds(signer, settings))
    assert found["authority"] == signer.certificate.not_valid_after_utc
    assert found["enrolment"] - clock.now() > timedelta(days=390)
    assert found["broker"] - clock.now() > timedelta(days=390)


def test_a_certificate_that_was_replaced_is_seen(signer: Authority, settings: EnrolmentSettings) -> None:
    look = CertificateEnds(signer, settings)
    before = ends(look)["broker"]
    later = clock.now() + timedelta(days=100)
    assert settings.broker_certificate is not None
    settings.broker_certificate.write_text(signer.certify_server(["127.0.0.1"], later)[0])
    assert ends(look)["broker"] - before > timedelta(days=99)


def test_what_cannot_be_read_is_said_once_and_left_out(
    signer: Authority, settings: EnrolmentSettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.tls_certificate.write_text("no certificate")
    look = CertificateEnds(signer, replace(settings, broker_certificate=None))
    assert set(ends(look)) == set(ends(look)) == {"authority"}
    assert [record.getMessage().partition(" in ")[0] for record in caplog.records] == ["the certificate of enrolment"]
