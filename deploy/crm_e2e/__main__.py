"""`python -m deploy.crm_e2e`: an independent CRM end to end. BottleCRM is installed, served, told and read back.

It needs a Python of 3.12 or newer beside ours, on PATH or in pyenv, and takes about three minutes. A line for each fact
on standard output. Exit codes: 0; 1 where a fact does not hold; 3 where it cannot run here, with what is missing.
"""

from __future__ import annotations

import argparse
import sys

from cloud.clock import now
from cloud.crm.port import CrmError
from deploy.crm_e2e.bottlecrm import PACKAGE, install, with_a_database
from deploy.crm_e2e.errors import CannotRun
from deploy.crm_e2e.facts import Telling, Wrong, facts
from deploy.crm_e2e.pythons import new_enough
from deploy.services.errors import ServiceFailed, ServicesUnavailable
from deploy.services.start import services_in_use

WRONG, CANNOT = 1, 3


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m deploy.crm_e2e", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(arguments)
    try:
        print(f"every fact holds: {_run()} of them, with {PACKAGE}", flush=True)
    except (CannotRun, ServiceFailed, ServicesUnavailable) as error:
        print(error, file=sys.stderr)
        return CANNOT
    except (Wrong, CrmError) as error:
        print(f"does not hold: {error}", file=sys.stderr)
        return WRONG
    return 0


def _run() -> int:
    python = new_enough()
    _say(f"installing {PACKAGE}")
    installed = install(python)
    with services_in_use() as running, with_a_database(running, installed) as crm:
        _say("making its database, which takes about two minutes")
        crm.set_up()
        crm.start()
        _say(f"it answers on port {crm.port}")
        held = 0
        for fact in facts(Telling(crm, now)):
            print(fact, flush=True)
            held += 1
        return held


def _say(text: str) -> None:
    print(f"==> crm e2e: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
