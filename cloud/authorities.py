"""Whom we believe where we ask somebody else: the machine's certificate authorities, and one of the operator's."""

import ssl
from functools import cache
from pathlib import Path

from cloud.environment import SettingMissing


@cache
def trusting(ca_file: Path | None, setting: str) -> ssl.SSLContext:
    """One context for all that trust the same, as reading the machine's authorities takes longer than a request.

    SettingMissing, which names the setting that gave the file, where that is none of certificates.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise SettingMissing(f"Set {setting} to a file of certificates (PEM).") from None
    return context
