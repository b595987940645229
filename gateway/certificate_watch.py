"""Keeps the gateway's certificate: notices a new one, and has it renewed in time.

In time by this computer's clock or by the cloud's, whichever is later: a Raspberry Pi whose clock stays behind would
else never ask, and one day not be let in. The cloud's is known from receipts, which say when they were made; since then
the clock since boot has run on.

What is done with certificates is done by short-lived processes (`gateway/enrolment.py`); this only looks at the file,
so that `enrol` by a person and `renew` by us are the same to the running gateway.
"""

import asyncio
import logging
import math
import ssl
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from gateway import identity
from gateway.config import Config
from gateway.identity import Identity, IdentityError

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
# After a renewal that did not succeed: doubling. A third of 90 days is left when the first is tried.
RETRY_MIN_S, RETRY_MAX_S = 60.0, 6 * 3600.0
RENEWAL_WITHIN_S = 120.0
# After one that did: to a clock that is years ahead, each new certificate has ended already.
RENEWED_PAUSE_S = 6 * 3600.0


class CertificateWatch:
    """``use`` is called with every identity that the gateway gets, the first one included, as TLS wants it."""

    def __init__(
        self,
        config: Config,
        use: Callable[[ssl.SSLContext], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._config = config
        self._use = use
        self._now = now
        self._monotonic = monotonic
        self._identity: Identity | None = None
        self._seen: object = None
        self._cloud: tuple[datetime, float] | None = None  # the cloud's time, and ours since boot when we heard it
        self._said_missing = False
        self._failures = 0
        self._not_before = 0.0

    def until(self) -> datetime | None:
        """The end of the validity of the certificate that is in use."""
        return self._identity.valid_until if self._identity else None

    def told(self, cloud_time: datetime) -> None:
        """A receipt was made at this time, by the cloud's clock; however long it was on its way, it is not earlier."""
        heard = self._cloud
        if heard is None or cloud_time - heard[0] >= timedelta(seconds=self._monotonic() - heard[1]):
            self._cloud = cloud_time, self._monotonic()

    async def run(self) -> None:
        """For ever."""
        identity.forget_drafts(self._config.data_dir)
        while True:
            self._look()
            if self._is_due():
                await self._renew()
            else:
                await asyncio.sleep(LOOK_EVERY_S)  # nothing tells us of a new file

    def _look(self) -> None:
        state = _state(identity.path_in(self._config.data_dir))
        if state is None and not self._said_missing:
            log.error("not enrolled: readings are kept; get a code, then run: python -m gateway enrol CONFIG")
            self._said_missing = True
        if state is None or state == self._seen:
            return
        self._seen = state
        try:
            found = identity.load(self._config.data_dir)
            context = identity.tls_context(self._config.data_dir)
        except IdentityError as error:
            log.error("%s", error)
            return
        if found is None:
            return
        if found.gateway_id != self._config.gateway_id:
            log.error("the identity is of gateway %s; enrol this gateway again, with a code", found.gateway_id)
            return
        log.info("certificate until %s", found.valid_until.isoformat())
        self._identity, self._failures, self._not_before = found, 0, self._monotonic()
        self._use(context)

    def _is_due(self) -> bool:
        known = self._identity
        if known is None or self._monotonic() < self._not_before:
            return False
        return self._now() >= known.renew_at or self._is_past(known.renew_at)

    def _is_past(self, at: datetime) -> bool:
        """Whether it is, by the cloud's clock. A difference, because a sum could be beyond the calendar."""
        if self._cloud is None:
            return False
        cloud_time, heard_at = self._cloud
        return at - cloud_time <= timedelta(seconds=self._monotonic() - heard_at)

    async def _renew(self) -> None:
        """One attempt, in a process of its own; what it has to say it says on our standard error."""
        if await self._in_a_process():
            self._look()
            self._not_before = self._monotonic() + RENEWED_PAUSE_S
            return
        pause_s = min(math.ldexp(RETRY_MIN_S, min(self._failures, 20)), RETRY_MAX_S)
        self._failures += 1
        self._not_before = self._monotonic() + pause_s
        log.error("the certificate was not renewed; it ends %s; again in %g s", self.until(), pause_s)

    async def _in_a_process(self) -> bool:
        command = [sys.executable, "-m", "gateway", "renew", str(self._config.file)]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            log.error("no process for the renewal: %s", error.strerror)
            return False
        try:
            async with asyncio.timeout(RENEWAL_WITHIN_S):
                return await process.wait() == 0
        except TimeoutError:
            return False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _state(path: Path) -> object:
    """What changes when the file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
