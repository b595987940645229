"""At which gateways the console offers to pair for a patient."""

from cloud.db.acting import acting
from cloud.db.pool import make_pool
from cloud.devices import store as devices
from cloud.pairing import store
from tests.cloud.made import GATEWAY, METER, NOW, Ward, glucose, sent


async def test_a_gateway_that_merely_says_it_has_the_device_is_not_offered(ward: Ward) -> None:
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (ward.patient_id, ward.nurse_id)
    )
    ward.receive(sent(glucose()))
    devices.enrol_gateway(ward.admin, "gw-elsewhere", NOW)
    for gateway_id in (GATEWAY, "gw-elsewhere"):
        ward.admin.execute(
            "INSERT INTO gateway_device (gateway_id, name, profile, device_id, told_at) VALUES (%s, 'm', '-', %s, %s)",
            (gateway_id, METER.device_id, NOW),
        )
    # The console asks of now; the ward's patient has had the meter since long before NOW.
    async with (
        make_pool(ward.database.console_url, "test", min_size=1, max_size=1) as pool,
        acting(pool, ward.nurse_id) as connection,
    ):
        assert await store.gateways_of(connection, ward.patient_id) == [GATEWAY]
