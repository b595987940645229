"""Whatever is typed into a form, or sent in its place: an answer in words, and a page that still opens afterwards."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from alerting.familiarity import NEEDED
from alerting.tiers import Tier
from cloud.notify_config import HttpSettings, NotifySettings
from tests.cloud.made import CUFF, GATEWAY, NOW, pressure, sent, session
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

HOSTILE = (
    "a\0b",
    "\ud83d",  # as a browser never sends it
    "9" * 5000,
    "-1e999",
    "NaN",
    "٣",  # a digit, and not ours
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "10000-01-01",
    "24:00",
    "00:00+14:00",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {owner} %(num)s %s \r\nX-Injected: 1 \u202e",
)

LIMIT = {
    "condition": "hypertension_systolic",
    "unit": "mm[Hg]",
    "value": "145",
    "priority": "high",
    "expires_on": "2026-12-31",
    "reason": "frail",
}
SHIFT = {
    "role": "nurse",
    "account_id": "",
    "weekday_0": "1",
    "starts": "07:00",
    "ends": "19:00",
    "first_day": "2026-11-23",
    "last_day": "2026-12-23",
    "order": "1",
}
PROGRAMME = {
    "programme_id": "gentle",
    "display_name": "Gentle",
    "regime_esc2024": "1",
    "late_after": "6",
    "heightened_for": "14",
    "alert_budget": "0.1",
}


@pytest.fixture
def notify() -> NotifySettings:
    """Telephones, so that somebody can type a number."""
    return NotifySettings(base_url="https://pulsepost.example", sms=HttpSettings(url="https://sms.example/send"))


@pytest.fixture
def case_id(console: Console) -> UUID:
    """One that nora has."""
    case_id = planted_case(console.ward, Tier.SAME_SHIFT)
    assert console.sign_in("nora").post(f"/cases/{case_id}/acknowledge").status_code == 200
    return case_id


def forms(console: Console, case_id: UUID) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Who sends which form where, each as it would be taken."""
    case, plan = f"/cases/{case_id}", f"/patients/{console.ward.patient_id}/plan"
    nora = str(console.accounts["nora"])
    yield "nora", f"{case}/hand-over", {"to": str(console.accounts["ben"])}
    yield "nora", f"{case}/silence", {"minutes": "15", "reason": "she sleeps"}
    yield "nora", f"{case}/escalate", {"to": "doctor", "reason": "I am not sure"}
    yield "nora", f"{case}/red-flags", {"flag": "chest_pain", "answer": "some"}
    yield "nora", f"{case}/resolve", {"disposition": "other", "note": "spoken with the daughter"}
    yield "nora", "/language", {"language": "en", "back": "/worklist"}
    yield "nora", "/me/settings", {"glucose": "mmol/L", "pressure": "device"}
    yield "nora", f"/patients/{console.ward.patient_id}/messages", {"body": "Yes.", "message_id": nora, "seen": ""}
    yield "nora", f"/patients/{console.ward.patient_id}/messages/settle", {"seen": "2026-11-21T12:00:00+00:00"}
    yield "asta", "/me/messages", {"body": "May I?", "message_id": nora, "seen": ""}
    yield "nora", "/me/addresses", {"channel": "sms", "address": "+4520123456"}
    held_id, item = waiting(console)
    whose = {"answer": "patient", "patient": str(console.ward.patient_id), "reason": "she told me", "item": str(item)}
    yield "nora", f"/patients/{console.ward.patient_id}/questions/{held_id}", {
        "answer": "other", "other": str(console.ward.patient_id), "reason": "she told me"
    }  # fmt: skip
    yield "nora", "/whose/answer", {**whose, f"time-{item}": "2026-11-21T08:00", "and_after": "yes", "device": "x"}
    yield "ada", f"{plan}/limits", LIMIT
    yield "ada", f"{plan}/limits/withdraw", {"condition": "hypertension_systolic", "unit": "mm[Hg]", "reason": "well"}
    yield "ada", f"{plan}/programme", {"programme_id": "standard", "reason": "new"}
    yield "ada", f"{plan}/heightened", {"until": "2026-12-24", "reason": "home from hospital"}
    yield "ada", f"{plan}/slots", {"kind": "glucose", "at": "08:00", "before": "3", "after": "2", "day0": "1"}
    yield "ada", f"{plan}/pauses", {"since": "2026-11-22T08:00", "until": "2026-12-01T08:00", "reason": "hospital"}
    yield (
        "ada",
        "/what-if",
        {"programme_id": "standard", "patient_id": "", "days": "28", "limit_0": "hypoglycaemia_level_1 mg/dL",
         "value_0": "60", "regime_0": "esc2024"},
    )  # fmt: skip
    yield "lena", "/roster/shifts", {**SHIFT, "account_id": nora}
    yield "lena", "/roster/shifts/end", {"shift_ids": str(case_id), "last_day": "2026-12-23"}
    yield (
        "lena",
        "/roster/absences",
        {"account_id": nora, "starts": "2026-11-22T08:00", "ends": "2026-11-23T08:00",
         "cover": str(console.accounts["ben"])},
    )  # fmt: skip
    yield "lena", "/roster/holidays", {"day": "2026-12-24", "name": "Christmas Eve", "own_roster": "1"}
    yield "lena", "/roster/site", {"time_zone": "Europe/Copenhagen", "weekday_0": "1", "phone": "+4533112233"}
    nobodys = {
        "profile": "other", "manufacturer": "Acme", "model": "One", "kind": "glucose", "serial_number": "7",
        "owner": "lessor", "lessor": "Lease Ltd", "lease_ends_on": "2027-01-01", "note": "blue box", "gtin": "",
    }  # fmt: skip
    yield "nora", "/stock", nobodys
    made = console.sign_in("nora").post(
        "/stock", {"profile": "roche-accu-chek-guide", "serial_number": "92312001", "owner": "clinic"}
    )
    thing, devices = made.headers["location"], f"/patients/{console.ward.patient_id}/devices"
    yield "nora", f"{thing}/lease", {"lessor": "Lease Ltd", "lease_ends_on": "2027-01-01"}
    yield "nora", f"{thing}/wipe", {"way": "noted"}
    yield "nora", devices, {"scan": "92312001", "item_id": "", "since": "2026-11-21T08:00"}
    console.ward.admin.execute("UPDATE gateway SET state = 'online'")
    pair = {"what": "model", "profile": "roche-accu-chek-guide", "gateway_id": GATEWAY, "shared": ""}
    yield "nora", f"{devices}/pair", pair
    begun = console.sign_in("nora").post(f"{devices}/pair", pair).headers["location"]
    yield "nora", f"{begun}/digits", {"passkey": "123456"}
    yield "nora", f"{begun}/choose", {"number": "1"}
    yield "lena", "/programmes", PROGRAMME
    yield "lena", "/programmes/standard", PROGRAMME
    yield "lena", "/programmes/standard/terms", {"tier": "urgent", "acknowledge_within": "15 min", "lease": "2 h"}


