"""What users of the services hold: addresses, and the ways in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.services.door import Door
from deploy.services.passwords import Passwords


@dataclass(frozen=True)
class Running:
    """TimescaleDB and Mosquitto, answering.

    postgres_admin_url: a superuser's libpq URL. broker_url: mqtt://host:port, without a user.
    source: in words, where they come from.
    """

    source: str
    postgres_admin_url: str
    broker_url: str
    passwords: Passwords
    broker_password: Callable[[str], str]
    """Lets a user in at the broker's inner port and gives the password; "ingest" is known from the start."""
    find_door: Callable[[], Door]

    @property
    def door(self) -> Door:
        """Where gateways come in at the broker, by certificate. WrongSetting for a given broker without one."""
        return self.find_door()

    @property
    def database_address(self) -> str:
        """host:port of the cluster, without a user."""
        return urlsplit(self.postgres_admin_url).netloc.rpartition("@")[2]

    def admin_url(self, database: str) -> str:
        """The superuser's URL of another database of the cluster."""
        return urlunsplit(urlsplit(self.postgres_admin_url)._replace(path=f"/{database}"))

    def role_url(self, role: str, database: str) -> str:
        """The URL of one of the login roles, such as pulsepost_ingest."""
        password = self.passwords.of_roles[role]
        netloc = f"{role}:{password}@{self.database_address}"
        return urlunsplit(urlsplit(self.postgres_admin_url)._replace(netloc=netloc, path=f"/{database}"))

    def mqtt_url(self, user: str) -> str:
        """mqtt://user:password@host:port, for a user that is let in by this call."""
        parts = urlsplit(self.broker_url)
        login = f"{quote(user, safe='')}:{quote(self.broker_password(user), safe='')}"
        return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))
