"""The form of a person's units, read and checked. Pure."""

from cloud.plans.fields import Form, Refusal, Refused
from cloud.preferences.models import GLUCOSE, PRESSURE, Choice


def choice(form: Form) -> Choice:
    """The units of the form. Refused where one of them is none of ours."""
    glucose, pressure = form.get("glucose", ""), form.get("pressure", "")
    refusals = {
        name: Refusal("choose")
        for name, chosen, known in (("glucose", glucose, GLUCOSE), ("pressure", pressure, PRESSURE))
        if chosen not in known
    }
    if refusals:
        raise Refused("units", refusals, form)
    return Choice(glucose=glucose or None, pressure=pressure or None)
