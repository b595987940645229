"""The portal's telephony, as far as applications use it: calls from outside, and calling back on a line of its own."""

from dataclasses import dataclass, field
from typing import Final

from deploy.bitrix24.shapes import Json

# For applications alone: with an incoming webhook the portal refuses them.
OF_APPLICATIONS: Final = frozenset(
    {"telephony.externalCall.register", "telephony.externalCall.finish", "telephony.externalCall.show"}
)


class NotDone(Exception):
    """The text of the vendor's ERROR_CORE."""


@dataclass(slots=True)
class Calls:
    """``extensions``: of the portal's employees. ``cards``: calls whose card is open; ``ended``: the statistics.

    ``called_back``: line and number of each call that it made by itself.
    """

    extensions: frozenset[str] = frozenset({"12"})
    lines: frozenset[str] = frozenset({"reg1"})
    cards: dict[str, Json] = field(default_factory=dict)
    ended: dict[str, Json] = field(default_factory=dict)
    called_back: list[tuple[str, str]] = field(default_factory=list)

    def do(self, name: str, params: Json) -> Json:
        """The result. NotDone."""
        match name:
            case "telephony.externalCall.register":
                return self._register(params)
            case "telephony.externalCall.show":
                return {"result": params["CALL_ID"] in self.cards}
            case "telephony.externalCall.finish":
                return self._finish(params)
            case "telephony.externalCall.attachRecord":
                return self._attach(params)
            case _:
                return self._call_back(params)

    def _register(self, params: Json) -> Json:
        self._employee(params)
        if params["TYPE"] not in (1, 2, 3, 4, 5):
            raise NotDone("Unknown TYPE")
        # The same call again is the same: by the caller's own id of it.
        known = [i for i, card in self.cards.items() if card.get("EXTERNAL_CALL_ID") == params.get("EXTERNAL_CALL_ID")]
        call_id = known[0] if known else f"externalCall.{len(self.cards) + len(self.ended) + 1}"
        self.cards[call_id] = params
        return {"result": {"CALL_ID": call_id, "CRM_CREATED_LEAD": None, "CRM_CREATED_ENTITIES": []}}

    def _finish(self, params: Json) -> Json:
        self._employee(params)
        call_id = str(params["CALL_ID"])
        if call_id not in self.cards:
            raise NotDone("Call is not found (call should be registered prior to finishing")
        self.ended[call_id] = {**self.cards.pop(call_id), **params}
        return {"result": {"CALL_ID": call_id, "CALL_DURATION": params.get("DURATION", 0)}}

    def _attach(self, params: Json) -> Json:
        ended = self.ended.get(str(params["CALL_ID"]))
        if ended is None:
            raise NotDone("Call is not found in the statistic table. Looks like it is not finished yet.")
        if not params.get("RECORD_URL"):
            raise NotDone("Required parameters are not set. Request should contain or URL or FILENAME parameter")
        ended["RECORD_URL"] = params["RECORD_URL"]
        return {"result": {"FILE_ID": 9079}}

    def _call_back(self, params: Json) -> Json:
        if params["FROM_LINE"] not in self.lines:
            raise NotDone(f"Could not find line {params['FROM_LINE']}")
        self.called_back.append((str(params["FROM_LINE"]), str(params["TO_NUMBER"])))
        return {"result": {"RESULT": True, "CALL_ID": f"callback.{len(self.called_back)}"}}

    def _employee(self, params: Json) -> None:
        if params.get("USER_PHONE_INNER") not in self.extensions:
            raise NotDone("User is not found or is not active")
