"""The file of a whole centre: it comes part after part, and is what it would be in one piece."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.auth.models import Role, Session
from cloud.crm.billing import entries, service, store
from cloud.crm.billing.service import COLUMNS
from cloud.crm.spreadsheets import csv_of
from cloud.db.acting import acting
from cloud.db.pool import Pool, make_pool
from tests.cloud.crm.billing.made import OCTOBER, SUPPLIED, book, looked_after, measured, on_days
from tests.cloud.made import NOW, new_patient, wait_for_a_lock
from tests.fix_console import Console

MONTH = entries.month(OCTOBER, NOW.date())


def some_patients(console: Console, many: int = 4) -> None:
    """Carl looks after these too; each has had a device, and some of them measured."""
    looked_after(console)
    admin = console.ward.admin
    measured(console.ward, *on_days(17))
    book(console.ward, console.accounts["nora"], SUPPLIED + timedelta(days=5), 25)
    for n in range(many):
        patient_id = new_patient(admin, f"Person {n}")
        zone = ("Asia/Shanghai", "America/New_York")[n % 2]
        admin.execute("UPDATE patient SET time_zone = %s WHERE patient_id = %s", (zone, patient_id))
        admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
                      (patient_id, console.accounts["carl"]))  # fmt: skip
        admin.execute(
            "INSERT INTO device (device_id, manufacturer, model) VALUES (%(d)s, 'm', 'm') ON CONFLICT DO NOTHING",
            {"d": f"meter-{n}"},
        )
        admin.execute(
            "INSERT INTO device_assignment (device_id, patient_id, valid) VALUES (%s, %s, tstzrange(%s, NULL))",
            (f"meter-{n}", patient_id, SUPPLIED + timedelta(days=n)),
        )
        admin.execute(
            "CREATE TEMP TABLE taken AS SELECT * FROM glucose_observation WHERE patient_id = %s ORDER BY effective_time"
            " LIMIT %s",
            (console.ward.patient_id, 5 * n),
        )
        admin.execute("UPDATE taken SET patient_id = %s, reading_id = gen_random_uuid()", (patient_id,))
        admin.execute("INSERT INTO glucose_observation SELECT * FROM taken")
        admin.execute("DROP TABLE taken")


def carl_of(console: Console) -> Session:
    return Session(
        token_hash=b"", csrf_token="", last_seen_at=NOW, account_id=console.accounts["carl"], login="carl",
        display_name="Carl", role=Role.COORDINATOR, patient_id=None,
    )  # fmt: skip


async def whole(pool: Pool, carl: Session) -> str:
    """All patients in one query after the other, and all rows as one table."""
    async with acting(pool, carl.account_id) as conn:
        known = await store.patients(conn, carl.account_id, 1000, 0)
        found = await service.months(conn, known, MONTH, NOW)
    return csv_of(COLUMNS, [row for shown in found for row in service.rows_of(shown)])


async def streamed(pool: Pool, carl: Session, whose: list[UUID], at_once: int) -> list[str]:
    return [part async for part in service.exported(pool, carl, whose, MONTH, NOW, at_once)]


async def test_the_streamed_export_is_the_whole_one(console: Console) -> None:
    some_patients(console)
    carl = carl_of(console)
    async with make_pool(console.ward.database.console_url, "test", min_size=1, max_size=1) as pool:
        expected = await whole(pool, carl)
        async with acting(pool, carl.account_id) as conn:
            whose = await store.ids(conn, carl.account_id)
        assert len(whose) == 5
        for at_once in (1, 2, 5, 500):
            parts = await streamed(pool, carl, whose, at_once)
            assert len(parts) == 1 + -(-5 // at_once)
            assert "".join(parts) == expected
    assert expected.count("\r\n") > 1 + 5
    assert "supported" in expected
    answer = console.sign_in("carl").get(f"/billing.csv?month={OCTOBER}")
    assert "content-length" not in answer.headers
    assert answer.text == expected


async def test_who_leaves_ones_care_while_it_is_written_is_not_in_it(console: Console) -> None:
    some_patients(console, 1)
    carl = carl_of(console)
    async with make_pool(console.ward.database.console_url, "test", min_size=1, max_size=1) as pool:
        async with acting(pool, carl.account_id) as conn:
            whose = await store.ids(conn, carl.account_id)
        parts = service.exported(pool, carl, whose, MONTH, NOW, 1)
        first = [await anext(parts), await anext(parts)]
        console.ward.admin.execute("UPDATE care_team SET until = now() WHERE account_id = %s", (carl.account_id,))
        rest = [part async for part in parts]
    assert str(whose[0]) in first[1]
    assert rest == [""]


async def test_two_who_close_the_same_months_wait_for_each_other_and_for_nothing_else(console: Console) -> None:
    admin, url = console.ward.admin, console.ward.database.console_url
    ids = sorted((new_patient(admin, "A"), new_patient(admin, "B")), reverse=True)
    async with await AsyncConnection.connect(url) as one, await AsyncConnection.connect(url) as other:
        await store.lock(one, ids[:1])
        both = asyncio.create_task(store.lock(other, ids))
        await asyncio.to_thread(wait_for_a_lock, console.ward)
        await store.lock(one, ids[1:])
        await one.commit()
        await both


def test_an_export_is_in_the_audit_before_its_first_line(console: Console) -> None:
    some_patients(console, 2)
    assert console.sign_in("carl").get(f"/billing.csv?month={OCTOBER}").status_code == 200
    rows: list[Any] = console.ward.rows("SELECT detail FROM audit WHERE action = 'billing.export'")
    assert rows == [({"patients": 3, "month": OCTOBER},)]


def test_what_is_no_month_is_this_one(console: Console) -> None:
    looked_after(console)
    carl = console.sign_in("carl")
    for month in ("2026-13", "", "nothing"):
        answer = carl.get("/billing.csv", params={"month": month})
        assert answer.headers["content-disposition"] == 'attachment; filename="pulsepost-billing-evidence-2026-11.csv"'
