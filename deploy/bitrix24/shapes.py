"""What each method takes, after the vendor's descriptions of them (github.com/bitrix-tools/b24-rest-docs).

Bitrix24 ignores a name that it does not know, and then does something else than was meant: a filter that is misspelt
finds everything. The imitation refuses it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

Json = dict[str, object]
CONTACT: Final = 3


class Kind(StrEnum):
    """What may stand in a field."""

    INTEGER = "integer"
    TEXT = "text"
    FLAG = "flag"  # Y or N
    MOMENT = "moment"  # ISO 8601 with an offset
    COLOUR = "colour"  # '1' to '7'
    PHONES = "phones"  # crm_multifield[], of telephone numbers
    TEXTS = "texts"
    INTEGERS = "integers"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter; ``inside``: what an object may hold."""

    kind: Kind
    required: bool = False
    inside: Mapping[str, "Field"] | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One method: its parameters, the scope it needs, and whether it only reads."""

    scope: str
    reads: bool
    takes: Mapping[str, Field]


class Unknown(ValueError):
    """Not what the vendor describes; the text names the parameter, never its value."""


TEXT, NUMBER, FLAG, MOMENT = Field(Kind.TEXT), Field(Kind.INTEGER), Field(Kind.FLAG), Field(Kind.MOMENT)
TEXTS, ORDER = Field(Kind.TEXTS), Field(Kind.OBJECT, inside={"ID": TEXT, "id": TEXT})


def _must(field: Field) -> Field:
    return Field(field.kind, True, field.inside)


def _object(inside: Mapping[str, Field], *, required: bool = True) -> Field:
    return Field(Kind.OBJECT, required, inside)


_CONTACT_FIELDS: Final = {
    "name": TEXT,
    "secondName": TEXT,
    "lastName": TEXT,
    "post": TEXT,
    "comments": TEXT,
    "sourceId": TEXT,
    "sourceDescription": TEXT,
    "opened": FLAG,
    "assignedById": NUMBER,
    "originatorId": TEXT,
    "originId": TEXT,
    "fm": Field(Kind.PHONES),
}
_TODO: Final = {
    "ownerTypeId": _must(NUMBER),
    "ownerId": _must(NUMBER),
    "deadline": _must(MOMENT),
    "title": TEXT,
    "description": TEXT,
    "responsibleId": NUMBER,
    "parentActivityId": NUMBER,
    "pingOffsets": Field(Kind.INTEGERS),
    "colorId": Field(Kind.COLOUR),
}
_ACTIVITY_FILTER: Final = {
    "ID": NUMBER,
    "OWNER_TYPE_ID": NUMBER,
    "OWNER_ID": NUMBER,
    "PROVIDER_ID": TEXT,
    "COMPLETED": FLAG,
    ">=CREATED": MOMENT,
}
_TASK_FIELDS: Final = {
    "TITLE": _must(TEXT),
    "RESPONSIBLE_ID": _must(NUMBER),
    "DESCRIPTION": TEXT,
    "DEADLINE": MOMENT,
    "PRIORITY": TEXT,
    "UF_CRM_TASK": TEXTS,
}
_CALL_ENDED: Final = {
    "CALL_ID": _must(TEXT),
    "USER_PHONE_INNER": _must(TEXT),
    "DURATION": NUMBER,
    "STATUS_CODE": TEXT,
    "ADD_TO_CHAT": NUMBER,
}
_CALL: Final = {
    "USER_PHONE_INNER": _must(TEXT),
    "PHONE_NUMBER": _must(TEXT),
    "TYPE": _must(NUMBER),
    "CALL_START_DATE": MOMENT,
    "CRM_CREATE": NUMBER,
    "SHOW": NUMBER,
    "ADD_TO_CHAT": NUMBER,
    "EXTERNAL_CALL_ID": TEXT,
}
_PAGE: Final = {"select": TEXTS, "order": ORDER, "start": NUMBER}

METHODS: Final[Mapping[str, Method]] = {
    "crm.item.add": Method("crm", False, {"entityTypeId": _must(NUMBER), "fields": _object(_CONTACT_FIELDS)}),
    "crm.item.update": Method(
        "crm", False, {"entityTypeId": _must(NUMBER), "id": _must(NUMBER), "fields": _object(_CONTACT_FIELDS)}
    ),
    "crm.item.get": Method("crm", True, {"entityTypeId": _must(NUMBER), "id": _must(NUMBER)}),
    "crm.item.list": Method(
        "crm",
        True,
        {
            "entityTypeId": _must(NUMBER),
            "filter": _object(
                {"id": NUMBER, "@id": Field(Kind.INTEGERS), "originatorId": TEXT, "originId": TEXT}, required=False
            ),
            **_PAGE,
        },
    ),
    "crm.duplicate.findbycomm": Method("crm", True, {"type": _must(TEXT), "values": _must(TEXTS), "entity_type": TEXT}),
    "crm.activity.todo.add": Method("crm", False, _TODO),
    "crm.activity.todo.update": Method("crm", False, {"id": _must(NUMBER), **_TODO}),
    "crm.activity.get": Method("crm", True, {"id": _must(NUMBER)}),
    "crm.activity.list": Method("crm", True, {"filter": _object(_ACTIVITY_FILTER, required=False), **_PAGE}),
    "crm.activity.update": Method(
        "crm",
        False,
        {"id": _must(NUMBER), "fields": _object({"COMPLETED": FLAG, "DESCRIPTION": TEXT, "RESPONSIBLE_ID": NUMBER})},
    ),
    "crm.timeline.comment.add": Method(
        "crm",
        False,
        {"fields": _object({"ENTITY_ID": _must(NUMBER), "ENTITY_TYPE": _must(TEXT), "COMMENT": _must(TEXT)})},
    ),
    "crm.timeline.comment.list": Method(
        "crm", True, {"filter": _object({"ENTITY_ID": _must(NUMBER), "ENTITY_TYPE": _must(TEXT)}), **_PAGE}
    ),
    "tasks.task.add": Method("task", False, {"fields": _object(_TASK_FIELDS)}),
    "tasks.task.list": Method(
        "task",
        True,
        {"filter": _object({"UF_CRM_TASK": TEXT, ">=CREATED_DATE": MOMENT}, required=False), **_PAGE},
    ),
    "telephony.externalCall.register": Method("telephony", False, _CALL),
    "telephony.externalCall.show": Method("telephony", False, {"CALL_ID": _must(TEXT), "USER_ID": NUMBER}),
    "telephony.externalCall.finish": Method("telephony", False, _CALL_ENDED),
    "telephony.externalCall.attachRecord": Method(
        "telephony", False, {"CALL_ID": _must(TEXT), "RECORD_URL": TEXT, "FILENAME": TEXT}
    ),
    "voximplant.callback.start": Method(
        "telephony",
        False,
        {"FROM_LINE": _must(TEXT), "TO_NUMBER": _must(TEXT), "TEXT_TO_PRONOUNCE": _must(TEXT), "VOICE": TEXT},
    ),
}


def check(method: Method, given: Mapping[str, object]) -> None:
    """Whether the parameters are those of the method. Unknown."""
    _check_object("", method.takes, given)


def _check_object(path: str, takes: Mapping[str, Field], given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if name not in takes:
            raise Unknown(f"no parameter {path}{name}")
        _check_value(f"{path}{name}", takes[name], value)
    for name, field in takes.items():
        if field.required and name not in given:
            raise Unknown(f"{path}{name} is required")


def _check_value(path: str, field: Field, value: object) -> None:
    if field.kind is Kind.OBJECT:
        if not isinstance(value, dict):
            raise Unknown(f"{path} is no object")
        _check_object(f"{path}.", field.inside or {}, value)
    elif not _fits(field.kind, value):
        raise Unknown(f"{path} is no {field.kind}")


def _fits(kind: Kind, value: object) -> bool:
    match kind:
        case Kind.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.FLAG:
            return value in ("Y", "N")
        case Kind.COLOUR:
            return isinstance(value, str) and re.fullmatch(r"[1-7]", value) is not None
        case Kind.TEXTS:
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case Kind.INTEGERS:
            return isinstance(value, list) and all(isinstance(each, int) for each in value)
        case Kind.PHONES:
            return isinstance(value, list) and all(_is_phone(each) for each in value)
        case _:
            return is_moment(value)


def _is_phone(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"id", "typeId", "valueType", "value"}:
        return False
    return value.get("typeId") == "PHONE" and isinstance(value.get("value"), str)


def is_moment(value: object) -> bool:
    """ISO 8601 with an offset: without one the portal takes it for its own time zone's."""
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
