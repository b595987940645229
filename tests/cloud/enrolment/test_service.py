"""Who gets a certificate: the decisions, with the service's own rights in the database."""

from datetime import datetime, timedelta

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg import AsyncConnection

from cloud.enrolment import codes, service, store
from cloud.enrolment.models import Refusal, Refused, Signed
from cloud.pki.authority import Authority
from gateway.wire import enrolment as wire
from tests.cloud.made import NOW
from tests.fix_enrolment import signing_request
from tests.fix_services import Database

ADDRESS = "192.0.2.7"
HOUR = timedelta(hours=1)


async def code_for(database: Database, gateway_id: str = "home-1", at: datetime = NOW) -> str:
    async with await AsyncConnection.connect(database.admin_url) as conn:
        return await service.new_code(conn, gateway_id, HOUR, at)


async def certify(
    conn: AsyncConnection, authority: Authority, code: str, csr: str, at: datetime = NOW, address: str = ADDRESS
) -> Signed | Refused:
    answer = await service.certify(conn, authority, wire.CertificateRequest(code=code, csr=csr), address, at)
    await conn.commit()
    return answer


async def enrolled(
    conn: AsyncConnection, authority: Authority, database: Database, gateway_id: str = "home-1", at: datetime = NOW
) -> tuple[Signed, ec.EllipticCurvePrivateKey]:
    csr, key = signing_request(gateway_id)
    answer = await certify(conn, authority, await code_for(database, gateway_id, at), csr, at)
    assert isinstance(answer, Signed)
    return answer, key


async def renew(
    conn: AsyncConnection,
    authority: Authority,
    present: str,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
    *,
    said: datetime | None = None,
    name: str = "home-1",
) -> Signed | Refused:
    csr, _ = signing_request(name)
    told = said or at
    signature = key.sign(wire.renewal_statement(csr, told), ec.ECDSA(hashes.SHA256()))
    asked = wire.RenewalRequest(certificate=present, csr=csr, at=told, signature=signature)
    answer = await service.renew(conn, authority, asked, ADDRESS, at)
    await conn.commit()
    return answer


async def revoked(database: Database) -> None:
    """By an operator: the service itself has no such right."""
    async with await AsyncConnection.connect(database.admin_url) as operator:
        assert await service.revoke(operator, "home-1", "stolen", NOW)


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.admin_url) as conn:
        return conn.execute(query.encode()).fetchall()