def waiting(console: Console) -> tuple[UUID, UUID]:
    """A reading that looks like somebody else's, and one in quarantine whose time nobody knows."""
    ward = console.ward
    ward.receive(sent(*(pressure("125", at=NOW - timedelta(days=n + 1)) for n in range(NEEDED))))
    ward.admin.execute("UPDATE device_assignment SET shared = true")
    ward.receive(sent(pressure("165")))
    ward.receive(sent(pressure("131", at=NOW - timedelta(days=4000)), visit=session(CUFF, clock=None)))
    ward.admin.execute("UPDATE quarantine SET measured_after = %s", (NOW - timedelta(days=2),))
    [(held_id, item)] = ward.rows("SELECT h.reading_id, q.quarantine_id FROM held_reading h, quarantine q")
    return held_id, item


@pytest.fixture
def people_of(console: Console, case_id: UUID) -> Mapping[str, Person]:
    """Whoever sends a form."""
    made = {login: console.sign_in(login) for login in ("nora", "ada", "asta")}
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'eve'")
    return {**made, "lena": console.sign_in("eve")}


@pytest.mark.timeout(300)
def test_a_hostile_field_is_refused_in_words_and_spoils_no_page(
    console: Console, case_id: UUID, people_of: Mapping[str, Person]
) -> None:
    tokens = {login: person.csrf_token() for login, person in people_of.items()}
    failed = []
    for login, path, form in forms(console, case_id):
        for name in form:
            for text in HOSTILE:
                typed = {**form, "csrf_token": tokens[login], name: text}
                body = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in typed.items())
                answer = people_of[login].client.post(
                    path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
                )
                if answer.status_code >= 500 or "<script>alert" in answer.text:
                    failed.append((path, name, text[:30], answer.status_code))
    assert failed == []
    for login, path in (
        ("nora", "/worklist"),
        ("nora", "/stock"),
        ("nora", f"/patients/{console.ward.patient_id}/devices"),
        ("nora", f"/patients/{console.ward.patient_id}/devices/pair"),
        ("nora", f"/cases/{case_id}"),
        ("nora", "/me/reached"),
        ("nora", "/questions"),
        ("nora", f"/patients/{console.ward.patient_id}/questions"),
        ("nora", "/whose"),
        ("ada", f"/patients/{console.ward.patient_id}"),
        ("ada", f"/patients/{console.ward.patient_id}/plan"),
        ("ada", "/what-if"),
        ("nora", f"/patients/{console.ward.patient_id}/messages"),
        ("asta", "/me/messages"),
        ("asta", "/me/settings"),
        ("lena", "/roster"),
        ("lena", "/programmes"),
    ):
        for language in ("en", "ru", "zh"):
            console.ward.admin.execute("UPDATE account SET language = %s", (language,))
            answer = people_of[login].get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text


def test_a_form_in_parts_is_none_of_ours_whatever_its_alphabet(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("csrf_token", nora.csrf_token()), ("minutes", "15"), ("reason", "\\ud800"))
    )
    for charset in ("utf-8", "unicode_escape", "utf-16", "utf-7", "punycode", "undefined"):
        answer = nora.client.post(
            f"/cases/{case_id}/silence",
            content=(parts + "--b--\r\n").encode(),
            headers={"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"},
        )
        assert answer.status_code == 415, charset


def test_a_hostile_address_is_refused_in_words(console: Console) -> None:
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'ben'")
    people = [console.sign_in("ben"), console.sign_in("sam")]
    for path in (
        "/what-if?programme_id=%00",
        "/what-if?programme_id=standard&condition=%00&unit=%00&value=%00",
        "/what-if?patient_id=%00",
        "/worklist?show=%00",
        "/quarantine?show=%00",
        "/gateways?search=%00&page=99999999999999999999",
        "/gateways/%00",
        "/patients/{patient}/plan?limit=%00",
        "/patients/{patient}/plan?limit=%ED%A0%80",
        "/patients/{patient}/series.json?days=99999999999999999999",
        "/login?language=%00",
        "/nowhere/%00",
    ):
        for person in people:
            assert person.get(path.format(patient=console.ward.patient_id)).status_code < 500, path


def test_an_origin_that_is_none_is_refused(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    for origin in ("http://[", "http://[::1", "null", "http://", "//", "http://\x7f"):
        headers = {"Origin": origin, "X-CSRF-Token": nora.csrf_token()}
        assert nora.client.post(f"/cases/{case_id}/start", headers=headers).status_code == 403, origin


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))
