"""A small ward in a fresh database, for the tests of the cloud."""

from collections.abc import Iterator

import pytest

from tests.cloud.made import Ward, made_ward
from tests.fix_services import Database


@pytest.fixture
def ward(database: Database) -> Iterator[Ward]:
    """One nurse, one patient with a meter and a cuff, one gateway."""
    made = made_ward(database)
    try:
        yield made
    finally:
        made.ingest.close()
        made.admin.close()
