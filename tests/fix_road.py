"""The whole road as processes on the test's own database and broker: what `make demo` starts, with other devices."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.db.connect import Connection, open_connection
from cloud.devices.store import enrol_gateway
from deploy.demo import clock
from deploy.demo.identity import Enrolment
from deploy.demo.road import Road, Services
from deploy.demo.seed import seed
from deploy.services.source import OwnBroker
from tests.fix_services import Database

GATEWAY_ID = "home-under-test"


@pytest.fixture
async def road(database: Database, broker: OwnBroker, tmp_path: Path) -> AsyncIterator[Road]:
    """Nothing runs yet; whatever runs at the end is stopped."""
    services = Services(
        admin_url=database.admin_url,
        ingest_url=database.ingest_url,
        console_url=database.console_url,
        jobs_url=database.jobs_url,
        broker_host=broker.host,
        broker_port=broker.port,
        ingest_password=broker.add_user("ingest"),
        gateway_password=broker.add_user(GATEWAY_ID),
        enrolment=Enrolment(
            door=broker.door,
            admin_url=database.admin_url,
            database_url=database.enrolment_url,
            mqtt_url=f"mqtt://enrolment:{broker.add_user('enrolment')}@{broker.host}:{broker.port}",
        ),
    )
    road = Road(services, GATEWAY_ID, tmp_path)
    try:
        yield road
    finally:
        await road.stop()


@pytest.fixture
def passwords(road: Road) -> dict[str, str]:
    """The cast of the demonstration is in the database, and its gateway; login → password."""
    with open_connection(road.services.admin_url, "test") as connection:
        enrol_gateway(connection, road.gateway_id, clock.now())
    return dict(seed(road.services.admin_url, clock.now()))


@pytest.fixture
def sql(database: Database) -> Iterator[Connection]:
    """A superuser's connection to the test's database, each statement on its own."""
    with closing(open_connection(database.admin_url, "test", autocommit=True)) as connection:
        yield connection
