"""Where things stand on disk: all of it under the clone's own .local/, which git ignores."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"

DEBIAN_ROOT = LOCAL / "debian-13"
"""A Debian 13 root built by `debian_root.build`; programs run in it by chroot."""

SERVICES = LOCAL / "services"
"""The state file, the passwords and the locks; the data too, unless the programs run in DEBIAN_ROOT."""

AUTHORITY = SERVICES / "pki"
"""The clone's own certificate authority, which signs its broker's and its gateways' certificates."""

MOSQUITTO_CONF = PROJECT / "deploy" / "mosquitto" / "mosquitto.conf"
MOSQUITTO_ACL = PROJECT / "deploy" / "mosquitto" / "acl"
COMPOSE_FILE = PROJECT / "deploy" / "compose.yaml"
