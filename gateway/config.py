"""The gateway's configuration: one TOML file, strict. See ``gateway/README.md`` for a whole example.

What is wrong is said with the file, the key and what to do; an unknown key is refused, so that a misspelt one is not
silently a default. Paths are relative to the file that names them.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{1,64}$")]
Passkey = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
LedName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9_:.-]{0,63}$")]
HostName = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]


class ConfigError(Exception):
    """The configuration cannot be used; the text names the file, the key and what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table in which an unknown key is an error."""


class Mqtt(Strict, frozen=True, kw_only=True):
    """The clinic's broker. ``port`` is 8883 with a certificate (``[cloud]``), and 1883 without one.

    ``username`` and ``password_file`` are for a broker without certificates; the gateway's id is the user name there
    unless said otherwise.
    """

    host: str
    port: Port | None = None
    username: str | None = None
    password_file: str | None = None


class Cloud(Strict, frozen=True, kw_only=True):
    """Where this gateway gets its certificate. ``ca_file``: who vouches for that service, if not whom Linux trusts.

    With this table the broker is met by mutual TLS, and in no other way.
    """

    url: Annotated[str, msgspec.Meta(pattern="^https://[^/?#]+")]
    ca_file: str | None = None


class Intervals(Strict, frozen=True, kw_only=True):
    """How often, in seconds."""

    serial_visit_s: Seconds = 300.0  # between two visits to a serial device
    ble_cooldown_s: Seconds = 30.0  # after a visit, advertisements of the device are not answered for so long
    backoff_max_s: Seconds = 600.0  # a device that fails is visited ever more rarely, down to once in so long
    scanner_quiet_s: Seconds = 120.0  # a scanner that hears nobody at all for so long is started again
    visit_limit_s: Seconds = 300.0  # a visit that takes longer is given up
    heartbeat_s: Seconds = 60.0
    receipt_timeout_s: Seconds = 30.0  # a message without receipt is published again after so long, doubling
    reconnect_max_s: Seconds = 60.0  # between two attempts to reach the broker, doubling from 1 s


class DeviceEntry(Strict, frozen=True, kw_only=True):
    """One device of the home, and the one way to it: ``url`` (serial), ``hid`` (the path of a USB HID device), ``usb``
    (its USB id instead, ``0590:0028``) or ``address`` (Bluetooth).

    ``name`` stands in logs and must say nothing about a patient. ``firmware`` is needed only where a model's profile
    has several firmware ranges and the device cannot say which it runs. ``passkey`` is for a Bluetooth device that
    always shows the same six digits when it is paired.
    """

    name: Name
    profile: str
    url: str | None = None
    hid: str | None = None
    usb: Annotated[str, msgspec.Meta(pattern="^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$")] | None = None
    address: Annotated[str, msgspec.Meta(pattern="^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")] | None = None
    firmware: str | None = None
    passkey: Passkey | None = None

    def __post_init__(self) -> None:
        if [self.url, self.hid, self.usb, self.address].count(None) != 3:
            raise ValueError(
                "needs exactly one of `url` (serial), `hid` and `usb` (USB HID), and `address` (Bluetooth)"
            )

    @property
    def transport(self) -> Literal["serial", "hid", "ble"]:
        """What the way to it is."""
        if self.url is not None:
            return "serial"
        return "ble" if self.address is not None else "hid"


class Leds(Strict, frozen=True, kw_only=True):
    """The lamps that are wired, by their names in ``folder``; one for each fact, and none is needed."""

    due: LedName | None = None
    measured: LedName | None = None
    received: LedName | None = None
    folder: str = "/sys/class/leds"

    @property
    def names(self) -> dict[str, str]:
        """Each fact's lamp."""
        named = {"due": self.due, "measured": self.measured, "received": self.received}
        return {fact: name for fact, name in named.items() if name is not None}


class Home(Strict, frozen=True, kw_only=True):
    """What the household is told: a page in the home network, lamps, or both.

    ``address`` is where the page is (0.0.0.0 or ::, at all of this computer's addresses); without it there is none.
    ``names``: what else than its address it may be called by. ``values``: whether it tells figures, too.
    """

    address: str | None = None
    port: Port = 8017
    names: tuple[HostName, ...] = ()
    language: Literal["en", "ru", "zh"] = "en"
    values: bool = False
    leds: Leds | None = None


