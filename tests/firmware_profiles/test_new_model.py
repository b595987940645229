"""A new model of a known protocol is one TOML file: written here, loaded, simulated, driven and compared."""

from datetime import timedelta
from pathlib import Path

from device_drivers.links.serial import open_serial
from device_drivers.simulators.line import line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.support.probe import probe
from firmware_profiles.catalogue import PROFILES, load
from tests.device_drivers.serial_visits import NOW, now, visit

NEW_MODEL = """
schema_version = 1

[device]
id = "taidoc-td-3777"
maker = "TaiDoc"
model = "TD-3777"
kind = "blood_pressure"
driver = "taidoc_51"
memory = 30
users = 2
status = "documented"

[device.match]
manufacturer = "TaiDoc"
model = "TD-3777"

[[firmware]]
versions = "*"
transport = "serial"
evidence = "Made up for this test; no such cuff exists."
why = "Shows that a model needs no code: the layout with a 16-bit systolic, two users, a memory of thirty."
commands = [
    "51 22 00 00 00 00 a3 ..",
    "51 23 00 00 00 00 a3 ..",
    "51 24 00 00 00 00 a3 ..",
    "51 25 .. .. 00 .. a3 ..",
    "51 26 .. .. 00 .. a3 ..",
    "51 27 00 00 00 00 a3 ..",
    "51 28 00 00 00 00 a3 ..",
    "51 2b .. 00 00 00 a3 ..",
]

[firmware.serial]
baud = 19200
reply_timeout_s = 0.1

[firmware.clock]
readable = true
source = "protocol"
resolution_s = 60

[firmware.values]
unit = "mm[Hg]"
"""
RECORDS = (
    RecordSpec(age_s=120, systolic=131, diastolic=83, pulse=71),
    RecordSpec(age_s=86400, systolic=262, diastolic=121, pulse=88, user=2),
)


async def test_a_file_is_all_that_a_new_model_needs(tmp_path: Path) -> None:
    (tmp_path / "taidoc").mkdir()
    (tmp_path / "taidoc" / "td-3777.toml").write_text(NEW_MODEL)
    profile = load(tmp_path).get("taidoc-td-3777")
    spec = DeviceSpec(profile=profile.id, name="cuff", serial_number="3777213440001333", records=RECORDS)
    async with PtyDoor(line_to(profile, spec, now)) as door, open_serial(door.url, profile) as link:
        found = await visit(link, profile)
    assert found.error is None
    assert found.complete is not None
    assert [str(reading.components[0].quantity) for reading in found.readings] == ["131 mm[Hg]", "262 mm[Hg]"]
    assert [reading.user_index for reading in found.readings] == [1, 2]
    assert [reading.reported_time.local for reading in found.readings] == [
        (NOW - timedelta(seconds=record.age_s)).replace(tzinfo=None, second=0) for record in RECORDS
    ]
    assert {reading.profile for reading in found.readings} == {"taidoc-td-3777"}


async def test_a_probe_tells_the_new_model_from_its_sisters(tmp_path: Path) -> None:
    (tmp_path / "td-3777.toml").write_text(NEW_MODEL)
    new = load(tmp_path).get("taidoc-td-3777")
    sisters = [each for each in load(PROFILES) if each.device.driver == "taidoc_51"]
    spec = DeviceSpec(profile=new.id, name="cuff", serial_number="3777213440001333")
    async with PtyDoor(line_to(new, spec, now)) as door:
        found = await probe(door.url, [*sisters, new], now)
        stranger = await probe(door.url, sisters, now)
    assert [match.profile.id for match in found.matches] == ["taidoc-td-3777"]
    assert stranger.matches == ()
    assert {identity.model for identity in stranger.identities} == {"TD-3777"}
