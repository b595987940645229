"""Which addresses a destination may have: none that lead back into our own network, unless that is configured."""

import pytest

from cloud.crm.connectors.addresses import NotAllowed, chosen, is_allowed

INSIDE = ("10.0.0.7", "172.16.5.4", "192.168.1.1", "100.64.0.9", "127.0.0.1", "::1", "fd00::1", "::ffff:192.168.1.1")
NEVER = (
    "169.254.169.254",  # metadata services
    "fe80::1",
    "224.0.0.1",
    "239.1.2.3",
    "ff02::1",
    "0.0.0.0",  # noqa: S104 -- refused
    "::",
    "255.255.255.255",
    "240.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",  # NAT64 of 169.254.169.254
    "2002:a9fe:a9fe::1",  # 6to4 of the same
    "::127.0.0.1",  # IPv4-compatible
    "fec0::1",  # site-local, of old
    "64:ff9b:1::a9fe:a9fe",  # NAT64 of one network's own
    "fd00:ec2::254",  # metadata services that are not link-local
    "fd20:ce::254",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "not an address",
    "",
)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(address, inside=False)


@pytest.mark.parametrize("address", INSIDE)
def test_our_own_network_only_where_it_is_said(address: str) -> None:
    assert not is_allowed(address, inside=False)
    assert is_allowed(address, inside=True)


@pytest.mark.parametrize("address", NEVER)
def test_others_never(address: str) -> None:
    assert not is_allowed(address, inside=False)
    assert not is_allowed(address, inside=True)


def test_a_name_that_leads_to_both_is_a_trap() -> None:
    with pytest.raises(NotAllowed):
        chosen(["8.8.8.8", "10.0.0.7"], inside=False)
    with pytest.raises(NotAllowed):
        chosen([], inside=True)
    assert chosen(["8.8.8.8", "1.1.1.1"], inside=False) == "8.8.8.8"
