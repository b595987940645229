"""The audit trail."""

from psycopg import AsyncConnection

from cloud.audit.store import record
from tests.cloud.made import NOW, Ward


async def test_a_deed_is_written_with_its_person_subject_and_detail(ward: Ward) -> None:
    async with await AsyncConnection.connect(ward.database.console_url) as connection:
        await record(
            connection,
            at=NOW,
            account_id=ward.nurse_id,
            action="acknowledge",
            subject="case:1",
            patient_id=ward.patient_id,
            detail={"from": "raised"},
        )
    assert ward.rows("SELECT at, account_id, action, subject, patient_id, detail FROM audit") == [
        (NOW, ward.nurse_id, "acknowledge", "case:1", ward.patient_id, {"from": "raised"})
    ]
