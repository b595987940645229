from bumble import hci, ll

from device_drivers.simulators.virtual_central import ADDRESS
from device_drivers.simulators.virtual_radio import Air, VirtualController, VirtualRadio

DEVICE = hci.Address("F0:00:00:00:00:02", hci.Address.RANDOM_DEVICE_ADDRESS)


class Listener(VirtualController):
    """A controller that keeps what it hears."""

    def __init__(self, name: str, air: Air) -> None:
        super().__init__(name, link=air)
        self.heard: list[ll.AdvertisingPdu] = []

    def on_ll_advertising_pdu(self, pdu: ll.AdvertisingPdu) -> None:
        self.heard.append(pdu)


async def test_two_that_are_connected_may_vanish_in_one_moment() -> None:
    radio = VirtualRadio()
    device = await radio.join("device", str(DEVICE))
    central = await radio.join("central", ADDRESS)
    await device.start_advertising()
    await central.connect(DEVICE)
    await radio.close()


async def test_an_adapter_that_vanished_answers_no_advertisement_that_was_on_its_way() -> None:
    air = Air()  # type: ignore[no-untyped-call] # bumble left it untyped
    listener = Listener("device", air)
    adapter = VirtualController("gateway", link=air)
    adapter.random_address = hci.Address(ADDRESS, hci.Address.RANDOM_DEVICE_ADDRESS)
    adapter.pending_le_connection = hci.HCI_LE_Create_Connection_Command(
        le_scan_interval=96,
        le_scan_window=96,
        initiator_filter_policy=0,
        peer_address_type=DEVICE.address_type,
        peer_address=DEVICE,
        own_address_type=hci.OwnAddressType.RANDOM,
        connection_interval_min=12,
        connection_interval_max=24,
        max_latency=0,
        supervision_timeout=72,
        min_ce_length=0,
        max_ce_length=0,
    )
    adapter.vanish(air)
    adapter.on_ll_advertising_pdu(ll.AdvInd(DEVICE, b""))
    assert adapter.le_connections == {}
    assert listener.heard == []
