"""The list of the revoked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud.pki import authority, revocation_list

NOW = datetime(2026, 11, 22, 3, 0, 0, 500_000, tzinfo=UTC)


def test_a_list_says_who_is_revoked_and_whose_it_is(tmp_path: Path) -> None:
    signer = authority.create(tmp_path / "ca", "Clinic", NOW)
    other = authority.create(tmp_path / "other", "Clinic", NOW)
    pem = signer.list_revoked({17: NOW, 4: NOW - timedelta(days=1)}, NOW)
    assert revocation_list.entries(pem).keys() == {17, 4}
    assert revocation_list.is_signed_by(pem, signer.certificate)
    assert not revocation_list.is_signed_by(pem, other.certificate)
    assert not revocation_list.is_signed_by("nonsense", signer.certificate)


def test_each_list_is_newer_than_the_one_before_even_within_one_second(tmp_path: Path) -> None:
    signer = authority.create(tmp_path / "ca", "Clinic", NOW)
    lists = [signer.list_revoked({}, NOW)]
    for _ in range(20):
        lists.append(signer.list_revoked({}, NOW, lists[-1]))
    times = [revocation_list.made_at(pem) for pem in lists]
    assert times == sorted(set(times))
    assert times[-1] < NOW
