"""Templates: those that come with the software, and what cannot be one."""

from dataclasses import fields
from datetime import timedelta

import pytest

from cloud.auth.models import Role
from cloud.console import texts
from cloud.crm.documents.models import Blank, Kind, Paragraph
from cloud.crm.documents.templates import LINE, NEEDED, WORDS, BadTemplate, filled, shipped, template, wording
from cloud.language.languages import LANGUAGES
from cloud.retention.models import KEEPING


@pytest.mark.parametrize("kind", Kind)
def test_each_document_comes_in_each_language_with_the_same_fields(kind: Kind) -> None:
    found = shipped()[kind]
    assert set(found.wordings) == set(LANGUAGES)
    used = {code: {word for word in (WORDS[kind] | NEEDED[kind]) if f"{{{{{word}}}}}" in found.sources[code]}
            for code in LANGUAGES}  # fmt: skip
    assert len({frozenset(one) for one in used.values()}) == 1
    parts = {code: [type(part) for part in one.parts] for code, one in found.wordings.items()}
    assert parts["ru"] == parts["en"] == parts["zh"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Roles", "no_title"),
        ("# {{clinic_name}}\n\n{{roles}}", "no_title"),
        ("# Roles\n\n{{roles}}\n\n{{patient_name}}", "unknown_field"),
        ("# Roles\n\n{{roles}}\n\n- {{ no such }}", "unknown_field"),
        ("# Roles\n\n{{roles}}\n\n{{}}", "unknown_field"),
        ("# Roles\n\nThe roles: {{roles}}", "field_not_alone"),
        ("# Roles\n\n- {{roles}}", "field_not_alone"),
        ("# Roles\n\n{{roles}}\n\n{{clinic_name", "open_field"),
        ("# Roles\n\nNobody", "field_lacks"),
        ("# Roles\n\n{{roles}}\n\n" + "x" * 12_000, "text_too_long"),
    ],
)
def test_what_cannot_be_a_template_is_said_by_a_code_that_has_words(text: str, code: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        wording(Kind.SOP_ROLES, text, "typed")
    assert caught.value.code == code
    assert texts.ENTRY_REFUSALS[f"template_{code}"].format(**caught.value.facts)


def test_an_open_field_with_a_heap_of_spaces_is_refused_at_once() -> None:
    """Tried in every way in which spaces can stand around a name, this took minutes, and everybody waited."""
    with pytest.raises(BadTemplate, match="open_field"):
        wording(Kind.SOP_ROLES, "# Roles\n\n{{roles}}\n\n{{" + " " * 5_000 + "x", "typed")


def test_a_template_without_one_of_the_languages_is_refused() -> None:
    with pytest.raises(BadTemplate, match="ru, zh"):
        template(Kind.SOP_ROLES, 1, {"en": "# Roles\n\n{{roles}}"})


def test_what_nobody_knows_is_a_line_to_write_on_and_never_a_guess() -> None:
    read = wording(Kind.HAND_OVER, "# Act\n\nBorn: {{birth_date}}\n\n{{clinic_name}}\n\n{{devices}}", "typed")
    made = filled(read.parts, {"birth_date": "", "clinic_name": "", "devices": None})
    assert made == (Paragraph(f"Born: {LINE}"), Paragraph(LINE), Blank(3))


def test_braces_in_a_value_are_no_field() -> None:
    read = wording(Kind.HAND_OVER, "# Act\n\nTo {{patient_name}}\n\n{{devices}}", "typed")
    first, *_ = filled(read.parts, {"patient_name": "{{clinic_name}}", "devices": None})
    assert first == Paragraph("To {{clinic_name}}")


def test_the_notice_speaks_of_each_time_that_the_retention_has_and_of_each_role() -> None:
    times = {one.name for one in fields(KEEPING) if isinstance(getattr(KEEPING, one.name), timedelta)}
    assert set(texts.DOCUMENT_KEPT_FOR) == times
    assert set(texts.DOCUMENT_SEEN_BY) == set(Role) - {Role.PATIENT}
    assert set(texts.DOCUMENT_ROLES) == set(Role)
    assert set(texts.DOCUMENT_KINDS) == set(Kind)
