"""The case file of a complaint as a ZIP, for a regulator: what it says, what became of it, what belongs to it. Pure.

complaint.txt   the complaint, its answer and its history, to be read by a person (UTF-8)
*.csv           one table for each part (RFC 4180; times are ISO 8601 with their offset)
manifest.csv    each file with its rows and its SHA-256
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from cloud.console.spoken import Spoken
from cloud.console.spoken import word as word_of
from cloud.crm.spreadsheets import csv_of

Part = Sequence[Mapping[str, Any]]

# One table each, in this order; its columns are those of its first row. What is empty is there, and says so.
TABLES: Final = (
    "subjects", "history", "themes", "readings", "calls", "messages", "appointments", "cases", "case_events"
)  # fmt: skip
_WORDED: Final = ("number", "kind", "way", "harm", "received_at", "acknowledge_by", "answer_by", "state", "outcome")


def case_file(parts: Mapping[str, Part], days: tuple[date, date], made_at: datetime, spoken: Spoken) -> bytes:
    """``parts``: rows by part, 'patient' and 'complaint' of one row each. ``days``: the first and the last."""
    files = {"complaint.txt": _letter(parts, days, made_at, spoken)}
    rows = {"complaint.txt": 1}
    for name in TABLES:
        of = parts.get(name, ())
        columns = list(of[0]) if of else ["none"]
        files[f"{name}.csv"] = csv_of(columns, ([_cell(row.get(column)) for column in columns] for row in of))
        rows[f"{name}.csv"] = len(of)
    listed = [(name, rows[name], hashlib.sha256(text.encode()).hexdigest()) for name, text in files.items()]
    files["manifest.csv"] = csv_of(("file", "rows", "sha256"), listed)
    return _zipped(files, made_at)


def _letter(parts: Mapping[str, Part], days: tuple[date, date], made_at: datetime, spoken: Spoken) -> str:
    say = spoken.words.gettext
    [patient], [complaint] = parts["patient"], parts["complaint"]
    lines = [
        say("Case file of complaint {number}").format(number=complaint["number"]),
        say("Made on {at}. Readings, calls, messages, appointments and cases from {first} to {last}.").format(
            at=made_at.isoformat(timespec="seconds"), first=days[0].isoformat(), last=days[1].isoformat()
        ),
        "",
        f"{say('Patient')}: {patient['name']}, {patient['birth_date'] or '–'} ({patient['patient_id']})",
        *(f"{_label(name, spoken)}: {_value(name, complaint[name], spoken)}" for name in _WORDED),
        "",
        say("What was said"),
        complaint["body"],
        "",
        say("What was answered"),
        complaint["words"] or "–",
        "",
        say("History"),
        *(
            f"{one['at']} {word_of(one['event'], spoken.COMPLAINT_EVENTS)} {one['by'] or ''}"
            f"{': ' + one['note'] if one['note'] else ''}"
            for one in parts.get("history", ())
        ),
    ]
    return "\r\n".join(lines) + "\r\n"


def _label(name: str, spoken: Spoken) -> str:
    return word_of(name, spoken.COMPLAINT_FACTS)


def _value(name: str, value: object, spoken: Spoken) -> str:
    table = {
        "kind": spoken.COMPLAINT_KINDS,
        "way": spoken.COMPLAINT_WAYS,
        "state": spoken.COMPLAINT_STATES,
        "outcome": spoken.COMPLAINT_OUTCOMES,
    }.get(name)
    if isinstance(value, bool):
        return spoken.words.gettext("yes") if value else spoken.words.gettext("no")
    if value is None:
        return "–"
    return word_of(str(value), table) if table else str(value)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, (dict, list)) else value


def _zipped(files: Mapping[str, str], made_at: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode())
    return out.getvalue()
