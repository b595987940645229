"""The parts of FHIR R4 (4.0.1) that are read of a discharge document, by their own names and with FHIR's meanings.

What is not modelled here is not read. Codes that change a meaning (``status``, ``doNotPerform``) are checked by
``reading``; wrong types are refused by msgspec, with the path.
"""

import msgspec


class Part(msgspec.Struct, rename="camel"):
    """Unknown elements are left alone, as FHIR says, but for modifierExtension (see ``reading``)."""


class Coding(Part):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Part):
    coding: list[Coding] = []
    text: str | None = None


class Reference(Part):
    reference: str | None = None


class Identifier(Part):
    system: str | None = None
    value: str | None = None
    use: str | None = None


class Period(Part):
    start: str | None = None
    end: str | None = None


class Timing(Part):
    event: list[str] = []
    repeat: dict[str, object] | None = None


class HumanName(Part):
    text: str | None = None
    family: str | None = None
    given: list[str] = []


class Patient(Part):
    identifier: list[Identifier] = []
    name: list[HumanName] = []
    birth_date: str | None = None


class Encounter(Part):
    status: str
    period: Period | None = None
    reason_code: list[CodeableConcept] = []


class Narrative(Part):
    div: str


class Section(Part):
    title: str | None = None
    text: Narrative | None = None
    section: list["Section"] = []


class Composition(Part):
    status: str
    type: CodeableConcept
    date: str
    title: str
    subject: Reference | None = None
    encounter: Reference | None = None
    section: list[Section] = []


class Annotation(Part):
    text: str


class ServiceRequest(Part):
    status: str
    subject: Reference
    code: CodeableConcept | None = None
    do_not_perform: bool = False
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    occurrence_timing: Timing | None = None
    patient_instruction: str | None = None
    note: list[Annotation] = []


class Payload(Part):
    content_string: str | None = None


class CommunicationRequest(Part):
    status: str
    subject: Reference | None = None
    do_not_perform: bool = False
    payload: list[Payload] = []
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None


class Participant(Part):
    actor: Reference | None = None


class Appointment(Part):
    status: str
    participant: list[Participant]
    service_type: list[CodeableConcept] = []
    description: str | None = None
    start: str | None = None
    requested_period: list[Period] = []
    comment: str | None = None
    patient_instruction: str | None = None


class Detail(Part):
    status: str
    kind: str | None = None
    code: CodeableConcept | None = None
    do_not_perform: bool = False
    description: str | None = None
    scheduled_timing: Timing | None = None
    scheduled_period: Period | None = None
    scheduled_string: str | None = None


class Activity(Part):
    detail: Detail | None = None
    reference: Reference | None = None


class CarePlan(Part):
    status: str
    subject: Reference
    activity: list[Activity] = []


class Attachment(Part):
    content_type: str | None = None
    data: str | None = None
    url: str | None = None


class Content(Part):
    attachment: Attachment


class DocumentReference(Part):
    status: str
    content: list[Content]


class Entry(Part):
    full_url: str | None = None
    resource: dict[str, object] | None = None


class Bundle(Part):
    type: str
    entry: list[Entry] = []
