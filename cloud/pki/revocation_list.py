"""The list of revoked certificates (RFC 5280 §5), which the broker reads.

Two facts about OpenSSL, which the broker verifies with. A list past its `nextUpdate` makes it refuse everybody, hence
the long validity of a list that is made anew each day. And Mosquitto adds a list that it reads anew to those that it
has read: of those that are valid now OpenSSL believes the one with the latest `thisUpdate`, to the second, hence two
lists never have the same.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

VALID_FOR = timedelta(days=30)
# Room for many lists within one second, and for a broker whose clock is behind.
BACKDATED = timedelta(hours=1)


def signed(
    authority: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    revoked: Mapping[int, datetime],
    at: datetime,
    previous: str | None,
) -> str:
    """PEM of the list: serial number → revoked at."""
    issued_at = (at - BACKDATED).replace(microsecond=0)
    # One of the future was made while our clock was wrong: OpenSSL prefers whichever is valid now.
    if previous is not None and made_at(previous) < at:
        issued_at = max(issued_at, made_at(previous) + timedelta(seconds=1))
    issuer_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder(authority.subject)
        .last_update(issued_at)
        .next_update(at + VALID_FOR)
        .add_extension(x509.CRLNumber(int(issued_at.timestamp())), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
    )
    for serial_number, revoked_at in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder(serial_number).revocation_date(revoked_at.replace(microsecond=0))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def entries(pem: str) -> dict[int, datetime]:
    """Who is on a list: serial number → revoked at. ValueError."""
    return {entry.serial_number: entry.revocation_date_utc for entry in x509.load_pem_x509_crl(pem.encode())}


def is_signed_by(pem: str, authority: x509.Certificate) -> bool:
    """Whether it is a list of this authority's."""
    key = authority.public_key()
    try:
        listed = x509.load_pem_x509_crl(pem.encode())
    except ValueError:
        return False
    return isinstance(key, ec.EllipticCurvePublicKey) and listed.is_signature_valid(key)


def made_at(pem: str) -> datetime:
    """A list's `thisUpdate`. ValueError."""
    return x509.load_pem_x509_crl(pem.encode()).last_update_utc
