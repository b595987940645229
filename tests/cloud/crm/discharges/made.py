"""A discharge summary in FHIR R4 as a hospital writes it; each test says what is other in theirs."""

import base64
import json
from typing import Any, Final

NUMBER: Final = {"system": "urn:oid:1.2.208.176.1.2", "value": "0905481234"}
PATIENT: Final = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
SUBJECT: Final = {"reference": PATIENT}

Resource = dict[str, Any]


def patient(**other: object) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [NUMBER],
        "name": [{"family": "Example", "given": ["Asta"]}],
        "birthDate": "1948-05-09",
        **other,
    }


def composition(**other: object) -> Resource:
    coding = {"system": "http://loinc.org", "code": "18842-5", "display": "Discharge summary"}
    return {
        "resourceType": "Composition",
        "id": "c1",
        "status": "final",
        "type": {"coding": [coding]},
        "subject": SUBJECT,
        "encounter": {"reference": "Encounter/e1"},
        "date": "2026-11-20T11:00:00+01:00",
        "title": "Discharge summary",
        "section": [
            {
                "title": "Plan",
                "text": {
                    "status": "generated",
                    "div": "<div xmlns='http://www.w3.org/1999/xhtml'><p>Weigh <b>daily</b>.</p></div>",
                },
            }
        ],
        **other,
    }


def encounter(**other: object) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "period": {"start": "2026-11-14T08:00:00+01:00", "end": "2026-11-20T13:00:00+01:00"},
        "reasonCode": [{"text": "Heart failure"}],
        **other,
    }


def request(**other: object) -> Resource:
    """Potassium, on the 27th."""
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "intent": "order",
        "code": {"text": "Potassium"},
        "subject": SUBJECT,
        "occurrenceDateTime": "2026-11-27",
        **other,
    }


def appointment(**other: object) -> Resource:
    """At half past eleven in the evening in UTC: the next day in Copenhagen."""
    return {
        "resourceType": "Appointment",
        "id": "a1",
        "status": "booked",
        "description": "Cardiology",
        "start": "2026-12-03T23:30:00Z",
        "participant": [{"actor": SUBJECT, "status": "accepted"}],
        **other,
    }


def plan(*details: Resource, **other: object) -> Resource:
    return {
        "resourceType": "CarePlan",
        "id": "k1",
        "status": "active",
        "intent": "plan",
        "subject": SUBJECT,
        "activity": [{"detail": {"status": "scheduled", **detail}} for detail in details],
        **other,
    }


def bundle(*resources: Resource, of: Resource | None = None, whose: Resource | None = None) -> Resource:
    """A document with a composition (``of``), a patient (``whose``), the stay, and the resources."""
    entries = [
        {"fullUrl": "urn:uuid:1d1d0000-0000-4000-8000-000000000001", "resource": of or composition()},
        {"fullUrl": PATIENT, "resource": whose or patient()},
        {"resource": encounter()},
        *({"resource": resource} for resource in resources),
    ]
    return {
        "resourceType": "Bundle",
        "type": "document",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:5f"},
        "timestamp": "2026-11-20T11:00:00+01:00",
        "entry": entries,
    }


def summary() -> Resource:
    """All three kinds, a call in words, and something that is cancelled."""
    call = {"kind": "CommunicationRequest", "description": "Ask for the weight", "scheduledString": "in two days"}
    return bundle(request(), appointment(), plan(call), request(id="s2", status="revoked", code={"text": "X-ray"}))


def octets(resource: Resource) -> bytes:
    return json.dumps(resource).encode()


def referring_to(inside: bytes, kind: str = "application/fhir+json") -> Resource:
    """A DocumentReference that carries it."""
    attachment = {"contentType": kind, "data": base64.b64encode(inside).decode()}
    return {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
