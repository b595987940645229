"""`python -m deploy.services prepare|start|status|stop|env`: TimescaleDB and Mosquitto for this clone."""

from __future__ import annotations

import argparse
import shlex
import sys

from deploy.services import databases, given, mosquitto, start
from deploy.services.errors import ServiceFailed, ServicesUnavailable, WrongSetting
from deploy.services.running import Running

DATABASE = "pulsepost"

DESCRIPTION = f"""\
TimescaleDB and Mosquitto for this clone, on free ports of loopback, with data and passwords under .local/.

Taken from the first that is there:
  1. addresses in the environment (each service by itself):
{given.HELP}
  2. a Docker engine that answers (deploy/compose.yaml)
  3. the Debian 13 packages postgresql-17-timescaledb and mosquitto
  4. as root on a Debian-family machine: a Debian 13 root, made once under .local/debian-13
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code: 1 when it failed, 2 when a setting is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.services", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="prepare|start|status|stop|env")
    commands.add_parser(
        "prepare", help="make what start needs, and start nothing: the Debian root where nothing else is"
    )
    commands.add_parser("start", help="start what is missing and keep it running until stop")
    commands.add_parser("status", help="say what runs, by pid and port; exit code 1 when nothing does")
    commands.add_parser("stop", help="end exactly what was started; data stays")
    commands.add_parser("env", help="start, and print the environment of the cloud's processes: it holds passwords")
    command = parser.parse_args(arguments).command
    try:
        return {"prepare": _prepare, "start": _start, "status": _status, "stop": _stop, "env": _env}[command]()
    except (ServicesUnavailable, ServiceFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except WrongSetting as error:
        print(error, file=sys.stderr)
        return 2


def _prepare() -> int:
    start.prepare()
    return 0


def _start() -> int:
    running = start.start()
    print(f"ready: {running.source}; {running.broker_url}; postgresql on {running.database_address}")
    return 0


def _status() -> int:
    known = start.running_state()
    for name, started in (("postgres", known.postgres), ("mosquitto", known.mosquitto)):
        if started is not None:
            where = "in a container" if started.process is None else f"pid {started.process.pid}"
            print(f"{name}: {where}, port {started.port} ({known.source})")
    if known.postgres is None and known.mosquitto is None:
        print("nothing of this clone's runs")
        return 1
    return 0


def _stop() -> int:
    ended = start.stop()
    for name in ended:
        print(f"stopped {name}")
    if not ended:
        print("nothing of this clone's runs")
    return 0


def _env() -> int:
    running = start.start()
    databases.create_if_missing(running.postgres_admin_url, DATABASE)
    for name, value in environment(running).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def environment(running: Running) -> dict[str, str]:
    """What `python -m cloud migrate` and `python -m cloud ingest` read, for the database `pulsepost`."""
    return {
        "PULSEPOST_DATABASE_ADMIN_URL": running.admin_url(DATABASE),
        "PULSEPOST_DATABASE_URL": running.role_url("pulsepost_ingest", DATABASE),
        "PULSEPOST_MQTT_URL": running.mqtt_url(mosquitto.INGEST),
    }


if __name__ == "__main__":
    sys.exit(main())
