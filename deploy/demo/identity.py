"""The gateway's identity on the road, as in production: an enrolment service, a one-time code, a certificate."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.processes import NotReady
from deploy.services.door import Door, server_files
from deploy.services.passwords import write_private

COMMAND_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What the enrolment service stands on: the broker's door, its own database role, and its own way to the broker."""

    door: Door
    admin_url: str
    database_url: str
    mqtt_url: str

    def environment(self, folder: Path) -> dict[str, str]:
        """Of the service; its own certificate is made in ``folder``."""
        tls = folder / "enrolment"
        files = server_files()
        write_private(tls / "server.key.pem", files.key)
        write_private(tls / "server.pem", files.certificate)
        return {
            "PULSEPOST_DATABASE_URL": self.database_url,
            "PULSEPOST_CA_DIR": str(self.door.authority),
            "PULSEPOST_TLS_CERTIFICATE": str(tls / "server.pem"),
            "PULSEPOST_TLS_KEY": str(tls / "server.key.pem"),
            "PULSEPOST_CRL_FILE": str(self.door.revocation_list),
            "PULSEPOST_BROKER_RELOAD": self.door.reload,
            "PULSEPOST_MQTT_URL": self.mqtt_url,
        }

    @property
    def authority_file(self) -> Path:
        """The authority's certificate, which a gateway is given beside its configuration."""
        return self.door.authority / "ca.pem"

    async def code(self, gateway_id: str) -> str:
        """A one-time code, as an operator gets it. NotReady."""
        environment = {"PULSEPOST_DATABASE_ADMIN_URL": self.admin_url}
        said = await command("-m", "cloud", "gateway", "code", gateway_id, environment=environment)
        return said.split()[0]


async def enrol(config: Path, code: str) -> None:
    """What a person at the gateway does with a code. NotReady."""
    await command("-m", "gateway", "enrol", str(config), typed=f"{code}\n")


async def command(*arguments: str, typed: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Run ``python arguments...`` to its end; what it printed. NotReady where it does not end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(COMMAND_WITHIN_S):
            said, complaint = await process.communicate(typed.encode())
    except TimeoutError:
        raise NotReady(f"python {' '.join(arguments[:3])} did not end within {COMMAND_WITHIN_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise NotReady(f"python {' '.join(arguments[:3])}: {complaint.decode(errors='replace').strip()[-2000:]}")
    return said.decode()
