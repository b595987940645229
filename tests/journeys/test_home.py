"""From the patient's plan in the cloud to the page in the home, and from the meter to "received": everything is real.

A simulated meter, the gateway with its page, a Mosquitto, the ingest as a process, the jobs' turn, and a database.
"""

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cloud.config import JobsSettings
from cloud.db.connect import open_connection
from cloud.devices import store as devices
from cloud.homes.service import Memory
from cloud.jobs.desk import Desk
from cloud.jobs.telling_homes import tell_all
from deploy.services.source import OwnBroker
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import RecordSpec
from gateway import clock
from tests.cloud.ingest.running import ingest
from tests.cloud.made import Ward
from tests.fix_gateway import GATEWAY_ID
from tests.gateway.home.test_home import at_home, told, until_told
from tests.gateway.home.test_lights import Wired
from tests.gateway.test_app import meter, running, written

PATIENCE_S = 30


async def test_what_is_due_reaches_the_home_and_what_was_measured_is_said_to_be_received(
    ward: Ward, broker: OwnBroker, tmp_path: Path
) -> None:
    devices.enrol_gateway(ward.admin, GATEWAY_ID, clock.now())
    mqtt_url = f"mqtt://ingest:{broker.add_user('ingest')}@{broker.host}:{broker.port}"
    wired = Wired(tmp_path / "leds")
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), clock.now)
    desk.pool.open()
    with ingest(ward.database.ingest_url, mqtt_url), closing(desk.pool):
        async with PtyDoor(meter(0)) as door:
            config = written(tmp_path, broker, door.url)
            # A status that came before its session names no device; the next one does.
            config.write_text(config.read_text().replace("[intervals]\n", "[intervals]\nheartbeat_s = 1.0\n"))
            port = at_home(config, wired.folder)
            async with running(config):
                await until_told(port, "What is due is not known here")
                await asyncio.to_thread(hand_out, ward, ward.patient_id)
                assert await asyncio.to_thread(tell, desk) == 1
                await until_told(port, "please measure now")
                door.line.device.measure(RecordSpec(value="287"))
                text = await until_told(port, "By your care team")
                assert "please measure now" not in text
                assert "287" not in await told(port)
    assert ward.count("glucose_observation") == 1


def hand_out(ward: Ward, patient_id: UUID) -> None:
    """The patient gets the meter that the gateway has found, and a plan by which a measurement is due all day long."""
    device_id = until(ward, "SELECT device_id FROM gateway_device WHERE device_id IS NOT NULL")
    ward.admin.execute(
        "INSERT INTO device (device_id, manufacturer, model) VALUES (%s, 'LifeScan', 'OneTouch UltraMini')"
        " ON CONFLICT DO NOTHING",
        (device_id,),
    )
    devices.assign_device(ward.admin, device_id, patient_id, clock.now() - timedelta(days=1))
    ward.admin.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, before, after, valid)"
        " VALUES (%s, 'glucose', '12:00', '13 hours', '13 hours', tstzrange(%s, NULL))",
        (patient_id, clock.now() - timedelta(days=30)),
    )


def until(ward: Ward, query: str) -> str:
    """The first row's value, once there is one."""
    with closing(open_connection(ward.database.admin_url, "test listener", autocommit=True)) as connection:
        for _ in range(PATIENCE_S * 20):
            row = connection.execute(query.encode()).fetchone()
            if row is not None:
                return str(row[0])
            connection.execute("SELECT pg_sleep(0.05)")  # nobody tells of a status
    raise AssertionError(query)


def tell(desk: Desk) -> int:
    """One turn of the job."""
    return tell_all(desk, Memory())