class File(Strict, frozen=True, kw_only=True):
    """The TOML file as it is written."""

    gateway_id: Name
    data_dir: str
    outbox_key_file: str | None = None  # beside the outbox unless said otherwise
    mqtt: Mqtt
    cloud: Cloud | None = None
    adapter: str = "hci0"
    clock: Literal["kernel", "trusted"] = "kernel"  # who vouches for this computer's clock; README, "Time"
    intervals: Intervals = Intervals()
    device: tuple[DeviceEntry, ...] = ()
    home: Home | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the gateway runs on: checked, paths absolute, the password read."""

    gateway_id: str
    data_dir: Path
    mqtt: Mqtt
    password: str | None
    adapter: str
    intervals: Intervals
    devices: tuple[DeviceEntry, ...]
    clock: Literal["kernel", "trusted"] = "kernel"
    outbox_key_file: Path | None = None  # None: beside the outbox
    cloud: Cloud | None = None
    home: Home | None = None
    file: Path | None = None  # where all this is written


def load(path: Path) -> Config:
    """Read and check a configuration file. ConfigError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(path, f"cannot be read ({error.strerror}); give the path of a TOML file") from error
    try:
        file = msgspec.toml.decode(text, type=File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path, f"{error}; see gateway/README.md for every key") from error
    _refuse_twice(path, "name", [entry.name for entry in file.device])
    _refuse_twice(path, "url", [entry.url for entry in file.device if entry.url])
    _refuse_twice(path, "hid", [entry.hid for entry in file.device if entry.hid])
    _refuse_twice(path, "usb", [entry.usb.lower() for entry in file.device if entry.usb])
    _refuse_twice(path, "address", [entry.address.upper() for entry in file.device if entry.address])
    if file.cloud and (file.mqtt.username or file.mqtt.password_file):
        raise ConfigError(path, "[cloud] is for certificates; remove mqtt.username and mqtt.password_file, or [cloud]")
    return Config(
        gateway_id=file.gateway_id,
        data_dir=path.parent.absolute() / file.data_dir,
        mqtt=file.mqtt,
        password=_password(path, file.mqtt),
        adapter=file.adapter,
        intervals=file.intervals,
        devices=file.device,
        clock=file.clock,
        outbox_key_file=path.parent.absolute() / file.outbox_key_file if file.outbox_key_file else None,
        cloud=_cloud(path, file.cloud),
        home=_home(path, file.home),
        file=path.absolute(),
    )


def _refuse_twice(path: Path, key: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(path, f"two [[device]] tables have the {key} {value!r}; remove or rename one")


def _cloud(path: Path, cloud: Cloud | None) -> Cloud | None:
    if cloud is None or cloud.ca_file is None:
        return cloud
    return msgspec.structs.replace(cloud, ca_file=str(path.parent.absolute() / cloud.ca_file))


def _home(path: Path, home: Home | None) -> Home | None:
    if home is None:
        return None
    lamps = home.leds.names if home.leds is not None else {}
    if home.address is None and not lamps:
        raise ConfigError(path, "[home] has neither an address for the page nor an LED; give one, or remove it")
    if len({*lamps.values()}) < len(lamps):
        raise ConfigError(path, "home.leds: one LED cannot tell two facts; name another, or leave one fact out")
    if home.address is not None:
        _check_address(path, home.address)
    if home.leds is None:
        return home
    folder = str(path.parent.absolute() / home.leds.folder)
    return msgspec.structs.replace(home, leds=msgspec.structs.replace(home.leds, folder=folder))


def _check_address(path: Path, address: str) -> None:
    import ipaddress  # here alone: a gateway without a page does not need it

    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise ConfigError(
            path,
            f"home.address: {address!r} is no address; give this computer's in the home network, such as 192.168.1.20,"
            " or 0.0.0.0 for all of them",
        ) from None
    if not (found.is_private or found.is_link_local or found.is_unspecified):
        raise ConfigError(path, f"home.address: {address} is of the internet, and the page is for this home alone")


def _password(path: Path, mqtt: Mqtt) -> str | None:
    if mqtt.password_file is None:
        return None
    file = path.parent / mqtt.password_file
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(path, f"mqtt.password_file: others can read {file}; run: chmod 600 {file}")
        password = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            path, f"mqtt.password_file: {file} cannot be read; write the broker's password there"
        ) from error
    if not password:
        raise ConfigError(path, f"mqtt.password_file: {file} is empty; write the broker's password there")
    return password
