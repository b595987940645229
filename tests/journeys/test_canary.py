"""A canary patient: what identifies them, and what their devices said, stands in nothing that others may read.

The whole road runs, is refused, killed and looked at; then everything that was written is searched: the logs of every
process, of the broker and of the database, the gateway's disk, and the topics that were spoken on. Left out are what is
the device's own (the simulators' files) and the messages themselves while the broker keeps them.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import LiteralString
from uuid import UUID, uuid4

import httpx
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from cloud.db.connect import Connection, one
from cloud.devices import store as devices
from deploy.demo import clock, watch
from deploy.demo.cast import HomeDevice
from deploy.demo.road import Road
from deploy.demo.seed import identity
from deploy.services.places import LOCAL
from deploy.services.source import OwnBroker
from tests.fix_gateway import eventually

NAME, BORN = "Canary Quillfeather", "1943-07-19"
METER = HomeDevice(
    "meter", "lifescan-onetouch-ultramini", "serial", "CANARY771", "canary",
    ({"age_s": 60, "value": "583"}, {"age_s": 7200, "value": "41"}),
)  # fmt: skip
CUFF = HomeDevice(
    "cuff", "and-ua-651ble", "ble", "CANARY772", "canary",
    ({"age_s": 90, "systolic": 197, "diastolic": 123, "mean": 148, "pulse": 59},), address="F0:C0:0A:12:34:56",
)  # fmt: skip
# Whole words; figures of three digits that nothing else of this test is likely to be.
SECRETS = (
    NAME,
    "Quillfeather",
    BORN,
    "CANARY771",
    "CANARY772",
    "F0:C0:0A:12:34:56",
    r"\b583\b",
    r"\b197\b",
    r"\b0?123\b",
)
SECRET = re.compile("|".join(SECRETS).encode(), re.IGNORECASE)
# Milliseconds and ports are figures, too.
TIMES_AND_PORTS = re.compile(rb"\d\d:\d\d:\d\d[.,]\d+|(?<=:)\d{4,5}\b")


@pytest.fixture
def canary(passwords: dict[str, str], sql: Connection) -> UUID:
    """The patient, with two devices."""
    row = sql.execute(
        "INSERT INTO patient (display_name, birth_date, time_zone) VALUES (%s, %s, 'UTC') RETURNING patient_id",
        (NAME, BORN),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    sql.execute(
        "INSERT INTO care_team (patient_id, account_id) SELECT %s, account_id FROM account WHERE login = 'nurse'",
        (patient_id,),
    )
    for device in (METER, CUFF):
        device_id = devices.register_device(sql, identity(device), device.profile)
        devices.assign_device(sql, device_id, patient_id, clock.now() - timedelta(days=30))
    return patient_id


@pytest.fixture
def topics(broker: OwnBroker, road: Road) -> Iterator[SimpleQueue[str]]:
    """Each topic that a gateway spoke on."""
    heard: SimpleQueue[str] = SimpleQueue()

    def note(_: Client, __: object, message: MQTTMessage) -> None:
        heard.put(message.topic)

    client = Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set("ingest", road.services.ingest_password)
    client.on_message = note
    client.connect(broker.host, broker.port)
    client.subscribe([(f"phg/v1/+/{channel}", 1) for channel in ("live", "readings", "status")])
    client.loop_start()
    try:
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


async def test_nothing_of_the_canary_stands_in_what_was_written(
    road: Road, passwords: dict[str, str], canary: UUID, sql: Connection, broker: OwnBroker, topics: SimpleQueue[str]
) -> None:
    logs_of_databases = {log: log.stat().st_size for log in LOCAL.glob("**/postgres/postgres.log")}
    ingest = await road.ingest()
    await road.jobs(1)
    console = await road.console(0)
    refuse(sql, "notification_attempt")
    simulated = await road.simulators([METER, CUFF])
    gateway = await road.home([METER, CUFF], simulated)
    await eventually(lambda: stored(sql) == 3, 60.0)

    async with watch.signed_in(console, "nurse", passwords["nurse"]) as nurse:
        for page in ("/worklist", "/patients", f"/patients/{canary}", "/quarantine", "/gateways", f"/patients/{NAME}"):
            await nurse.get(page)
        refuse(sql, "patient_message")
        shown = await answered(nurse, f"/patients/{canary}/messages", f"To {NAME}, born {BORN}")
    assert shown.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert "Quillfeather" not in shown.text
    # Errors that nobody foresaw, in the console and in a job: told with the place, and with nothing of the row.
    await eventually(lambda: tells_of_an_error(road, "console") and tells_of_an_error(road, "jobs"), 60.0)

    # What fails says why: processes that die, readings of a device that nobody has, a database that refuses the others.
    await ingest.stop()
    await gateway.kill()
    sql.execute("TRUNCATE ledger, glucose_observation, blood_pressure_observation")
    sql.execute("ALTER TABLE ledger ADD CONSTRAINT refusing CHECK (reason IS NOT NULL)")
    sql.execute(
        "DELETE FROM device_assignment USING device WHERE serial_number = %s AND device.device_id ="
        " device_assignment.device_id",
        (METER.serial_number,),
    )
    await road.ingest("ingest-2")
    (road.folder / "gateway" / "outbox.sqlite").unlink()
    await road.home([METER, CUFF], simulated)
    await eventually(lambda: held(sql) == {"unassigned_device": 2, "refused_by_database": 1}, 60.0)
    await road.stop()

    written = {
        path: path.read_bytes() for path in road.folder.rglob("*") if path.is_file() and not of_the_devices(path)
    }
    assert any(path.name == "outbox.sqlite" for path in written)
    assert {"gateway.log", "console.log", "jobs.log", "enrolment.log"} <= {path.name for path in written}
    written[Path("broker's log")] = broker.log().encode()
    logged = False
    for log, before in logs_of_databases.items():
        lines = log.read_bytes()[before:].splitlines()
        # Other tests use the same server; and its checkpoints count buffers.
        written[log] = b"\n".join(line for line in lines if sql.info.dbname.encode() in line)
        logged = logged or bool(written[log])
    assert logged
    written[Path("topics")] = "\n".join(drained(topics)).encode()
    assert b"/live" in written[Path("topics")]
    assert {str(path): found for path, text in written.items() if (found := secrets_in(text))} == {}


def refuse(sql: Connection, table: LiteralString) -> None:
    """From now on the database takes no row of this table, and says why with all that the row holds."""
    sql.execute(
        """CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
           RAISE EXCEPTION 'refused' USING DETAIL = to_jsonb(NEW)::text || (SELECT jsonb_agg(p)::text FROM patient p);
           END $$"""
    )
    sql.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")


async def answered(nurse: httpx.AsyncClient, path: str, body: str) -> httpx.Response:
    """What the console says to a message that she writes on this page."""
    token = watch.token_in((await nurse.get(path)).text)
    return await nurse.post(path, data={"body": body, "message_id": str(uuid4()), "csrf_token": token})


def tells_of_an_error(road: Road, process: str) -> bool:
    """Of what ``refuse`` raises: code and place."""
    said = (road.logs / f"{process}.log").read_bytes()
    return b"RaiseException P0001" in said and b"  at cloud/" in said


def of_the_devices(path: Path) -> bool:
    """The simulators' own, the virtual radio's bonds (BlueZ keeps its own), and the list of the home's devices.

    An address stands in that list because somebody typed it.
    """
    return path.name.startswith(("simulators", "home.json", "bonds.json", "gateway.toml")) or "ports" in path.parts


def secrets_in(text: bytes) -> set[bytes]:
    return set(SECRET.findall(TIMES_AND_PORTS.sub(b"", text)))


def stored(sql: Connection) -> int:
    row = sql.execute("SELECT (SELECT count(*) FROM glucose) + (SELECT count(*) FROM blood_pressure)").fetchone()
    return int(one(row)[0])


def held(sql: Connection) -> dict[str, int]:
    return dict(sql.execute("SELECT reason_code, count(*) FROM quarantine GROUP BY reason_code").fetchall())


def drained(topics: SimpleQueue[str]) -> Iterator[str]:
    while True:
        try:
            yield topics.get_nowait()
        except Empty:
            return


def test_the_search_would_find_it() -> None:
    said = b"2026-11-22 03:12:14,583 INFO gateway.app 127.0.0.1:41583 "
    assert secrets_in(said) == set()
    assert secrets_in(said + b"glucose 583 of canary quillfeather") == {b"583", b"canary quillfeather"}
