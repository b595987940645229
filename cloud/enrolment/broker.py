"""What the broker has to do when certificates are revoked: read its list anew, and hang up.

Mosquitto reads its list of revoked certificates again at a SIGHUP, and looks at it when somebody comes in; a connection
that stands is left alone. So we take the connection over: whoever connects under a client's id ends the one before, and
a gateway's client id is its certificate's name (`use_username_as_clientid` in deploy/mosquitto/mosquitto.conf).
"""

import asyncio
import logging
import shlex

from cloud.config import BrokerAddress

log = logging.getLogger(__name__)

RELOAD_WITHIN_S = 30.0
HANG_UP_WITHIN_S = 5.0
CONNECTED = b"\x20\x02\x00\x00"


async def reload(command: str) -> bool:
    """Run the operator's command that makes the broker read its files again; whether it ended well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(RELOAD_WITHIN_S):
                _, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    except TimeoutError:
        log.error("PULSEPOST_BROKER_RELOAD did not end within %g s and was killed", RELOAD_WITHIN_S)
        return False
    except (OSError, ValueError) as error:
        log.error("PULSEPOST_BROKER_RELOAD cannot be run (%s); the broker has not read its list", str(error))
        return False
    if process.returncode != 0:
        text = complaint.decode(errors="replace").strip()[-500:]
        log.error("PULSEPOST_BROKER_RELOAD ended with %s: %s", process.returncode, text)
    return process.returncode == 0


async def hang_up(broker: BrokerAddress, gateway_id: str) -> bool:
    """End the connection of a gateway, whether there is one or not; whether the broker let us.

    The packets: MQTT 3.1.1, 3.1 (CONNECT), 3.2 (CONNACK), 3.14 (DISCONNECT). By hand, because it is three packets, and
    the cloud's only MQTT client is the ingest's.
    """
    try:
        async with asyncio.timeout(HANG_UP_WITHIN_S):
            reader, writer = await asyncio.open_connection(broker.host, broker.port)
            try:
                writer.write(_connect(gateway_id, broker.username or "", broker.password or ""))
                answer = await reader.readexactly(len(CONNECTED))
                writer.write(b"\xe0\x00")
                await writer.drain()
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError) as error:
        log.error("the broker cannot be told to hang up on gateway %s (%s)", gateway_id, type(error).__name__)
        return False
    if answer != CONNECTED:
        log.error("the broker does not let us hang up on gateway %s (code %d)", gateway_id, answer[3])
    return answer == CONNECTED


def _connect(client_id: str, user: str, password: str) -> bytes:
    """A clean session, with user and password."""
    body = _text("MQTT") + b"\x04\xc2\x00\x0a" + _text(client_id) + _text(user) + _text(password)
    return b"\x10" + _length(len(body)) + body


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _length(count: int) -> bytes:
    """The remaining length, 7 bits an octet, least significant first (2.2.3)."""
    octets = b""
    while count > 127:
        octets += bytes([count % 128 | 0x80])
        count //= 128
    return octets + bytes([count])
