"""`python -m deploy.bitrix24`: the imitation until Ctrl-C, to try a destination by hand; it says what it was asked."""

from __future__ import annotations

import argparse
import secrets
import threading

from deploy.bitrix24.clock import now
from deploy.bitrix24.portal import Portal
from deploy.bitrix24.server import Bitrix24


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.bitrix24", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(arguments)
    portal = Portal(now)
    bitrix24 = Bitrix24(portal, secret=secrets.token_hex(8), application_token=secrets.token_hex(16))
    bitrix24.start()
    print(f"incoming webhook: {bitrix24.url}", flush=True)
    print(f"application token of its outgoing webhooks: {bitrix24.application_token}", flush=True)
    seen, tick = 0, threading.Event()
    try:
        while not tick.wait(0.5):
            for name, params in portal.asked[seen:]:
                print(f"{name} {params}", flush=True)
            seen = len(portal.asked)
    except KeyboardInterrupt:
        pass
    finally:
        bitrix24.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
