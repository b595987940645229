"""Commands of the cloud: ``python -m cloud migrate|ingest|console|jobs|enrolment|ca|gateway|account|training|...``."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cloud import config, faults

# Commands that do one thing and end, and where their database stands. The others wait for theirs.
ONCE: Mapping[str, str] = {
    "migrate": "PULSEPOST_DATABASE_ADMIN_URL",
    "gateway": "PULSEPOST_DATABASE_ADMIN_URL",
    "account": "PULSEPOST_DATABASE_ADMIN_URL",
    "crm": "PULSEPOST_DATABASE_ADMIN_URL",
    "telephone": "PULSEPOST_DATABASE_ADMIN_URL",
    "training": "PULSEPOST_DATABASE_ADMIN_URL",
    "audit": "PULSEPOST_DATABASE_ADMIN_URL",
    "what-if": "PULSEPOST_DATABASE_URL",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 2 where a setting is missing, or the database of a command that cannot wait."""
    options = _parser().parse_args(arguments)
    try:
        deed = _deeds(options)[options.command]
        return _once(deed, ONCE[options.command]) if options.command in ONCE else deed()
    except config.SettingMissing as missing:
        print(missing, file=sys.stderr)
        return 2


def _once(deed: Callable[[], int], setting: str) -> int:
    from psycopg import OperationalError

    try:
        return deed()
    except OperationalError as error:
        if error.sqlstate is not None:  # it answered, and something else is wrong
            raise
        why = str(error).splitlines()[0]
        print(f"The database does not answer: {why}. Is it up, and is {setting} right?", file=sys.stderr)
        return 2


def _told(deed: Callable[[], str], *refused: type[Exception]) -> int:
    """Print what there is to tell; 2 where it was refused, and why."""
    try:
        print(deed())
    except refused as why:
        print(why, file=sys.stderr)
        return 2
    return 0


def _deeds(options: argparse.Namespace) -> Mapping[str, Callable[[], int]]:
    """What each command does."""
    return {
        "migrate": _migrate,
        "ingest": _ingest,
        "console": lambda: _console(options.host, options.port),
        "jobs": _jobs,
        "enrolment": lambda: _enrolment(options.host, options.port),
        "ca": lambda: _authority(options),
        "gateway": lambda: _gateway(options),
        "account": lambda: _account(options),
        "crm": lambda: _crm(options),
        "telephone": lambda: _telephone(options),
        "training": lambda: _training(options),
        "audit": lambda: _audit(options),
        "what-if": lambda: _what_if(options),
    }


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
        description="Needs PULSEPOST_DATABASE_URL (a role in pulsepost_console). PULSEPOST_CONSOLE_KEY (or _FILE): 32"
        " octets in base64 under which second factors are sealed; without it none can be set up. PULSEPOST_OIDC_*: the"
        " clinic's OpenID Connect provider (docs/sign_in.md).",
    )
    console.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    console.add_argument("--port", type=int, default=8000, help="port to listen on (default %(default)s)")
    commands.add_parser(
        "jobs",
        help="judge the fleet, assess readings, escalate cases, tell people",
        description="Needs PULSEPOST_DATABASE_URL (a role in pulsepost_jobs). Run as many as you like, each with its"
        " own PULSEPOST_JOBS_NAME (default jobs-1); one of them judges at a time. PULSEPOST_TECHNICAL_LIMITS changes"
        " limits of technical alarms, such as gateway_silent=600 (seconds). PULSEPOST_NOTIFY_* says how the staff is"
        " reached besides the console (docs/channels.md).",
    )
    _add_identity(commands)
    _add_what_if(commands)
    _add_account(commands)
    _add_crm(commands)
    _add_telephone(commands)
    _add_training(commands)
    _add_audit(commands)
    return parser


