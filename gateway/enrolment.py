"""How a gateway gets its certificate, and the next one: `python -m gateway enrol` and `renew`.

Processes of their own: the libraries for it have no place in the memory of the gateway that runs. The key is made here
and leaves the gateway never; what is sent is a request for a certificate (gateway/wire/enrolment.py).

The key is on the disk before it is sent, and the service answers the same code and key with the same certificate again:
whenever this is killed, it can be started again.
"""

import http.client
import ssl
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway import identity
from gateway.config import Cloud, Config
from gateway.identity import Identity, IdentityError
from gateway.wire import enrolment as wire

TIMEOUT_S = 30.0
LARGEST_ANSWER_OCTETS = 65_536
PENDING = "identity.key.pending"


class EnrolmentFailed(Exception):
    """No certificate; the text says why and what to do."""


class Refused(EnrolmentFailed):
    """The cloud said no: asking again changes nothing."""


class Unreachable(EnrolmentFailed):
    """The cloud could not be asked, or could not answer: ask again later."""


def enrol(config: Config, code: str) -> Identity:
    """Get the first certificate, or a new one after the gateway was lost, for a one-time code. EnrolmentFailed."""
    cloud = _cloud(config)
    key = _pending_key(config.data_dir)
    request = wire.CertificateRequest(code=code.strip(), csr=_request(config.gateway_id, key))
    issued = _ask(cloud, wire.CERTIFICATES, request)
    if isinstance(issued, wire.Refused):
        _raise(issued)
    return _keep(config, key, issued)


def renew(config: Config, now: Callable[[], datetime]) -> Identity:
    """Get the next certificate for the present one. EnrolmentFailed.

    The request carries this computer's time; where the cloud's is another, it is asked again with the cloud's.
    """
    cloud = _cloud(config)
    present = _present(config)
    key = _pending_key(config.data_dir)
    csr = _request(config.gateway_id, key)
    answer = _ask(cloud, wire.RENEWALS, _renewal(present, csr, now()))
    if isinstance(answer, wire.Refused) and answer.reason == "clock":
        answer = _ask(cloud, wire.RENEWALS, _renewal(present, csr, answer.now))
    if isinstance(answer, wire.Refused):
        _raise(answer)
    return _keep(config, key, answer)


def _cloud(config: Config) -> Cloud:
    if config.cloud is None:
        raise EnrolmentFailed("the configuration has no [cloud] url, where certificates come from; add it")
    return config.cloud


def _present(config: Config) -> Identity:
    try:
        present = identity.load(config.data_dir)
    except IdentityError as error:
        raise EnrolmentFailed(str(error)) from error
    if present is None:
        raise EnrolmentFailed("this gateway has no certificate yet: enrol it, with a code")
    return present


def _pending_key(data_dir: Path) -> ec.EllipticCurvePrivateKey:
    """The key that was asked with before, or a new one; on the disk before anybody hears of it. EnrolmentFailed."""
    path = data_dir / PENDING
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and (known := _read_key(path.read_bytes())) is not None and not _is_in_use(data_dir, path):
            return known
        key = ec.generate_private_key(ec.SECP256R1())
        identity.replace_private(path, _pem(key))
    except OSError as error:
        raise EnrolmentFailed(f"data_dir {data_dir} cannot be used: {error.strerror}") from error
    return key


def _is_in_use(data_dir: Path, pending: Path) -> bool:
    """Whether it is the key of the present certificate: killed between writing that down and forgetting this."""
    try:
        present = identity.load(data_dir)
    except IdentityError:
        return False
    return present is not None and present.key == pending.read_text()


def _read_key(pem: bytes) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _request(gateway_id: str, key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gateway_id)])
    request = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _renewal(present: Identity, csr: str, at: datetime) -> wire.RenewalRequest:
    key = _read_key(present.key.encode())
    if key is None:
        raise EnrolmentFailed(
            "the key of the present certificate is damaged; enrol this gateway again, with a new code"
        )
    signature = key.sign(wire.renewal_statement(csr, at), ec.ECDSA(hashes.SHA256()))
    return wire.RenewalRequest(certificate=present.certificate, csr=csr, at=at, signature=signature)


def _keep(config: Config, key: ec.EllipticCurvePrivateKey, issued: wire.Issued) -> Identity:
    """Write it down, if it is what we asked for. EnrolmentFailed."""
    try:
        certificate = x509.load_pem_x509_certificate(issued.certificate.encode())
        x509.load_pem_x509_certificate(issued.authority.encode())
    except ValueError as error:
        raise Unreachable("the cloud's answer holds no certificate") from error
    if certificate.public_key() != key.public_key() or issued.gateway_id != config.gateway_id:
        raise Unreachable("the cloud's answer is for another gateway")
    made = Identity(
        gateway_id=issued.gateway_id,
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
        certificate=issued.certificate,
        authority=issued.authority,
        key=_pem(key),
    )
    try:
        identity.save(config.data_dir, made)
        (config.data_dir / PENDING).unlink(missing_ok=True)
    except OSError as error:
        raise EnrolmentFailed(f"data_dir {config.data_dir} cannot be used: {error.strerror}") from error
    return made


def _ask(cloud: Cloud, path: str, request: wire.CertificateRequest | wire.RenewalRequest) -> wire.Issued | wire.Refused:
    """One question to the enrolment service. Unreachable."""
    address = urlsplit(cloud.url)
    prefix = address.path.rstrip("/")
    try:
        context = ssl.create_default_context(cafile=cloud.ca_file)
    except OSError as error:
        raise EnrolmentFailed(f"[cloud] ca_file {cloud.ca_file} cannot be used: {error}") from error
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port or 443, timeout=TIMEOUT_S, context=context
    )
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"{prefix}{path}", msgspec.json.encode(request), headers)
        response = connection.getresponse()
        body = response.read(LARGEST_ANSWER_OCTETS)
        if response.status != http.client.OK:
            return wire.decode(body, wire.Refused)
        return wire.decode(body, wire.Issued)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(
            f"{cloud.url} shows a certificate that cannot be trusted ({error.verify_message});"
            " check [cloud] url and ca_file, and this computer's clock"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            f"{cloud.url} cannot be reached ({error or type(error).__name__}); check the network and [cloud] url"
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(f"{cloud.url} does not answer like Pulsepost's enrolment service; check the url") from error
    finally:
        connection.close()


def _raise(refused: wire.Refused) -> NoReturn:
    if refused.reason in ("code", "certificate", "request"):
        raise Refused(refused.sentence)
    raise Unreachable(refused.sentence)
