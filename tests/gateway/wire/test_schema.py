"""The published description of the wire says what the code does."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.wire import schema, v1

GOLDEN = sorted((Path(__file__).parents[2] / "contract" / "v1").glob("*.json"))
ASYNCAPI: dict[str, Any] = yaml.safe_load(Path(schema.PATH).with_name("asyncapi.yaml").read_text())


def test_the_checked_in_schema_is_what_the_models_say() -> None:
    assert schema.PATH.read_text() == schema.text(), "run: python -m gateway.wire.schema > gateway/wire/v1.schema.json"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_each_golden_message_is_valid_under_the_schema(path: Path) -> None:
    name = {"rea": "Readings", "rec": "Receipts", "sta": "Status", "com": "Commands"}[path.stem[:3]] + "Message"
    document = {**schema.schema(), "anyOf": [{"$ref": f"#/$defs/{name}"}]}
    jsonschema.Draft202012Validator(document).validate(json.loads(path.read_bytes()))


def test_the_asyncapi_page_has_the_contracts_topics() -> None:
    addresses = {name: channel["address"] for name, channel in ASYNCAPI["channels"].items()}
    assert addresses == {
        "live": v1.topic("{gateway_id}", "live"),
        "readings": v1.topic("{gateway_id}", "readings"),
        "receipts": v1.topic("{gateway_id}", "receipts"),
        "status": v1.topic("{gateway_id}", "status"),
        "commands": v1.topic("{gateway_id}", "commands"),
    }


def test_the_asyncapi_page_points_at_the_messages_of_the_schema() -> None:
    payloads = {name: message["payload"]["$ref"] for name, message in ASYNCAPI["components"]["messages"].items()}
    assert payloads == {m.__name__: f"./{schema.PATH.name}#/$defs/{m.__name__}" for m in schema.MESSAGES}
    definitions = json.loads(schema.PATH.read_text())["$defs"]
    assert set(payloads) <= set(definitions)


def test_every_reference_inside_the_asyncapi_page_leads_somewhere() -> None:
    for reference in references(ASYNCAPI):
        node = ASYNCAPI
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]


def test_the_asyncapi_page_says_quality_of_service_one_and_nothing_retained() -> None:
    for operation in ASYNCAPI["operations"].values():
        assert operation["bindings"]["mqtt"].items() >= {"qos": 1, "retain": False}.items()
    will = ASYNCAPI["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]
    assert will["message"].encode() == v1.encode(v1.StatusMessage(v=1, state="offline"))
    assert (will["topic"], will["qos"], will["retain"]) == (v1.topic("{gateway_id}", "status"), 1, False)


def test_the_asyncapi_page_says_when_readings_expire_and_that_nothing_else_does() -> None:
    bindings = {name: operation["bindings"]["mqtt"] for name, operation in ASYNCAPI["operations"].items()}
    expiring = {
        name: mqtt["messageExpiryInterval"] for name, mqtt in bindings.items() if "messageExpiryInterval" in mqtt
    }
    assert expiring == {"publishLiveReadings": v1.MESSAGE_EXPIRY_S, "publishReadings": v1.MESSAGE_EXPIRY_S}


def references(node: object) -> list[str]:
    match node:
        case {"$ref": str(reference)} if reference.startswith("#/"):
            return [reference]
        case dict():
            return [found for child in node.values() for found in references(child)]
        case list():
            return [found for child in node for found in references(child)]
        case _:
            return []
