"""What a gateway asks us to sign: PKCS #10, read with suspicion. Only its key and its name are used."""

import re
from dataclasses import dataclass
from typing import TypeGuard

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.pki import certificates
from cloud.pki.certificates import common_name

GATEWAY_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
# Names that mean somebody else at the broker (deploy/mosquitto/acl).
RESERVED = frozenset({"ingest", "enrolment"})


class RequestRefused(Exception):
    """It is not signed; the text says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """A gateway that asks for a certificate, and the key that it has shown to have."""

    gateway_id: str
    public_key: ec.EllipticCurvePublicKey

    @property
    def key_hash(self) -> bytes:
        """SHA-256 over the public key (SubjectPublicKeyInfo)."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(
            self.public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return digest.finalize()


def read(pem: str) -> SigningRequest:
    """Check a request for a signature of its own key, the kind of that key, and a gateway's name. RequestRefused."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        public_key, name = request.public_key(), common_name(request.subject)
        if not _is_p256(public_key):  # before its signature is looked at, which takes long with a huge one
            raise RequestRefused("its key is not one of the curve P-256")
        signed = request.is_signature_valid
    except (*certificates.MALFORMED, UnsupportedAlgorithm) as error:
        raise RequestRefused("it is not a certificate signing request") from error
    if not signed:
        raise RequestRefused("it is not signed with its own key")
    if name is None or not is_gateway_id(name):
        raise RequestRefused("its common name is not a gateway's id")
    return SigningRequest(gateway_id=name, public_key=public_key)


def is_gateway_id(name: str) -> bool:
    """Whether a gateway may bear this name."""
    return GATEWAY_ID.fullmatch(name) is not None and name.lower() not in RESERVED


def _is_p256(key: object) -> TypeGuard[ec.EllipticCurvePublicKey]:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