async def test_a_code_gives_a_certificate_and_lets_the_gateway_in(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    signed, key = await enrolled(enrolment_role, clone_authority, database)
    certificate = x509.load_pem_x509_certificate(signed.certificate.encode())
    assert certificate.public_key() == key.public_key()
    assert rows(database, "SELECT gateway_id, revoked_at FROM gateway") == [("home-1", None)]
    [(serial, how)] = rows(database, "SELECT serial_number, how FROM gateway_certificate")
    assert (serial, how) == (certificate.serial_number, "enrolment")


async def test_a_code_is_typed_as_people_type(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code = await code_for(database)
    typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    assert isinstance(await certify(enrolment_role, clone_authority, typed, signing_request()[0]), Signed)


def test_a_code_has_a_hundred_random_bits_and_no_letter_that_looks_like_a_digit() -> None:
    drawn = {codes.draw() for _ in range(1000)}
    assert len(drawn) == 1000
    letters = set("".join(drawn)) - {"-"}
    assert letters == set(codes.ALPHABET)
    assert len(codes.ALPHABET) == 32
    assert not letters & set("ILOU")
    assert all([len(group) for group in code.split("-")] == [5, 5, 5, 5] for code in drawn)


async def test_the_code_is_stored_as_a_hash_only(database: Database) -> None:
    code = await code_for(database)
    everything = str(rows(database, "SELECT to_jsonb(c) FROM enrolment_code c"))
    everything += str(rows(database, "SELECT to_jsonb(a) FROM audit a"))
    assert code not in everything
    assert code.replace("-", "") not in everything


@pytest.mark.parametrize(
    ("spoilt", "refusal"),
    [
        ("wrong", Refusal.UNKNOWN_CODE),
        ("used", Refusal.USED_CODE),
        ("expired", Refusal.EXPIRED_CODE),
        ("withdrawn", Refusal.WITHDRAWN_CODE),
        ("another's", Refusal.CODE_OF_ANOTHER_GATEWAY),
    ],
)
async def test_a_spoilt_code_gives_nothing_and_the_audit_says_why(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database, spoilt: str, refusal: Refusal
) -> None:
    code, at, name = await code_for(database), NOW, "home-1"
    match spoilt:
        case "wrong":
            code = codes.draw()
        case "used":
            await certify(enrolment_role, clone_authority, code, signing_request()[0])
        case "expired":
            at = NOW + HOUR
        case "withdrawn":
            await code_for(database)
        case _:
            name = "home-2"
    before = rows(database, "SELECT count(*) FROM gateway_certificate")
    answer = await certify(enrolment_role, clone_authority, code, signing_request(name)[0], at)
    assert isinstance(answer, Refused)
    assert answer.refusal == refusal
    assert rows(database, "SELECT count(*) FROM gateway_certificate") == before
    [(action, reason)] = rows(
        database, "SELECT action, detail->>'reason' FROM audit WHERE action LIKE '%refused' ORDER BY audit_id"
    )
    assert (action, reason) == ("gateway.enrolment_refused", refusal)


async def test_a_code_that_came_with_another_gateways_name_is_not_used_up(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code = await code_for(database)
    await certify(enrolment_role, clone_authority, code, signing_request("home-2")[0])
    assert isinstance(await certify(enrolment_role, clone_authority, code, signing_request("home-1")[0]), Signed)


async def test_the_same_code_and_key_get_the_same_certificate_again(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code, (csr, key) = await code_for(database), signing_request()
    first = await certify(enrolment_role, clone_authority, code, csr)
    again = await certify(enrolment_role, clone_authority, code, signing_request("home-1", key)[0], NOW + 2 * HOUR)
    assert isinstance(first, Signed)
    assert isinstance(again, Signed)
    assert (again.certificate, first.again, again.again) == (first.certificate, False, True)
    assert rows(database, "SELECT count(*) FROM gateway_certificate") == [(1,)]


async def test_a_revoked_gateways_used_code_gives_its_certificate_to_nobody(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code, (csr, _) = await code_for(database), signing_request()
    await certify(enrolment_role, clone_authority, code, csr)
    await revoked(database)
    answer = await certify(enrolment_role, clone_authority, code, csr)
    assert answer == Refused(refusal=Refusal.USED_CODE, gateway_id="home-1")


async def test_guessing_is_stopped_by_address_and_others_get_through(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code, csr = await code_for(database), signing_request()[0]
    for _ in range(service.FAILURES_ALLOWED):
        answer = await certify(enrolment_role, clone_authority, codes.draw(), csr)
        assert isinstance(answer, Refused)
    assert await certify(enrolment_role, clone_authority, code, csr) == Refused(refusal=Refusal.TOO_OFTEN)
    later = NOW + service.FAILURES_WITHIN
    assert isinstance(await certify(enrolment_role, clone_authority, code, csr, NOW, "192.0.2.8"), Signed)
    again = await code_for(database, at=later)
    assert isinstance(await certify(enrolment_role, clone_authority, again, csr, later), Signed)


async def test_guessing_from_everywhere_is_stopped_too(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    with psycopg.connect(database.admin_url) as conn:
        conn.execute(
            "INSERT INTO enrolment_failure (address, at)"
            " SELECT '10.0.0.0'::inet + n, %s FROM generate_series(1, %s) AS n",
            (NOW, service.FAILURES_OF_ALL),
        )
    answer = await certify(enrolment_role, clone_authority, await code_for(database), signing_request()[0])
    assert answer == Refused(refusal=Refusal.TOO_OFTEN)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_home_is_one_address_in_both_protocols(address: str, counted: str) -> None:
    assert service.counted_address(address) == counted


async def test_a_lost_gateway_is_enrolled_again_and_its_old_certificates_are_revoked(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    lost, _ = await enrolled(enrolment_role, clone_authority, database)
    new, _ = await enrolled(enrolment_role, clone_authority, database, at=NOW + HOUR)
    listed = await store.revoked(enrolment_role, NOW + HOUR, NOW)
    assert [certificate.serial_number for certificate in listed] == [lost.serial_number]
    assert new.serial_number != lost.serial_number


async def test_a_revoked_gateway_is_let_in_again_by_a_new_code(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    await enrolled(enrolment_role, clone_authority, database)
    await revoked(database)
    assert rows(database, "SELECT revoked_at IS NULL FROM gateway") == [(False,)]
    await enrolled(enrolment_role, clone_authority, database)
    assert rows(database, "SELECT revoked_at IS NULL FROM gateway") == [(True,)]


async def test_revoking_takes_the_waiting_code_with_it(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    await enrolled(enrolment_role, clone_authority, database)
    code = await code_for(database)
    await revoked(database)
    answer = await certify(enrolment_role, clone_authority, code, signing_request()[0])
    assert answer == Refused(refusal=Refusal.WITHDRAWN_CODE, gateway_id="home-1")


async def test_a_renewal_lets_the_old_certificate_count_for_a_week(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    at = NOW + timedelta(days=60)
    new = await renew(enrolment_role, clone_authority, old.certificate, key, at)
    assert isinstance(new, Signed)
    assert new.not_after == at + timedelta(days=90)
    assert await store.revoked(enrolment_role, at + timedelta(days=6), at) == []
    [listed] = await store.revoked(enrolment_role, at + service.OVERLAP, at)
    assert listed.serial_number == old.serial_number
    again = await renew(enrolment_role, clone_authority, old.certificate, key, at + timedelta(days=6))
    assert isinstance(again, Signed)


async def test_a_certificate_near_its_end_is_not_made_to_last_longer_by_a_renewal(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    at = old.not_after - timedelta(days=2)
    assert isinstance(await renew(enrolment_role, clone_authority, old.certificate, key, at), Signed)
    assert rows(database, "SELECT revoked_at FROM gateway_certificate WHERE how = 'enrolment'") == [(None,)]


async def test_a_renewal_is_refused_for_every_fault_of_its_own(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    other, other_key = await enrolled(enrolment_role, clone_authority, database, "home-2")
    at = NOW + timedelta(days=60)
    pem = old.certificate

    async def refusal(present: str, key: ec.EllipticCurvePrivateKey, at: datetime = at, **more: object) -> object:
        answer = await renew(enrolment_role, clone_authority, present, key, at, **more)  # type: ignore[arg-type]
        assert isinstance(answer, Refused)
        return answer.refusal

    assert await refusal(pem, other_key) == Refusal.WRONG_SIGNATURE
    assert await refusal(other.certificate, other_key) == Refusal.ANOTHER_NAME
    assert await refusal(pem, key, said=at - timedelta(minutes=6)) == Refusal.CLOCK
    assert await refusal(pem, key, said=at + timedelta(minutes=6)) == Refusal.CLOCK
    assert await refusal(pem, key, old.not_after) == Refusal.EXPIRED_CERTIFICATE
    assert await refusal("nonsense", key) == Refusal.NOT_A_REQUEST
    await revoked(database)
    assert await refusal(pem, key) == Refusal.REVOKED_CERTIFICATE


@pytest.mark.parametrize("how", ["revoked", "enrolled anew"])
async def test_a_renewal_that_was_begun_before_the_revocation_gives_nothing(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database, how: str
) -> None:
    """Who dribbles its request in, and ends it when it is hung up on, has the time of its beginning."""
    old, key = await enrolled(enrolment_role, clone_authority, database)
    if how == "revoked":
        await revoked(database)
    else:
        await enrolled(enrolment_role, clone_authority, database)
    answer = await renew(enrolment_role, clone_authority, old.certificate, key, NOW - timedelta(seconds=10))
    assert answer == Refused(refusal=Refusal.REVOKED_CERTIFICATE, gateway_id="home-1")


async def test_a_certificate_of_another_authority_is_not_renewed(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database, other_authority: Authority
) -> None:
    foreign, key = await enrolled(enrolment_role, other_authority, database)
    answer = await renew(enrolment_role, clone_authority, foreign.certificate, key, NOW)
    assert answer == Refused(refusal=Refusal.FOREIGN_CERTIFICATE)


async def test_nobody_who_guesses_keeps_a_gateway_from_renewing(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    stranger = ec.generate_private_key(ec.SECP256R1())
    for _ in range(service.FAILURES_ALLOWED):
        await renew(enrolment_role, clone_authority, old.certificate, stranger, NOW)
    with psycopg.connect(database.admin_url) as conn:
        conn.execute(
            "INSERT INTO enrolment_failure (address, at)"
            " SELECT '10.0.0.0'::inet + n, %s FROM generate_series(1, %s) AS n",
            (NOW, service.FAILURES_OF_ALL),
        )
    before = rows(database, "SELECT count(*) FROM audit")
    answer = await renew(enrolment_role, clone_authority, old.certificate, stranger, NOW)
    assert answer == Refused(refusal=Refusal.TOO_OFTEN)
    assert rows(database, "SELECT count(*) FROM audit") == before
    assert isinstance(await renew(enrolment_role, clone_authority, old.certificate, key, NOW), Signed)


async def test_a_house_of_gateways_with_wrong_clocks_is_not_told_to_wait(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    for _ in range(service.FAILURES_ALLOWED + 1):
        answer = await renew(
            enrolment_role, clone_authority, old.certificate, key, NOW, said=NOW - timedelta(days=20_000)
        )
        assert answer == Refused(refusal=Refusal.CLOCK, gateway_id="home-1")
    assert rows(database, "SELECT count(*) FROM enrolment_failure") == [(0,)]


async def test_a_code_that_got_into_the_wrong_hands_is_withdrawn_before_any_gateway_used_it(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    code = await code_for(database)
    await revoked(database)
    answer = await certify(enrolment_role, clone_authority, code, signing_request()[0])
    assert answer == Refused(refusal=Refusal.WITHDRAWN_CODE, gateway_id="home-1")


async def test_a_gateway_that_renews_in_a_circle_is_stopped(
    enrolment_role: AsyncConnection, clone_authority: Authority, database: Database
) -> None:
    old, key = await enrolled(enrolment_role, clone_authority, database)
    answers = [
        await renew(enrolment_role, clone_authority, old.certificate, key, NOW)
        for _ in range(service.CERTIFICATES_A_DAY)
    ]
    assert answers[-1] == Refused(refusal=Refusal.TOO_OFTEN, gateway_id="home-1")
    assert all(isinstance(answer, Signed) for answer in answers[:-1])


@pytest.mark.parametrize("gateway_id", ["ingest", "Ingest", "enrolment", "a b", ""])
async def test_the_database_itself_refuses_names_that_are_the_clouds(database: Database, gateway_id: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await code_for(database, gateway_id)
    with psycopg.connect(database.admin_url) as conn, pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("INSERT INTO gateway (gateway_id) VALUES (%s)", (gateway_id,))


async def test_the_service_can_make_no_code_and_see_no_patient(enrolment_role: AsyncConnection) -> None:
    for forbidden in ("INSERT INTO enrolment_code DEFAULT VALUES", "SELECT 1 FROM patient", "SELECT 1 FROM glucose"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await enrolment_role.execute(forbidden.encode())
        await enrolment_role.rollback()
