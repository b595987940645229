"""What people type, or scan, into the forms of the stock, read and checked. Refused has all that is wrong."""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cloud.plans.fields import Form, Refusal, Refused
from cloud.stock import barcodes
from cloud.stock.makes import makes
from cloud.stock.models import OWNERS, ItemEntry

LONGEST: Final = 200
LONGEST_NUMBER: Final = 60
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
    entry = ItemEntry(
        kind=kind,
        manufacturer=make.manufacturer if make else _text(form, "manufacturer", refusals, needed=profile == "other"),
        model=make.model if make else _text(form, "model", refusals, needed=profile == "other"),
        profile=make.profile if make else None,
        serial_number=scanned.serial_number,
        gtin=scanned.gtin or _gtin(form),
        owner=owner,
        lessor=lessor,
        lease_ends_on=ends_on,
        note=_text(form, "note", refusals),
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
    try:
        moment = datetime.fromisoformat(typed)
        if moment.tzinfo is not None:
            raise ValueError
        moment = moment.replace(tzinfo=ZoneInfo(zone))
        is_past = moment <= now
    except (ValueError, KeyError, OverflowError, OSError):
        raise Refused("hand_out", {"since": Refusal("not_a_moment")}, form) from None
    if not is_past:
        raise Refused("hand_out", {"since": Refusal("not_yet")}, form)
    return moment


def _lease(form: Form, owner: str, refusals: dict[str, Refusal]) -> tuple[str | None, date | None]:
    if owner != "lessor":
        return None, None
    lessor = _text(form, "lessor", refusals, needed=True)
    typed = form.get("lease_ends_on", "").strip()
    try:
        ends_on = date.fromisoformat(typed)
    except ValueError:
        refusals["lease_ends_on"] = Refusal("not_a_day" if typed else "missing")
        return lessor, None
    if not 2000 <= ends_on.year <= 2200:
        refusals["lease_ends_on"] = Refusal("not_a_day")
    return lessor, ends_on


def _gtin(form: Form) -> str | None:
    typed = form.get("gtin", "")
    return typed if len(typed) == 14 and barcodes.has_right_check_digit(typed) else None


def _text(form: Form, name: str, refusals: dict[str, Refusal], *, needed: bool = False) -> str:
    said = form.get(name, "").strip()
    if needed and not said:
        refusals[name] = Refusal("missing")
    elif len(said) > LONGEST:
        refusals[name] = Refusal("too_long", {"most": str(LONGEST)})
    return said