def _add_identity(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    enrolment = commands.add_parser(
        "enrolment",
        help="sign gateways' certificates, over HTTPS",
        description="Needs PULSEPOST_DATABASE_URL (a role in pulsepost_enrolment), PULSEPOST_CA_DIR,"
        " PULSEPOST_TLS_CERTIFICATE and PULSEPOST_TLS_KEY. PULSEPOST_CRL_FILE is the list of revoked certificates that"
        " the broker reads, PULSEPOST_BROKER_RELOAD a command that makes it read, PULSEPOST_MQTT_URL the broker's inner"
        " listener, for hanging up on who was revoked; PULSEPOST_CERTIFICATE_DAYS is 90 unless set."
        " PULSEPOST_BROKER_CERTIFICATE is the broker's certificate (a file), so that somebody is told before it ends.",
    )
    enrolment.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    enrolment.add_argument("--port", type=int, default=8443, help="port to listen on (default %(default)s)")
    authority = commands.add_parser("ca", help="the authority that signs certificates").add_subparsers(
        dest="deed", required=True
    )
    init = authority.add_parser("init", help="make it, once")
    init.add_argument("folder", type=Path, metavar="DIR", help="a new folder for its certificate and its key")
    init.add_argument("--name", default="Pulsepost", help="what its certificate calls it (default %(default)s)")
    server = authority.add_parser("server", help="sign a certificate for the broker or the enrolment service")
    server.add_argument("folder", type=Path, metavar="DIR", help="the authority's folder")
    server.add_argument("addresses", nargs="+", metavar="ADDRESS", help="host names and IP addresses of the server")
    server.add_argument("--out", type=Path, required=True, help="folder for server.pem and server.key.pem")
    gateway = commands.add_parser(
        "gateway",
        help="let gateways in, and shut them out",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL; revoke also uses PULSEPOST_CA_DIR, PULSEPOST_CRL_FILE,"
        " PULSEPOST_BROKER_RELOAD and PULSEPOST_MQTT_URL where they are set.",
    ).add_subparsers(dest="deed", required=True)
    code = gateway.add_parser("code", help="print a one-time code with which a gateway enrols, once")
    code.add_argument("gateway_id", metavar="GATEWAY_ID", help="letters, digits, hyphens; nothing about a patient")
    code.add_argument("--valid", default="24h", help="how long it is good: 30m, 24h, 7d (default %(default)s)")
    revoke = gateway.add_parser("revoke", help="shut a gateway out, now")
    revoke.add_argument("gateway_id", metavar="GATEWAY_ID")
    revoke.add_argument("--why", required=True, help="for the record: stolen, returned, ...; nothing about a patient")
    gateway.add_parser("list", help="every gateway, and how its certificate stands")


def _add_what_if(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    what_if = commands.add_parser(
        "what-if",
        help="try other limits on the stored readings",
        description="Prints what a programme would cost with other limits, beside what it costs now, and which urgent"
        " cases would have been missed or found later. Stores nothing. Needs PULSEPOST_DATABASE_URL (a role in"
        " pulsepost_jobs).",
    )
    what_if.add_argument("--programme", default="standard", metavar="ID", help="whose patients (default %(default)s)")
    what_if.add_argument("--days", type=int, default=90, help="the last so many days, 1 to 365 (default %(default)s)")
    what_if.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="CONDITION:UNIT=VALUE",
        help="another limit, such as hypoglycaemia_level_1:mg/dL=65; again for each; docs/alerting.md names all",
    )
    what_if.add_argument("--regimes", metavar="NAMES", help="other regimes, such as aha2025,ada")
    what_if.add_argument("--closing", metavar="CLASSES", help="what may close by itself: not_confirmed, or none")


def _add_audit(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    audit = commands.add_parser(
        "audit",
        help="see whether anybody touched the record of who did what",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL (any role that may read audit and audit_link will do); writes"
        " nothing. docs/audit.md tells what to keep, and where.",
    ).add_subparsers(dest="deed", required=True)
    verify = audit.add_parser("verify", help="walk the chain: 0 it is whole, 1 and the first broken row is named")
    verify.add_argument("--since", metavar="TIME", help="only rows linked since then: 2026-11-01, 2026-11-01T08:00Z")
    verify.add_argument(
        "--heads", type=Path, metavar="FILE", help="what audit head printed before, or the log of the jobs process"
    )
    audit.add_parser("head", help="print where the chain ends: keep that line outside this machine")


def _add_account(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    account = commands.add_parser(
        "account",
        help="accounts of the staff",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL. Links begin with PULSEPOST_NOTIFY_BASE_URL where it is set.",
    ).add_subparsers(dest="deed", required=True)
    add = account.add_parser("add", help="make one, and print a one-time link with which its person sets a password")
    add.add_argument("login", metavar="LOGIN")
    add.add_argument("--name", required=True, help="as the console shows it")
    add.add_argument("--role", required=True, help="nurse, lead_nurse, doctor, coordinator, support, ...")
    add.add_argument("--language", default="", help="en, ru or zh (default: as the browser asks)")
    for deed, help_text in (
        ("invite", "print another link, also for who forgot the password"),
        ("disable", "shut it, and end its sessions"),
        ("enable", "open it again"),
        ("reset", "take its second factor away, and end its sessions"),
    ):
        account.add_parser(deed, help=help_text).add_argument("login", metavar="LOGIN")
    account.add_parser("list", help="everybody of the staff")


def _add_crm(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    crm = commands.add_parser(
        "crm",
        help="outside CRMs that are told of work",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL, and PULSEPOST_CRM_KEY (or _FILE) where a CRM has secrets:"
        " 32 octets in base64, the same as for the console and the jobs (docs/crm.md).",
    ).add_subparsers(dest="deed", required=True)
    _add_given(crm, "CRM", kinds="printing, webhook, ... (docs/crm.md)")
    for deed, help_text in (("stop", "tell it nothing"), ("start", "tell it again, also what waited")):
        crm.add_parser(deed, help=help_text).add_argument("name", metavar="NAME")
    crm.add_parser("list", help="every CRM, and how it stands")


def _add_telephone(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    telephone = commands.add_parser(
        "telephone",
        help="telephone systems that ring for the staff, and tell of calls",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL, and PULSEPOST_CRM_KEY (or _FILE) where a system has secrets:"
        " the same as for the console and the jobs (docs/telephony.md).",
    ).add_subparsers(dest="deed", required=True)
    _add_given(telephone, "system", kinds="printing, webhook, bitrix24 (docs/telephony.md)")
    for deed, help_text in (("stop", "neither ask nor hear it"), ("start", "ask and hear it again")):
        telephone.add_parser(deed, help=help_text).add_argument("name", metavar="NAME")
    telephone.add_parser("list", help="every system")


def _add_given(deeds: "argparse._SubParsersAction[argparse.ArgumentParser]", what: str, *, kinds: str) -> None:
    """Settings and secrets are given to CRMs and telephone systems in one way."""
    add = deeds.add_parser("add", help=f"one more {what}, from now on")
    add.add_argument("name", metavar="NAME", help="as the console shows it")
    add.add_argument("--kind", required=True, help=kinds)
    add.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; again for each")
    add.add_argument("--secret", action="append", default=[], metavar="NAME=FILE", help="first line of the file")
    change = deeds.add_parser("set", help="change settings; the others stay, one without a value is taken away")
    change.add_argument("name", metavar="NAME")
    change.add_argument("--set", action="append", default=[], required=True, metavar="NAME=VALUE")
    secret = deeds.add_parser("secret", help="new secrets; the former signing secret counts until it is dropped")
    secret.add_argument("name", metavar="NAME")
    secret.add_argument("--secret", action="append", default=[], metavar="NAME=FILE", help="instead of a drawn one")
    secret.add_argument("--drop-former", action="store_true", help=f"the {what} has changed over")


def _add_training(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    training = commands.add_parser(
        "training",
        help="synthetic patients to learn on, beside the real ones",
        description="Needs PULSEPOST_DATABASE_ADMIN_URL. Their names begin with TRAINING, they stand on a worklist of"
        " their own, count nowhere and ring no telephone (docs/training.md).",
    ).add_subparsers(dest="deed", required=True)
    start = training.add_parser(
        "start", help="a course: new patients for these people, in place of those of ended ones"
    )
    start.add_argument("logins", nargs="+", metavar="LOGIN", help="nurses, lead nurses, doctors")
    start.add_argument("--patients", type=int, default=8, help="how many (default %(default)s)")
    start.add_argument("--seed", type=int, default=1, help="the same gives the same patients (default %(default)s)")
    training.add_parser("end", help="end the open courses, and tell their trainees what was true")
    training.add_parser("list", help="every course")


def _migrate() -> int:
    settings = config.migrate_settings()
    from sqlalchemy.exc import OperationalError

    from cloud.db.migrate import migrate

    try:
        migrate(settings.database_admin_url, report=print)
    except OperationalError as stopped:
        raise stopped.orig or stopped from None
    print("ready: the database is at this version's schema")
    return 0


def _ingest() -> int:
    settings = config.ingest_settings()
    from cloud.ingest.worker import run

    return run(settings, ready=lambda: print(f"ready: ingest {settings.client_id}", flush=True))


def _jobs() -> int:
    settings = config.jobs_settings()
    from cloud.jobs.worker import run

    return run(settings, ready=lambda: print(f"ready: jobs {settings.name}", flush=True))


def _what_if(options: argparse.Namespace) -> int:
    settings = config.jobs_settings()
    from cloud import clock
    from cloud.what_if import command

    try:
        for line in command.run(settings.database_url, command.requested(options), clock.now()):
            print(line)
    except command.CommandRefused as refused:
        print(refused, file=sys.stderr)
        return 2
    return 0


def _console(host: str, port: int) -> int:
    settings = config.console_settings()
    from cloud.app import create_app, server
    from cloud.console.assets import AssetsMissing

    try:
        app = create_app(settings)
    except AssetsMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    if settings.sign_in.key is None:
        logging.warning(
            "no second factor can be set up, and none but recovery codes is accepted: PULSEPOST_CONSOLE_KEY is not set"
        )
    server(app, host, port, ready=lambda address: print(f"ready {address}", flush=True)).run()
    return 0


def _enrolment(host: str, port: int) -> int:
    settings = config.enrolment_settings()
    from cloud.enrolment.app import create_app, server
    from cloud.pki.authority import AuthorityError

    try:
        app = create_app(settings)
        serving = server(app, settings, host, port, ready=lambda address: print(f"ready {address}", flush=True))
        serving.config.load()
    except (AuthorityError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    serving.run()
    return 0


def _authority(options: argparse.Namespace) -> int:
    from cloud import clock
    from cloud.enrolment import commands
    from cloud.pki.authority import AuthorityError

    def deed() -> str:
        if options.deed == "init":
            return commands.make_authority(options.folder, options.name, clock.now())
        return commands.make_server(options.folder, options.addresses, options.out, clock.now())

    return _told(deed, AuthorityError, commands.CommandRefused)


def _audit(options: argparse.Namespace) -> int:
    settings = config.migrate_settings()
    from cloud.audit import command

    try:
        return command.run(settings.database_admin_url, options, print)
    except command.CommandRefused as refused:
        print(refused, file=sys.stderr)
        return 2


def _account(options: argparse.Namespace) -> int:
    settings = config.operator_settings()
    from cloud import clock
    from cloud.accounts.command import CommandRefused, run

    return _told(lambda: run(settings.database_url, config.base_url(), options, clock.now()), CommandRefused)


def _crm(options: argparse.Namespace) -> int:
    settings = config.operator_settings()
    from cloud import clock
    from cloud.crm.outbox.command import run
    from cloud.crm.outbox.options import CommandRefused

    return _told(lambda: run(settings.database_url, settings.crm, options, clock.now()), CommandRefused)


def _telephone(options: argparse.Namespace) -> int:
    settings = config.operator_settings()
    from cloud import clock
    from cloud.crm.outbox.options import CommandRefused
    from cloud.crm.telephony.command import run

    return _told(lambda: run(settings.database_url, settings.crm, options, clock.now()), CommandRefused)


def _training(options: argparse.Namespace) -> int:
    settings = config.migrate_settings()
    from cloud import clock
    from cloud.planting.command import CommandRefused, run

    return _told(lambda: run(settings.database_admin_url, options, clock.now()), CommandRefused)


def _gateway(options: argparse.Namespace) -> int:
    settings = config.operator_settings()
    from cloud import clock
    from cloud.enrolment import commands
    from cloud.pki.authority import AuthorityError

    async def deed() -> str:
        match options.deed:
            case "code":
                length = commands.valid_for(options.valid)
                return await commands.make_code(settings, options.gateway_id, length, clock.now())
            case "revoke":
                return await commands.revoke(settings, options.gateway_id, options.why, clock.now)
            case _:
                return await commands.list_gateways(settings, clock.now())

    return _told(lambda: asyncio.run(deed()), AuthorityError, commands.CommandRefused)


if __name__ == "__main__":
    faults.write_without_values()
    sys.exit(main())
