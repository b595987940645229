"""The error tree of everything between the device's bytes and a Reading.

    DeviceError                 something between us and the device went wrong
    ├── CodecError              bytes that are not what the protocol says; carries format, offset, octets
    │   └── ChecksumError       the bytes were damaged on the way: ask for them again
    ├── LinkError               the way to the device
    │   ├── LinkLost            it was there and is gone (unplugged, out of range): visit again later
    │   ├── LinkTimeout         no answer in time: retry within the visit, then give the visit up
    │   ├── BondLost            device and gateway no longer share a key: pair again
    │   ├── BondMade            just paired with a device that wants to be left alone once: visit again later
    │   ├── ServiceGone         the system's Bluetooth service ended: begin anew when it is back
    │   └── RadioOff            no adapter, or one that we cannot switch on: a person must
    ├── ProtocolError           well-formed bytes at the wrong moment, or a refusal by the device
    │   └── UnexpectedDevice    another model than the profile's answered: a person must find its profile
    ├── IncompleteTransfer      fewer records than the device announced: the cursor must not move
    └── ForbiddenCommand        our own guard: the profile does not list this outgoing command

Every error is named by what the caller should do and carries its facts as attributes.
"""


class DeviceError(Exception):
    """Root of the tree: the visit ends, the cursor stays, the reason is reported."""


class CodecError(DeviceError):
    """Bytes that no reading of the protocol explains.

    ``format`` is the wire format's name, ``offset`` the first octet that could not be understood,
    ``octets`` the whole input.
    """

    def __init__(self, format: str, reason: str, octets: bytes, offset: int = 0) -> None:
        super().__init__(f"{format}: {reason} at octet {offset} of {len(octets)} ({octets.hex()})")
        self.format = format
        self.reason = reason
        self.octets = octets
        self.offset = offset


class ChecksumError(CodecError):
    """The frame's checksum does not match; both figures are in the reason."""


class LinkError(DeviceError):
    """The way to the device failed."""


class LinkLost(LinkError):
    """The connection was there and is gone."""


class LinkTimeout(LinkError):
    """No answer within the time that the profile allows."""


class BondLost(LinkError):
    """The device refuses our key, or no longer has it."""


class BondMade(LinkError):
    """The bond was made just now, and this model keeps it only when the connection ends."""


class ServiceGone(LinkError):
    """The system's Bluetooth service ended, and with it every scan and every connection."""


class RadioOff(LinkError):
    """The Bluetooth adapter is missing, or is off and cannot be switched on by us; the text says what helps."""


class ProtocolError(DeviceError):
    """The device refused, or answered something that does not fit the question.

    ``att_code`` is the ATT error code where the refusal came over GATT (Core Specification, Vol 3 Part F, 3.4.1.1).
    """

    def __init__(self, message: str, att_code: int | None = None) -> None:
        super().__init__(message)
        self.att_code = att_code


class UnexpectedDevice(ProtocolError):
    """What answers says that it is another model than the profile is for; ``model`` in the device's own words."""

    def __init__(self, model: str, profile_id: str) -> None:
        super().__init__(f"the device says it is a {model}, the profile is {profile_id}")
        self.model = model
        self.profile_id = profile_id


class IncompleteTransfer(DeviceError):
    """The device announced ``expected`` records and gave ``received``."""

    def __init__(self, expected: int, received: int) -> None:
        super().__init__(f"the device announced {expected} records and gave {received}")
        self.expected = expected
        self.received = received


class ForbiddenCommand(DeviceError):
    """An outgoing command that the profile does not allow; nothing was sent."""

    def __init__(self, command: bytes, profile_id: str) -> None:
        super().__init__(f"profile {profile_id} does not allow the command {command.hex()}")
        self.command = command
        self.profile_id = profile_id
