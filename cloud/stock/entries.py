"""What people type, or scan, into the forms of the stock, read and checked. Refused has all that is wrong."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerting.duty import instant_of
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.stock import barcodes
from cloud.stock.makes import makes
from cloud.stock.models import OWNERS, ItemEntry

LONGEST: Final = 200
LONGEST_NUMBER: Final = 60
# Until when a lease can last.
LEASES: Final = (date(2000, 1, 1), date(2200, 12, 31))
KINDS: Final = ("glucose", "blood_pressure")
WAYS_TO_WIPE: Final = ("deleted", "noted")


def label(text: str, refusals: dict[str, Refusal], name: str) -> barcodes.Label:
    """What was scanned or typed into a field for a serial number."""
    try:
        return barcodes.read(text)
    except barcodes.BadLabel as error:
        refusals[name] = Refusal(f"label_{error.code}")
        return barcodes.Label()


def item(form: Form) -> ItemEntry:
    """A new device. A model is chosen, or its maker and name are typed where no gateway reads it yet."""
    refusals: dict[str, Refusal] = {}
    profile = form.get("profile", "")
    make = makes().get(profile)
    if profile not in ("", "other") and make is None:
        refusals["profile"] = Refusal("choose")
    if profile == "":
        refusals["profile"] = Refusal("choose")
    scanned = label(form.get("serial_number", ""), refusals, "serial_number")
    if not scanned.serial_number and "serial_number" not in refusals:
        refusals["serial_number"] = Refusal("label_no_serial" if scanned.gtin else "missing")
    elif len(scanned.serial_number) > LONGEST_NUMBER:
        refusals["serial_number"] = Refusal("too_long", {"most": str(LONGEST_NUMBER)})
    owner = form.get("owner", "")
    if owner not in OWNERS:
        refusals["owner"] = Refusal("choose")
    lessor, ends_on = _lease(form, owner, refusals)
    kind = make.kind if make else form.get("kind", "")
    if profile == "other" and kind not in KINDS:
        refusals["kind"] = Refusal("choose")
    manufacturer, model = (
        (make.manufacturer, make.model)
        if make
        else (
            fields.text(form, name, LONGEST, refusals, may_be_empty=profile != "other")
            for name in ("manufacturer", "model")
        )
    )
    entry = ItemEntry(
        kind=kind,
        manufacturer=manufacturer,
        model=model,
        profile=make.profile if make else None,
        serial_number=scanned.serial_number,
        gtin=scanned.gtin or _gtin(form),
        owner=owner,
        lessor=lessor,
        lease_ends_on=ends_on,
        note=fields.text(form, "note", LONGEST, refusals, may_be_empty=True),
    )
    if refusals:
        raise Refused("item", refusals, form)
    return entry


def lease(form: Form) -> tuple[str, date]:
    """A lease that goes on: from whom, and until when."""
    refusals: dict[str, Refusal] = {}
    lessor, ends_on = _lease(form, "lessor", refusals)
    if refusals or lessor is None or ends_on is None:
        raise Refused("lease", refusals, form)
    return lessor, ends_on


def way_to_wipe(form: Form) -> str:
    """How the memory was dealt with: deleted, or left and noted."""
    way = form.get("way", "")
    if way not in WAYS_TO_WIPE:
        raise Refused("wipe", {"way": Refusal("choose")}, form)
    return way


def since(form: Form, zone: str, now: datetime) -> datetime:
    """When somebody got it: the moment on the patient's clock, or now where nothing was typed."""
    typed = form.get("since", "").strip()
    if not typed:
        return now
    wall = fields.wall_clock(typed)
    try:
        moment = None if wall is None else instant_of(wall.date(), wall.time(), ZoneInfo(zone))
    except (ValueError, KeyError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise Refused("hand_out", {"since": Refusal("not_a_moment")}, form)
    if moment > now:
        raise Refused("hand_out", {"since": Refusal("not_yet")}, form)
    return moment


def _lease(form: Form, owner: str, refusals: dict[str, Refusal]) -> tuple[str | None, date | None]:
    if owner != "lessor":
        return None, None
    lessor = fields.text(form, "lessor", LONGEST, refusals)
    if not form.get("lease_ends_on", "").strip():
        refusals["lease_ends_on"] = Refusal("missing")
        return lessor, None
    first, last = LEASES
    return lessor, fields.day(form, "lease_ends_on", first, last, refusals, early="not_a_date", late="not_a_date")


def _gtin(form: Form) -> str | None:
    typed = form.get("gtin", "")
    return typed if len(typed) == 14 and barcodes.has_right_check_digit(typed) else None
