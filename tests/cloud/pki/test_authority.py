"""The authority: made once, kept private, and what it signs can be nothing else than it says."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cloud.pki import authority, certificates
from cloud.pki.authority import AuthorityError
from cloud.pki.requests import read
from tests.fix_enrolment import signing_request

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def test_the_key_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    authority.create(tmp_path / "ca", "Clinic", NOW)
    key = tmp_path / "ca" / authority.KEY
    before = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(AuthorityError, match="holds an authority already"):
        authority.create(tmp_path / "ca", "Clinic", NOW)
    assert key.read_bytes() == before


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    authority.create(tmp_path / "ca", "Clinic", NOW)
    (tmp_path / "ca" / authority.KEY).chmod(0o640)
    with pytest.raises(AuthorityError, match="chmod 600"):
        authority.load(tmp_path / "ca")


def test_a_folder_without_an_authority_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AuthorityError, match="python -m cloud ca init"):
        authority.load(tmp_path / "ca")


def test_a_key_and_a_certificate_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    authority.create(tmp_path / "ca", "Clinic", NOW)
    authority.create(tmp_path / "other", "Other", NOW)
    (tmp_path / "other" / authority.CERTIFICATE).replace(tmp_path / "ca" / authority.CERTIFICATE)
    with pytest.raises(AuthorityError, match="not a pair"):
        authority.load(tmp_path / "ca")


def test_a_gateways_certificate_is_for_a_client_of_that_name_and_for_ninety_days(tmp_path: Path) -> None:
    signer = authority.create(tmp_path / "ca", "Clinic", NOW)
    signed = signer.certify_gateway(read(signing_request("home-17")[0]), NOW)
    usage = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert certificates.common_name(signed.subject) == "home-17"
    assert (list(usage.value), usage.critical) == ([ExtendedKeyUsageOID.CLIENT_AUTH], True)
    assert not signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert signed.not_valid_after_utc - NOW == timedelta(days=90)
    assert timedelta(0) < NOW - signed.not_valid_before_utc <= timedelta(minutes=5)
    assert signer.issued(signed)
    assert not authority.create(tmp_path / "other", "Clinic", NOW).issued(signed)


def test_a_servers_certificate_is_for_its_addresses_and_no_user(tmp_path: Path) -> None:
    pem, _ = authority.create(tmp_path / "ca", "Clinic", NOW).certify_server(["broker.example", "10.0.0.5"], NOW)
    signed = x509.load_pem_x509_certificate(pem.encode())
    names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert certificates.common_name(signed.subject) is None


def test_a_gateway_whose_clock_stands_at_the_epoch_can_still_trust_the_broker(tmp_path: Path) -> None:
    signer = authority.create(tmp_path / "ca", "Clinic", NOW)
    server = x509.load_pem_x509_certificate(signer.certify_server(["broker.example"], NOW)[0].encode())
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert signer.certificate.not_valid_before_utc == epoch
    assert server.not_valid_before_utc == epoch
