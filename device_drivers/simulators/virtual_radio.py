"""The air between virtual Bluetooth controllers: real HCI, L2CAP, SMP and ATT octets without a radio.

Simulated devices join in-process. A gateway's host stack joins in-process too, or over a socket as HCI (H4), from
another process: each socket gets a controller of its own, and when the process behind it dies its connections drop,
as they do when a gateway loses power.
"""

import asyncio
from asyncio import BaseTransport, WriteTransport
from typing import cast
from urllib.parse import urlsplit

from bumble import core, hci, ll
from bumble.controller import Controller
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.keys import JsonKeyStore, KeyStore, MemoryKeyStore
from bumble.link import LocalLink
from bumble.transport import open_transport
from bumble.transport.common import AsyncPipeSink, StreamPacketSink, StreamPacketSource, Transport, TransportSink

# Left out because a host that sees them takes paths on which bumble's controller cannot follow (bumble issue 841).
_WITHOUT = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

KERNEL_ADDRESS = "02:50:50:00:00:01"


class VirtualController(Controller):
    """bumble's controller, with the one command that it answers without obeying: giving up a connection attempt."""

    le_features = Controller.le_features & ~_WITHOUT

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Core Specification, Vol 4 Part E, 7.8.13: the attempt ends with a connection complete event, error 0x02."""
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=pending.peer_address.address_type,
                peer_address=pending.peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def vanish(self, link: LocalLink) -> None:
        """Out of reach: every peer sees its connection time out."""
        self.le_legacy_advertiser.stop()
        # An advertisement on its way to us would be answered: the device would be connected to nobody, for ever.
        self.pending_le_connection = None
        for connection in self.le_connections.values():
            connection.send_ll_control_pdu(ll.TerminateInd(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
        self.set_packet_sink(None)
        link.remove_controller(self)


class Air(LocalLink):
    """bumble's link, with data that comes from the address of its connection, not from the controller's random one.

    They differ where a controller has a public address, as real adapters do.
    """

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Deliver data to the controller at the other end of the sender's connection."""
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            source = connection.self_address
            asyncio.get_running_loop().call_soon(receiver.on_link_acl_data, source, transport, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        """Deliver it; what is sent to somebody who has vanished meanwhile is heard by nobody."""
        if self.find_le_controller(receiver_address) is not None:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)


class VirtualRadio:
    """One room of devices that can hear each other."""

    def __init__(self) -> None:
        self._link = Air()  # type: ignore[no-untyped-call] # bumble left it untyped
        self._server: asyncio.Server | None = None
        self._kernel: Transport | None = None
        self._inside: list[tuple[VirtualController, Device]] = []

    async def join(self, name: str, address: str, key_store: KeyStore | None = None) -> Device:
        """A host of this process, powered on. ``address`` is a static random one (first octet C0 to FF)."""
        controller = VirtualController(name, link=self._link)
        device = make_host(name, address, Host(controller, AsyncPipeSink(controller)), key_store)
        await device.power_on()
        self._inside.append((controller, device))
        return device

    async def listen(self, where: str) -> str:
        """Accept hosts of other processes on ``tcp:HOST:PORT`` (port 0: any) or ``unix:PATH``.

        Returns the transport that ``open_central`` takes: ``tcp-client:HOST:PORT`` or ``unix:PATH``.
        """
        loop = asyncio.get_running_loop()
        if where.startswith("unix:"):
            path = where.removeprefix("unix:")
            self._server = await loop.create_unix_server(lambda: _HciPort(self._link), path)
            return f"unix:{path}"
        parts = urlsplit(f"//{where.removeprefix('tcp:')}")
        self._server = await loop.create_server(lambda: _HciPort(self._link), parts.hostname, parts.port or 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"tcp-client:{host}:{port}"

    async def plug_into_kernel(self) -> None:
        """Be the adapter of this machine's own Bluetooth stack, by way of /dev/vhci. OSError.

        The adapter has a public address, as real ones do: with none Linux 6.12 connects under whichever address it
        scanned with last, and the device does not know it again.
        """
        self._kernel = kernel = await open_transport("vhci")
        VirtualController("kernel", kernel.source, kernel.sink, link=self._link, public_address=KERNEL_ADDRESS)

    async def close(self) -> None:
        """Switch everything off."""
        if self._server is not None:
            self._server.close()
        if self._kernel is not None:
            await self._kernel.close()
        for controller, device in self._inside:
            controller.vanish(self._link)
            await device.power_off()


def make_host(name: str, address: str, host: Host, key_store: KeyStore | None) -> Device:
    """A bumble host stack with a static random address; bonds in ``key_store`` (in memory where None)."""
    random_address = hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS)
    device = Device(config=DeviceConfiguration(name=name, address=random_address), host=host)
    device.keystore = key_store or MemoryKeyStore()
    return device


def key_store_at(path: str | None, address: str) -> KeyStore:
    """Bonds of one host, kept in a JSON file that several hosts may share; in memory without a path."""
    return MemoryKeyStore() if path is None else JsonKeyStore(address, path)


class _HciPort(StreamPacketSource):
    """The server's side of one HCI socket: a controller that lives as long as the socket."""

    def __init__(self, link: LocalLink) -> None:
        super().__init__()
        self._link = link
        self._controller: VirtualController | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        sink = cast(TransportSink, StreamPacketSink(cast(WriteTransport, transport)))
        self._controller = VirtualController("HCI socket", host_source=self, host_sink=sink, link=self._link)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._controller is not None:
            self._controller.vanish(self._link)
