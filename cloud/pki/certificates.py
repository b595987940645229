"""What the certificates say. Elliptic curve P-256 and SHA-256 throughout.

A gateway's certificate is for its half of TLS only, and a server's for the server's half: neither can play the other,
though one authority signs both.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

GATEWAY_VALIDITY = timedelta(days=90)
SERVER_VALIDITY = timedelta(days=397)
AUTHORITY_VALIDITY = timedelta(days=20 * 365)
# The broker's clock may be a little behind ours.
BACKDATED = timedelta(minutes=5)
# What reading somebody's certificate or request may raise: x509.InvalidVersion is no ValueError.
MALFORMED = (ValueError, TypeError, x509.InvalidVersion)
# Certificates that gateways check begin at the epoch: a Raspberry Pi without a clock starts there, and must come in.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def authority_certificate(key: ec.EllipticCurvePrivateKey, name: str, at: datetime) -> x509.Certificate:
    """The authority's own certificate: it signs others and lists of the revoked, and nothing below it may sign."""
    subject = _named(name)
    usage = _key_usage(signs_certificates=True)
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(EPOCH)
        .not_valid_after(at + AUTHORITY_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def gateway_certificate(
    authority: x509.Certificate,
    signing_key: ec.EllipticCurvePrivateKey,
    gateway_id: str,
    public_key: ec.EllipticCurvePublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """A client's certificate. Its common name is the gateway's id, which the broker takes for the user's name."""
    builder = _issued(authority, _named(gateway_id), public_key, not_before, not_after)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return builder.add_extension(usage, critical=True).sign(signing_key, hashes.SHA256())


def server_certificate(
    authority: x509.Certificate,
    signing_key: ec.EllipticCurvePrivateKey,
    addresses: Iterable[str],
    public_key: ec.EllipticCurvePublicKey,
    at: datetime,
) -> x509.Certificate:
    """A server's certificate for these host names and IP addresses."""
    names = [_general_name(address) for address in addresses]
    # No common name: nobody may take a server for a user.
    builder = _issued(authority, x509.Name([]), public_key, EPOCH, at + SERVER_VALIDITY)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = builder.add_extension(usage, critical=True)
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=True).sign(signing_key, hashes.SHA256())


def common_name(name: x509.Name) -> str | None:
    """The one common name, or None."""
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if len(attributes) == 1 else None


def _issued(
    authority: x509.Certificate,
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    issuer_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder(authority.subject, subject, public_key, x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key),
            critical=False,
        )
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
