"""``decode``: octets from a log or a capture, understood."""

import argparse
import re
import sys
from dataclasses import is_dataclass

from device_drivers.errors import CodecError
from device_drivers.support.exit_codes import GOOD, UNDECODABLE, BadUsage
from device_drivers.support.formats import FORMATS, Format
from device_drivers.support.rendering import Object, failure, kind_of, plain, say, timed
from firmware_profiles.catalogue import catalogue

_ESCAPE = re.compile(r"\\(?:x(?P<hex>[0-9A-Fa-f]{2})|(?P<letter>.))", re.DOTALL)
_LETTERS = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}

EPILOG = """\
One JSON object on standard output, under the names of the Bluetooth SIG or of the protocol's wire page.
Numbers are JSON numbers with the digits that were sent; what is no number is {"special": "NaN"} (or "NRes",
"+INFINITY", "-INFINITY", "RFU"); times are naive ISO times, null where there is none; octets are hex.
Octets that cannot be understood give {"error": ...} with the offset, and exit code 4.

  python -m device_drivers decode glucose-measurement 1b0400e407070e0b06055a0277b0f80000
  python -m device_drivers decode lifescan-ultramini "02 06 08 03 c2 62"
  python -m device_drivers decode lifescan-ultra --text 'P "SAT","05/27/06","16:42:08   ","  051 ", 00 0829\\r\\n'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``FORMAT``, ``HEX``, and what changes them."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("format", nargs="?", metavar="FORMAT", help="a name of --list")
    parser.add_argument("octets", nargs="*", metavar="HEX", help="hex digits, blanks and colons allowed; - reads stdin")
    parser.add_argument("--list", action="store_true", help="list the formats, as JSON")
    parser.add_argument("--text", action="store_true", help=r"HEX is text, in which \r \n \t \\ \xNN are escapes")
    parser.add_argument("--profile", metavar="ID", help="decode with the quirks of this firmware profile")


def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 4 where the octets are none of the format. BadUsage."""
    if args.list:
        say([{"format": name, "about": each.about, "text": each.is_text} for name, each in FORMATS.items()])
        return GOOD
    if args.format is None:
        raise BadUsage("FORMAT and HEX are needed; decode --list lists the formats")
    if not args.octets:
        raise BadUsage('HEX is needed ("" for no octets at all)')
    wanted = chosen(args.format)
    octets = octets_of(sys.stdin.read() if args.octets == ["-"] else " ".join(args.octets), text=args.text)
    try:
        say(decoded(wanted, octets, quirks_of(args.profile)))
    except CodecError as error:
        say(failure(error))
        return UNDECODABLE
    return GOOD


def chosen(name: str) -> Format:
    """The format of this name, with hyphens or underscores. BadUsage."""
    try:
        return FORMATS[name.lower().replace("_", "-")]
    except KeyError:
        raise BadUsage(f"no format is called {name!r}; known: {', '.join(FORMATS)}") from None


def octets_of(text_or_hex: str, *, text: bool) -> bytes:
    """From hex digits, or from text with escapes. BadUsage."""
    try:
        if text:
            return _ESCAPE.sub(_unescape, text_or_hex).encode("latin-1")
        return bytes.fromhex(re.sub(r"0[xX]|[:,-]", " ", text_or_hex))
    except (KeyError, ValueError) as error:
        kind = "text of one-octet characters and known escapes" if text else "hex"
        raise BadUsage(f"not {kind}: {text_or_hex[:80]!r}") from error


def quirks_of(profile_id: str | None) -> frozenset[str]:
    """The quirks that every firmware of a profile has. UnknownProfile."""
    if profile_id is None:
        return frozenset()
    tables = [{quirk.name for quirk in firmware.quirks} for firmware in catalogue().file(profile_id).firmware]
    return frozenset(set.intersection(*tables))


def decoded(format: Format, octets: bytes, quirks: frozenset[str] = frozenset()) -> Object:
    """The record; where several kinds share a format, ``record`` says which this is. CodecError."""
    found = format.decode(octets) if format.with_quirks is None else format.with_quirks(octets, quirks)
    if isinstance(found, dict):
        return {name: plain(value) for name, value in found.items()}
    if not is_dataclass(found):
        return {"value": plain(found)}
    return {"record": kind_of(found), **timed(found)}


def _unescape(found: "re.Match[str]") -> str:
    return chr(int(found["hex"], 16)) if found["hex"] else _LETTERS[found["letter"]]
