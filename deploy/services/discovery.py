"""Where the services come from, in this order: the environment, Docker, installed packages, a Debian root of ours."""

from __future__ import annotations

from deploy.services import places
from deploy.services.errors import ServicesUnavailable
from deploy.services.installation import Installation


def broker_installation() -> Installation:
    """An installation with Mosquitto."""
    return installation()


def installation() -> Installation:
    """The machine's own packages if they are there, else a Debian root of ours."""
    ours = Installation(places.DEBIAN_ROOT, places.DEBIAN_ROOT / "srv" / "pulsepost")
    if ours.has_postgres() and ours.has_mosquitto():
        return ours
    raise ServicesUnavailable("no Debian root")
