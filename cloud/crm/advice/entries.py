"""A piece of advice as it is typed, read and checked. Pure; Refused with all that is wrong at once."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal

from cloud.crm.advice.models import LONGEST, UNITS, Measure, Relation, Rule
from cloud.language.languages import LANGUAGES
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused


def snippet(form: Form, articles: Collection[str] = ()) -> tuple[str, Rule, Mapping[str, str], str | None]:
    """``name``, ``measure``, ``relation``, ``bound``, ``unit``, ``text_en``, ``text_ru``, ``text_zh``, and ``article``:
    the name of one of these, or nothing.
    """
    refusals: dict[str, Refusal] = {}
    name = form.get("name", "").strip()
    if not re.fullmatch(r"[a-z0-9_]{1,60}", name):
        refusals["name"] = Refusal("not_an_id")
    measure, relation, unit = form.get("measure", ""), form.get("relation", ""), form.get("unit", "")
    if measure not in tuple(Measure):
        refusals["measure"] = Refusal("choose")
    elif unit not in UNITS[Measure(measure)]:
        refusals["unit"] = Refusal("wrong_unit", {"units": ", ".join(UNITS[Measure(measure)])})
    if relation not in tuple(Relation):
        refusals["relation"] = Refusal("choose")
    bound = fields.number(form.get("bound", ""))
    if bound is None or bound <= 0:
        refusals["bound"] = Refusal("not_a_number")
    texts = {code: fields.text(form, f"text_{code}", LONGEST, refusals) for code in LANGUAGES}
    article = _article(form, articles, refusals)
    if refusals:
        raise Refused("advice", refusals, form)
    rule = Rule(measure=Measure(measure), relation=Relation(relation), bound=bound or Decimal(1), unit=unit)
    return name, rule, texts, article


def _article(form: Form, articles: Collection[str], refusals: dict[str, Refusal]) -> str | None:
    name = form.get("article", "").strip()
    if name and name not in articles:
        refusals["article"] = Refusal("no_such_article")
    return name or None
