"""Who writes down how a patient is reached, what the patient says themselves, and what is refused."""

from tests.cloud.planning.test_routes import text
from tests.fix_console import Console


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/reach{rest}"


def test_an_address_is_added_agreed_to_and_removed_and_the_audit_knows_no_address(console: Console) -> None:
    nora = console.sign_in("nora")
    assert nora.post(url(console, "/ways"), {"channel": "sms", "address": "+45 20 12 34 56"}).status_code == 303
    assert "+4520123456 not asked yet: nothing is sent there" in text(nora.get(url(console)))
    assert nora.post(url(console, "/consent"), {"channel": "sms", "decision": "given"}).status_code == 303
    page = text(nora.get(url(console)))
    assert "+4520123456 the patient agreed" in page
    assert "agreed said to the care team, Nora Quist" in page
    [(channel_id,)] = console.ward.rows("SELECT channel_id FROM patient_channel")
    assert nora.post(url(console, f"/ways/{channel_id}/remove")).status_code == 303
    assert nora.post(url(console, f"/ways/{channel_id}/remove")).status_code == 404
    rows = console.ward.rows("SELECT action, detail::text FROM audit WHERE action LIKE 'reach.%' ORDER BY audit_id")
    assert [action for action, _ in rows if action != "reach.read"] == ["reach.add", "reach.given", "reach.remove"]
    assert not any("4520" in detail for _, detail in rows)


def test_whoever_changes_their_number_often_has_room_for_the_next(console: Console) -> None:
    nora = console.sign_in("nora")
    for n in range(11):
        typed = {"channel": "sms", "address": f"+45 20 12 34 {n:02}"}
        assert nora.post(url(console, "/ways"), typed).status_code == 303, n
        if n > 4:
            [(oldest,)] = console.ward.rows(
                "SELECT channel_id FROM patient_channel WHERE removed_at IS NULL ORDER BY place LIMIT 1"
            )
            assert nora.post(url(console, f"/ways/{oldest}/remove")).status_code == 303
    assert nora.post(url(console, "/ways"), {"channel": "sms", "address": "+45 20 12 34 90"}).status_code == 303
    assert nora.post(url(console, "/ways"), {"channel": "sms", "address": "+45 20 12 34 91"}).status_code == 422


def test_the_address_that_is_liked_best_is_tried_first(console: Console) -> None:
    nora = console.sign_in("nora")
    nora.post(url(console, "/ways"), {"channel": "sms", "address": "+45 20 12 34 57"})
    [(former,)] = console.ward.rows("SELECT channel_id FROM patient_channel")
    nora.post(url(console, "/ways"), {"channel": "email", "address": "asta@example.org"})
    [(email,)] = console.ward.rows("SELECT channel_id FROM patient_channel WHERE channel = 'email'")
    for _ in range(2):
        assert nora.post(url(console, f"/ways/{email}/first")).status_code == 303
    page = text(nora.get(url(console)))
    assert page.index("asta@example.org") < page.index("+4520123457")
    assert nora.post(url(console, f"/ways/{former}/first")).status_code == 303
    page = text(nora.get(url(console)))
    assert page.index("+4520123457") < page.index("asta@example.org")
    assert console.sign_in("eve").post(url(console, f"/ways/{email}/first")).status_code == 404


def test_the_patient_chooses_for_themselves(console: Console) -> None:
    console.sign_in("nora").post(url(console, "/ways"), {"channel": "email", "address": "asta@example.org"})
    asta = console.sign_in("asta")
    assert "asta@example.org We do not write to you there." in text(asta.get("/me/reach"))
    assert asta.post("/me/reach/consent", {"channel": "email", "decision": "given"}).status_code == 303
    assert "You agreed: we write to you there." in text(asta.get("/me/reach"))
    chosen = {"quiet_from": "20:00", "quiet_until": "09:30", "language": "zh"}
    assert asta.post("/me/reach", chosen).status_code == 303
    assert "on their own page, Asta Example" in text(console.sign_in("nora").get(url(console)))
    assert console.ward.rows("SELECT quiet_until::text, language FROM patient_reach") == [("09:30:00", "zh")]


def test_what_is_no_address_is_said_at_its_field(console: Console) -> None:
    nora = console.sign_in("nora")
    for channel, address, said in (
        ("sms", "12", "This is no telephone number."),
        ("email", "asta", "This is no e-mail address."),
        ("webhook", "a b", "Write the name at that messenger"),
        ("voice", "+4520123456", "Choose one."),
    ):
        answer = nora.post(url(console, "/ways"), {"channel": channel, "address": address})
        assert (answer.status_code, said in answer.text) == (422, True), channel
    assert console.ward.count("patient_channel") == 0


def test_who_does_not_care_for_the_patient_finds_nothing(console: Console) -> None:
    for login in ("eve", "asta", "carl"):
        person = console.sign_in(login)
        assert person.get(url(console)).status_code == 404
        assert person.post(url(console, "/consent"), {"channel": "sms", "decision": "given"}).status_code == 404


def test_lead_nurses_choose_the_words_for_all_patients_with_one_place_for_the_link(console: Console) -> None:
    adam = console.sign_in("adam")
    url = "/outside-texts"
    assert "There is something for you: {link}" in text(adam.get(url))
    own = {"language": "zh", "subject": "诊所", "body": "诊所有消息给您:{link}"}
    for wrong, said in (
        ({**own, "body": "诊所有消息"}, "Write {link} once"),
        ({**own, "body": "{link} {name}"}, "Write {link} once"),
        ({**own, "body": "{link}{link}"}, "Write {link} once"),
        ({**own, "subject": "{name}"}, "leave the braces away"),
        ({**own, "subject": "a" * 81}, "one line of at most 80 letters"),
        ({**own, "language": "xx"}, "Choose one."),
    ):
        answer = adam.post(url, wrong)
        assert answer.status_code == 422
        assert said in text(answer)
    assert adam.post(url, own).status_code == 303
    assert "The clinic’s own words: Adam Administrator" in text(adam.get(url))
    assert adam.post(url, {"language": "zh", "ours": "1"}).status_code == 303
    assert "The clinic’s own words" not in text(adam.get(url))
    assert console.sign_in("nora").get(url).status_code == 404
    actions = console.ward.rows("SELECT detail FROM audit WHERE action = 'reach.words' ORDER BY audit_id")
    assert actions == [({"language": "zh", "own": True},), ({"language": "zh", "own": False},)]


def test_who_has_broken_the_glass_reads_the_ways_and_writes_no_address(console: Console) -> None:
    """What is sent there lets whoever reads it answer, long after the hour."""
    eve = console.sign_in("eve")
    console.ward.admin.execute(
        "INSERT INTO break_glass (account_id, patient_id, reason, until)"
        " VALUES (%s, %s, 'An emergency', now() + interval '1 hour')",
        (eve.account_id, console.ward.patient_id),
    )
    assert eve.get(url(console)).status_code == 200
    answer = eve.post(url(console, "/ways"), {"channel": "email", "address": "eve@example.org"})
    assert answer.status_code == 422
    assert "for the care team to write down" in text(answer)
    assert console.ward.count("patient_channel") == 0
