"""Commands of the cloud: ``python -m cloud migrate|ingest|console``."""

import argparse
import logging
import sys
from collections.abc import Sequence

from cloud import config


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 where a setting is missing."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        match options.command:
            case "migrate":
                return _migrate()
            case "ingest":
                return _ingest()
            case _:
                return _console(options.host, options.port)
    except config.SettingMissing as missing:
        print(missing, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloud", description="Pulsepost's cloud: what stores readings and shows them to the care team."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "migrate",
        help="bring the database to this version's schema",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL. Safe to run again; what is done is not done twice.",
    )
    commands.add_parser(
        "ingest",
        help="store what gateways send, and open cases",
        description="Needs PULSEPOST_DATABASE_URL (a role in pulsepost_ingest) and PULSEPOST_MQTT_URL. Run as many as"
        " you like, each with its own PULSEPOST_INGEST_CLIENT_ID (default ingest-1).",
    )
    console = commands.add_parser(
        "console",
        help="serve the nurse's console",
        description="Needs PULSEPOST_DATABASE_URL (a role in pulsepost_console).",
    )
    console.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    console.add_argument("--port", type=int, default=8000, help="port to listen on (default %(default)s)")
    return parser


def _migrate() -> int:
    settings = config.migrate_settings()
    from cloud.db.migrate import migrate

    migrate(settings.database_admin_url, report=print)
    print("ready: the database is at this version's schema")
    return 0


def _ingest() -> int:
    settings = config.ingest_settings()
    from cloud.ingest.worker import run

    return run(settings, ready=lambda: print(f"ready: ingest {settings.client_id}", flush=True))


def _console(host: str, port: int) -> int:
    settings = config.console_settings()
    from cloud.app import create_app, server
    from cloud.console.assets import AssetsMissing

    try:
        app = create_app(settings)
    except AssetsMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    server(app, host, port, ready=lambda address: print(f"ready {address}", flush=True)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
