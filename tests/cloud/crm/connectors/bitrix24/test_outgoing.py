"""Their outgoing webhook is a hint: genuine by its token, the same however often it comes, and looked up by REST."""

import pytest

from cloud.crm.connectors.bitrix24.outgoing import Bitrix24Listener
from cloud.crm.port import HintKind, NotGenuine
from deploy.bitrix24.portal import Event
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.made import connector_to, contact, first, todo
from tests.fix_bitrix24 import SimulatedClock


def test_a_todo_that_somebody_completes_there_is_heard_of_and_read_again(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    made = crm.add_todo(todo(owner), first(simulated_clock))
    body = bitrix24.told(bitrix24.portal.employee_completes(int(made.remote_id)))
    listener = Bitrix24Listener(token=bitrix24.application_token)
    (hint,) = listener.heard({}, body, simulated_clock())
    assert (hint.kind, hint.remote_id, hint.at) == (HintKind.TODO_COMPLETED, made.remote_id, simulated_clock())
    assert listener.heard({}, body, simulated_clock()) == (hint,)
    assert crm.is_completed(hint.remote_id, first(simulated_clock)) is True


def test_without_their_token_nothing_is_heard(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    body = bitrix24.told(Event("ONCRMACTIVITYUPDATE", 5, simulated_clock()))
    for token in ("another", "", bitrix24.application_token[:-1], f"{bitrix24.application_token}ü"):
        with pytest.raises(NotGenuine, match="forged"):
            Bitrix24Listener(token=token).heard({}, body, simulated_clock())


def test_events_of_other_things_concern_nobody(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    listener = Bitrix24Listener(token=bitrix24.application_token)
    for name in ("ONCRMDEALADD", "ONCRMACTIVITYADD", "ONTASKADD"):
        assert listener.heard({}, bitrix24.told(Event(name, 5, simulated_clock())), simulated_clock()) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{}",
        b"&".join(b"a=1" for _ in range(500)),
        b"event=ONCRMACTIVITYUPDATE&data%5BFIELDS%5D%5BID%5D=1%27--&ts=1&auth%5Bapplication_token%5D=t",
        b"event=ONCRMACTIVITYUPDATE&data%5BFIELDS%5D%5BID%5D=1&ts=99999999999999&auth%5Bapplication_token%5D=t",
        b"event=ONCRMACTIVITYUPDATE&auth%5Bapplication_token%5D=t",
    ],
)
def test_what_is_no_such_form_is_not_genuine(body: bytes, simulated_clock: SimulatedClock) -> None:
    with pytest.raises(NotGenuine):
        Bitrix24Listener(token="t").heard({}, body, simulated_clock())
