"""A group: nobody is in it before they agreed, and each is seen by the others as they chose, or not at all."""

import psycopg

from tests.cloud.crm.groups.made import announced, grouped, neighbour
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console


def test_members_join_by_their_own_word_see_only_who_wants_to_be_seen_and_leave(
    console: Console, password_hash: str
) -> None:
    group = grouped(console)
    other = neighbour(console, password_hash, "boris")
    nora, asta, boris = (console.sign_in(login) for login in ("nora", "asta", "boris"))
    assert "Walkers" not in text(asta.get("/me/events")), "she was not asked"
    assert asta.post(f"/me/groups/{group}", {"answer": "yes", "shown_as": "Asta"}).status_code == 404
    for patient_id in (console.ward.patient_id, console.ward.patient_id, other):
        assert nora.post(f"/groups/{group}/ask", {"patient": str(patient_id)}).status_code == 303
    assert console.ward.rows("SELECT count(*) FROM outside_message WHERE what = 'event'") == [(2,)]
    assert "Would you like to join?" in text(asta.get("/me/events"))
    assert asta.post(f"/me/groups/{group}", {"answer": "yes", "shown_as": "Asta from the lake"}).status_code == 303
    assert "Asta" not in boris.get("/me/events").text, "he is not in it yet"
    # He says it on the telephone, and wants to be seen by nobody.
    assert nora.post(f"/groups/{group}/members/{other}", {"answer": "yes", "shown_as": ""}).status_code == 303
    assert "Asta from the lake" in text(boris.get("/me/events"))
    seen = text(asta.get("/me/events"))
    assert "2 members" in seen
    assert "Boris" not in seen
    assert boris.post(f"/me/groups/{group}", {"answer": "yes", "shown_as": "B."}).status_code == 303
    assert "2 members: B." in text(asta.get("/me/events"))
    assert [asta.post(f"/me/groups/{group}/leave").status_code for _ in range(2)] == [303, 303], "a second press"
    assert "Asta" not in boris.get("/me/events").text.partition("<main")[2]
    assert console.ward.rows("SELECT state, shown_as, left_at IS NULL FROM group_member ORDER BY state") == [
        ("in", "B.", True),
        ("left", None, False),
    ]
    assert "has left" in text(nora.get(f"/groups/{group}"))


def test_an_activity_of_a_group_is_for_its_members_and_the_whole_group_is_invited_at_once(
    console: Console, password_hash: str
) -> None:
    group = grouped(console)
    other = neighbour(console, password_hash, "boris")
    nora, asta, boris = (console.sign_in(login) for login in ("nora", "asta", "boris"))
    for patient_id, answer in ((console.ward.patient_id, "yes"), (other, "no")):
        nora.post(f"/groups/{group}/ask", {"patient": str(patient_id)})
        nora.post(f"/groups/{group}/members/{patient_id}", {"answer": answer, "shown_as": ""})
    event = announced(console, kind="activity", title="Walk around the lake", audience=group)
    assert "Walk around the lake" in text(asta.get("/me/events"))
    assert "Walk around the lake" not in text(boris.get("/me/events"))
    assert boris.post(f"/me/events/{event}", {"comes": "yes"}).status_code == 404
    nora.post(f"/events/{event}/invite", {"whole": "yes"})
    assert console.ward.rows("SELECT patient_id, state FROM event_seat") == [(console.ward.patient_id, "invited")]
    asta.post(f"/me/events/{event}", {"comes": "no"})
    nora.post(f"/events/{event}/invite", {"whole": "yes"})
    assert "cannot come" in text(nora.get(f"/events/{event}")), "what she said stands"
    assert nora.post(f"/groups/{group}/close").status_code == 303
    assert "Walkers" not in text(asta.get("/me/events")).partition("Groups")[2]


def test_names_stay_with_those_who_care_for_the_patients(console: Console, password_hash: str) -> None:
    group = grouped(console)
    neighbour(console, password_hash, "boris", in_care_of="eve")
    nora, eve = console.sign_in("nora"), console.sign_in("eve")
    nora.post(f"/groups/{group}/ask", {"patient": str(console.ward.patient_id)})
    nora.post(f"/groups/{group}/members/{console.ward.patient_id}", {"answer": "yes", "shown_as": "Asta"})
    page = text(eve.get(f"/groups/{group}"))
    assert "1 member" in page
    assert "Asta" not in page
    assert eve.post(f"/groups/{group}/ask", {"patient": str(console.ward.patient_id)}).status_code == 404
    assert eve.post(f"/groups/{group}/members/{console.ward.patient_id}/leave").status_code == 404
    with psycopg.connect(console.ward.database.console_url) as connection:
        connection.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts["boris"]),))
        assert connection.execute("SELECT shown_as FROM group_companions(%s)", (group,)).fetchall() == []
