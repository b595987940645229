"""What kind of file a scan is: by its octets alone."""

import pytest

from cloud.crm.documents import scans
from cloud.crm.documents.scans import media_type
from tests.cloud.crm.documents.made import JPEG, PDF, PNG


@pytest.mark.parametrize(("octets", "kind"), [(PDF, scans.PDF), (JPEG, scans.JPEG), (PNG, scans.PNG)])
def test_a_whole_file_is_known_by_its_signs_and_half_of_it_is_not(octets: bytes, kind: str) -> None:
    assert media_type(octets) == kind
    assert media_type(octets[:-8]) is None or kind == scans.JPEG
    assert media_type(b"\n" + octets) is None


@pytest.mark.parametrize(
    "octets", [b"", b"<html><script>alert(1)</script>", b"GIF89a", b"PK\x03\x04", b"MZ", b"<svg/>", b"%PDF-1.7"]
)
def test_whatever_else_is_none_of_them(octets: bytes) -> None:
    assert media_type(octets) is None
