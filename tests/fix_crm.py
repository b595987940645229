"""An outside CRM that runs, and a ward that it is told of."""

from collections.abc import Iterator

import pytest

from tests.cloud.crm.outbox.made import Telling, made_telling, running_crm
from tests.cloud.made import Ward
from tests.cloud.notifications.made import Moment


@pytest.fixture
def telling(ward: Ward) -> Iterator[Telling]:
    """The ward's CRM by webhook, on a clock of the test's."""
    clock = Moment()
    with running_crm(clock) as crm, made_telling(ward, crm, clock) as made:
        yield made
