"""When our own certificates end: the authority's, the enrolment service's, the broker's.

Gateways renew by themselves; these are made by a person, who is told in time (`alerting/technical/own_side.py`). Looked
at anew each time: a file is replaced while we run. What cannot be read is left out, and said in the log once.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

from cloud.config import EnrolmentSettings
from cloud.pki.authority import Authority
from cloud.pki.certificates import MALFORMED

log = logging.getLogger(__name__)


class CertificateEnds:
    """Called, it gives what is written beside the fact that this process is there: ISO 8601 times by whose it is."""

    def __init__(self, authority: Authority, settings: EnrolmentSettings) -> None:
        self._authority = authority.certificate
        self._files = {"enrolment": settings.tls_certificate, "broker": settings.broker_certificate}
        self._unreadable: set[str] = set()

    def __call__(self) -> Mapping[str, object]:
        """Never an error."""
        ends = {"authority": self._authority.not_valid_after_utc.isoformat()}
        for whose, file in self._files.items():
            if file is not None and (end := self._end(whose, file)) is not None:
                ends[whose] = end
        return {"certificates": ends}

    def _end(self, whose: str, file: Path) -> str | None:
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
        except (OSError, *MALFORMED) as error:
            if whose not in self._unreadable:
                log.error("the certificate of %s in %s cannot be read (%s)", whose, file, type(error).__name__)
            self._unreadable.add(whose)
            return None
        self._unreadable.discard(whose)
        return certificate.not_valid_after_utc.isoformat()
