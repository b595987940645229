"""What a portal holds and does: contacts, todos, comments, tasks. No HTTP here, and no clock: the time is passed in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from deploy.bitrix24.calls import Calls, NotDone
from deploy.bitrix24.limits import LeakyBucket, OperatingTime
from deploy.bitrix24.shapes import CONTACT, METHODS, Json, Method, Unknown, check

PAGE: Final = 50
TODO: Final = "CRM_TODO"
SCOPES: Final = frozenset({"crm", "task", "telephony"})


class Failed(Exception):
    """An error as the portal answers it. The vendor's methods leave ``code`` empty now and then."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Event:
    """What its outgoing webhooks tell: that something changed, and its id."""

    name: str
    id: int
    at: datetime


@dataclass(slots=True)
class Portal:
    """One portal with one incoming webhook. ``now``: its clock.

    ``asked``: each request that got as far as a method, with its parameters. ``expired``, ``overloaded``: what an
    administrator or the vendor did to the webhook. ``costs_s``: how long a method works, for its operating time.
    """

    now: Callable[[], datetime]
    scopes: frozenset[str] = SCOPES
    expired: bool = False
    overloaded: bool = False
    bucket: LeakyBucket = field(default_factory=LeakyBucket)
    costs_s: dict[str, float] = field(default_factory=dict)
    contacts: dict[int, Json] = field(default_factory=dict)
    activities: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    tasks: dict[int, Json] = field(default_factory=dict)
    telephony: Calls = field(default_factory=Calls)
    events: list[Event] = field(default_factory=list)
    asked: list[tuple[str, Json]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # codes of the limits, in order
    _late: list[tuple[datetime, str, Json]] = field(default_factory=list)
    _operating: dict[str, OperatingTime] = field(default_factory=dict)
    _next_id: int = 100

    @property
    def todos(self) -> list[Json]:
        """The universal activities, in the order in which they came."""
        return [each for each in self.activities.values() if each["PROVIDER_ID"] == TODO]

    # A request ----------------------------------------------------------------------------------------------

    def admit(self, name: str) -> Method:
        """The method, where the webhook and the limits let it be called now. Failed."""
        now_s = self.now().timestamp()
        if self.overloaded:
            raise Failed(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload")
        if not self.bucket.takes(now_s):
            self.refused.append("QUERY_LIMIT_EXCEEDED")
            raise Failed(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")
        if self.expired:
            raise Failed(401, "expired_token", "The access token provided has expired")
        method = METHODS.get(name)
        if method is None:
            raise Failed(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        if method.scope not in self.scopes:
            raise Failed(401, "insufficient_scope", "The request requires higher privileges than provided")
        if self._worked(name).is_over(now_s):
            self.refused.append("OPERATION_TIME_LIMIT")
            raise Failed(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
        return method

    def call(self, name: str, params: Json) -> Json:
        """Do it, and the answer's body. Failed."""
        self.settle()
        method = METHODS[name]
        try:
            check(method, params)
        except Unknown as error:
            raise Failed(400, "ERROR_ARGUMENT", str(error)) from None
        self.asked.append((name, params))
        body = self._do(name, params)
        now_s = self.now().timestamp()
        worked = self._worked(name)
        worked.add(now_s, self.costs_s.get(name, 0.1))
        body["time"] = {"operating": worked.spent(now_s), "operating_reset_at": int(worked.reset_at(now_s) or now_s)}
        return body

    def call_later(self, name: str, params: Json, after: timedelta) -> None:
        """Do it, but only when that time has passed: its request is long gone then."""
        self._late.append((self.now() + after, name, params))

    def settle(self) -> None:
        """Do what was still under way and is done by now."""
        now = self.now()
        due = [each for each in self._late if each[0] <= now]
        self._late = [each for each in self._late if each[0] > now]
        for _, name, params in sorted(due, key=lambda each: each[0]):
            self.asked.append((name, params))
            self._do(name, params)

    def operating_reset_at(self, name: str) -> float | None:
        """When the oldest minute of this method's work no longer counts."""
        return self._worked(name).reset_at(self.now().timestamp())

    def _worked(self, name: str) -> OperatingTime:
        return self._operating.setdefault(name, OperatingTime())

    def _do(self, name: str, params: Json) -> Json:
        if METHODS[name].scope == "telephony":
            try:
                return self.telephony.do(name, params)
            except NotDone as error:
                raise Failed(400, "ERROR_CORE", str(error)) from None
        doing: dict[str, Callable[[Json], Json]] = {
            "crm.item.add": self._add_item,
            "crm.item.update": self._update_item,
            "crm.item.get": self._get_item,
            "crm.item.list": self._list_items,
            "crm.duplicate.findbycomm": self._find,
            "crm.activity.todo.add": self._add_todo,
            "crm.activity.todo.update": self._update_todo,
            "crm.activity.get": self._get_activity,
            "crm.activity.list": self._list_activities,
            "crm.activity.update": self._update_activity,
            "crm.timeline.comment.add": self._add_comment,
            "crm.timeline.comment.list": self._list_comments,
            "tasks.task.add": self._add_task,
            "tasks.task.list": self._list_tasks,
        }
        return doing[name](params)

    # Contacts -----------------------------------------------------------------------------------------------

    def _add_item(self, params: Json) -> Json:
        self._only_contacts(params)
        made: Json = {"id": self._new_id(), "fm": [], "entityTypeId": CONTACT, "createdTime": self._at()}
        self._fill_contact(made, _object(params, "fields"))
        self.contacts[_integer(made, "id")] = made
        self._tell("ONCRMCONTACTADD", made["id"])
        return {"result": {"item": made}}

    def _update_item(self, params: Json) -> Json:
        item = self._contact(params)
        self._fill_contact(item, _object(params, "fields"))
        self._tell("ONCRMCONTACTUPDATE", item["id"])
        return {"result": {"item": item}}

    def _fill_contact(self, item: Json, fields: Json) -> None:
        """A multifield without an id of the contact's is added to those that are there."""
        given = _list(fields, "fm")
        kept = {each["id"]: each for each in _list(item, "fm") if isinstance(each, dict)}
        for each in given:
            if isinstance(each, dict):
                known = each.get("id") if each.get("id") in kept else self._new_id()
                kept[known] = {**each, "id": known}
        item.update({**fields, "fm": list(kept.values())})

    def _get_item(self, params: Json) -> Json:
        return {"result": {"item": self._contact(params)}}

    def _list_items(self, params: Json) -> Json:
        self._only_contacts(params)
        wanted = _object(params, "filter")
        ids = _list(wanted, "@id")
        found = [
            each
            for each in self.contacts.values()
            if all(each.get(key) == wanted[key] for key in wanted if key != "@id") and (not ids or each["id"] in ids)
        ]
        return _paged(params, found, lambda page: {"items": page})

    def _find(self, params: Json) -> Json:
        values = params["values"]
        wanted = {_digits(each) for each in values} if isinstance(values, list) else set()
        found = [each["id"] for each in self.contacts.values() if wanted & {_digits(own) for own in _phones(each)}]
        # PHP: an empty object is an empty list.
        return {"result": {"CONTACT": found} if found else []}

    def _contact(self, params: Json) -> Json:
        self._only_contacts(params)
        item = self.contacts.get(_integer(params, "id"))
        if item is None:
            raise Failed(400, "NOT_FOUND", "Элемент не найден")
        return item

    def _only_contacts(self, params: Json) -> None:
        if params["entityTypeId"] != CONTACT:
            raise Failed(400, "NOT_FOUND", "Смарт-процесс не найден")

    # Todos --------------------------------------------------------------------------------------------------

    def _add_todo(self, params: Json) -> Json:
        self._owner(params)
        made: Json = {"ID": str(self._new_id()), "PROVIDER_ID": TODO, "COMPLETED": "N", "CREATED": self._at()}
        self.activities[int(str(made["ID"]))] = made
        self._fill(made, params)
        self._tell("ONCRMACTIVITYADD", made["ID"])
        return {"result": {"id": int(str(made["ID"]))}}

    def _update_todo(self, params: Json) -> Json:
        todo = self.activities.get(_integer(params, "id"))
        if todo is None:
            raise Failed(400, "NOT_FOUND", "Not found.")
        self._owner(params)
        if todo["COMPLETED"] == "Y":
            raise Failed(400, "CAN_NOT_UPDATE_COMPLETED_TODO", "Закрытое дело нельзя изменять")
        self._fill(todo, params)
        self._tell("ONCRMACTIVITYUPDATE", todo["ID"])
        return {"result": {"id": params["id"]}}

    def _fill(self, todo: Json, params: Json) -> None:
        todo.update(
            OWNER_TYPE_ID=str(params["ownerTypeId"]), OWNER_ID=str(params["ownerId"]), DEADLINE=params["deadline"]
        )
        for name, there in (("title", "SUBJECT"), ("description", "DESCRIPTION"), ("colorId", "COLOR_ID")):
            todo[there] = params.get(name, todo.get(there, ""))
        todo["RESPONSIBLE_ID"] = str(params.get("responsibleId", 1))

    def _owner(self, params: Json) -> None:
        if params["ownerTypeId"] != CONTACT or params["ownerId"] not in self.contacts:
            raise Failed(400, "OWNER_NOT_FOUND", "Владелец элемента не найден")

    def _get_activity(self, params: Json) -> Json:
        return {"result": self._activity(params)}

    def _list_activities(self, params: Json) -> Json:
        wanted = _object(params, "filter")
        since = wanted.pop(">=CREATED", None)
        found = [
            each
            for each in self.activities.values()
            if all(str(each[key]) == str(wanted[key]) for key in wanted) and _is_since(each["CREATED"], since)
        ]
        return _paged(params, found, lambda page: page)

    def _update_activity(self, params: Json) -> Json:
        activity = self._activity(params)
        activity.update(_object(params, "fields"))
        self._tell("ONCRMACTIVITYUPDATE", activity["ID"])
        return {"result": True}

    def _activity(self, params: Json) -> Json:
        activity = self.activities.get(_integer(params, "id"))
        if activity is None:
            raise Failed(400, "", "Activity is not found")
        return activity

    # Comments and tasks -------------------------------------------------------------------------------------

    def _add_comment(self, params: Json) -> Json:
        fields = _object(params, "fields")
        if fields["ENTITY_TYPE"] != "contact" or fields["ENTITY_ID"] not in self.contacts:
            raise Failed(400, "", "Owner not found")
        made = {**fields, "ID": str(self._new_id()), "ENTITY_ID": str(fields["ENTITY_ID"]), "CREATED": self._at()}
        self.comments[int(str(made["ID"]))] = made
        return {"result": int(str(made["ID"]))}

    def _list_comments(self, params: Json) -> Json:
        wanted = _object(params, "filter")
        found = [each for each in self.comments.values() if all(str(each[key]) == str(wanted[key]) for key in wanted)]
        return _paged(params, found, lambda page: page)

    def _add_task(self, params: Json) -> Json:
        fields = _object(params, "fields")
        made: Json = {
            "id": str(self._new_id()),
            "title": fields["TITLE"],
            "description": fields.get("DESCRIPTION", ""),
            "deadline": fields.get("DEADLINE"),
            "responsibleId": str(fields["RESPONSIBLE_ID"]),
            "priority": fields.get("PRIORITY", "1"),
            "ufCrmTask": fields.get("UF_CRM_TASK", []),
            "createdDate": self._at(),
            "status": "2",
        }
        self.tasks[int(str(made["id"]))] = made
        return {"result": {"task": made}}

    def _list_tasks(self, params: Json) -> Json:
        wanted = _object(params, "filter")
        bound, since = wanted.get("UF_CRM_TASK"), wanted.get(">=CREATED_DATE")
        found = [
            each
            for each in self.tasks.values()
            if (bound is None or bound in _list(each, "ufCrmTask")) and _is_since(each["createdDate"], since)
        ]
        return _paged(params, found, lambda page: {"tasks": page})

    # What its own people do -----------------------------------------------------------------------------------

    def employee_completes(self, todo_id: int) -> Event:
        """Somebody of the clinic marks a todo as done; what the outgoing webhooks tell of it."""
        self.activities[todo_id]["COMPLETED"] = "Y"
        return self._tell("ONCRMACTIVITYUPDATE", todo_id)

    def employee_deletes(self, todo_id: int) -> Event:
        """Somebody of the clinic deletes it."""
        del self.activities[todo_id]
        return self._tell("ONCRMACTIVITYDELETE", todo_id)

    def _tell(self, name: str, subject: object) -> Event:
        event = Event(name, int(str(subject)), self.now())
        self.events.append(event)
        return event

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _at(self) -> str:
        return self.now().isoformat(timespec="seconds")


def _paged(params: Json, found: list[Json], shaped: Callable[[list[Json]], object]) -> Json:
    start = params.get("start", 0)
    first = start if isinstance(start, int) else 0
    order = _object(params, "order")
    if any(str(way).upper() == "DESC" for way in order.values()):
        found = found[::-1]  # ids only grow
    page = found[first : first + PAGE]
    more: Json = {"next": first + PAGE} if len(found) > first + PAGE else {}
    return {"result": shaped(page), "total": len(found), **more}


def _object(params: Json, name: str) -> Json:
    value = params.get(name, {})
    return dict(value) if isinstance(value, dict) else {}


def _list(params: Json, name: str) -> list[object]:
    value = params.get(name)
    return value if isinstance(value, list) else []


def _integer(params: Json, name: str) -> int:
    return int(str(params[name]))


def _phones(contact: Json) -> Iterable[str]:
    for each in _list(contact, "fm"):
        if isinstance(each, dict):
            yield str(each["value"])


def _digits(phone: object) -> str:
    return "".join(sign for sign in str(phone) if sign.isdigit())


def _is_since(created: object, since: object) -> bool:
    return since is None or datetime.fromisoformat(str(created)) >= datetime.fromisoformat(str(since))
