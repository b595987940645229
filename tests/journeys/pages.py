"""Every page of the console, and who reads it: a new page without its line here fails ``test_browser_axe``."""

from collections.abc import Mapping
from typing import Final

# Who reads it, and where: ids in braces are those of ``tests.fix_centre.planted``. A page that a form answers with is
# the journeys' to look at.
PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("/login", "/invitation/{nothing}"),
    "nora": (
        "/worklist",
        "/worklist?show=retrospect",
        "/cases/{case}",
        "/cases/{own}",
        "/callers",
        "/break-glass",
        "/training",
        "/shift",
        "/patients",
        "/patients/{patient}",
        "/patients/{patient}/messages",
        "/messages",
        "/patients/{patient}/plan",
        "/patients/{patient}/card",
        "/patients/{patient}/invitation",
        "/technical",
        "/questions",
        "/patients/{patient}/questions",
        "/whose",
        "/quarantine",
        "/quarantine/{item}",
        "/me/reached",
        "/me/sign-in",
        "/me/sign-in/second-factor",
        "/me/settings",
        "/nowhere",
    ),
    "ada": (
        "/patients/{patient}/plan?limit=hypertension_systolic",
        "/patients/{patient}/review",
        "/patients/{patient}/visits",
        "/visits",
        "/patients/{patient}/treatment",
        "/what-if",
        "/what-if/{run}",
    ),
    "lena": ("/roster", "/programmes"),
    "sam": ("/technical", "/gateways", "/gateways/{gateway}"),
    "asta": (
        "/me",
        "/me/measured",
        "/me/plan",
        "/me/messages",
        "/me/settings",
        "/me/access",
        "/me/sign-in",
        "/me/consent",
        "/me/questions",
    ),
    "carl": ("/", "/whose", "/enrolments", "/enrolments/{patient}"),
    "adam": ("/accounts",),
    "otto": ("/audit",),
}

NO_PAGES: Final[Mapping[str, str]] = {
    "/audit.csv": "a file",
    "/healthz": "for monitoring",
    "/live": "a stream",
    "/live/technical": "a stream",
    "/login/code": "leads to /login unless a password was given: test_browser_sign_in looks at it",
    "/login/outside": "leads to the provider",
    "/login/outside/back": "leads on",
    "/me/readings": "a part of /me",
    "/messages/waiting": "a part of /worklist",
    "/me/series.json": "figures",
    "/patients/{patient_id}/readings": "a part of /patients/{patient_id}",
    "/patients/{patient_id}/review/report.pdf": "a file",
    "/patients/{patient_id}/series.json": "figures",
    "/what-if/{run_id}/result": "a part of /what-if/{run_id}",
}
"""What is asked for with GET and is no page, and why."""
