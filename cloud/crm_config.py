"""How outside CRMs are reached: PULSEPOST_CRM_*. The CRMs themselves stand in the database (``python -m cloud crm``).

``KEY``: 32 octets in base64 under which their secrets are sealed; the same for console, jobs and command. ``CA_FILE``:
authorities besides the system's. ``EVERY_S``: how often the jobs process looks whether there is something to tell.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cloud import authorities
from cloud.environment import key, number

PREFIX: Final = "PULSEPOST_CRM_"
KEY: Final = f"{PREFIX}KEY"
KEY_OCTETS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSettings:
    """Without a key only CRMs without secrets can be told anything."""

    key: bytes | None = field(default=None, repr=False)
    ca_file: Path | None = None
    every_s: float = 2.0


def crm_settings(environ: Mapping[str, str]) -> CrmSettings:
    """SettingMissing where one is unusable."""
    return CrmSettings(
        key=key(environ, KEY, KEY_OCTETS),
        ca_file=Path(path) if (path := environ.get(f"{PREFIX}CA_FILE")) else None,
        every_s=number(environ, f"{PREFIX}EVERY_S", 2),
    )


def trusting(settings: CrmSettings) -> ssl.SSLContext:
    """The system's authorities, and that of the settings. SettingMissing."""
    return authorities.trusting(settings.ca_file, f"{PREFIX}CA_FILE")
