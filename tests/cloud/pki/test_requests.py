"""Requests for certificates, read with suspicion."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from cloud.pki import requests
from cloud.pki.requests import RequestRefused
from tests.fix_enrolment import signing_request


def test_the_name_and_the_key_are_read() -> None:
    pem, key = signing_request("home-17")
    read = requests.read(pem)
    assert read.gateway_id == "home-17"
    assert read.public_key == key.public_key()
    assert read.key_hash == requests.read(signing_request("other", key)[0]).key_hash


def test_a_request_that_was_changed_after_it_was_signed_is_refused() -> None:
    der = bytearray(x509.load_pem_x509_csr(signing_request("home-1")[0].encode()).public_bytes(_DER))
    der[der.index(b"home-1") + 5] = ord("2")
    changed = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(RequestRefused, match="not signed with its own key"):
        requests.read(changed)


@pytest.mark.parametrize("name", ["ingest", "INGEST", "enrolment", "home 1", "a/b", "+", "#", "a" * 65, "$SYS", "ä"])
def test_a_name_that_no_gateway_can_have_is_refused(name: str) -> None:
    with pytest.raises(RequestRefused, match="common name"):
        requests.read(signing_request(name)[0] if len(name) < 65 else _long_name())


def _long_name() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a" * 64), x509.NameAttribute(NameOID.COMMON_NAME, "b")])
    return _pem(x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256()))


def test_other_kinds_of_keys_are_refused() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "home-1")])
    builder = x509.CertificateSigningRequestBuilder(name)
    others = [
        builder.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256()),
        builder.sign(ed25519.Ed25519PrivateKey.generate(), None),
    ]
    for other in others:
        with pytest.raises(RequestRefused, match="P-256"):
            requests.read(_pem(other))


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda octets: octets.decode("latin-1")))
def test_anything_else_is_refused_and_nothing_breaks(text: str) -> None:
    wrapped = f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n"
    for pem in (text, wrapped):
        with pytest.raises(RequestRefused):
            requests.read(pem)


_DER = serialization.Encoding.DER


def _pem(request: x509.CertificateSigningRequest) -> str:
    return request.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("found", "changed"),
    [
        (b"\x02\x01\x00", b"\x02\x01\x02"),
        (b"\x0c\x06home-1", b"\x03\x06home-1"),
        (b"\x0c\x06home-1", b"\x1e\x06home-1"),
    ],
    ids=["a version that there is not", "a name of bits", "a name of double octets"],
)
def test_a_request_with_one_wrong_octet_is_refused_and_nothing_breaks(found: bytes, changed: bytes) -> None:
    der = x509.load_pem_x509_csr(signing_request("home-1")[0].encode()).public_bytes(_DER)
    body = base64.encodebytes(der.replace(found, changed, 1)).decode()
    with pytest.raises(RequestRefused):
        requests.read(f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n")
