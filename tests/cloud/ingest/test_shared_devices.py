"""Workers whose batches have the same devices: they wait for each other, never in a circle, and count right."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec

from cloud.db.connect import open_connection
from cloud.ingest.arrivals import Arrival, decode
from cloud.ingest.handle import store
from gateway.wire import v1
from tests.cloud.made import METER, NOW, Ward, arrival, glucose, message, session

WORKERS, DEVICES, READINGS_EACH, BATCH = 4, 12, 30, 15


def test_workers_with_the_same_new_devices_store_all_and_count_each_once(ward: Ward) -> None:
    meters = [replace(METER, serial_number=f"NEW{n}") for n in range(DEVICES)]
    messages: list[Arrival] = []
    for meter in meters:
        visit = session(meter)
        for number in range(READINGS_EACH):
            reading = glucose(str(80 + number), NOW - timedelta(hours=number), sequence_number=number, device=meter)
            messages.append(arrival(message(reading, visit=visit)))
        ended = msgspec.structs.replace(visit, complete=True, holds=READINGS_EACH, ended_at=NOW)
        messages.append(arrival(v1.ReadingsMessage(v=1, message_id=visit.session_id, session=ended, readings=())))
    # Each comes twice, in the same order at each run of the test.
    dealt = random.Random(7).sample([*messages, *messages], 2 * len(messages))  # noqa: S311 -- a shuffle, no secret

    def work(worker: int) -> None:
        mine = dealt[worker::WORKERS]
        with open_connection(ward.database.ingest_url, f"worker {worker}", autocommit=True) as connection:
            for begin in range(0, len(mine), BATCH):
                store(connection, [decode(each) for each in mine[begin : begin + BATCH]], lambda: NOW)

    with ThreadPoolExecutor(WORKERS) as threads:
        list(threads.map(work, range(WORKERS)))

    counts = ward.rows(
        "SELECT readings_known, known_sequences::text, holds FROM device WHERE serial_number LIKE 'NEW%'"
    )
    assert counts == [(READINGS_EACH, f"{{[0,{READINGS_EACH})}}", READINGS_EACH)] * DEVICES
    assert ward.rows("SELECT count(*), bool_and(complete) FROM device_session") == [(DEVICES, True)]
