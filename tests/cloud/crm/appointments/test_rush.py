"""Two hundred people want the same twenty times at once, over HTTP and on the real database."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx

from tests.cloud.crm.appointments.made import open_hours, patients_signed_in
from tests.cloud.crm.appointments.test_appointments import offered
from tests.cloud.made import NOW
from tests.fix_console import Console

PEOPLE, TIMES = 200, 20


async def test_of_two_hundred_who_book_twenty_times_at_once_twenty_have_one_and_all_others_are_offered_others(
    console: Console,
) -> None:
    ada = console.accounts["ada"]
    # Ten on Monday and ten on Tuesday are wanted; on Wednesday there are more.
    for weekday in (0, 1, 2):
        open_hours(console.ward.admin, ada, starts="09:00", ends="12:20", weekday=weekday)
    people = patients_signed_in(console.ward, PEOPLE)
    wanted = [f"{ada} 2026-11-{23 + n // 10}T{8 + n % 10 // 3:02}:{n % 10 % 3 * 20:02}:00Z" for n in range(TIMES)]
    headers = {"Origin": console.url, "Accept": "text/html"}
    limits = httpx.Limits(max_connections=PEOPLE)
    everybody = asyncio.Event()

    async with httpx.AsyncClient(base_url=console.url, headers=headers, timeout=120, limits=limits) as client:

        async def book(number: int, cookies: dict[str, str], csrf: str) -> httpx.Response:
            await everybody.wait()
            form = {"slot": wanted[number % TIMES], "way": "clinic", "csrf_token": csrf}
            cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
            return await client.post("/me/appointments", data=form, headers={"Cookie": cookie})

        asked = [asyncio.create_task(book(n, cookies, csrf)) for n, (_, cookies, csrf) in enumerate(people)]
        everybody.set()
        answers = await asyncio.gather(*asked)

    assert Counter(answer.status_code for answer in answers) == {303: TIMES, 409: PEOPLE - TIMES}
    rows: list[tuple[str, UUID]] = console.ward.rows(
        """SELECT seen_by || ' ' || to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), patient_id
           FROM appointment WHERE state = 'booked'"""
    )
    assert Counter(when for when, _ in rows) == Counter(wanted), "each time is booked once"
    assert len({patient_id for _, patient_id in rows}) == TIMES
    for answer in answers:
        if answer.status_code == 409:
            assert "Somebody has just taken this time. Choose another one." in answer.text
            others = offered(answer.text)
            assert len(others) >= 10
    first_of_wednesday = f"{ada} {NOW + timedelta(days=4):%Y-%m-%d}T08:00:00Z"
    assert all(first_of_wednesday in offered(a.text) for a in answers if a.status_code == 409)


async def test_who_presses_many_times_at_once_has_no_more_than_their_share_and_arranges_an_invitation_once(
    console: Console,
) -> None:
    ward, ada = console.ward, console.accounts["ada"]
    open_hours(ward.admin, ada, starts="09:00", ends="12:20", weekday=0)
    [(patient_id, cookies, csrf)] = patients_signed_in(ward, 1)
    ward.admin.execute(
        "INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)"
        " VALUES (%s, 'clinic', '2026-12-31', 'to talk', %s, %s)",
        (patient_id, ada, NOW),
    )
    headers = {"Origin": console.url, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    async with httpx.AsyncClient(base_url=console.url, headers=headers, timeout=60) as client:
        wanted = [f"{ada} 2026-11-23T{8 + n // 3:02}:{n % 3 * 20:02}:00Z" for n in range(8)]
        answers = await asyncio.gather(
            *(
                client.post("/me/appointments", data={"slot": slot, "way": "clinic", "csrf_token": csrf})
                for slot in wanted
            )
        )
    assert Counter(answer.status_code for answer in answers) == {303: 4, 409: 4}
    assert ward.rows("SELECT count(*), count(visit_id) FROM appointment WHERE state = 'booked'") == [(4, 1)]
