"""One bounded POST of JSON: no redirects, an answer of limited size, and all of it within SEND_WITHIN_S."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from cloud.notifications.channels.port import SEND_WITHIN_S, Never, TryAgain

# It writes the address of each request into the log, and an operator's may hold a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

LARGEST_ANSWER = 16_384
# Refused for now (RFC 9110, 6585); 409 is what a gateway says of a key whose first request it still works on.
FOR_NOW = frozenset({408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts to one address; ``tls`` trusts whom the operator says, or the system's authorities."""

    url: str
    tls: ssl.SSLContext

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answer's body (2xx). TryAgain where it is not taken now or nobody knows, Never where it is refused."""
        return asyncio.run(self._within(body, headers))

    async def _within(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                return await self._post(body, headers)
        except TimeoutError:
            raise TryAgain("no answer in time") from None
        except httpx.InvalidURL:
            raise Never("unusable address") from None
        except httpx.HTTPError as error:
            raise TryAgain(type(error).__name__) from None

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        sent = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "pulsepost", **headers}
        # What is read is what was sent, and no longer than it says: nobody is let unpack it.
        sent["Accept-Encoding"] = "identity"
        # trust_env: nobody's proxy variables decide where a page goes.
        async with (
            httpx.AsyncClient(
                verify=self.tls, follow_redirects=False, timeout=SEND_WITHIN_S, trust_env=False
            ) as client,
            client.stream("POST", self.url, content=body, headers=sent) as answer,
        ):
            _check(answer.status_code)
            received = bytearray()
            async for chunk in answer.aiter_raw():
                received += chunk
                if len(received) > LARGEST_ANSWER:
                    # It was taken; what else it says is of no use.
                    return b""
            return bytes(received)


def _check(status: int) -> None:
    if 200 <= status < 300:
        return
    what = f"status {status}"
    raise TryAgain(what) if status >= 500 or status in FOR_NOW else Never(what)
